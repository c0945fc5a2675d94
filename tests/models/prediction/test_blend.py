"""How much each member counts: shares that are proven on rows out of time, and the convex blend against a grid."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.prediction.blend import (
    FoldForecast,
    _gain,
    _lowest_loss,
    _tidy,
    blend,
    equal_shares,
    learn_weights,
    mean_loss,
    promising,
    telling,
)

DAY = np.datetime64("2025-01-01")


def drawn(rng, z):
    return (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(float)


def test_the_blend_is_the_weighted_sum():
    scores = {"a": np.array([1.0, 2.0]), "b": np.array([10.0, 0.0]), "c": np.full(2, 99.0)}
    assert blend(scores, {"a": 0.5, "b": 0.25}).tolist() == [3.0, 1.0]


def test_the_loss_of_a_row_that_stands_for_three_counts_three_times():
    y, z = np.array([1.0, 0.0]), np.array([2.0, 2.0])
    kept, gone = np.log1p(np.exp(2.0)), np.log1p(np.exp(-2.0))
    assert mean_loss(y, z) == pytest.approx((gone + kept) / 2)
    assert mean_loss(y, z, np.array([1.0, 3.0])) == pytest.approx((gone + 3 * kept) / 4)


@pytest.mark.parametrize(
    ("names", "shares"),
    [
        (["rfm", "boosted"], {"boosted": 1.0}),
        (["rfm", "large trees"], {"rfm": 0.5, "large trees": 0.5}),
        (["linear + trees", "boosted", "fading trees"], {"linear + trees": 0.5, "boosted": 0.5}),
    ],
)
def test_small_trees_share_equally_and_all_do_without_them(names, shares):
    assert equal_shares(names) == shares
    assert equal_shares(iter(names)) == shares


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"a": 0.95, "b": 0.05}, {"a": 1.0}),
        ({"a": 0.94, "b": 0.06}, {"a": 0.94, "b": 0.06}),
        ({"a": 0.5, "b": 0.481, "c": 0.019}, {"a": 0.5097, "b": 0.4903}),
        ({"a": 0.5, "b": 0.48, "c": 0.02}, {"a": 0.5, "b": 0.48, "c": 0.02}),
    ],
)
def test_small_shares_go_and_an_overwhelming_one_takes_all(given, kept):
    assert _tidy(given) == kept


def folds_of(rng, rows=300, folds=2):
    truth = rng.normal(0, 1.5, rows)
    y = drawn(rng, truth)
    scores = {"base rate": 0 * y, "rfm": truth + rng.normal(0, 1, rows), "boosted": 0.4 * truth}
    return [FoldForecast(DAY, {n: s[i::folds] for n, s in scores.items()}, y[i::folds]) for i in range(folds)]


def test_the_convex_blend_is_the_best_of_a_fine_grid():
    """Mean log loss, and .05 times the squared distance from the usual shares of what the base rate leaves."""
    forecasts, names = folds_of(np.random.default_rng(0)), ["base rate", "rfm", "boosted"]

    def loss(rate, rfm, boosted):
        shares = dict(zip(names, (rate, rfm, boosted), strict=True))
        away = rfm**2 + (boosted - (1 - rate)) ** 2
        return np.mean([mean_loss(f.y, blend(f.scores, shares)) for f in forecasts]) + 0.05 * away

    grid = np.linspace(0, 1, 41)
    best = min(loss(a, b, 1 - a - b) for a, b in product(grid, grid) if a + b <= 1 + 1e-9)
    found = _lowest_loss(forecasts, names)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= -1e-12
    assert loss(*found.values()) <= best + 1e-6
    assert loss(*found.values()) == pytest.approx(best, abs=1e-3)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_the_gain_is_the_fall_of_the_mean_loss(seed):
    forecasts = folds_of(np.random.default_rng(seed), rows=80)
    usual, other = {"boosted": 1.0}, {"rfm": 0.5, "boosted": 0.5}
    falls = [
        mean_loss(f.y, blend(f.scores, usual)) - mean_loss(f.y, blend(f.scores, other)) for f in forecasts
    ]
    gain, error = _gain(forecasts, usual, [other, other])
    assert gain == pytest.approx(np.mean(falls))
    assert error > 0
    assert _gain(forecasts, usual, [usual, usual]) == (0.0, 0.0)


def test_the_error_of_the_gain_by_hand():
    """Two rows of one customer and one of another: falls of 1, 1 and -1 around their mean, 1 / 3."""
    y, falls = np.zeros(3), np.array([1.0, 1.0, -1.0])
    before = np.log(np.expm1(np.full(3, 2.0)))  # a loss of 2 where nobody leaves
    after = np.log(np.expm1(2.0 - falls))
    one = FoldForecast(DAY, {"a": before, "b": after}, y, customer=np.array(["x", "x", "z"]))
    gain, error = _gain([one], {"a": 1.0}, [{"b": 1.0}])
    assert gain == pytest.approx(1 / 3)
    assert error == pytest.approx(np.hypot(2 / 3 * 2, -4 / 3) / 3)


def test_without_enough_of_both_classes_all_folds_tell():
    y = np.array([0.0, 1.0] * 40)
    wrong = {"base rate": 0 * y, "boosted": 2 - 4 * y}
    folds = [FoldForecast(DAY + i, wrong, y) for i in range(3)]
    assert list(telling(folds, wrong)) == folds
    assert telling([], wrong) == []


def test_a_member_that_a_fold_lacks_gets_no_share():
    y = np.array([0.0, 1.0] * 60)
    good, bad = 4 * y - 2, 0 * y
    folds = [
        FoldForecast(DAY, {"boosted": bad, "rfm": good}, y),
        FoldForecast(DAY, {"boosted": bad}, y),
    ]
    assert learn_weights(folds, ["boosted", "rfm"]) == {"boosted": 1.0}
    assert learn_weights(folds[:1], ["boosted"]) == {"boosted": 1.0}


def test_without_folds_the_small_trees_share_equally():
    assert learn_weights([], ["rfm", "boosted", "linear + trees"]) == {"boosted": 0.5, "linear + trees": 0.5}
    assert promising([]) == ["large trees", "fading trees"]


def test_a_lucky_rule_does_not_become_the_model_on_few_churners():
    rng = np.random.default_rng(3)
    z = rng.normal(-4, 1, 400)
    y = drawn(rng, z)
    guessed = np.zeros(400)
    guessed[np.flatnonzero(y)[0]] = 3.0
    lucky = {"boosted": z, "linear + trees": z, "recency rule": z + guessed}
    several = [FoldForecast(DAY, {n: s[i::4] for n, s in lucky.items()}, y[i::4]) for i in range(4)]
    assert len(learn_weights(several, lucky)) > 1


def test_a_rule_that_alone_tells_the_truth_becomes_the_model():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 2, 5_000)
    y, noise = drawn(rng, truth), rng.normal(0, 2, (2, 5_000))
    scores = {"boosted": noise[0], "linear": noise[1], "recency rule": truth}
    forecast = FoldForecast(DAY, scores, y)
    assert learn_weights([forecast], scores) == {"recency rule": 1.0}


@pytest.mark.parametrize("rows", [0, 60, 2_000])
def test_shares_are_equal_unless_others_are_proven(rows):
    """Whatever few rows seem to say, and whichever members are a little better by luck."""
    rng = np.random.default_rng(rows)
    truth = rng.normal(0, 1.5, rows)
    y = drawn(rng, truth)
    names = ("base rate", "rfm", "boosted", "linear + trees", "large trees")
    scores = {n: truth + rng.normal(0, 0.3, rows) for n in names}
    folds = [
        FoldForecast(DAY, {n: s[i::2] for n, s in scores.items()}, y[i::2]) for i in range(2 if rows else 0)
    ]
    assert learn_weights(folds, names) == {"boosted": 0.5, "linear + trees": 0.5}


def test_rows_of_one_customer_prove_less_than_rows_of_many():
    """The same row a hundred times is one witness."""
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 1.5, 110)
    y = drawn(rng, truth)
    scores = {"boosted": 0.85 * truth, "rfm": truth}
    day, who = DAY, np.repeat(np.arange(110), 100).astype(str)
    many = {n: np.repeat(s, 100) for n, s in scores.items()}
    assert learn_weights([FoldForecast(day, many, np.repeat(y, 100))], scores) == {"rfm": 1.0}
    assert learn_weights([FoldForecast(day, many, np.repeat(y, 100), customer=who)], scores) == {
        "boosted": 1.0
    }


@pytest.mark.parametrize(
    ("churners", "found"), [(49, {"boosted": 0.5, "linear + trees": 0.5}), (50, {"rfm": 1.0})]
)
def test_a_handful_of_churners_proves_nothing(churners, found):
    y = (np.arange(400) < churners).astype(float)
    scores = {"boosted": 0 * y - 1, "linear + trees": 0 * y - 1, "rfm": 4 * y - 2}
    assert learn_weights([FoldForecast(DAY, scores, y)], scores) == found


@pytest.mark.parametrize("best", ["large trees", "rfm", "both"])
def test_whoever_is_proven_gets_the_shares(best):
    rng = np.random.default_rng(2)
    one, two = rng.normal(0, 1.5, (2, 4_000))
    y = drawn(rng, one + two)
    good = {"large trees": one + two} if best == "large trees" else {"rfm": one + two}
    if best == "both":
        # Each knows the half; the sum of the halves in log-odds is the truth, and equal shares of both are near it.
        good = {"rfm": 2 * one, "bg/nbd": 2 * two}
    scores = {"boosted": 0.3 * one, "linear + trees": 0.3 * one} | good
    folds = [FoldForecast(DAY, {n: s[i::4] for n, s in scores.items()}, y[i::4]) for i in range(4)]
    found = learn_weights(folds, scores)
    assert sum(found.get(n, 0.0) for n in good) > 0.6
    assert set(good) <= set(found)


def test_fading_trees_get_an_equal_share_where_they_are_proven():
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 1.5, 4_000)
    y, zero = drawn(rng, truth), np.zeros(4_000)
    scores = {"base rate": zero, "boosted": 0.3 * truth, "linear + trees": 0.3 * truth, "fading trees": truth}
    folds = [FoldForecast(DAY, {n: s[i::4] for n, s in scores.items()}, y[i::4]) for i in range(4)]
    thirds = dict.fromkeys(("boosted", "linear + trees", "fading trees"), 0.3333)
    assert learn_weights(folds, scores) == thirds


def test_the_newest_snapshot_alone_counts_where_the_base_rate_beats_the_trees_there():
    """Five good snapshots would hide the bad one that says what has changed."""
    rng = np.random.default_rng(8)
    folds = []
    for month in range(1, 7):
        truth = rng.normal(0, 1.5, 1_000)
        y, said = drawn(rng, truth), -truth if month == 6 else truth
        scores = {"base rate": 0 * y, "boosted": said, "linear + trees": said}
        folds.append(FoldForecast(np.datetime64(f"2025-{month:02}-01"), scores, y))
    assert learn_weights(folds[:5], scores) == {"boosted": 0.5, "linear + trees": 0.5}
    assert learn_weights(folds, scores) == {"base rate": 1.0}


@pytest.mark.parametrize(
    ("small", "large", "kept"),
    [
        ((0.7, 0.0), (1.0, 0.0), ["large trees", "fading trees"]),  # better alone
        ((1.0, -0.75), (1.0, 1.5), ["large trees", "fading trees"]),  # better beside the small ones
        ((1.0, 0.0), (0.5, 0.0), ["fading trees"]),
    ],
)
def test_large_trees_are_worth_a_fit_where_they_help_alone_or_beside_small_ones(small, large, kept):
    """Scores are so many times the truth, and so many times a noise."""
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(0, 2, 1_500), rng.normal(size=1_500)
    y = (rng.random(1_500) < 1 / (1 + np.exp(-truth))).astype(float)
    few, many = (part * truth + other * noise for part, other in (small, large))
    said = {"boosted": few, "linear + trees": few, "large trees": many}
    assert promising([FoldForecast(np.datetime64("2026-01-01"), said, y)]) == kept


def test_with_too_few_churners_large_trees_are_always_worth_a_fit():
    y = np.array([1.0] * 49 + [0.0] * 200)
    said = {"boosted": 4 * y - 2, "linear + trees": 4 * y - 2, "large trees": np.zeros(249)}
    day = np.datetime64("2026-01-01")
    assert promising([FoldForecast(day, said, y)]) == ["large trees", "fading trees"]
    both = [FoldForecast(day, {n: np.tile(z, 2) for n, z in said.items()}, np.tile(y, 2))]
    assert promising(both) == ["fading trees"]
