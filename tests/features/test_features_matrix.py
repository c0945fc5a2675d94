"""The frame of the matrix: which columns there are, whose rows, and what was not known yet."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.matrix import People, assemble, attribute_columns, available, declared, drivers, select_columns
from features.panel import Panel, Stat
from features.snapshots import TimeAxis, seconds
from features.tables import PREDICATES

EARLY, LATE = dt.date(2024, 1, 31), dt.date(2024, 3, 1)
AXIS = TimeAxis.of([EARLY, LATE], [30])
NAMES = {f.name: f for f in declared()}


def test_every_feature_is_declared_once_under_a_driver():
    assert len(NAMES) == len(declared())
    assert {f.driver for f in declared()} | {"profile"} == drivers()
    assert all(f.null and f.unit is not None and f.label for f in declared())


def test_features_need_sources_that_can_be_there():
    """A predicate that no role has would leave its features out for ever."""
    kinds = {f"{role}.{name}" for role, names in PREDICATES.items() for name in names}
    for feature in declared():
        for source in feature.sources:
            role, _, what = source.partition(".")
            if role in PREDICATES and what in PREDICATES[role]:
                assert source in kinds


@pytest.mark.parametrize(
    ("tables", "there", "absent"),
    [
        ({"transactions": ["points"]}, {"transactions.redeemed"}, {"transactions.amount"}),
        ({"transactions": ["amount"]}, {"transactions.amount"}, {"transactions.redeemed"}),
        ({"feedback": ["score"]}, {"feedback.score"}, {"feedback.low"}),
        ({"feedback": ["score", "low"]}, {"feedback.low"}, {"feedback.unscored"}),
        ({"contacts": ["direction"]}, {"contacts.inbound", "contacts.outbound"}, {"contacts.issue"}),
    ],
)
def test_a_condition_is_there_when_its_columns_are(tables, there, absent):
    found = available(tables)
    assert there <= found
    assert not absent & found


def test_columns_can_be_left_out_by_pattern():
    found = {"transactions", "transactions.amount"}
    every = [column.name for column, _ in select_columns(declared(), found, [30, 90], [])]
    some = [column.name for column, _ in select_columns(declared(), found, [30, 90], ["spend_*", "*_90d"])]
    assert set(every) - set(some) == {n for n in every if n.startswith("spend_") or n.endswith("_90d")}
    assert "purchase_count_30d" in some
    assert "recency_days" in some


def people(attributes=None):
    start = [seconds(dt.date(2024, 1, 1)), seconds(LATE) - 1.0, np.nan]
    return People(pa.array(["a", "b", "c"]), np.array(start), np.full(3, np.nan), attributes or {})


def frame_of(there, attributes=None, columns=()):
    facts = attribute_columns(people(attributes), [])
    panel = Panel.of(
        AXIS,
        3,
        np.array([0, 1]),
        np.array([AXIS.edge(EARLY) - 1, AXIS.edge(LATE) - 1], np.int32),
        np.array([AXIS.edge(EARLY) - 1, AXIS.edge(LATE) - 1], np.int32),
        {Stat("count"): np.array([2, 3])},
    )
    chosen = select_columns([NAMES[name] for name in columns], {"transactions"}, [30], [])
    return assemble(
        people(attributes), {"transactions": panel}, AXIS, [EARLY, LATE], chosen, facts, np.array(there)
    )


def test_a_row_is_a_customer_at_a_snapshot_and_sees_what_lies_before_it():
    frame = frame_of([[True, True], [False, True], [True, False]], columns=["purchase_count_ever"])
    assert list(frame.columns) == ["customer_id", "snapshot", "purchase_count_ever"]
    rows = [(r.customer_id, r.snapshot.date(), r.purchase_count_ever) for r in frame.itertuples()]
    assert rows == [("a", EARLY, 2), ("c", EARLY, 0), ("a", LATE, 2), ("b", LATE, 3)]
    assert frame.purchase_count_ever.dtype == np.float32


def test_an_attribute_is_unknown_before_its_customer_starts():
    plan = pd.Series(["basic", "plus", "basic"], dtype="category")
    size = pd.Series([1.0, 2.0, 3.0], dtype="float32")
    frame = frame_of([[True, True]] * 3, {"plan": plan, "size": size})
    early = frame[frame.snapshot == pd.Timestamp(EARLY)].set_index("customer_id")
    late = frame[frame.snapshot == pd.Timestamp(LATE)].set_index("customer_id")
    assert early.plan.isna().tolist() == [False, True, False]
    assert early["size"].isna().tolist() == [False, True, False]
    assert late.plan.tolist() == ["basic", "plus", "basic"]
    assert (str(frame.plan.dtype), str(frame["size"].dtype)) == ("category", "float32")


def test_attributes_are_told_as_a_person_reads_them_and_can_be_left_out():
    plan = pd.Series(["x"], dtype="category")
    found = attribute_columns(people({"home_country": plan, "plan": plan}), ["pl*"])
    assert [(c.name, c.label, c.driver, c.actionable) for c in found] == [
        ("home_country", "Home country", "profile", False)
    ]


def test_nobody_at_any_snapshot_is_an_empty_frame():
    frame = frame_of([[False, False]] * 3, columns=["purchase_count_ever"])
    assert frame.empty
    assert list(frame.columns) == ["customer_id", "snapshot", "purchase_count_ever"]
