"""Segments by attribute and by range."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.schema import Churn
from pipeline.retention.definition.segments import attributes, with_segment
from pipeline.retention.tables.rate import retention_table

SHOP = Churn(kind="non_contractual", horizon_days=30, active_days=30)


def purchases(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    return {"transactions": ibis.memtable(frame.assign(occurred_at=pd.to_datetime(frame.occurred_at)))}


def test_unknown_segment_names_the_known_ones():
    tables = purchases(("a", "2024-01-20"))
    tables["customers"] = ibis.memtable(pd.DataFrame({"customer_id": ["a"], "plan": ["basic"]}))
    with pytest.raises(ConfigError, match="known: plan"):
        retention_table(tables, SHOP, dt.date(2024, 3, 1), segment="plam")


def people(**columns):
    frame = pd.DataFrame(
        {"customer_id": [f"c{i:02d}" for i in range(len(next(iter(columns.values()))))], **columns}
    )
    return {"customers": ibis.memtable(frame)}


def segments_of(tables, name, **given):
    members = tables["customers"].select("customer_id")
    found = with_segment(members, tables, name, **given).order_by("customer_id").execute()
    return found.segment.tolist()


def test_a_number_with_many_values_is_cut_at_its_quantiles():
    tables = people(age=[float(n) for n in range(8)])
    assert segments_of(tables, "age", max_values=7) == [
        *["1: below 1.75"] * 2,
        *["2: 1.75 to below 3.5"] * 2,
        *["3: 3.5 to below 5.25"] * 2,
        *["4: 5.25 and above"] * 2,
    ]
    assert segments_of(tables, "age", max_values=8) == [f"{n}.0" for n in range(8)]
    assert set(segments_of(tables, "age", max_values=1, bands=2)) == {"1: below 3.5", "2: 3.5 and above"}


def test_a_bound_belongs_to_the_range_above_it_and_the_unknown_to_none():
    tables = people(age=[1.0, 2.0, 2.0, 3.0, float("nan"), None])
    assert segments_of(tables, "age", max_values=1, bands=2) == [
        "1: below 2",
        *["2: 2 and above"] * 3,
        "(none)",
        "(none)",
    ]


def test_a_customer_that_nothing_is_known_of_is_in_no_segment():
    tables = people(plan=["basic", None])
    members = ibis.memtable({"customer_id": ["c00", "c01", "stranger"]})
    found = with_segment(members, tables, "plan").order_by("customer_id").execute()
    assert found.segment.tolist() == ["basic", "(none)", "(none)"]
    assert found.columns.tolist() == ["customer_id", "segment"]


def test_what_is_fixed_is_no_attribute():
    tables = people(plan=["a"], started_at=["2024-01-01"], end_reason=["moved"])
    assert attributes(tables) == ["plan"]
    assert attributes({}) == []
    with pytest.raises(ConfigError, match=r"segment 'plan' is no attribute of the customers; known: none"):
        with_segment(ibis.memtable({"customer_id": ["a"]}), {}, "plan")
