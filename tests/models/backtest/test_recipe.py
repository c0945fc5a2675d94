from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from configs.errors import HistoryError
from models.backtest import recipe
from models.backtest.best_members import same_for_all
from models.backtest.recipe import run_recipe
from models.backtest.split import fold_at, origins
from models.prediction.boosted import Settings
from models.prediction.sample import Sample, inspect_columns
from models.statistics.metrics import log_loss
from tests.models.model_data import random_sample

SETTINGS = Settings(horizon_days=60, trees=20, seeds=1)


def quiet(line):
    assert line


def fit(sample, tests=2, **changed):
    return run_recipe(sample, replace(SETTINGS, **changed), tests, quiet)


def test_nothing_after_the_cut_reaches_the_holdout_model():
    sample = random_sample()
    newest = sample.snapshots[0]
    late = sample.snapshot + np.timedelta64(60, "D") > newest
    rng = np.random.default_rng(0)
    X = sample.X.copy()
    X.loc[late, "recency_days"] = (rng.random(late.sum()) * 1e4).astype("float32")
    X.loc[late, "plan"] = "pro"
    spoiled = replace(sample, X=X, churned=np.where(late, 1 - sample.churned, sample.churned))
    here, there = fit(sample), fit(spoiled)
    assert here.holdout.files() == there.holdout.files()
    assert here.deployed.files() != there.deployed.files()


def test_a_spy_sees_no_row_after_the_cut_in_any_fit_or_calibration(monkeypatch):
    fits, learned = [], []

    def spy(name, note):
        whole = getattr(recipe, name)

        def watched(first, *rest, **named):
            note(first)
            return whole(first, *rest, **named)

        monkeypatch.setattr(recipe, name, watched)

    spy("fit_members", lambda rows: fits.append(rows.snapshot.max()))
    spy("learn_weights", lambda outcomes: learned.append(max(o.at for o in outcomes)))
    spy("learn_calibrator", lambda outcomes: learned.append(max(o.at for o in outcomes)))
    sample, window = random_sample(), np.timedelta64(60, "D")
    result = fit(sample)
    made = [fold_at(sample, test, 0, 60) for test in origins(sample.snapshots, 0, 60, 2)]
    folds = [fold for fold in made if fold is not None]
    cuts = sorted(sample.snapshot[fold.train_rows].max() for fold in folds)
    # One fit an origin, each up to its own cut, and one of all mature rows.
    assert sorted(fits) == [*cuts, sample.snapshots[0]]
    assert all(cut + window <= fold.test for cut, fold in zip(cuts, reversed(folds), strict=True))
    # For each test snapshot the shares and the calibrator; then those of the deployed model.
    assert len(learned) == 2 * len(result.tested) + 2
    for i, tested in enumerate(result.tested):
        assert max(learned[2 * i : 2 * i + 2]) + window <= tested.fold.test


def test_each_test_snapshot_is_judged_by_what_was_known_then():
    sample = random_sample()
    older = sample.rows(sample.snapshot < sample.snapshots[0])
    now, then = (fit(part, learning_rate=0.2) for part in (sample, older))
    np.testing.assert_array_equal(now.tested[1].probability["model"], then.tested[0].probability["model"])
    assert now.tested[1].fold.test == then.tested[0].fold.test


def test_two_runs_give_the_same_bytes():
    a, b = fit(random_sample()), fit(random_sample())
    assert a.deployed.files() == b.deployed.files()
    assert a.holdout.files() == b.holdout.files()


def test_with_few_snapshots_the_blend_is_learned_across_customers_and_it_is_said():
    result = fit(random_sample(snapshots=3))
    assert len(result.tested) == 1
    assert "across customers" in result.notes[0]


def test_the_origins_can_be_watched():
    seen = []

    def watch(items, what, total, *, plan):
        for item in items:
            seen.append((what, total))
            yield item
        assert len(plan()) == total

    sample = random_sample()
    watched = run_recipe(sample, SETTINGS, 2, quiet, watch)
    assert set(seen) == {("backtest", len(seen))}
    assert watched.deployed.files() == fit(sample).deployed.files()


