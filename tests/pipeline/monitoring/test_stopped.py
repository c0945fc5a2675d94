"""Ids that stop joining: the newest week's customers against those of the eight weeks before."""

import datetime as dt

import pandas as pd
import pytest

from pipeline.monitoring.stopped import BEFORE, FEWEST, NEWEST, stopped_of
from pipeline.sources.opening import open_sources
from tests.pipeline.sources.in_databases import to_sqlite

END = dt.date(2024, 6, 1)


def contacts(newest, before, prefix=""):
    """So many contacts of known customers in the newest days, whose ids may begin otherwise, and in those before."""
    last = [END - dt.timedelta(days=1 + i % NEWEST) for i in range(newest)]
    then = [END - dt.timedelta(days=1 + NEWEST + i % BEFORE) for i in range(before)]
    ids = [f"{prefix}{i}" for i in range(newest)] + [str(i) for i in range(before)]
    return pd.DataFrame({"customer_id": ids, "occurred_at": pd.to_datetime([*last, *then])})


def checks(tiny, rows, uri=None):
    people = pd.DataFrame({"customer_id": [str(i) for i in range(200)]})
    bought = people.assign(occurred_at=pd.Timestamp("2024-01-05"))
    config = tiny(transactions=bought, contacts=rows, settings={"contacts": {"uri": uri}} if uri else None)
    return {c.place: c for c in stopped_of(open_sources(config, END), config)}


@pytest.mark.parametrize(("prefix", "outside", "found"), [("", False, 1.0), ("cus_", True, 0.0)])
def test_a_new_way_to_write_ids_is_found(tiny, prefix, outside, found):
    check = checks(tiny, contacts(40, 100, prefix))["contacts newest"]
    assert (check.outside, check.found) == (outside, found)
    assert ("sources.contacts.columns.customer_id" in check.advice) == outside


@pytest.mark.parametrize(("newest", "before"), [(FEWEST - 1, 100), (40, FEWEST - 1)])
def test_few_customers_are_not_judged(tiny, newest, before):
    assert "contacts newest" not in checks(tiny, contacts(newest, before))


def test_ids_that_never_joined_have_not_stopped(tiny):
    rows = contacts(40, 100)
    half = rows.customer_id.where(rows.customer_id.astype(int) % 2 == 0, "x" + rows.customer_id)
    check = checks(tiny, rows.assign(customer_id=half))["contacts newest"]
    assert (check.found, check.outside) == (0.5, False)


def test_a_database_is_asked_the_same(tiny, tmp_path):
    rows = contacts(40, 100)
    rows.loc[rows.index % 4 == 0, "customer_id"] = "x" + rows.customer_id
    to_sqlite(tmp_path / "log.db", {"contacts": rows})
    there = checks(tiny, rows, f"sqlite:///{tmp_path}/log.db#contacts")["contacts newest"]
    assert there == checks(tiny, rows)["contacts newest"]
    assert there.found == 0.75
