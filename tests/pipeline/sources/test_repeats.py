"""Purchases that stand twice in a source: against a loop over them, and by cases that fit a screen."""

from collections import Counter, defaultdict

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.repeats import Repeats, counted_once, repeated


def found(*lines):
    """Lines are (purchase, what stands in them)."""
    rows = [("c", purchase, hash_) for purchase, hash_ in lines]
    return repeated(ibis.memtable(rows, columns=["customer_id", "transaction_id", "hash_"]))


def times(repeats):
    if repeats.purchases is None:
        return {}
    rows = repeats.purchases.to_pyarrow().to_pylist()
    return {row["transaction_id"]: row["times"] for row in rows}


@pytest.mark.parametrize(
    ("lines", "twice", "surplus", "differing"),
    [
        (
            [("A", 1), ("A", 2), ("A", 1), ("A", 2)],
            {"A": 2},
            2,
            0,
        ),  # without doubt: different lines, each twice
        ([("A", 1), ("A", 1)], {"A": 2}, 1, 0),  # no purchase here has several lines
        (
            [("A", 1), ("A", 1), *((p, n) for p in "BCDE" for n in (1, 2))],
            {},
            0,
            0,
        ),  # two of a thing in a basket
        ([("A", 1), ("A", 2)], {}, 0, 0),
        ([("A", 1)] * 3, {"A": 3}, 2, 0),
        ([("A", 1), ("A", 1), ("A", 2)], {}, 0, 0),  # not repeated as a whole
        ([("A", n) for n in (1, 2)] * 2 + [("B", 1), ("B", 1), ("B", 2), ("B", 3)], {"A": 2}, 2, 1),
    ],
)
def test_which_purchases_are_repeated(lines, twice, surplus, differing):
    result = found(*lines)
    assert times(result) == twice
    assert (result.surplus, result.differing) == (surplus, differing)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3)), min_size=1, max_size=14))
def test_a_repeated_purchase_has_each_line_as_often_as_all_others_or_a_multiple(lines):
    by_purchase = defaultdict(Counter)
    for purchase, hash_ in lines:
        by_purchase[purchase][hash_] += 1
    result = found(*lines)
    for purchase, n in times(result).items():
        counts = by_purchase[purchase]
        assert n == min(counts.values()) > 1
        assert sum(counts.values()) % n == 0
    assert result.equal == sum(n - 1 for counts in by_purchase.values() for n in counts.values())
    whole = {p: sum(by_purchase[p].values()) for p in times(result)}
    assert result.surplus == sum(n - n // times(result)[p] for p, n in whole.items())


def test_sums_of_repeated_purchases_are_divided():
    bought = pd.DataFrame(
        {
            "customer_id": ["c", "c"],
            "transaction_id": ["A", "B"],
            "occurred_at": pd.to_datetime(["2024-01-01"] * 2),
            "amount": [30.0, 7.0],
        }
    )
    twice = ibis.memtable({"customer_id": ["c"], "transaction_id": ["A"], "times": [3]})
    once = counted_once("transactions", ibis.memtable(bought), twice).order_by("transaction_id").to_pandas()
    assert once.amount.tolist() == [10, 7]
    assert list(once.columns) == list(bought.columns)


def test_what_is_said_of_them():
    twice = Repeats(purchases=ibis.memtable({"a": [1]}), surplus=2)
    assert "purchases: 2 rows repeat whole purchases" in twice.notes("transactions")[0].replace(
        "transactions", "purchases"
    )
    assert "set `sources.transactions.distinct: true`" in Repeats(equal=1).notes("transactions")[0]
    assert Repeats().notes("transactions") == []
    assert Repeats(differing=1, samples=("B",)).looks("transactions")[0].count("'B'") == 1
    assert Repeats().looks("transactions") == ()
