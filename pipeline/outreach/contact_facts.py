"""What the contact log says about today: the last contact, quiet time, open complaints, who knows the customer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from configs.outreach import DEFAULT, Outreach
from features.dialects import newest_value
from features.tables import by_us, complaints
from pipeline.sources.databases import arrow

_DAY = pd.Timedelta(days=1)
# Before the days of quiet, in the name of a column that has the newest contact which starts so many.
_QUIET = "quiet_after_"
_COLUMNS = (
    "last_contact",
    "last_ours",
    "quiet_until",
    "recent_contacts",
    "open_complaint",
    "agent",
    "usual_gap_days",
)


def contact_facts(
    contacts: Any, customers: pd.Index[Any], settings: Outreach, as_of: dt.date
) -> pd.DataFrame:
    """One row a customer, in the order of `customers`; the work is done where the contacts are.

    Parameters
    ----------
    contacts
        Ibis table or frame with `customer_id` and `occurred_at`, all before `as_of`; `channel`, `direction`,
        `agent`, `topic` and `resolved_at` where known. None: nobody was ever contacted.
    customers
        Ids, unique.

    Returns
    -------
    DataFrame
        Indexed by `customers`: `last_contact`; `last_ours`, the last one by us; `quiet_until`, no contact before it;
        `recent_contacts`, days with one by us in the last `max_contacts.days`, since a call and the mail that confirms
        it are one; `open_complaint`; `agent`, who contacted the customer last; `usual_gap_days`, the mean days between
        days with a contact. Null where the log says nothing.
    """
    if contacts is None:
        found = pd.DataFrame(index=customers)
    else:
        table = _in_memory(contacts) if isinstance(contacts, pd.DataFrame) else contacts
        rows = arrow(_per_customer(table, settings, as_of)).combine_chunks()
        # Arrow finds a million ids in a fraction of the time that an index of pandas takes.
        ids = rows["customer_id"].combine_chunks().cast(pa.string())
        places = pc.index_in(pa.array(customers, pa.string()), value_set=ids)
        found = rows.take(places).to_pandas().set_index(customers)
        found["quiet_until"] = _quiet_until(found)
    found = found.reindex(columns=list(_COLUMNS))
    for name in ("last_contact", "last_ours", "quiet_until"):
        found[name] = pd.to_datetime(found[name])
    return found.assign(
        recent_contacts=found["recent_contacts"].fillna(0).astype("int64"),
        open_complaint=found["open_complaint"].isin([True]),
    )


def _in_memory(contacts: pd.DataFrame) -> Any:
    """As a table; times to the microsecond, which is as exact as the engine's are."""
    times = contacts.select_dtypes("datetime").columns
    return ibis.memtable(contacts.astype(dict.fromkeys(times, "datetime64[us]")))


def _text(table: Any, name: str) -> Any:
    """A text column; null for every row where the source has none."""
    return table[name].cast("string") if name in table.columns else ibis.null("string")


def _per_customer(table: Any, settings: Outreach, as_of: dt.date) -> Any:
    since = ibis.timestamp(pd.Timestamp(as_of) - settings.max_contacts.days * _DAY)
    pending = table.resolved_at.isnull() if "resolved_at" in table.columns else ibis.literal(False)
    marked = table.mutate(
        ours=by_us(table),
        who=_text(table, "agent"),
        complaint=complaints(table, settings.complaint_topics) & pending,
        day=table.occurred_at.date(),
        quiet_days=_quiet_days(table, settings),
        counted=by_us(table) if settings.quiet_after == "outbound" else True,
    )
    # Days are counted apart: few rows are so new, and to count those of some rows takes as long as of all.
    lately = marked.filter(marked.ours & (marked.occurred_at >= since))
    recent = lately.group_by("customer_id").aggregate(recent_contacts=lately.day.nunique())
    marked, agent = newest_value(
        marked, "who", "occurred_at", marked.ours & marked.who.notnull(), ["customer_id"]
    )
    rows = marked.group_by("customer_id").aggregate(
        last_contact=marked.occurred_at.max(),
        last_ours=marked.occurred_at.max(where=marked.ours),
        **{
            f"{_QUIET}{days}": marked.occurred_at.max(where=marked.counted & (marked.quiet_days == days))
            for days in sorted({settings.quiet_days.get(DEFAULT, 0), *settings.quiet_days.values()})
        },
        open_complaint=marked.complaint.any(),
        agent=agent,
        first_contact=marked.occurred_at.min(),
        days=marked.day.nunique(),
    )
    rows = rows.left_join(recent, "customer_id").drop("customer_id_right")
    first, last = (
        moment.date().cast("timestamp").epoch_seconds() for moment in (rows.first_contact, rows.last_contact)
    )
    gap = ibis.cases((rows.days > 1, (last - first) / 86_400.0 / (rows.days - 1)))
    return rows.mutate(usual_gap_days=gap).drop("first_contact", "days")


def _quiet_until(found: pd.DataFrame) -> pd.Series[Any]:
    """When the quiet of the newest contact of each length of quiet is over, the latest of them."""
    ends = {
        name: pd.to_datetime(times) + int(name.removeprefix(_QUIET)) * _DAY
        for name, times in found.items()
        if str(name).startswith(_QUIET)
    }
    return pd.DataFrame(ends).max(axis=1)


def _quiet_days(table: Any, settings: Outreach) -> Any:
    """Days of quiet that each contact starts, by its channel."""
    cases = [(channel, days) for channel, days in settings.quiet_days.items() if channel != DEFAULT]
    default = settings.quiet_days.get(DEFAULT, 0)
    return _text(table, "channel").cases(*cases, else_=default) if cases else ibis.literal(default)
