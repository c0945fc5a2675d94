"""What was known of a source before the as-of date."""

import datetime as dt

import pandas as pd
import pytest

from pipeline.sources.accounts import Account
from pipeline.sources.cut import Questions, cut
from pipeline.sources.readers import connect_duckdb

AS_OF = dt.date(2024, 6, 1)


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


def opened(duck, tiny, role, rows, config_rows=None, **settings):
    frame = pd.DataFrame(rows)
    for name in frame:
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
    table = duck.create_table("rows", frame, temp=True, overwrite=True)
    base = {"transactions": "customer_id,occurred_at\n1,2024-01-01\n"} if role != "transactions" else {}
    config = tiny(**base, **{role: frame}, settings={role: settings})
    source = getattr(config.sources, role)
    return cut(role, source, table, AS_OF, Account(len(frame), len(frame)), config)


def event(who, occurred, known=None, **more):
    return {"customer_id": who, "occurred_at": occurred, "known_at": known or occurred, **more}


def test_what_occurred_or_became_known_later_is_left_out_and_counted(duck, tiny):
    found = opened(
        duck, tiny, "usage",
        [
            event("1", "2024-05-31 23:59:59"),
            event("2", "2024-06-01"),
            event("3", "2024-05-01", "2024-06-01"),
            event("4", "2024-05-01", "2024-05-31"),
        ],
    )  # fmt: skip
    assert sorted(found.table.to_pandas().customer_id) == ["1", "4"]
    account = found.fingerprint["account"]
    assert (account["read"], account["left_out"]) == (2, {"lying at or after 2024-06-01": 2})
    assert [str(note) for note in found.notes] == [
        "usage: 2 of 4 rows lie at or after 2024-06-01 and are ignored"
    ]
    assert found.newest == dt.date(2024, 5, 31)
    assert found.faults == []


def test_an_ending_to_come_is_not_known_yet(duck, tiny):
    rows = [
        {"customer_id": "1", "started_at": "2024-01-01", "ended_at": "2024-05-31", "end_reason": "left"},
        {"customer_id": "2", "started_at": "2024-01-01", "ended_at": "2024-06-01", "end_reason": "left"},
    ]
    found = opened(duck, tiny, "customers", rows).table.order_by("customer_id").to_pandas()
    assert found.ended_at.isna().tolist() == [False, True]
    assert found.end_reason.isna().tolist() == [False, True]


def test_nothing_before_the_date_and_too_much_after_it_are_faults(duck, tiny):
    later = [event("1", "2024-06-01"), event("2", "2024-07-01")]
    (fault,) = opened(duck, tiny, "usage", later).faults
    assert str(fault).endswith("has no row before 2024-06-01; choose a later --as-of")
    mixed = [*later, event("3", "2024-01-01"), event("4", "2024-01-01")]
    (fault,) = opened(duck, tiny, "usage", mixed, max_future_share=0.4).faults
    assert "2 of 4 rows lie at or after 2024-06-01, more than sources.usage.max_future_share" in str(fault)
    assert opened(duck, tiny, "usage", mixed, max_future_share=0.5).faults == []


def test_customers_who_repeat_in_every_column_count_once(duck, tiny):
    rows = [{"customer_id": who, "started_at": "2024-01-01"} for who in ("1", "1", "2")]
    found = opened(duck, tiny, "customers", rows)
    assert (found.fingerprint["rows"], found.faults, found.repeats) == (2, [], False)
    assert found.fingerprint["account"]["left_out"] == {"standing there twice": 1}
    assert "1 row repeats another in every column" in found.notes[0]


def test_customers_who_repeat_with_other_values_are_a_fault_that_names_the_columns(duck, tiny):
    rows = [
        {"customer_id": "1", "started_at": "2024-01-01"},
        {"customer_id": "1", "started_at": "2024-01-02"},
        {"customer_id": "2", "started_at": "2024-01-01"},
    ]
    found = opened(duck, tiny, "customers", rows)
    assert found.repeats
    assert "1 rows repeat an id, such as '1', and differ in started_at" in str(found.faults[0])


def test_the_digest_is_of_what_is_read_in_any_order(duck, tiny):
    rows = [event("1", "2024-01-01"), event("2", "2024-02-01"), event("3", "2024-07-01")]
    first = opened(duck, tiny, "usage", rows).fingerprint["digest"]
    assert opened(duck, tiny, "usage", rows[::-1]).fingerprint["digest"] == first
    assert opened(duck, tiny, "usage", [*rows, event("4", "2024-08-01")]).fingerprint["digest"] == first
    assert opened(duck, tiny, "usage", [rows[0], event("2", "2024-02-02")]).fingerprint["digest"] != first


def test_answers_that_are_there_are_not_asked_for_again(duck, tiny):
    frame = pd.DataFrame([event("1", "2024-01-01"), event("2", "2024-07-01")])
    frame = frame.assign(**{c: pd.to_datetime(frame[c]) for c in ("occurred_at", "known_at")})
    table = duck.create_table("rows", frame, temp=True, overwrite=True)
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n", usage=frame)
    source = config.sources.usage
    asked = Questions.of("usage", source, table, table.columns, AS_OF)
    answers = table.aggregate(**asked.expressions("usage", AS_OF)).to_pyarrow().to_pylist()[0]
    account = Account(2, 2)
    one, two = (cut("usage", source, table, AS_OF, account, config, a) for a in (None, answers))
    assert one.fingerprint == two.fingerprint
    assert (one.notes, one.newest) == (two.notes, two.newest)
