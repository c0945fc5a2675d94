"""Contacts that people marked: kept in a file, read beside the contact log, and an opt-out for ever."""

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.errors import DataError
from pipeline.sources.contacted import OUTCOMES, Mark, opted_out, read_marks, with_marks, write_marks

DAY = dt.datetime(2026, 7, 1, 9)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=10)
MARKS = st.builds(
    Mark,
    customer_id=st.text('ab1,"\n', min_size=1, max_size=4),
    occurred_at=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)).map(
        lambda d: d.replace(microsecond=0)
    ),
    outcome=st.sampled_from(OUTCOMES),
    note=TEXT,
    action=TEXT,
    channel=TEXT,
    agent=TEXT,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MARKS, max_size=5))
def test_what_is_written_is_read_oldest_first(tmp_path, marks):
    file = tmp_path / "contacted.csv"
    write_marks(file, tuple(marks))
    found = read_marks(file)
    assert sorted(found) == sorted(marks)
    assert [m.occurred_at for m in found] == sorted(m.occurred_at for m in marks)
    before = file.read_bytes()
    write_marks(file, tuple(reversed(marks)))
    assert file.read_bytes() == before


def test_without_a_file_there_are_none(tmp_path):
    assert read_marks(tmp_path / "contacted.csv") == ()


@pytest.mark.parametrize(
    "text", ["customer_id\n7\n", "customer_id,occurred_at,outcome\n7,never,done\n", "\x00", "", "a,b\n1,2\n"]
)
def test_a_damaged_file_stops_since_it_says_who_opted_out(tmp_path, text):
    (tmp_path / "contacted.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="it says who asked not to be contacted"):
        read_marks(tmp_path / "contacted.csv")


def test_who_asked_not_to_be_contacted_stays_asked():
    later = Mark("7", DAY + dt.timedelta(days=9), "done")
    assert opted_out((Mark("7", DAY, "do_not_contact"), later)) == {"7"}


def log():
    frame = pd.DataFrame(
        {"customer_id": ["7"], "occurred_at": [pd.Timestamp("2026-07-01 15:00")], "agent": ["Eva"]}
    )
    return ibis.memtable(frame.assign(complaint=True, known_at=pd.Timestamp("2026-07-02")))


def rows(table):
    return sorted(
        (r["customer_id"], r["occurred_at"].isoformat(), r["agent"]) for r in table.to_pyarrow().to_pylist()
    )


def test_what_the_log_has_of_the_same_day_counts_once():
    marks = (
        Mark("7", DAY, "done", agent="Bo"),
        Mark("8", DAY, "done", agent="Bo"),
        Mark("7", DAY - dt.timedelta(days=1), "promised"),
    )
    found = with_marks(log(), marks, dt.date(2026, 7, 5))
    assert rows(found) == [
        ("7", "2026-06-30T09:00:00", None),
        ("7", "2026-07-01T15:00:00", "Eva"),
        ("8", "2026-07-01T09:00:00", "Bo"),
    ]
    added = found.filter(found.customer_id == "8").to_pyarrow().to_pylist()[0]
    assert (added["complaint"], added["known_at"]) == (False, None)


@pytest.mark.parametrize(
    ("mark", "as_of"),
    [(Mark("8", DAY, "not_reached"), dt.date(2026, 7, 5)), (Mark("8", DAY, "done"), dt.date(2026, 7, 1))],
)
def test_who_was_not_reached_and_what_is_to_come_are_no_contact(mark, as_of):
    assert rows(with_marks(log(), (mark,), as_of)) == rows(log())
    assert with_marks(None, (mark,), as_of) is None
