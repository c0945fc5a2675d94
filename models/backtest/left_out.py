"""What is lost when the columns of one source are left out: are they worth what they cost?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from configs.arrays import Floats
from models.backtest.split import Fold
from models.prediction.boosted import Settings, binned, boost
from models.prediction.classifier import learn_columns
from models.prediction.sample import Sample
from models.prediction.scoring import encode, member_score
from models.prediction.trees import Forest
from models.statistics.bootstrap import mean_interval
from models.statistics.metrics import row_log_loss

SMALL_FIT_ROWS = 30_000


@dataclass(frozen=True)
class LeftOut:
    """A group of columns, and how the log loss rises without it.

    Parameters
    ----------
    name
        Of the group.
    columns
        How many it has.
    loss, low, high
        Log loss without the group less that with it, on rows that neither fit has seen, and its 95 % interval.
    """

    name: str
    columns: int
    loss: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """In a word: helps, harms or not proven."""
        return "helps" if self.low > 0 else "harms" if self.high < 0 else "not proven"


def small_trees(train: Sample, test: Sample, settings: Settings) -> Floats:
    """Log-odds of the test rows by small trees of one seed, fitted on 30,000 rows at most."""
    some = train.at_most(SMALL_FIT_ROWS, settings.seed)
    columns = learn_columns(some.X)
    customers = len(np.unique(some.customer))
    rows = binned(encode(columns, some.X), some.churned, customers, settings, some.weight)
    (fit,) = boost(rows, settings, seeds=1)
    boosters = [Forest(text) for text in fit()]
    return member_score({"kind": "boosted", "boosters": [0]}, boosters, encode(columns, test.X))


def without_each(
    sample: Sample, settings: Settings, fold: Fold, groups: Mapping[str, Sequence[str]]
) -> tuple[LeftOut, ...]:
    """Fit without each group of columns in turn, and compare with all of them on the fold's test rows.

    Parameters
    ----------
    groups
        Name to columns; a column may be in several. What would leave no column is not left out.

    Returns
    -------
    tuple of LeftOut
        The one that is missed most first.
    """
    without = {
        name: [c for c in sample.X.columns if c not in set(columns)] for name, columns in groups.items()
    }
    if not any(without.values()):
        return ()
    train, test = _rows(sample, settings, fold)

    def losses(names: Sequence[str]) -> Floats:
        z = small_trees(train.columns(list(names)), test.columns(list(names)), settings)
        return row_log_loss(test.churned, 1 / (1 + np.exp(-z)))

    left = {name: others for name, others in without.items() if others}
    with ThreadPoolExecutor(settings.threads) as pool:
        every, *less = pool.map(losses, [list(sample.X.columns), *left.values()])
    found = []
    for name, loss in zip(left, less, strict=True):
        rise, low, high = mean_interval(loss - every, test.customer, settings.seed, test.weight)
        found.append(LeftOut(name, len(groups[name]), rise, low, high))
    return tuple(sorted(found, key=lambda one: -one.loss))


def _rows(sample: Sample, settings: Settings, fold: Fold) -> tuple[Sample, Sample]:
    """What to fit on and what to test on; of a cross-validation a fifth of the customers."""
    if not fold.crossed:
        return sample.rows(fold.train_rows), sample.rows(fold.test_rows)
    ids, position = np.unique(sample.customer, return_inverse=True)
    tested = (np.random.default_rng(settings.seed).permutation(len(ids)) % fold.crossed == 0)[position]
    return sample.rows(~tested), sample.rows(tested)
