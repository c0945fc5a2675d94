"""What the contact log says about today."""

import datetime as dt

import pandas as pd
import pytest

from configs.outreach import Outreach
from pipeline.outreach.contact_facts import contact_facts

AS_OF = dt.date(2024, 3, 1)


def log(*rows):
    names = ["customer_id", "occurred_at", "direction", "agent", "topic", "resolved_at"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(
        **{
            name: pd.to_datetime(frame[name], format="mixed").astype("datetime64[us]")
            for name in ("occurred_at", "resolved_at")
        }
    )


def facts(*rows, **settings):
    return contact_facts(log(*rows), pd.Index(["a", "b", "c"]), Outreach(**settings), AS_OF)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_talks_of_one_day_the_order_of_the_rows_decides_nothing(order):
    rows = [
        ("a", "2024-02-01", "outbound", "Zoe", None, None),
        ("a", "2024-02-09", "outbound", "Ann", None, None),
        ("a", "2024-02-09", "outbound", "Bob", None, None),
        ("a", "2024-02-10", "inbound", "Kim", None, None),
        ("a", "2024-02-11", "outbound", None, None, None),
    ]
    found = facts(*rows[::order])
    assert found["agent"].tolist()[0] == "Bob"
    assert found["last_ours"]["a"] == pd.Timestamp("2024-02-11")
    assert found["last_contact"]["a"] == pd.Timestamp("2024-02-11")


def test_gaps_are_between_days_with_a_contact():
    rows = [
        ("a", f"2024-01-{day} {hour}:00", "outbound", "Ann", None, None)
        for day in (10, 20, 30)
        for hour in (8, 9)
    ]
    found = facts(*rows, ("b", "2024-01-10", "outbound", "Ann", None, None))
    assert found["usual_gap_days"]["a"] == pytest.approx(10)
    assert found["usual_gap_days"].isna()[["b", "c"]].all()


def test_a_complaint_is_open_until_it_is_resolved():
    found = facts(
        ("a", "2024-02-01", "inbound", None, "complaint", None),
        ("b", "2024-02-01", "inbound", None, "complaint", "2024-02-03"),
        ("c", "2024-02-01", "inbound", None, "question", None),
    )
    assert found["open_complaint"].tolist() == [True, False, False]


def test_only_ours_of_the_last_days_are_counted():
    days = Outreach().max_contacts.days
    first = AS_OF - dt.timedelta(days)
    rows = [
        ("a", str(first), "outbound", None, None, None),
        ("a", str(first - dt.timedelta(1)), "outbound", None, None, None),
        ("a", "2024-02-29", "inbound", None, None, None),
        ("b", "2024-02-29", None, None, None, None),
    ]
    assert facts(*rows)["recent_contacts"].tolist() == [1, 1, 0]


def test_nobody_was_contacted():
    found = contact_facts(None, pd.Index(["a"]), Outreach(), AS_OF)
    assert found["recent_contacts"].tolist() == [0]
    assert found["open_complaint"].tolist() == [False]
    assert found[["last_contact", "last_ours", "quiet_until", "agent", "usual_gap_days"]].isna().all().all()
