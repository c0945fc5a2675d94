"""The simple members: which columns they read, rates by hand, and rows that are unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.prediction import members
from models.prediction.members import (
    base_rate,
    bgnbd_member,
    hazard,
    logistic,
    logistics,
    recency_inputs,
    recency_rule,
    rfm,
    rfm_inputs,
)
from models.prediction.scoring import LARGEST_Z, linear_terms, member_score
from models.statistics.metrics import auc


def chance(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["contact_recency_days", "usage_recency_days", "recency_days"], [2]),
        (["contact_recency_days", "usage_recency_days"], [1]),
        (["contact_recency_days", "plan=a"], [0]),
        (["plan=a"], []),
    ],
)
def test_purchases_say_sooner_than_usage_and_contacts_who_is_silent(names, found):
    assert recency_inputs(names) == found


def test_frequency_and_value_of_every_window_but_no_others():
    names = ["spend_sum_ever", "usage_count_7d", "purchase_count_90d", "purchase_tenure_days", "tenure_days"]
    assert rfm_inputs(names) == [1, 2, 4]
    assert rfm_inputs([*names, "recency_days"]) == [1, 2, 4, 5]
    assert rfm_inputs(["recency_days", "tenure_days"]) == []  # without a count or a sum it is no RFM


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=20))
def test_the_base_rate_is_that_of_the_rows_and_one_of_each_class(y):
    found = base_rate(np.array(y))
    assert chance(found["value"]) == pytest.approx((sum(y) + 1) / (len(y) + 2))
    assert (found["kind"], found["inputs"]) == ("constant", [])


def test_a_row_that_stands_for_three_counts_three_times():
    y, weight = np.array([0.0, 1.0]), np.array([1.0, 3.0])
    assert base_rate(y, weight) == base_rate(np.repeat(y, [1, 3]))
    X, names = np.array([[10.0], [50.0]]), ["tenure_days"]
    one, other = (
        hazard(X, y, names, weight),
        hazard(np.repeat(X, [1, 3], axis=0), np.repeat(y, [1, 3]), names),
    )
    assert one["missing"] == other["missing"]
    assert one["values"][-1] == other["values"][-1]


def test_without_inputs_there_is_no_regression():
    X, y = np.zeros((9, 2)), np.array([0.0, 1.0] * 4 + [0.0])
    assert logistics(X, y, [], [1.0], squares=True) == []
    assert logistic(X, y, [], 1.0, squares=False) is None
    assert recency_rule(X, y, ["a", "b"]) is None
    assert rfm(X, y, ["a", "b"]) is None
    assert hazard(X, y, ["a", "b"]) is None


def rows(n=2_000, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.gamma(1, 40, n), rng.poisson(3, n), rng.gamma(2, 200, n)])
    y = (rng.random(n) < chance(np.log1p(X[:, 0]) - 4)) * 1.0
    return X, y, ["recency_days", "purchase_count_90d", "tenure_days"]


def test_the_recency_rule_rises_with_silence_and_looks_at_nothing_else():
    X, y, names = rows()
    rule = recency_rule(X, y, names)
    assert rule["inputs"] == [0]
    grid = np.column_stack([np.linspace(0, 400, 30), np.zeros(30), np.zeros(30)])
    assert (np.diff(member_score(rule, [], grid)) >= 0).all()
    assert rule["square"] == [0.0]


def test_the_mean_of_a_regression_is_the_rate_of_its_rows():
    """The intercept carries no penalty: a ridge regression keeps the mean."""
    X, y, names = rows()
    for member in (recency_rule(X, y, names), rfm(X, y, names)):
        assert chance(member_score(member, [], X)).mean() == pytest.approx(y.mean(), abs=2e-3)


def test_a_stronger_ridge_says_less():
    X, y, _ = rows()
    sizes = [np.abs(m["slope"]).sum() for m in logistics(X, y, [0, 1, 2], [1_000.0, 10.0], squares=False)]
    assert sizes[0] < 0.7 * sizes[1]


def test_a_middle_that_stands_out_is_found_by_squares_only():
    rng = np.random.default_rng(1)
    x = rng.normal(size=3_000)
    y = (rng.random(3_000) < chance(2 - 3 * np.abs(x))) * 1.0
    flat, curved = (logistic(x[:, None], y, [0], 1.0, squares) for squares in (False, True))
    assert auc(y, member_score(flat, [], x[:, None])) < 0.55
    assert auc(y, member_score(curved, [], x[:, None])) > 0.8


def test_a_flag_says_what_being_unknown_says_and_a_number_stands_in():
    rng = np.random.default_rng(2)
    x = rng.normal(5, 1, 2_000)
    unknown = rng.random(2_000) < 0.3
    y = (rng.random(2_000) < np.where(unknown, 0.8, 0.2)) * 1.0
    X = np.where(unknown, np.nan, x)[:, None]
    member = logistic(X, y, [0], 1.0, squares=False)
    assert member["fill"] == [pytest.approx(np.median(x[~unknown]))]
    gap = member_score(member, [], np.array([[np.nan]])) - member_score(
        member, [], np.array([member["fill"]])
    )
    assert gap[0] == pytest.approx(member["missing"][0])
    assert gap[0] == pytest.approx(2 * np.log(4), abs=0.3)
    rare = np.where(np.arange(2_000) < 2, np.nan, x)[:, None]  # one in a thousand is no sign yet
    assert logistic(rare, y, [0], 1.0, squares=False)["missing"] == [0.0]


@pytest.mark.parametrize("values", [np.full(50, np.nan), np.full(50, 3.0)])
def test_a_column_that_tells_nothing_says_nothing(values):
    y = np.array([0.0, 1.0] * 25)
    member = logistic(values[:, None], y, [0], 1.0, squares=True)
    assert np.isfinite([member["fill"], member["mean"], member["scale"]]).all()
    assert member_score(member, [], values[:, None]) == pytest.approx(0, abs=1e-6)


def test_the_centre_is_the_mean_of_the_terms_and_far_values_are_clipped():
    X, y, _ = rows(500)
    X[:, 0] = np.where(np.arange(500) == 0, 1e300, X[:, 0])
    member = logistic(X, y, [0, 1, 2], 5.0, squares=True)
    np.testing.assert_allclose(member["centre"], linear_terms(member, X).mean(axis=0), atol=1e-9)
    far = linear_terms(member, np.array([[1e308, 0.0, 0.0]]))[0, 0]
    assert far == pytest.approx(LARGEST_Z * member["slope"][0] + LARGEST_Z**2 * member["square"][0])


def test_the_hazard_of_two_ages_by_hand():
    """30 young of whom 12 left, 30 old of whom 3 left; 16 / 62 overall, worth 20 rows, and alone where nobody was."""
    tenure = np.repeat([10.0, 500.0], 30)
    y = np.r_[np.ones(12), np.zeros(18), np.ones(3), np.zeros(27)]
    member = hazard(tenure[:, None], y, ["tenure_days"])
    overall = 16 / 62
    young, old = ((ones + 20 * overall) / 50 for ones in (12, 3))
    said = chance(member_score(member, [], np.array([[10.0], [499.0], [500.0], [9_999.0], [np.nan]])))
    assert said.tolist() == pytest.approx([young, overall, old, old, overall])
    assert member["centre"] == pytest.approx(member_score(member, [], tenure[:, None]).mean())


def test_the_hazard_of_those_without_a_beginning_is_their_own():
    tenure = np.r_[np.full(40, 100.0), np.full(40, np.nan)]
    y = np.r_[np.zeros(40), np.ones(40)]
    member = hazard(tenure[:, None], y, ["tenure_days"])
    assert chance(member["missing"]) == pytest.approx((40 + 20 * 41 / 82) / 60)
    assert hazard(np.full((9, 1), np.nan), y[:9], ["tenure_days"]) is None


def test_tenure_of_the_contract_is_taken_before_that_of_purchases():
    X, y = np.column_stack([np.arange(100.0), np.arange(100.0)]), np.array([0.0, 1.0] * 50)
    assert hazard(X, y, ["purchase_tenure_days", "tenure_days"])["inputs"] == [1]
    assert hazard(X, y, ["purchase_tenure_days", "other"])["inputs"] == [0]


def buyers(n=400, seed=3):
    rng = np.random.default_rng(seed)
    tenure = rng.uniform(30, 400, n)
    count = 1 + rng.poisson(tenure / 60)
    recency = np.where(count > 1, rng.uniform(0, 1, n) * tenure, tenure)
    return np.column_stack([recency, count, tenure]), ["recency_days", "purchase_count_ever", "tenure_days"]


def test_bgnbd_is_asked_in_weeks_for_the_horizon_in_days(monkeypatch):
    """One purchase is no repeat: it has no time of the last one."""
    asked = {}
    fit = members.bgnbd.fit_bgnbd

    def watched(x, t_x, T):
        asked.update(x=x, t_x=t_x, T=T)
        return fit(x, t_x, T)

    monkeypatch.setattr(members.bgnbd, "fit_bgnbd", watched)
    X, names = buyers()
    member = bgnbd_member(X, names, 60, seed=1)
    np.testing.assert_allclose(asked["x"], X[:, 1] - 1)
    np.testing.assert_allclose(asked["T"], X[:, 2] / 7)
    np.testing.assert_allclose(asked["t_x"], np.where(X[:, 1] > 1, (X[:, 2] - X[:, 0]) / 7, 0), atol=1e-9)
    assert (member["inputs"], member["unit"], member["horizon"]) == ([1, 2, 0], 7.0, 60)
    assert member["fill"] == pytest.approx(np.median(X[:, [1, 2, 0]], axis=0))
    silent, busy = member_score(member, [], np.array([[300.0, 9.0, 310.0], [2.0, 9.0, 310.0]]))
    assert silent > busy + 1


def test_bgnbd_needs_its_three_columns_and_somebody_of_whom_they_are_known(monkeypatch):
    X, names = buyers(50)
    assert bgnbd_member(X, ["usage_recency_days", *names[1:]], 60, 1) is None
    assert bgnbd_member(np.where(np.arange(3) == 1, np.nan, X), names, 60, 1) is None
    monkeypatch.setattr(members, "BGNBD_ROWS", 40)
    drawn = [bgnbd_member(X, names, 60, seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_regressions_of_one_design_are_those_of_each_strength_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(0, 3, (30_000, 4))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-np.nan_to_num(X[:, 0]) + 1))).astype(float)
    both = logistics(X, y, range(4), [400.0, 100.0], squares=True)
    for strength, member in zip((400.0, 100.0), both, strict=True):
        alone = logistic(X, y, range(4), strength, squares=True)
        np.testing.assert_allclose(member_score(member, [], X), member_score(alone, [], X), atol=5e-3)
        np.testing.assert_allclose(member["centre"], linear_terms(member, X).mean(axis=0), atol=1e-9)
    assert both[0]["slope"] != both[1]["slope"]
