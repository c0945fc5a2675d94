"""Customers of whom some stay elsewhere: what their absence means for the list, and whose rows are brought here."""

from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from features.matrix import Matrix
from pipeline.scoring.score_table import ScoreTable
from pipeline.scoring.scored import Everybody, Hindsight, Job, Scored, nobody

PROBABILITY = np.array([0.1, 0.2, 0.7])


def everybody(**given):
    table = ScoreTable.of(pd.Series(["a", "b", "c"]), PROBABILITY, {})
    return Everybody(table, pd.DataFrame(), **given)


def test_customers_and_those_expected_to_leave_are_counted_over_all():
    found = everybody()
    assert found.customers == 3
    assert found.expected_to_leave == pytest.approx(1.0)


def prepared(gains, saves=(0.5,), costs=(2.0,), customers=2):
    """What the notes read: gains of the listed, how much an action saves at most, what it costs at least."""
    effect = SimpleNamespace(saves=np.array(saves))
    return SimpleNamespace(
        customers=pd.DataFrame({"customer_id": ["a"] * customers}),
        context=SimpleNamespace(effect=effect, settings=SimpleNamespace(capacity=1)),
        costs=SimpleNamespace(off_the_gain=np.array(costs)),
        gains=gains,
    )


def test_where_all_were_looked_at_nothing_is_said():
    assert everybody().notes(prepared([9.0])) == ()


@pytest.mark.parametrize(
    ("least", "left_out", "told"),
    [
        (10.0, 24.0, "none of the others could have gained more"),  # .5 x 24 - 2 = 10
        (9.9, 24.0, "some of the others might have gained more, raise `outreach.candidates`"),
        (10.0, 24.5, "some of the others might have gained more"),
    ],
)
def test_whether_the_others_could_have_gained_more_is_proven_by_the_best_of_them(
    monkeypatch, least, left_out, told
):
    monkeypatch.setattr("pipeline.scoring.scored.least_gain", lambda prepared: least)
    first, second = everybody(left_out=left_out).notes(prepared([]))
    assert first.startswith(
        "considered for the list: the 2 of 3 customers with the highest probability x value; "
    )
    assert told in first
    assert "hold these 2; the random part was drawn among them" in second


def scored(among, **tables):
    frame = pd.DataFrame({"customer_id": ["a"], "snapshot": [pd.Timestamp("2026-07-01")]})
    sources = SimpleNamespace(
        local={role: ibis.memtable({"customer_id": ids}) for role, ids in tables.items()},
        contact_log=ibis.memtable({"customer_id": ["a", "marked"]}),
    )
    return Scored(sources, Matrix(frame, (), ""), np.array([0.5]), None, everybody(among=among))


def ids(table):
    return sorted(table.to_pyarrow()["customer_id"].to_pylist())


def test_rows_of_those_who_may_be_on_the_list_are_brought_here_and_no_others():
    few = scored(ibis.memtable({"customer_id": ["a"]}), usage=["a", "a", "b"])
    assert ids(few.table("usage")) == ["a", "a"]
    assert ids(few.table("contacts")) == ["a"]
    every = scored(None, usage=["a", "a", "b"])
    assert ids(every.table("usage")) == ["a", "a", "b"]


def test_the_contact_log_is_that_with_the_marks():
    assert ids(scored(None, contacts=["a"]).table("contacts")) == ["a", "marked"]


def test_a_role_without_a_source_has_no_rows():
    assert scored(None).table("usage") is None


def test_without_a_customer_the_newest_row_is_named():
    sources = SimpleNamespace(
        fingerprints={"usage": {"last": "2024-05-01"}, "customers": {"last": "2024-06-01"}}
    )
    assert str(nobody(sources, "2026-07-01")) == (
        "nobody is a customer at 2026-07-01: the newest row is of 2024-06-01; check the export, or --as-of"
    )


def test_sources_that_are_open_are_not_read_again(monkeypatch):
    read = []
    monkeypatch.setattr("pipeline.scoring.scored.read_sources", lambda *given: read.append(given) or "read")
    assert Job(None, None, None, None, print, opened="open").sources == "open"
    assert read == []
    assert Job("config", "day", None, None, print).sources == "read"
    assert read == [("config", "day", print)]


def test_an_older_night_believes_nothing_unless_it_is_told():
    assert Hindsight("champion").believed is None
