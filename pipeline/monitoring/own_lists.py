"""What the lists themselves have changed in the log of contacts: that is no fault of an export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.languages.said import said
from pipeline.monitoring.checks import Check, not_judged
from pipeline.monitoring.history import History
from pipeline.monitoring.rhythm import LONG, REFERENCE, WEEK
from pipeline.outcomes import ledger

_LATE = 3  # days within which a contact of a list is made, mostly
_MOST = 0.95


def explained(checks: Iterable[Check], history: History, record: Path) -> Iterator[Check]:
    """The checks of the log of contacts, without what the contacts that lists have asked for explain.

    When lists begin, more is called and mailed than before, in the words of the playbook: for weeks every night would
    be one to look at. A share s of rows that are new among others moves the mix by the root of s at most, in the
    distance of Hellinger.

    Parameters
    ----------
    checks
        Of `rhythm_of`.
    history
        Of the role contacts.
    record
        The ledger.
    """
    found = list(checks)
    share = asked_for(history, record) if any(check.outside for check in found) else 0.0
    for check in found:
        if check.outside and _is_of_lists(check, share):
            why = said("{share:.0%} of the newest contacts are those that the lists asked for", share=share)
            yield not_judged(check.name, check.place, why)
        else:
            yield check


def asked_for(history: History, record: Path) -> float:
    """The share of the newest contacts that the lists asked for, more than of those that they are compared with."""
    newest = history.newest
    start = newest - dt.timedelta(days=LONG + REFERENCE)
    listed = ledger.recommended(record, start, newest + dt.timedelta(days=1))
    asked = listed.loc[~listed["control"].astype(bool), "as_of"].value_counts()

    def share(days: int, before: int) -> float:
        end = newest + dt.timedelta(days=1 - before)
        begin = end - dt.timedelta(days=days)
        rows = float(history.between(begin, end).rows.sum())
        nights = [night for night in asked.index if begin - dt.timedelta(days=_LATE) <= night < end]
        return min(float(asked[nights].sum()) / rows, _MOST) if rows else 0.0

    return max(0.0, max(share(days, 0) for days in (WEEK, LONG)) - share(REFERENCE, LONG))


def _is_of_lists(check: Check, share: float) -> bool:
    """Whether so large a share of new contacts can have moved a check so far."""
    if check.found is None or check.high is None:
        return False
    if check.name == "volume":
        return check.found > check.high >= check.found * (1 - share)
    return check.name == "categories" and check.high < check.found <= share**0.5
