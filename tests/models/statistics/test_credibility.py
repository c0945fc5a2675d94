import numpy as np
import pytest

from models.statistics.credibility import expected_margin


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
