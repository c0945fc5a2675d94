"""The members with trees: small ones with random cuts, and large ones with exact cuts; seeds are averaged in log-odds.

Small trees suit histories, where large ones learn the customer. A table with interactions needs large ones. Fading
trees are small ones for which older snapshots count less: they follow what has changed, and forget what repeats.

Every booster has one thread. Threads within a booster meet after each leaf: on a busy machine most of the time is spent
waiting there. Several boosters side by side never wait for each other, see `Fit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import lightgbm as lgb
import numpy as np

from configs.arrays import Bools, Floats

FAVOURED = ("boosted", "linear + trees")
LARGE, FADING = "large trees", "fading trees"
# Members that have to prove themselves, and that a fit may leave out.
OPTIONAL = (LARGE, FADING)
TREES = (*FAVOURED, *OPTIONAL)
LARGE_LEAVES = 31
LARGE_LEAF_ROWS = 20
LARGE_RATE = 0.05
MOST_LARGE = 600
_PATIENCE = 30
# Edges of bins are of no more rows than these.
BIN_ROWS = 40_000
# A small tree learns no more from more rows than hold so many of the rarer class; so many trees in turn have the same.
TREE_MINORITY, DRAWN_FOR = 15_000, 10

# What every booster of this project is fitted with.
EVERY_BOOSTER = {
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}

# Fits one or more boosters and gives their texts; several may run side by side.
Fit = Callable[[], tuple[str, ...]]


@dataclass(frozen=True)
class Settings:
    """What a fit needs to know.

    Parameters
    ----------
    trees, leaves, learning_rate, l2, seeds, threads, max_rows
        As in the section `model` of the config; the first four are those of the small trees, and so many fits as there
        are threads stand side by side.
    gap_days, horizon_days
        The label window.
    contractual
        Whether customers end their contract, or just stop buying.
    seed
        Start of every random choice.
    """

    horizon_days: int
    gap_days: int = 0
    contractual: bool = False
    trees: int = 150
    leaves: int = 7
    learning_rate: float = 0.03
    l2: float = 5.0
    seeds: int = 3
    threads: int = 2
    max_rows: int = 2_000_000
    seed: int = 7


def capacity(leaves: int, minority: int) -> tuple[int, int]:
    """Leaves and the fewest rows of a leaf that so many rows of the rarer class can carry.

    Big trees learn the customer instead of the behaviour, small data sooner than large.

    Examples
    --------
    >>> capacity(7, 10_000), capacity(7, 60), capacity(7, 10)
    ((7, 50), (3, 20), (2, 20))
    """
    return max(2, min(leaves, minority // 20)), int(np.clip(minority // 20, 20, 50))


def share_drawn(rows: int, rate: float) -> float:
    """Share of so many rows with this churn rate that one small tree is grown on.

    Examples
    --------
    >>> round(share_drawn(100_000, 0.7), 2), share_drawn(100_000, 0.1)
    (0.5, 1.0)
    """
    return float(min(1.0, TREE_MINORITY / max(rows * min(rate, 1 - rate), 1.0)))


def binned(
    X: Floats, y: Floats, customers: int, settings: Settings, weight: Floats | None = None
) -> tuple[lgb.Dataset, dict[str, object]]:
    """Bin the rows for small trees, once for all members of them.

    Parameters
    ----------
    X, y
        Encoded inputs of shape (rows, inputs) and labels.
    customers
        How many different customers the rows belong to: rows of one customer say much the same.
    settings
        Size and speed of the trees.
    weight
        For how many rows each stands; None where each stands for itself.

    Returns
    -------
    data, parameters
        What `boost` takes.
    """
    minority = int(min(y.mean(), 1 - y.mean()) * customers)
    leaves, leaf_rows = capacity(settings.leaves, minority)
    common = EVERY_BOOSTER | {
        "num_leaves": leaves,
        "min_data_in_leaf": leaf_rows,
        "learning_rate": settings.learning_rate,
        "lambda_l2": settings.l2,
        "extra_trees": True,
        "bin_construct_sample_cnt": BIN_ROWS,
    }
    if (share := share_drawn(len(y), y.mean())) < 1:
        common |= {"bagging_fraction": share, "bagging_freq": DRAWN_FOR}
    return lgb.Dataset(X, y, weight=weight, params=common).construct(), common


def boost(
    rows: tuple[lgb.Dataset, dict[str, object]],
    settings: Settings,
    seeds: int,
    start: Floats | None = None,
    weight: Floats | None = None,
) -> list[Fit]:
    """Make the fits of small trees, one a seed.

    Parameters
    ----------
    rows
        As `binned` gave them.
    settings
        Number of the trees, and the first seed.
    seeds
        How many boosters.
    start
        Log-odds of each row that the trees correct, with a third fewer of them; None: they start from the churn rate.
    weight
        For how many rows each stands instead; None: as it was binned.
    """
    data, common = rows
    if start is not None or weight is not None:
        # A copy of the bins: others fit on these rows meanwhile.
        data = data.subset(np.arange(data.num_data()), params=common).construct()
        data = data if start is None else data.set_init_score(start)
        data = data if weight is None else data.set_weight(weight)
    trees = settings.trees if start is None else max(1, settings.trees * 2 // 3)

    def fit(seed: int) -> tuple[str, ...]:
        return (
            lgb.train(common | {"extra_seed": seed, "bagging_seed": seed}, data, trees).model_to_string(),
        )

    return [partial(fit, settings.seed + i) for i in range(seeds)]


def boost_large(
    X: Floats,
    y: Floats,
    customers: int,
    settings: Settings,
    seeds: int,
    held: tuple[Bools, Bools],
    weight: Floats | None = None,
) -> Fit:
    """Make the fit of large trees, one booster a seed, of as many as lowered the loss of rows held back first.

    Parameters
    ----------
    X, y, customers, settings, weight
        As in `binned`.
    seeds
        How many boosters.
    held
        Masks of the rows to fit on and of those held back while the number of trees is found.
    """
    minority = int(min(y.mean(), 1 - y.mean()) * customers)
    common = EVERY_BOOSTER | {
        "num_leaves": capacity(LARGE_LEAVES, minority)[0],
        "min_data_in_leaf": LARGE_LEAF_ROWS,
        "learning_rate": LARGE_RATE,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
    }

    def fit() -> tuple[str, ...]:
        fitted, back = (
            lgb.Dataset(X[rows], y[rows], weight=None if weight is None else weight[rows]) for rows in held
        )
        first = lgb.train(
            common | {"seed": settings.seed},
            fitted,
            MOST_LARGE,
            valid_sets=[back.set_reference(fitted)],
            callbacks=[lgb.early_stopping(_PATIENCE, verbose=False)],
        )
        trees, data = max(1, first.best_iteration), lgb.Dataset(X, y, weight=weight)
        boosters = [lgb.train(common | {"seed": settings.seed + i}, data, trees) for i in range(seeds)]
        return tuple(booster.model_to_string() for booster in boosters)

    return fit
