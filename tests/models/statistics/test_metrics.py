import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from models.backtest.evaluate import intervals, measure
from models.statistics import metrics
from models.statistics.metrics import CampaignEconomics


@st.composite
def predictions(draw):
    seed, n = draw(st.integers(0, 10_000)), draw(st.integers(2, 60))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(float)
    y[:2] = [0, 1]
    p = rng.choice([0.05, 0.2, 0.2, 0.4, 0.7, 0.95], n) if draw(st.booleans()) else rng.random(n)
    return y, p, rng.integers(1, 4, n).astype(float)


@given(predictions())
def test_auc_equals_scikit_learn_with_ties_and_weights(case):
    y, p, w = case
    assert metrics.auc(y, p, w) == pytest.approx(oracle.roc_auc_score(y, p, sample_weight=w))


@given(predictions())
def test_the_log_loss_is_the_mean_of_its_rows(case):
    y, p, w = case
    assert np.average(metrics.row_log_loss(y, p), weights=w) == pytest.approx(metrics.log_loss(y, p, w))


def test_a_sure_mistake_costs_as_much_in_a_row_as_in_the_mean():
    y, p = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert metrics.log_loss(y, p) == pytest.approx(metrics.row_log_loss(y, p).mean())


def test_average_precision_without_churners_is_not_a_number():
    assert np.isnan(
        metrics.average_precision(np.array([0.0, 1.0]), np.array([0.1, 0.2]), np.array([1.0, 0.0]))
    )


@given(predictions())
def test_a_row_of_weight_k_counts_like_k_rows(case):
    y, p, w = case
    many = np.repeat(np.arange(len(y)), w.astype(int))
    for metric in (metrics.auc, metrics.average_precision, metrics.log_loss, metrics.empc):
        assert metric(y, p, w) == pytest.approx(metric(y[many], p[many]))
    assert metrics.lift_at(y, p, 0.3, w) == pytest.approx(metrics.lift_at(y[many], p[many], 0.3))


@settings(max_examples=30)
@given(predictions())
def test_empc_equals_the_integral_over_the_acceptance_rate_by_brute_force(case):
    y, p, _ = case
    m, gamma = CampaignEconomics(), (np.arange(4_000) + 0.5) / 4_000
    cuts = [np.inf, *np.unique(p)]
    profit = np.array(
        [
            np.mean(p >= c) * 0
            + np.mean(y * (p >= c)) * (gamma * (m.value - m.offer) - m.contact)
            - np.mean((1 - y) * (p >= c)) * (m.offer + m.contact)
            for c in cuts
        ]
    ).max(axis=0)
    expected = float(np.sum(profit * stats.beta(m.alpha, m.beta).pdf(gamma)) / 4_000)
    assert metrics.empc(y, p) == pytest.approx(expected, abs=2e-2)


def test_ece_has_fifteen_bins_of_equal_mass():
    rng = np.random.default_rng(0)
    p = rng.random(3_000)
    y = (rng.random(3_000) < p**2).astype(float)
    order = np.argsort(p)
    by_hand = np.mean([abs(p[b].mean() - y[b].mean()) for b in np.array_split(order, 15)])
    assert metrics.ece(y, p) == pytest.approx(by_hand)


def test_a_tie_at_the_edge_of_the_list_counts_in_part():
    y, p = np.array([1.0, 0, 0, 1]), np.full(4, 0.5)
    assert metrics.recall_at(y, p, 0.5) == pytest.approx(0.5)
    assert measure(y, p, list_size=2)["lift_at_list"] == pytest.approx(1.0)


def test_the_bootstrap_interval_agrees_with_theory():
    rng = np.random.default_rng(3)
    n = 4_000
    y = (rng.random(n) < 0.3).astype(float)
    low, high = intervals(y, np.full(n, 0.3), np.arange(n).astype(str), seed=1, list_size=30)["brier"]
    error = np.std((y - 0.3) ** 2) / np.sqrt(n)
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)


def test_rows_of_one_customer_are_drawn_together():
    rng = np.random.default_rng(3)
    y = (rng.random(300) < 0.3).astype(float)
    once = intervals(y, np.full(300, 0.3), np.arange(300).astype(str), seed=1, list_size=30)["brier"]
    many = np.tile(np.arange(300), 9)
    nine = intervals(y[many], np.full(2_700, 0.3), many.astype(str), seed=1, list_size=30)["brier"]
    assert nine == pytest.approx(once)


def test_auc_of_one_class_is_not_a_number():
    assert np.isnan(metrics.auc(np.ones(3), np.array([0.1, 0.2, 0.3])))
