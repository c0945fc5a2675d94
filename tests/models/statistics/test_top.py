import numpy as np
import pytest
from hypothesis import given

from models.backtest.evaluate import intervals, measure
from models.statistics.metrics import lift_at, recall_at
from models.statistics.top import in_top, top_figures
from tests.models.statistics.test_metrics import predictions


@given(predictions())
def test_lift_is_that_of_the_ranking_metrics_with_ties_and_weights(case):
    y, p, w = case
    for share in (0.05, 0.1, 0.37, 1.0):
        found = top_figures(y, p, share, w[None, :])
        assert found["lift"][0] == pytest.approx(lift_at(y, p, share, w))
        assert found["value"][0] == pytest.approx(recall_at(y, p, share, w))


@given(predictions())
def test_a_row_of_weight_k_counts_like_k_rows_and_every_draw_like_a_sample_of_its_own(case):
    y, p, w = case
    value = np.arange(1.0, len(y) + 1)
    many = np.repeat(np.arange(len(y)), w.astype(int))
    both = top_figures(y, p, 0.3, np.stack([np.ones(len(y)), w]), value)
    alone = top_figures(y, p, 0.3, np.ones((1, len(y))), value)
    repeated = top_figures(y[many], p[many], 0.3, np.ones((1, len(many))), value[many])
    for name, figures in both.items():
        assert figures == pytest.approx([alone[name][0], repeated[name][0]])


def test_the_top_holds_its_share_and_a_tie_at_the_edge_counts_in_part():
    p = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    held = in_top(p, 0.4, np.ones((1, 5)))[0]
    assert held == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])


def test_everybody_in_the_list_gives_the_figures_of_all():
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.4, 0.9, 0.3])
    found = measure(y, p, list_size=50)
    assert (found["lift_at_list"], found["value_at_list"]) == (1.0, 1.0)
    assert found["gap_at_list"] == pytest.approx(p.mean() - y.mean())


def test_intervals_of_the_top_hold_the_truth():
    """A calibrated forecast: the gap is 0, and the lift what the distribution gives."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.05, 0.95, 4_000)
    y = (rng.random(4_000) < p).astype(float)
    found = intervals(y, p, np.arange(4_000).astype(str), seed=1, list_size=200)
    for name in ("top_tenth", "at_list"):
        assert found[f"gap_{name}"][0] < 0 < found[f"gap_{name}"][1]
    assert found["lift_top_tenth"][0] < 0.905 / 0.5 < found["lift_top_tenth"][1]
    assert found["value_at_list"][0] < 0.05 * 0.9275 / 0.5 < found["value_at_list"][1]
