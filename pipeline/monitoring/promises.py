"""What a list must not lose from one night to the next: who its customers are, and who has said no.

Neither shows in the rows of a source: an export whose ids were all given anew joins as well as before, and a column
that says nothing of contacts any more is a column without gaps for all that reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import ibis

from configs.schema import Config
from pipeline.languages.said import Said, said
from pipeline.monitoring.checks import Check, judged_by_band
from pipeline.outcomes import ledger
from pipeline.outreach.consent import read_ids, refused
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

# So many of the last night's customers stay known, though some are deleted; so many are enough to look at.
STAY, FEWEST_KNOWN, MOST_ASKED = 0.9, 20, 10_000
# Refusals come and go, but not by a third; there are so many before they are watched.
LOST_DAYS = 30
FALL, RISE, FEWEST_REFUSALS = 0.3, 0.1, 5
_LISTED = "outreach.do_not_contact"


def still_known(record: Path, sources: Sources, as_of: dt.date) -> Iterator[Check]:
    """How many customers of the newest recorded night before this one are in tonight's sources.

    Parameters
    ----------
    record
        The ledger.
    """
    nights = [night for night in ledger.dates(record) if night < as_of]
    if not nights or sources.share < 1:
        return
    last = nights[-1]
    rows = ledger.read_ledger(record, last, last + dt.timedelta(days=1), columns=["customer_id"])
    ids = sorted(rows["customer_id"].unique())
    asked = ids[:: max(len(ids) // MOST_ASKED, 1)]
    if len(asked) < FEWEST_KNOWN:
        return
    there = sources.ids.of_any(list(sources.ids)).semi_join(
        ibis.memtable({"customer_id": asked}), "customer_id"
    )
    found = arrow(there.aggregate(n=there.count()))["n"][0].as_py() / len(asked)
    what = said(
        "see whether customers were deleted or got new ids: who was contacted, and when, is known by the old ones"
    )
    unit = said("of the customers of {day} are in the sources", day=last)
    yield judged_by_band("ids", "ledger", found, STAY, 1.0, unit, what, (1 - found) / (1 - STAY))


def unrecorded(runs: Path, record: Path, as_of: dt.date) -> list[Said]:
    """Nights of the last weeks that were published and are not in the ledger: their customers may come again."""
    since = as_of - dt.timedelta(days=LOST_DAYS)
    published = {
        path.name for path in runs.glob("????-??-??") if since.isoformat() <= path.name < as_of.isoformat()
    }
    kept = {path.parent.name.removeprefix("as_of=") for path in record.glob("as_of=*/*.parquet")}
    lost = sorted(published - kept)
    if not lost:
        return []
    return [
        said(
            "the ledger lacks {days}, which were published: whom those lists named is not known, and they may be "
            "listed again; bring the files back from a backup",
            days=lost,
        )
    ]


def refusals(sources: Sources, config: Config) -> dict[str, float]:
    """The share of the customers whom each column of permissions keeps from contacts, and how many ids are listed."""
    customers, settings = sources.tables.get("customers"), config.outreach
    found: dict[str, float] = {}
    if customers is not None:
        says = refused(customers, settings)
        if says:
            # A yes or no becomes a number by cases: PostgreSQL casts none to a large integer.
            sums = customers.aggregate(**{name: ibis.ifelse(no, 1, 0).mean() for name, no in says.items()})
            found = {name: float(value or 0) for name, value in arrow(sums).to_pylist()[0].items()}
    if settings.do_not_contact is not None:
        found[_LISTED] = float(len(read_ids(config.path(settings.do_not_contact))))
    return found


def still_refused(
    now: Mapping[str, float], then: Mapping[str, float] | None, customers: int
) -> Iterator[Check]:
    """The refusals of a night against those of the training.

    Parameters
    ----------
    now, then
        Of `refusals`; None with a model of an earlier version.
    customers
        How many rows of customers there are.
    """
    for name, was in (then or {}).items():
        if name not in now:
            continue
        listed = name == _LISTED
        if was * (1 if listed else customers) < FEWEST_REFUSALS:
            continue
        low, high = (1 - FALL) * was, float("inf") if listed else min(was * (1 + FALL) + RISE, 1.0)
        found = now[name]
        beyond = (was - found) / (FALL * was) if found < was else (found - was) / (high - was or 1.0)
        unit = said("ids that are listed") if listed else said("of the customers say no")
        what = said("see that it says the same as before: who said no would be contacted")
        place = name if listed else f"customers.{name} no"
        top = max(found, was) if listed else high
        yield judged_by_band("past", place, found, low, top, unit, what, beyond)
