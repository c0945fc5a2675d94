"""What the contact log says about today."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    # A call, and the same one as the report has it or as the mail that confirms it.
    again = [("a", f"{first} {hour}", "outbound", None, None, None) for hour in ("09:00", "17:30")]
    assert facts(*rows, *again)["recent_contacts"].tolist() == [1, 1, 0]


def by_hand(rows, settings):
    """The oracle: customer by customer, contact by contact."""
    found = {}
    for customer in "abc":
        own = sorted((row for row in rows if row[0] == customer), key=lambda row: (row[1], row[3] or ""))
        ours = [row for row in own if row[2] in ("outbound", None)]
        counted = own if settings.quiet_after == "any" else ours
        quiet = [
            at + dt.timedelta(settings.quiet_days.get(row[6], settings.quiet_days["default"]))
            for row in counted
            for at in [row[1]]
        ]
        days = sorted({row[1].date() for row in own})
        since = dt.datetime.combine(AS_OF, dt.time()) - dt.timedelta(settings.max_contacts.days)
        found[customer] = {
            "last_contact": max((row[1] for row in own), default=None),
            "last_ours": max((row[1] for row in ours), default=None),
            "quiet_until": max(quiet, default=None),
            "recent_contacts": len({row[1].date() for row in ours if row[1] >= since}),
            "open_complaint": any(
                row[4] == "complaint" and row[2] in ("inbound", None) and not row[5] for row in own
            ),
            "agent": next((row[3] for row in reversed(ours) if row[3]), None),
            "usual_gap_days": (days[-1] - days[0]).days / (len(days) - 1) if len(days) > 1 else None,
        }
    return found


CONTACT = st.tuples(
    st.sampled_from("abx"),
    st.datetimes(dt.datetime(2023, 12, 1), dt.datetime(2024, 2, 29)),
    st.sampled_from(["inbound", "outbound", None]),
    st.sampled_from(["Ann", "Bob", None]),
    st.sampled_from(["complaint", "question", None]),
    st.none() | st.just("2024-02-29"),
    st.sampled_from(["phone", "email", "visit", None]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(CONTACT, max_size=6),
    st.sampled_from([{"default": 7}, {"default": 7, "phone": 30, "email": 2}]),
    st.sampled_from(["any", "outbound"]),
)
def test_everything_is_as_counted_by_hand(rows, quiet_days, quiet_after):
    rules = Outreach(quiet_days=quiet_days, quiet_after=quiet_after)
    contacts = log(*(row[:6] for row in rows)).assign(
        channel=pd.Series([row[6] for row in rows], dtype="str")
    )
    found = contact_facts(contacts, pd.Index(["a", "b", "c"]), rules, AS_OF)
    shown = found.astype("object").where(found.notna(), None).to_dict("index")
    assert shown == by_hand(rows, rules)


def test_nobody_was_contacted():
    found = contact_facts(None, pd.Index(["a"]), Outreach(), AS_OF)
    assert found["recent_contacts"].tolist() == [0]
    assert found["open_complaint"].tolist() == [False]
    assert found[["last_contact", "last_ours", "quiet_until", "agent", "usual_gap_days"]].isna().all().all()
