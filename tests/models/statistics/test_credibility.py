"""What a customer will bring: the own mean drawn to the others', against the textbook's sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.statistics.credibility import PARTS, Portfolio, expected_margin, history_parts, means


def test_long_and_steady_histories_speak_for_themselves():
    rng = np.random.default_rng(1)
    rate = rng.gamma(2, 5, 400)
    spend = np.stack([rate * 180, rate * 180], axis=1)
    worth = expected_margin(spend, np.full((400, 2), 180.0), days=90, margin=0.5)
    assert worth.amount == pytest.approx(rate * 90 * 0.5)
    assert worth.parameters["days_to_half_credibility"] == pytest.approx(0)


def test_shrinking_beats_the_own_mean_and_the_segment_mean_where_the_truth_is_known():
    rng = np.random.default_rng(2)
    n = 5_000
    segment = rng.integers(0, 3, n)
    rate = np.array([2.0, 5.0, 9.0])[segment] * rng.gamma(4, 1 / 4, n)
    exposure = rng.integers(5, 180, n)[:, None] * np.array([1.0, 1.0])
    spend = rng.poisson(rate[:, None] * exposure / 60) * 60.0
    truth = rate * 180

    def miss(amount):
        return float(np.sqrt(np.mean((amount - truth) ** 2)))

    shrunk = expected_margin(spend, exposure, days=180, margin=1, segment=segment)
    own = expected_margin(spend, exposure, days=180, margin=1, shrink=False)
    means = np.array([truth[segment == s].mean() for s in range(3)])[segment]
    assert miss(shrunk.amount) < 0.8 * min(miss(own.amount), miss(means))
    assert shrunk.amount.mean() == pytest.approx(truth.mean(), rel=0.03)
    assert shrunk.parameters["variance_within"] == pytest.approx(60 * rate.mean(), rel=0.1)


def test_nobody_known_for_a_day_gets_the_mean():
    worth = expected_margin(
        np.array([[10.0, 30.0], [40.0, 60.0], [0.0, 0.0]]),
        np.array([[10.0, 10.0], [10.0, 10.0], [0.0, 0.0]]),
        days=10,
        margin=1,
    )
    assert worth.amount[2] == pytest.approx(35, rel=0.05)


def test_noise_alone_makes_all_alike():
    rng = np.random.default_rng(3)
    spend = rng.poisson(1.0, (300, 2)) * 100.0
    worth = expected_margin(spend, np.full((300, 2), 30.0), days=30, margin=1)
    assert worth.amount.std() < 0.35 * (spend.mean(axis=1)).std()


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_anybody(n):
    worth = expected_margin(np.full((n, 2), 50.0), np.full((n, 2), 10.0), days=10, margin=0.3)
    assert worth.amount.tolist() == pytest.approx([15.0] * n)


def test_nobody_spends():
    assert not expected_margin(np.zeros((5, 2)), np.full((5, 2), 9.0), days=9, margin=1).amount.any()


def test_arguments_stay_as_they_are():
    spend, exposure = np.ones((3, 2)), np.full((3, 2), 5.0)
    expected_margin(spend, exposure, days=1, margin=1)
    assert (spend == 1).all()
    assert (exposure == 5).all()


@st.composite
def histories(draw):
    """Spend and exposure of some customers in three windows, and their segments; some were hardly there."""
    seed, n = draw(st.integers(0, 10**6)), draw(st.integers(1, 25))
    rng = np.random.default_rng(seed)
    exposure = np.where(rng.random((n, 3)) < 0.2, 0.0, rng.integers(1, 90, (n, 3)).astype(float))
    spend = np.where(exposure > 0, rng.gamma(2, 20, (n, 1)) * rng.normal(1, 0.7, (n, 3)), 0.0)
    return spend.round(2), exposure, rng.integers(0, draw(st.integers(1, 3)), n)


def by_hand(spend, exposure, segment):
    """Buehlmann and Straub, with loops: the daily rates, the credibilities, the segments' means."""
    n = len(spend)
    weight = [sum(row) for row in exposure]
    own = [max(sum(s for s, e in zip(a, b, strict=True) if e) / w, 0) if w else 0.0
           for a, b, w in zip(spend, exposure, weight, strict=True)]  # fmt: skip
    raw = [sum(s for s, e in zip(a, b, strict=True) if e) / w if w else 0.0
           for a, b, w in zip(spend, exposure, weight, strict=True)]  # fmt: skip
    squares, freedom = 0.0, 0
    for i in range(n):
        seen = [(s / e, e) for s, e in zip(spend[i], exposure[i], strict=True) if e]
        squares += sum(e * (rate - raw[i]) ** 2 for rate, e in seen)
        freedom += max(len(seen) - 1, 0)
    within = squares / freedom if freedom else 0.0
    total = sum(weight)
    everyone = sum(w * o for w, o in zip(weight, own, strict=True)) / total if total else 0.0
    deviation, scale, count = 0.0, 0.0, 0
    mean = {}
    for s in range(int(segment.max()) + 1):
        mine = [i for i in range(n) if segment[i] == s]
        here = sum(weight[i] for i in mine)
        mean[s] = sum(weight[i] * own[i] for i in mine) / here if here else everyone
        deviation += sum(weight[i] * (own[i] - mean[s]) ** 2 for i in mine)
        scale += here - (sum(weight[i] ** 2 for i in mine) / here if here else 0.0)
        count += max(sum(weight[i] > 0 for i in mine) - 1, 0)
    between = max((deviation - count * within) / scale, 0.0) if scale > 1e-9 else 0.0
    if between <= 1e-9:
        return own, weight, within, between, [mean[s] for s in segment]
    trust = [w / (w + max(within / between, 1e-300)) if w else 0.0 for w in weight]
    whole = sum(trust)
    all_middle = sum(t * o for t, o in zip(trust, own, strict=True)) / whole
    middle = {}
    for s in mean:
        mine = [i for i in range(n) if segment[i] == s]
        here = sum(trust[i] for i in mine)
        middle[s] = sum(trust[i] * own[i] for i in mine) / here if here else all_middle
    return (
        own,
        weight,
        within,
        between,
        [trust[i] * own[i] + (1 - trust[i]) * middle[segment[i]] for i in range(n)],
    )


