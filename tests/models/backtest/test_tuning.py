from dataclasses import replace

import numpy as np

from models.backtest.tuning import SIZES, tune
from models.prediction.boosted import Settings
from tests.models.model_data import random_sample

SETTINGS = Settings(horizon_days=60, trees=40, threads=1)


def search(sample, trials=4, settings=SETTINGS, tests=2, seconds=0):
    return tune(sample, settings, tests, trials, seconds, lambda line: None)


def test_the_newest_test_snapshots_are_never_looked_at():
    sample = random_sample(snapshots=12)
    oldest_test = np.unique(sample.snapshot)[-2]
    late = sample.snapshot + np.timedelta64(60, "D") > oldest_test
    X = sample.X.copy()
    X.loc[late, "recency_days"] = -1.0
    spoiled = replace(sample, X=X, churned=np.where(late, 1 - sample.churned, sample.churned))
    assert search(sample) == search(spoiled)


def test_the_same_search_finds_the_same_sizes():
    sample = random_sample(snapshots=12)
    assert search(sample) == search(sample)


def test_the_first_try_is_what_was_given_and_the_best_is_searched_on_other_snapshots_than_confirmed():
    tuned = search(random_sample(snapshots=12))
    assert tuned.tried[0].sizes == {key: getattr(SETTINGS, key) for key in SIZES}
    assert "on later snapshots (2025-08-29, 2025-07-30)" in tuned.note


def test_the_budget_in_seconds_ends_the_search_after_a_try():
    assert len(search(random_sample(snapshots=12), trials=50, seconds=0.001).tried) == 1


def test_sizes_outside_the_usual_ranges_are_tried_first_too():
    odd = replace(SETTINGS, trees=12, leaves=60)
    assert search(random_sample(snapshots=12), trials=2, settings=odd).tried[0].sizes["trees"] == 12


def test_hopeless_sizes_are_replaced():
    poor = replace(SETTINGS, trees=30, learning_rate=0.005)
    tuned = search(random_sample(snapshots=12, signal=3.0), trials=8, settings=poor)
    assert tuned.adopted
    assert tuned.settings != poor
    assert "adopted" in tuned.note


def test_without_signal_the_given_sizes_stay():
    sample = random_sample(snapshots=12, signal=0.0, customers=150)
    sample = replace(sample, churned=np.random.default_rng(0).permutation(sample.churned))
    tuned = search(sample, settings=replace(SETTINGS, leaves=2, trees=30, learning_rate=0.005))
    assert not tuned.adopted
    assert tuned.settings.trees == 30


def test_too_short_a_history_is_left_untuned_and_it_is_said():
    tuned = search(random_sample(snapshots=5))
    assert (tuned.adopted, tuned.tried) == (False, ())
    assert "too short" in tuned.note
