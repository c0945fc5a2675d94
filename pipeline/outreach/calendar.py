"""The contact rhythm: when each customer was last contacted, how often that is usual, and when the next is due."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.decide import account_managers
from pipeline.outreach.decision import Decision
from pipeline.outreach.eligibility import Rule

MOST_ENTRIES = 500
CONTACT = N_("Contact {customer}")
COLUMNS = ["customer_id", "owner", "last_contact", "usual_gap_days", "next_due", "overdue_days"]


def contact_calendar(prepared: Prepared, decision: Decision) -> pd.DataFrame:
    """Who is due, the longest overdue first.

    Left out are customers who must not be contacted, or are left alone so that the effect can be measured: the
    calendar would undo it. Those who are left to the team as usual are in it.

    Returns
    -------
    DataFrame
        `customer_id`, `owner`, `last_contact`, `usual_gap_days` (the customer's own, between half and twice the
        agreed rhythm; the agreed one where it is unknown), `next_due`, `overdue_days` (negative: still to come).
    """
    context, facts = prepared.context, prepared.facts.reset_index(drop=True)
    owners = account_managers(prepared.customers, facts["agent"].to_numpy(object), context.settings)
    agreed = float(context.settings.rhythm_days)
    usual = facts["usual_gap_days"].to_numpy(np.float64, na_value=np.nan)
    usual = np.where(np.isnan(usual), agreed, np.clip(usual, agreed / 2, agreed * 2)).round()
    today = pd.Timestamp(context.as_of)
    last = facts["last_contact"].dt.floor("D")
    due = (last + pd.to_timedelta(usual, unit="D")).fillna(today)
    table = pd.DataFrame(
        {
            "customer_id": prepared.customers["customer_id"],
            "owner": pd.Series(owners.tolist(), dtype="str"),
            "last_contact": last,
            "usual_gap_days": usual,
            "next_due": due,
            "overdue_days": (today - due).dt.days,
        }
    )
    never = [
        prepared.rules[rule] for rule in (Rule.DO_NOT_CONTACT, Rule.NO_RECORD, Rule.OPTED_OUT, Rule.HELD)
    ]
    kept = ~np.logical_or.reduce(never) & ~(decision.ledger["control"] & ~decision.ledger["usual"]).to_numpy(
        bool
    )
    # The customers stand in the order of their ids, and stay so among those who are due on one day.
    return table[kept].sort_values("overdue_days", ascending=False, kind="stable", ignore_index=True)[COLUMNS]


def calendar_files(
    calendar: pd.DataFrame, chosen: pd.DataFrame, context: Context, company: str
) -> dict[str, str]:
    """An iCalendar file for each owner: name to content.

    It holds the owner's part of the list, on the day when it is due, and the contacts that fall due within
    `calendar_days`; what is overdue stands on `as_of`. At most `MOST_ENTRIES` of these, the longest overdue first:
    nobody can use more, and the table has them all. Calendars that are imported again update the same entries.

    Parameters
    ----------
    calendar
        Of `contact_calendar`.
    chosen
        The outreach list.
    company
        Makes the entries' ids differ from another company's.
    """
    as_of = context.as_of
    until = pd.Timestamp(as_of) + pd.Timedelta(days=context.settings.calendar_days)
    soon = calendar[(calendar["next_due"] < until) & ~calendar["customer_id"].isin(chosen["customer_id"])]
    soon = soon[soon.groupby("owner").cumcount() < MOST_ENTRIES]
    entries: dict[str, list[bytes]] = {}
    for row in chosen.to_dict("records"):
        text = f"{row['message']}\n{row['reason_1']}".strip()
        day = row["due_date"].date()
        head = f"{row['title']}: {row['customer_id']}"
        entry = _entry(
            f"{company} {as_of} {row['customer_id']}", day, head, _line("DESCRIPTION", text), as_of
        )
        entries.setdefault(row["owner"], []).append(entry)
    for owner, rows in soon.groupby("owner", sort=False):
        entries.setdefault(str(owner), []).extend(
            _rhythm_entries(rows, context.language_of(str(owner)), as_of, company)
        )
    return {file_name(owner): _calendar(lines) for owner, lines in sorted(entries.items())}


def _rhythm_entries(rows: pd.DataFrame, language: Language, as_of: dt.date, company: str) -> Iterator[bytes]:
    """An entry for each customer of an owner."""

    @cache  # a few days and gaps stand for all customers
    def told(last: pd.Timestamp, usual: float) -> bytes:
        gap = language.several("Usual gap: {n} day", "Usual gap: {n} days", usual)
        since = [] if pd.isna(last) else [language.text("Last contact: {day}", day=language.day(last.date()))]
        return _line("DESCRIPTION", "\n".join([*since, gap]))

    contact = language.word(CONTACT)
    for row in rows.to_dict("records"):
        due, customer = row["next_due"].date(), row["customer_id"]
        yield _entry(
            f"{company} rhythm {due} {customer}",
            max(due, as_of),
            contact.format(customer=customer),
            told(row["last_contact"], row["usual_gap_days"]),
            as_of,
        )


def file_name(owner: str, kind: str = "calendar", ending: str = "ics") -> str:
    """A file name for the owner, in any script; owners whose names look alike get different ones.

    Examples
    --------
    >>> file_name("Eva Brandt"), file_name("../سارا")
    ('calendar-eva-brandt-eb5a4f.ics', 'calendar-سارا-f18036.ics')
    """
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in owner.casefold())
    plain = "-".join("".join(kept).split())[:40] or "owner"
    return f"{kind}-{plain}-{hashlib.sha256(owner.encode()).hexdigest()[:6]}.{ending}"


def _entry(name: str, day: dt.date, summary: str, description: bytes, as_of: dt.date) -> bytes:
    """An entry for the whole day, with a description of `_line`.

    An event of the library's own has the same bytes and takes three times as long; a night has many thousands.
    """
    lines = (
        b"BEGIN:VEVENT",
        _line("SUMMARY", summary),
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}".encode(),
        f"DTEND;VALUE=DATE:{day + dt.timedelta(days=1):%Y%m%d}".encode(),
        f"DTSTAMP:{as_of:%Y%m%d}T000000Z".encode(),
        f"UID:{hashlib.sha256(name.encode()).hexdigest()[:32]}@churn".encode(),
        description,
        b"TRANSP:TRANSPARENT",
        b"END:VEVENT",
    )
    return b"".join(line + b"\r\n" for line in lines)


def _line(name: str, text: str) -> bytes:
    """A text as the library escapes and folds it."""
    from icalendar import Parameters, vText
    from icalendar.parser import Contentline

    return Contentline.from_parts(name, Parameters(), vText(_printable(text))).to_ical()


def _printable(text: str) -> str:
    r"""Without the control characters that no calendar takes; line ends stay.

    Examples
    --------
    >>> _printable("a\x07b\r\nc")
    'a b\nc'
    """
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", re.sub(r"\r\n|\r", "\n", text))


def _calendar(entries: list[bytes]) -> str:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//churn//contact calendar//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    end = b"END:VCALENDAR\r\n"
    return b"".join([calendar.to_ical().removesuffix(end), *entries, end]).decode()
