"""The members with trees: small ones with random cuts, several seeds, averaged in log-odds."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from configs.arrays import Floats


@dataclass(frozen=True)
class Settings:
    """What a fit needs to know.

    Parameters
    ----------
    trees, leaves, learning_rate, l2, seeds, threads, max_rows
        As in the section `model` of the config.
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


def boost(
    X: Floats,
    y: Floats,
    customers: int,
    settings: Settings,
    seeds: int,
    start: Floats | None = None,
    weight: Floats | None = None,
) -> tuple[str, ...]:
    """Fit one booster a seed and return their texts.

    Parameters
    ----------
    X, y
        Encoded inputs of shape (rows, inputs) and labels.
    customers
        How many different customers the rows belong to: rows of one customer say much the same.
    settings
        Size and speed of the trees.
    seeds
        How many boosters.
    start
        Log-odds of each row that the trees correct, with a third fewer of them; None: they start from the churn rate.
    weight
        For how many rows each stands; None where each stands for itself.
    """
    minority = int(min(y.mean(), 1 - y.mean()) * customers)
    leaves, leaf_rows = capacity(settings.leaves, minority)
    common = {
        "objective": "binary",
        "num_leaves": leaves,
        "min_data_in_leaf": leaf_rows,
        "learning_rate": settings.learning_rate,
        "lambda_l2": settings.l2,
        "extra_trees": True,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "verbose": -1,
    }
    data = lgb.Dataset(X, y, init_score=start, weight=weight)
    trees = settings.trees if start is None else max(1, settings.trees * 2 // 3)
    texts = []
    for i in range(seeds):
        booster = lgb.train(common | {"extra_seed": settings.seed + i}, data, trees)
        texts.append(_without_threads(booster.model_to_string()))
    return tuple(texts)


def _without_threads(text: str) -> str:
    """Drop the number of threads from the parameters in a model text, so that equal models are equal bytes."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("[num_threads:"))