@settings(max_examples=40)
@given(histories())
def test_the_textbooks_sums_customer_by_customer(case):
    spend, exposure, segment = case
    own, weight, within, between, rates = by_hand(spend.tolist(), exposure.tolist(), segment)
    worth = expected_margin(spend, exposure, days=10, margin=0.5, segment=segment)
    assert worth.parameters["variance_within"] == pytest.approx(within, rel=1e-9, abs=1e-9)
    assert worth.parameters["variance_between"] == pytest.approx(between, rel=1e-6, abs=1e-6)
    if between > 1e-4:
        np.testing.assert_allclose(worth.amount, np.array(rates) * 5, rtol=1e-5, atol=1e-6)
    assert (worth.amount >= 0).all()
    parts = history_parts(spend, exposure)
    np.testing.assert_allclose(parts["own_"], own, atol=1e-9)
    np.testing.assert_allclose(parts["weight_"], weight)


@settings(max_examples=20)
@given(histories(), st.integers(1, 7))
def test_batches_of_any_size_give_the_same_bits(case, size):
    spend, exposure, segment = case
    parts, segments = history_parts(spend, exposure), int(segment.max()) + 1

    def batches():
        for start in range(0, len(spend), size):
            yield segment[start : start + size], {k: v[start : start + size] for k, v in parts.items()}

    whole = Portfolio.of(lambda: [(segment, parts)], segments)
    other = Portfolio.of(batches, segments)
    assert (other.within, other.between, other.half) == (whole.within, whole.between, whole.half)
    np.testing.assert_array_equal(other.middle, whole.middle)
    assert other.mean_credibility == whole.mean_credibility


def test_without_noise_the_own_history_is_believed_and_without_a_history_the_mean():
    """Two windows each of 10 days, always the same spend: 2 and 6 a day; the third has no day on record."""
    spend, exposure = np.array([[20.0, 20], [60, 60], [0, 0]]), np.array([[10.0, 10], [10, 10], [0, 0]])
    worth = expected_margin(spend, exposure, days=1, margin=1)
    assert worth.amount.tolist() == pytest.approx([2, 6, 4])
    assert worth.parameters["mean_credibility"] == pytest.approx(2 / 3)


def test_where_noise_explains_all_everybody_gets_the_mean():
    """Each has 4 a day on average, of 0 and 8: between them is nothing."""
    spend, exposure = np.array([[80.0, 0], [0, 80]]), np.full((2, 2), 10.0)
    worth = expected_margin(spend, exposure, days=3, margin=1)
    assert worth.amount.tolist() == [12, 12]
    assert worth.parameters["days_to_half_credibility"] == np.inf
    assert worth.parameters["mean_credibility"] == 0


def test_whoever_gives_everything_back_is_worth_nothing_beyond_the_own():
    portfolio = Portfolio(1.0, 1.0, 10.0, np.array([8.0]), 0.5)
    assert portfolio.rate(2.0, 10.0, 8.0, 1.0) == pytest.approx(0.5 * 2 + 0.5 * 8)
    assert portfolio.rate(0.0, 10.0, 8.0, 0.0) == 0
    assert portfolio.rate(2.0, 0.0, 8.0, 0.25) == pytest.approx(2.0)


def test_spend_outside_of_the_days_on_record_is_no_spend():
    parts = history_parts(np.array([[30.0, 99.0]]), np.array([[10.0, 0.0]]))
    assert [parts[name].tolist() for name in PARTS] == [[3.0], [10.0], [0.0], [0.0]]


def test_a_segment_without_days_has_the_mean_of_all_and_nobody_has_none():
    assert means(np.array([6.0, 0, 4]), np.array([2.0, 0, 8])).tolist() == [3.0, 1.0, 0.5]
    assert means(np.zeros(2), np.zeros(2)).tolist() == [0, 0]


def test_the_own_mean_alone_says_which_way_it_was_made():
    worth = expected_margin(np.array([[30.0]]), np.array([[10.0]]), days=2, margin=0.5, shrink=False)
    assert (worth.amount.tolist(), worth.parameters) == ([3.0], {"days": 2, "margin": 0.5, "method": "own"})
