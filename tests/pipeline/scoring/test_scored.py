"""Customers of whom some stay elsewhere: what their absence means for the list, and whose rows are brought here."""

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.errors import DataError, ModelError
from features.matrix import Matrix
from models.prediction.classifier import FittedModel
from models.tracking.registry import Champion
from pipeline.layout import layout_of
from pipeline.scoring.score_table import ScoreTable
from pipeline.scoring.scored import Everybody, Hindsight, Job, Scored, nobody, on_this_machine

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


SALES = "customer_id,occurred_at\nnew,2024-06-25\nquiet,2024-05-01\ngone,2024-01-01\n"
# The longer silent, the likelier to leave: even at 30 days.
RULE = {
    "name": "rule",
    "kind": "steps",
    "inputs": [0],
    "edges": [30.0],
    "values": [-1.0, 1.0],
    "missing": 0.0,
}


def champion_of(column="recency_days"):
    spec = {
        "columns": [{"name": column, "kind": "number"}],
        "boosters": [],
        "members": [RULE | {"weight": 1.0}],
    }
    model = FittedModel(spec | {"calibrator": {"kind": "none"}}, ())
    return Champion(model, {}, {"as_of": "2024-06-01", "definition": {}}, 1, "run", "digest")


def job_of(config, as_of=dt.date(2024, 7, 1), champion=None):
    return Job(config, as_of, champion or champion_of(), layout_of(config), lambda line: None)


def test_all_customers_of_the_day_are_scored_and_counted_in_the_rate(tiny):
    config = tiny(transactions=SALES)
    with on_this_machine(job_of(config)) as found:
        ids = found.matrix.frame["customer_id"].tolist()
        assert dict(zip(ids, found.probability.round(3).tolist(), strict=True)) == {
            "new": 0.269,
            "quiet": 0.731,
        }
        assert found.everybody.customers == 2
        assert found.everybody.expected_to_leave == pytest.approx(1.0)
        assert found.everybody.left_out is None
        assert list(found.everybody.compared) == [column.name for column in found.matrix.columns]
        (june,) = found.rates.table.dropna(subset="rate").tail(1).itertuples()
        assert (june.period, june.S, june.E) == ("2024-06", 1, 2)


def test_where_nobody_is_a_customer_any_more_nothing_is_scored(tiny):
    config = tiny(transactions=SALES, churn={"active_days": 3})
    with (
        pytest.raises(DataError, match="nobody is a customer at 2024-07-01: the newest row is of 2024-06-25"),
        on_this_machine(job_of(config)),
    ):
        pass


def test_a_model_of_other_columns_is_refused_before_it_scores(tiny):
    with (
        pytest.raises(ModelError, match=r"- no_such_column"),
        on_this_machine(job_of(tiny(transactions=SALES), champion=champion_of("no_such_column"))),
    ):
        pass
