"""One source opened: what its rows are marked with, and that both ways to ask give the same."""

import datetime as dt
import sqlite3

from pipeline.sources.one_source import open_source
from pipeline.sources.readers import connect_duckdb

AS_OF = dt.date(2024, 6, 1)
BASE = "customer_id,occurred_at\n1,2024-01-01\n"


def opened(tiny, role="transactions", **options):
    config = tiny(**{"transactions": BASE, **options})
    return open_source(connect_duckdb(1), {}, role, getattr(config.sources, role), config, AS_OF)


def rows(found, *columns):
    return sorted(tuple(r.values()) for r in found.table.select(*columns).to_pyarrow().to_pylist())


def test_a_score_is_low_by_the_config(tiny):
    text = "customer_id,occurred_at,score\n1,2024-01-01,3\n1,2024-01-02,4\n1,2024-01-03,\n"
    found = opened(tiny, "feedback", feedback=text, settings={"feedback": {"low_score": 3}})
    low = found.table.order_by("occurred_at").to_pyarrow()["low"].to_pylist()
    assert low == [True, False, None]
    assert "low" not in opened(tiny, "feedback", feedback=text).table.columns


def test_feedback_without_scores_is_called_so(tiny):
    found = opened(tiny, "feedback", feedback="customer_id,occurred_at\n1,2024-01-01\n")
    assert rows(found, "customer_id", "unscored") == [("1", True)]


def test_a_topic_is_a_complaint_by_the_config(tiny):
    text = "customer_id,occurred_at,topic\n1,2024-01-01,Beschwerde\n1,2024-01-02,Frage\n"
    sections = {"outreach": {"complaint_topics": ["beschwerde"]}}
    found = opened(tiny, "contacts", contacts=text, sections=sections)
    assert rows(found, "topic", "complaint") == [("Beschwerde", True), ("Frage", False)]


def test_lines_of_a_purchase_are_joined_and_their_id_is_gone(tiny):
    text = "customer_id,occurred_at,transaction_id,amount\n1,2024-01-02,A,2\n1,2024-01-01,A,3\n1,2024-01-01,B,4\n"
    found = opened(tiny, transactions=text)
    assert rows(found, "amount") == [(4.0,), (5.0,)]
    assert "transaction_id" not in found.table.columns
    account = found.fingerprint["account"]
    assert (account["in_source"], account["read"], account["joined"]) == (3, 2, 1)


def test_what_an_engine_can_not_follow_is_told_before_any_row_is_read(tiny, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as made:
        made.execute("create table orders (customer_id text, occurred_at text)")
        made.execute("insert into orders values ('1', 'nonsense')")
    settings = {"uri": "sqlite:///shop.db#orders", "time_zone": "Europe/Berlin", "calendar": "jalali"}
    found = opened(tiny, transactions=BASE, settings={"transactions": settings})
    assert [fault.where for fault in found.faults] == [
        "sources.transactions.calendar", "sources.transactions.time_zone"
    ]  # fmt: skip


def test_no_rows_are_a_fault_with_the_next_step(tiny):
    where = [{"column": "customer_id", "equals": "x"}]
    found = opened(tiny, transactions=BASE, settings={"transactions": {"where": where}})
    assert "has no rows; check the file and the conditions in 'where'" in str(found.faults[0])


def test_good_rows_are_the_same_whatever_is_done_with_bad_ones(tiny):
    text = "customer_id,occurred_at,amount\n" + "".join(f"{i},2024-01-0{1 + i % 9},{i}\n" for i in range(20))
    found = [opened(tiny, transactions=text, sections={"on_bad_rows": w}) for w in ("stop", "quarantine")]
    for each in found:
        assert (each.fingerprint["rows"], each.faults, each.aside) == (20, [], ())
        assert each.fingerprint["columns"] == ["amount", "customer_id", "occurred_at"]
        assert each.newest == dt.date(2024, 1, 9)
    assert found[0].fingerprint == found[1].fingerprint