def test_too_many_rows_are_sampled_by_customer_and_it_is_said():
    result = fit(random_sample(), max_rows=1_000)
    assert result.training_rows <= 1_000
    assert any("sample of customers" in note for note in result.notes)


def test_without_signal_the_model_stays_near_the_base_rate():
    sample = random_sample(signal=0.0, customers=100)
    sample = replace(sample, churned=np.random.default_rng(0).permutation(sample.churned))
    newest = fit(sample).tested[0]
    assert np.std(newest.probability["model"]) < 0.12


@pytest.mark.parametrize(
    ("churned", "said"),
    [
        (np.zeros(800), "no customer churned"),
        (np.ones(800), "every customer churned"),
        (np.r_[np.ones(5), np.zeros(795)], "5 churned and 795 kept"),
    ],
)
def test_too_few_of_a_class_is_refused_with_numbers(churned, said):
    with pytest.raises(HistoryError, match=said):
        fit(replace(random_sample(customers=100), churned=churned))


def test_one_mature_window_is_refused_with_the_next_step():
    with pytest.raises(HistoryError, match="shorten"):
        fit(random_sample(snapshots=2))


def test_columns_that_cannot_help_or_know_too_much_are_named():
    y = np.array([0.0, 1.0] * 100)
    text = pd.Categorical([f"name {i}" for i in range(200)])
    gone = np.where(y == 1, 3.0, np.nan)
    X = pd.DataFrame(
        {"fine": np.arange(200.0) * 2, "one": 1.0, "none": np.nan, "name": text, "left_on": gone}
    )
    sample = Sample(X, y, np.arange(200).astype(str), np.full(200, np.datetime64("2026-01-01")))
    report = inspect_columns(sample)
    assert report.used == ("fine", "left_on")
    assert (report.constant, report.empty, report.identifying) == (("one",), ("none",), ("name",))
    assert report.leaking == {"left_on": 1.0}


@pytest.mark.parametrize(("kept_above", "leaking"), [(24, {"told": 0.9904}), (25, {})])
def test_a_column_leaks_when_it_alone_ranks_better_than_99_percent(kept_above, leaking):
    """50 kept rows below 50 churned ones, of which one stands below some of the kept: AUC 1 - kept_above / 2,500."""
    told = np.r_[np.arange(50.0), np.arange(50.0, 99.0), 49.5 - kept_above]
    y, who = np.repeat([0.0, 1.0], 50), np.arange(100).astype(str)
    sample = Sample(pd.DataFrame({"told": told}), y, who, np.full(100, np.datetime64("2026-01-01")))
    assert inspect_columns(sample).leaking == pytest.approx(leaking)


def test_the_shares_are_learned_on_the_four_newest_folds(monkeypatch):
    """What helped long ago may not help now."""
    learned, known = [], []
    weights, calibrator = recipe.learn_weights, recipe.learn_calibrator

    def learn_weights(forecasts, names):
        learned.append([f.at for f in forecasts])
        return weights(forecasts, names)

    def learn_calibrator(forecasts, *rest):
        known.append([f.at for f in forecasts])
        return calibrator(forecasts, *rest)

    monkeypatch.setattr(recipe, "learn_weights", learn_weights)
    monkeypatch.setattr(recipe, "learn_calibrator", learn_calibrator)
    fit(random_sample(customers=60, snapshots=12), tests=3, trees=5)
    assert len(known[-1]) > 4
    assert known[-1] == sorted(known[-1], reverse=True)
    # Of those known at a test only the ones whose fits had half as many rows or more: at most four.
    assert learned == [snapshots[: len(chosen)] for snapshots, chosen in zip(known, learned, strict=True)]
    assert [len(chosen) for chosen in learned] == [4, 3, 3, 4]


