"""Mix and rate effects by hand."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import DataError
from models.statistics.kitagawa import TOTAL, mix_table

COUNTS = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=1)


def periods(**counts):
    """`p` and `q` map a segment to its customers at the start and those of them who were kept."""
    rows = [(period, name, S, kept) for period, of in counts.items() for name, (S, kept) in of.items()]
    return pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)


def test_a_segment_that_is_new_counts_as_mix():
    rows = [("p", "a", 10, 8), ("q", "a", 10, 8), ("q", "b", 10, 2)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)
    total = mix_table(table, "p", "q").iloc[-1]
    assert (total.mix_effect, total.rate_effect, total.change) == pytest.approx((-30.0, 0.0, -30.0))


def test_only_a_rate_that_moved_is_a_rate_effect():
    rows = [("p", "a", 50, 40), ("p", "b", 50, 20), ("q", "a", 80, 72), ("q", "b", 80, 40)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)
    found = mix_table(table, "p", "q").set_index("segment")
    assert found["mix_effect"].tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert found["rate_effect"].tolist() == pytest.approx([5.0, 5.0, 10.0])


def test_a_period_that_is_not_over_is_refused_with_those_that_are():
    rows = [("p", "a", 5, 4, True), ("q", "a", 5, 4, True), ("r", "a", 5, 4, False)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept", "complete"])
    with pytest.raises(
        DataError, match="period r is absent, not over or empty at its start; complete are: p, q"
    ):
        mix_table(table, "p", "r")


@settings(max_examples=40)
@given(COUNTS, COUNTS)
def test_both_effects_add_up_to_the_change_of_the_rate(before, after):
    one, two = ({n: (S, round(S * share)) for n, (S, share) in of.items()} for of in (before, after))
    if not (sum(S for S, _ in one.values()) and sum(S for S, _ in two.values())):
        return
    found = mix_table(periods(p=one, q=two), "p", "q")
    rates = [100 * sum(kept for _, kept in of.values()) / sum(S for S, _ in of.values()) for of in (one, two)]
    total, parts = found.iloc[-1], found.iloc[:-1]
    assert (total.segment, total.rate_before, total.rate_after) == (TOTAL, *map(pytest.approx, rates))
    assert total.change == pytest.approx(rates[1] - rates[0], abs=1e-9)
    assert parts.change.sum() == pytest.approx(total.change, abs=1e-9)
    assert (total.share_before, total.share_after) == (100, 100)
    assert parts.share_before.sum() == pytest.approx(100)
    assert set(parts.segment) == {n for of in (one, two) for n, (S, _) in of.items() if S}


@settings(max_examples=20)
@given(COUNTS, COUNTS)
def test_back_again_is_the_same_with_the_sign_turned(before, after):
    one, two = ({n: (S + 1, round(S * share)) for n, (S, share) in of.items()} for of in (before, after))
    there, back = (mix_table(periods(p=one, q=two), *order) for order in ("pq", "qp"))
    for name in ("mix_effect", "rate_effect", "change"):
        assert there[name].tolist() == pytest.approx((-back[name]).tolist(), abs=1e-9)


def test_the_formula_of_the_paper_by_hand():
    """Shares 60 and 40 become 50 and 50, rates 90 and 50 become 80 and 60."""
    found = mix_table(periods(p={"a": (60, 54), "b": (40, 20)}, q={"a": (50, 40), "b": (50, 30)}), "p", "q")
    mean_of_all = (74 + 70) / 2
    assert found.mix_effect.tolist() == pytest.approx(
        [-0.1 * (85 - mean_of_all), 0.1 * (55 - mean_of_all), -0.1 * 85 + 0.1 * 55]
    )
    assert found.rate_effect.tolist() == pytest.approx([-10 * 0.55, 10 * 0.45, -1.0])


@pytest.mark.parametrize("label", ["none", "empty"])
def test_a_period_without_customers_is_refused(label):
    table = periods(p={"a": (5, 4)}, empty={"a": (0, 0)})
    with pytest.raises(DataError, match=f"period {label} is absent, not over or empty .*; complete are: p$"):
        mix_table(table, "p", label)


def test_the_table_that_was_given_stays_as_it_is():
    table = periods(p={"b": (5, 4), "a": (1, 1)}, q={"a": (5, 4)})
    before = table.copy()
    mix_table(table, "p", "q")
    pd.testing.assert_frame_equal(table, before)
