"""A source that tells who leaves is missed, one that tells nothing is not, and tuning fits by the same trees."""

import numpy as np
import pandas as pd
import pytest

from models.backtest.left_out import without_each
from models.backtest.split import Fold, fold_at
from models.prediction.boosted import Settings
from models.prediction.sample import Sample

SETTINGS = Settings(horizon_days=30, trees=30, threads=1)
DAYS = np.array(["2026-01-01", "2026-03-01"], dtype="datetime64[D]")
GROUPS = {"transactions": ["silence", "count"], "contacts": ["complaints"]}


def company(seed=3, customers=600):
    """Silence tells of the risk; the complaints are noise."""
    rng = np.random.default_rng(seed)
    silence = rng.gamma(2.0, 30.0, 2 * customers)
    X = pd.DataFrame({"silence": silence, "count": rng.poisson(3, 2 * customers).astype(float)})
    X["complaints"] = rng.normal(size=2 * customers)
    churned = (rng.random(2 * customers) < 1 / (1 + np.exp(2 - silence / 30))).astype(float)
    ids = np.tile(np.arange(customers).astype(str), 2)
    return Sample(X, churned, ids, np.repeat(DAYS, customers))


def test_what_tells_is_missed_and_noise_is_not():
    sample = company()
    first, second = without_each(sample, SETTINGS, fold_at(sample, DAYS[1], 0, 30), GROUPS)
    assert (first.name, first.columns, first.verdict) == ("transactions", 2, "helps")
    assert first.low < first.loss < first.high
    assert (second.name, second.columns) == ("contacts", 1)
    assert second.verdict != "helps"
    assert abs(second.loss) < 0.02 < first.loss


def test_what_misleads_on_the_later_rows_harms():
    sample = company()
    late = sample.snapshot == DAYS[1]
    y = sample.churned
    told = np.where(late, 1 - y, y) + np.random.default_rng(1).normal(scale=0.6, size=len(y))
    spoiled = Sample(sample.X.assign(complaints=told), y, sample.customer, sample.snapshot)
    found = {
        one.name: one for one in without_each(spoiled, SETTINGS, fold_at(spoiled, DAYS[1], 0, 30), GROUPS)
    }
    assert found["contacts"].verdict == "harms"
    assert found["contacts"].loss < 0


def test_without_dates_a_fifth_of_the_customers_is_held_back():
    sample = company()
    every = np.arange(len(sample))
    fold = Fold(DAYS[0], DAYS[0], DAYS[0], every, every, crossed=5)
    assert without_each(sample, SETTINGS, fold, GROUPS)[0].verdict == "helps"


@pytest.mark.parametrize("groups", [{}, {"transactions": ["silence", "count", "complaints"]}])
def test_a_single_source_has_nothing_to_be_left_out_of(groups):
    sample = company(customers=100)
    assert without_each(sample, SETTINGS, fold_at(sample, DAYS[1], 0, 30), groups) == ()