def test_a_blend_that_loses_to_a_rule_makes_room_for_members_that_do_not(monkeypatch):
    """Shares are unlucky here: all is given to the base rate."""
    monkeypatch.setattr(recipe, "learn_weights", lambda forecasts, names: {"base rate": 1.0})
    result = fit(random_sample(), learning_rate=0.2)
    assert result.deployed.weights == result.holdout.weights == {"boosted": 0.5, "linear + trees": 0.5}
    for tested in result.tested:
        assert log_loss(tested.y, tested.probability["model"]) < log_loss(
            tested.y, tested.probability["base rate"]
        )
    newest = random_sample().rows(result.tested[0].fold.test_rows)
    np.testing.assert_allclose(result.holdout.probability(newest.X), result.tested[0].probability["model"])
    assert any("put aside" in note for note in result.notes)


def test_a_newest_snapshot_on_which_the_base_rate_is_better_is_said_and_followed():
    """What told who leaves tells the opposite at last: the mean of four snapshots would not show it."""
    sample = random_sample(customers=600, signal=2.5)
    newest = sample.snapshot == sample.snapshots[0]
    turned = replace(sample, churned=np.where(newest, 1 - sample.churned, sample.churned))
    here, there = fit(sample), fit(turned)
    assert here.tested[0].above_base_rate(seed=7)[2] < 0 < there.tested[0].above_base_rate(seed=7)[1]
    assert not any("base rate" in note for note in here.notes)
    assert any(str(sample.snapshots[0]) in note and "this snapshot alone" in note for note in there.notes)
    assert list(there.deployed.weights) == ["base rate"]
    assert "same chance" in same_for_all(there.deployed.weights)[0]
    assert not same_for_all(here.deployed.weights)


def few_rows_suffice(monkeypatch):
    """So many rows for an older origin that these samples have enough to leave large trees out."""
    monkeypatch.setattr(recipe, "FOLD_ROWS", 600)


def test_large_trees_that_promise_nothing_are_not_fitted_on_the_newest_rows(monkeypatch):
    sample = random_sample(customers=200, snapshots=10)
    before = fit(sample, learning_rate=0.2)
    few_rows_suffice(monkeypatch)
    after = fit(sample, learning_rate=0.2)
    assert "large trees" in before.tested[0].probability
    assert "large trees" not in after.tested[0].probability
    assert "large trees" not in before.deployed.weights
    # The newest origin has all rows: what is left there is what it was.
    for name in ("boosted", "linear + trees", "linear", "rfm"):
        np.testing.assert_array_equal(after.tested[0].probability[name], before.tested[0].probability[name])


def test_large_trees_are_judged_by_what_was_known_then(monkeypatch):
    few_rows_suffice(monkeypatch)
    asked = []

    def fits(rows, settings, seeds, optional):
        asked.append((rows.snapshot.max(), set(optional)))
        return whole_fit(rows, settings, seeds, optional)

    def promises(forecasts):
        asked.append(max(o.at for o in forecasts))
        return whole_promise(forecasts)

    whole_fit, whole_promise = recipe.fit_members, recipe.promising
    monkeypatch.setattr(recipe, "fit_members", fits)
    monkeypatch.setattr(recipe, "promising", promises)
    fit(random_sample(customers=200, snapshots=10), threads=1, learning_rate=0.2)
    judged = [(known, then) for known, then in pairwise(asked) if not isinstance(known, tuple)]
    assert len(judged) >= 2
    # Rows of a fit end a window before its origin, and so do the labels that were known there.
    assert all(known <= newest for known, (newest, _) in judged)
    assert all(wanted == {"fading trees"} for _, (_, wanted) in judged)


def test_the_time_to_go_shrinks_once_large_trees_are_left_out(monkeypatch):
    few_rows_suffice(monkeypatch)
    plans = []

    def watch(items, what, total, *, plan):
        plans.append(plan())
        for item in items:
            yield item
            plans.append(plan())

    run_recipe(
        random_sample(customers=200, snapshots=10),
        replace(SETTINGS, threads=1, learning_rate=0.2),
        2,
        quiet,
        watch,
    )
    # What had gone by when the judges had ended is a larger share of less.
    judges = recipe.FEWEST_JUDGES
    assert plans[-1][judges - 1] > plans[0][judges - 1]
    assert all(plan[-1] == 1 for plan in plans)
