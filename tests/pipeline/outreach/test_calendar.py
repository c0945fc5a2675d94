import datetime as dt
import hashlib
import re
from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event
from outreach_data import DAY, contacts, context, customers

from pipeline.outreach import calendar
from pipeline.outreach.calendar import MOST_ENTRIES, calendar_files, contact_calendar, file_name
from pipeline.outreach.competing import prepare
from pipeline.outreach.decide import decide
from pipeline.outreach.reasons import Reason

NIGHTS = contacts(
    ("0000", "2026-05-01", "phone", "outbound", "Eva"),
    ("0000", "2026-06-10", "phone", "outbound", "Eva"),
    ("0001", "2026-01-01", "email", "outbound", "राहुल जोशी"),
    ("0002", "2026-06-29", "email", "outbound", "Eva"),
)


def decided(n=4, listed=(), chosen=True, **settings):
    tonight = context(**{"rhythm_days": 60, "capacity": 1, "start": "full", **settings})
    prepared = prepare(customers(n), tonight, columns=[], contacts=NIGHTS, do_not_contact=listed)
    why = (Reason("silence" if chosen else "x", "quiet; since\nlong, \\o/", 0.5),)
    return prepared, decide(prepared, [why] * len(prepared.candidates))


def parsed(text):
    """The entries of an iCalendar file, by the rules of RFC 5545 for lines, folding and text."""
    assert text.endswith("\r\n")
    lines = text.split("\r\n")[:-1]
    assert not any("\n" in line or "\r" in line for line in lines)
    assert all(len(line.encode()) <= 75 for line in lines)
    entries, current = [], None
    for line in re.sub("\r\n ", "", text).split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            current = {}
        elif line == "END:VEVENT":
            entries.append(current)
            current = None
        elif current is not None:
            plain = value.replace("\\\\", "\0").replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";")
            current[name.partition(";")[0]] = plain.replace("\0", "\\")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    return entries


def test_the_rhythm_of_each_customer():
    table = contact_calendar(*decided(chosen=False)).set_index("customer_id")
    assert table.loc["0000", ["owner", "usual_gap_days", "overdue_days"]].tolist() == ["Eva", 40, -19]
    assert table.loc["0000", "next_due"] == pd.Timestamp("2026-07-20")
    assert table.loc["0001", ["usual_gap_days", "overdue_days"]].tolist() == [60, 121]
    assert table.loc["0003", "next_due"] == pd.Timestamp(DAY)
    assert table.loc["0003", "owner"] == "account manager"
    assert table.index.tolist() == ["0001", "0003", "0000", "0002"]


def test_who_must_not_be_contacted_or_is_left_alone_is_in_no_calendar():
    assert "0001" not in contact_calendar(*decided(listed=["0001"])).customer_id.tolist()
    prepared, decision = decided(400, control={"share": 0.5}, capacity=20, quiet_days={"default": 0})
    rows, due = decision.ledger, set(contact_calendar(prepared, decision).customer_id)
    alone, usual = (set(rows.customer_id[rows.control & (rows.usual == team)]) for team in (False, True))
    assert alone
    assert not alone & due
    assert usual
    assert usual <= due  # the team goes on as if there were no list


def test_a_file_for_each_owner_that_parses():
    prepared, decision = decided(calendar_days=14)
    files = calendar_files(contact_calendar(prepared, decision), decision.chosen, prepared.context, "shop")
    listed = decision.chosen.iloc[0]
    entries = [entry for text in files.values() for entry in parsed(text)]
    task = next(e for e in entries if e["SUMMARY"] == f"Do it: {listed.customer_id}")
    assert task["DTSTART"] == "20260704"
    assert task["DESCRIPTION"].endswith("quiet; since\nlong, \\o/")
    assert all(
        re.fullmatch(r"calendar-[\w-]+-[0-9a-f]{6}\.ics", re.sub(r"[\u0900-\u0963]", "x", n)) for n in files
    )
    assert len({e["UID"] for e in entries}) == len(entries)
    due = {e["SUMMARY"]: e["DTSTART"] for e in entries}
    assert "Contact 0000" not in due
    assert due.get("Contact 0001", "20260701") == "20260701"


def test_each_entry_says_the_last_contact_and_the_gap_of_its_own_customer():
    prepared, decision = decided(chosen=False, calendar_days=60)
    files = calendar_files(contact_calendar(prepared, decision), decision.chosen, prepared.context, "shop")
    said = {e["SUMMARY"]: e["DESCRIPTION"] for text in files.values() for e in parsed(text)}
    assert said == {
        "Contact 0000": "Last contact: 10 June 2026\nUsual gap: 40 days",
        "Contact 0001": "Last contact: 1 January 2026\nUsual gap: 60 days",
        "Contact 0002": "Last contact: 29 June 2026\nUsual gap: 60 days",
        "Contact 0003": "Usual gap: 60 days",
    }


def test_the_same_night_gives_the_same_bytes_and_long_words_are_folded_whole():
    prepared, decision = decided()
    prepared = replace(prepared, context=replace(prepared.context, language="mr"))
    chosen = decision.chosen.assign(message="नमस्कार " * 40, owner="राहुल जोशी/../x")
    calendar = contact_calendar(prepared, decision)
    first, again = (calendar_files(calendar, chosen, prepared.context, "shop") for _ in range(2))
    assert first == again
    assert all("/" not in name and ".." not in name for name in first)
    assert any("यांच्याशी संपर्क" in e["SUMMARY"] for text in first.values() for e in parsed(text))
    assert any("नमस्कार " * 40 in e["DESCRIPTION"] for text in first.values() for e in parsed(text))


def test_nobody_gets_a_calendar_that_nobody_can_use():
    prepared, decision = decided(700, chosen=False)
    calendar = contact_calendar(prepared, decision)
    files = calendar_files(calendar, decision.chosen, prepared.context, "shop")
    assert len(calendar) == 700
    assert len(parsed(files[file_name("account manager")])) == MOST_ENTRIES


def test_an_empty_night():
    prepared, decision = decided(0)
    assert (
        calendar_files(contact_calendar(prepared, decision), decision.chosen, prepared.context, "shop") == {}
    )


TEXTS = st.text(st.sampled_from("ab ;,:\\\"'\r\n\x07éسम€"), max_size=120)


@given(TEXTS, TEXTS, st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)))
def test_an_entry_has_the_bytes_of_the_librarys_own(summary, description, day):
    event = Event()
    event.add("uid", "x")
    event.add("dtstamp", dt.datetime.combine(day, dt.time(), dt.UTC))
    event.add("dtstart", day)
    event.add("dtend", day + dt.timedelta(days=1))
    for name, text in {"summary": summary, "description": description}.items():
        event.add(name, calendar._printable(text))
    event.add("transp", "TRANSPARENT")
    want = Calendar()
    for name, text in {
        "version": "2.0",
        "prodid": "-//churn//contact calendar//EN",
        "calscale": "GREGORIAN",
        "method": "PUBLISH",
    }.items():
        want.add(name, text)
    want.add_component(event)
    found = calendar._calendar(
        [calendar._entry("x", day, summary, calendar._line("DESCRIPTION", description), day)]
    )
    uid = hashlib.sha256(b"x").hexdigest()[:32]
    assert found.replace(f"UID:{uid}@churn", "UID:x") == want.to_ical().decode()
