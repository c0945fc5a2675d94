"""Curves of the time to the next purchase or the ending, on customers whose true chances are known."""

import numpy as np
import pandas as pd
import pytest

from models.backtest.horizons import calibrated_levels, judge_horizons, reached_levels
from models.prediction.boosted import Settings
from models.prediction.classifier import FittedModel
from models.prediction.horizons import (
    USUAL_LEVELS,
    edges_of,
    fit,
    hazard_curves,
    outlook,
    tied_curves,
    with_levels,
)
from models.prediction.sample import Sample
from models.prediction.waits import Waits

HORIZON = 60
EDGES = edges_of(HORIZON, [])
WANTED = [7, 14, 30, 60, 90, 180, 365]


def company(seed, rows=6_000, followed=400.0):
    """Each customer's chance of an event is even in time, by a rate that the column `slow` tells."""
    rng = np.random.default_rng(seed)
    slow = rng.uniform(0, 1, rows)
    mean = 15 * np.exp(2.5 * slow)
    days = rng.exponential(mean)
    X = pd.DataFrame({"slow": slow, "noise": rng.normal(size=rows)}).astype("float32")
    day = np.full(rows, np.datetime64("2026-01-01"))
    sample = Sample(X, (days >= HORIZON) * 1.0, np.arange(rows).astype(str), day)
    seen = np.where(days < followed, np.floor(days), np.nan)
    return sample, Waits(seen, ~np.isnan(seen), np.full(rows, followed)), mean


def settings(**more):
    return Settings(horizon_days=HORIZON, threads=1, **more)


@pytest.fixture(scope="module")
def learned():
    sample, waits, _ = company(1)
    return fit(sample, waits, settings(), EDGES)


def test_curves_meet_the_true_chances(learned):
    sample, _, mean = company(2)
    found = outlook(learned, sample.X, np.exp(-HORIZON / mean), WANTED)
    for days in WANTED:
        np.testing.assert_allclose(found.churned[days], np.exp(-days / mean), atol=0.12)
        assert abs(found.churned[days].mean() - np.exp(-days / mean).mean()) < 0.02


def test_four_of_five_intervals_hold_the_day(learned):
    sample, waits, mean = company(3)
    found = outlook(learned, sample.X, np.exp(-HORIZON / mean), WANTED)
    told = ~np.isnan(found.high)
    assert told.mean() > 0.9
    inside = (waits.days >= found.low) & (waits.days <= found.high)
    assert 0.78 < inside[told].mean() < 0.82
    assert 0.46 < (waits.days < found.days)[told].mean() < 0.54
    assert (found.low[told] <= found.days[told]).all()
    assert (found.days[told] <= found.high[told]).all()


@pytest.mark.parametrize("endings", [False, True])
def test_whatever_is_tied_a_curve_is_monotone_and_keeps_the_champions_probability(endings):
    sample, waits, _ = company(4, rows=1_500)
    model = fit(sample, waits, settings(contractual=endings), EDGES)
    p = np.random.default_rng(5).choice([0.0, 1e-12, 0.01, 0.5, 0.99, 1.0], len(sample))
    found = outlook(model, sample.X, p, WANTED)
    np.testing.assert_array_equal(found.churned[HORIZON], p)
    rows = np.column_stack([found.churned[days] for days in WANTED])
    steps = np.diff(rows, axis=1) * (1 if endings else -1)
    assert steps.min() > -1e-9
    assert ((rows >= 0) & (rows <= 1)).all()


def test_nothing_is_told_of_days_that_nobody_was_watched_for():
    sample, waits, mean = company(6, followed=130.0)
    found = outlook(fit(sample, waits, settings(), EDGES), sample.X, np.exp(-HORIZON / mean), [120, 150])
    assert np.isfinite(found.churned[120]).all()
    assert np.isnan(found.churned[150]).all()
    assert found.days[np.isfinite(found.days)].max() <= 120


def test_what_came_after_the_watch_changes_nothing():
    sample, waits, _ = company(7, rows=1_500)
    short = waits.known(np.full(1_500, 100.0))
    other = Waits(np.where(waits.days >= 100, 399.0, waits.days), waits.event, short.followed)
    assert fit(sample, short, settings(), EDGES).digest == fit(sample, other, settings(), EDGES).digest


def test_too_few_events_give_no_model():
    sample, waits, _ = company(8, rows=40, followed=3.0)
    assert fit(sample, waits, settings(), EDGES) is None


def test_the_files_hold_everything(learned):
    sample, _, _ = company(9, rows=50)
    again = FittedModel.from_files(learned.files())
    np.testing.assert_array_equal(
        hazard_curves(again, sample.X).hazard, hazard_curves(learned, sample.X).hazard
    )


def test_the_judge_prefers_what_is_true(learned):
    sample, waits, mean = company(10)
    test = judge_horizons(learned, sample.X, np.exp(-HORIZON / mean), waits)
    assert max(test.integrated, key=test.integrated.get) == "kaplan_meier"
    assert set(test.by_day) == {edge for edge in EDGES if 0 < edge <= HORIZON}
    # Half of them buy at once and the others never: an even rate is wrong.
    odd = Waits(np.where(np.arange(6_000) % 2 == 0, 0.0, np.nan), np.arange(6_000) % 2 == 0, waits.followed)
    again = fit(sample, odd, settings(), EDGES)
    assert judge_horizons(again, sample.X, np.full(6_000, 0.5), odd).better


def coverage(model, sample, waits, p):
    found = outlook(model, sample.X, p, [])
    told = ~np.isnan(found.high)
    return ((waits.days >= found.low) & (waits.days <= found.high))[told].mean()


@pytest.mark.parametrize("followed", [400.0, 90.0])
def test_levels_mend_curves_that_are_too_sure(learned, followed):
    # Everybody's wait is the square root of what the curves were taught, and they were watched for a while only.
    sample, waits, _ = company(11)
    odd = Waits(np.floor(7 * np.sqrt(waits.days)), waits.event, waits.followed)
    p = np.full(6_000, np.mean(~(odd.days < HORIZON)))
    seen = odd.known(np.full(6_000, followed))
    levels = calibrated_levels(*reached_levels(tied_curves(learned, sample.X, p), seen))
    assert not 0.75 < coverage(learned, sample, odd, p) < 0.85
    assert 0.77 < coverage(with_levels(learned, levels), sample, odd, p) < 0.83


def test_right_curves_keep_about_the_usual_levels(learned):
    sample, waits, mean = company(12)
    said = np.exp(-HORIZON / mean)
    for followed in (400.0, 90.0):
        levels, came = reached_levels(
            tied_curves(learned, sample.X, said), waits.known(np.full(6_000, followed))
        )
        np.testing.assert_allclose(calibrated_levels(levels, came), USUAL_LEVELS, atol=0.03)


def test_what_came_after_the_watch_moves_no_level(learned):
    sample, waits, mean = company(13, rows=500)
    curves, short = tied_curves(learned, sample.X, np.exp(-HORIZON / mean)), waits.known(np.full(500, 50.0))
    later = Waits(
        np.where(waits.days >= 50, 300.0, waits.days), waits.event | (waits.days >= 50), short.followed
    )
    assert calibrated_levels(*reached_levels(curves, short)) == calibrated_levels(
        *reached_levels(curves, later)
    )
