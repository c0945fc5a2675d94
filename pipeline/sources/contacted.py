"""Contacts that people have marked in the report: further rows of the contact log, kept in the config's outputs.

`churn contacted` writes them. The list, its quiet times, the page and the outcomes read them beside the config's own
contacts; features don't, so that a model sees in training what it sees at night.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import ibis
import ibis.expr.types as ir

from configs.errors import DataError
from pipeline.publish import write_atomic

MarkedOutcome = Literal["done", "not_reached", "promised", "reason", "do_not_contact"]
OUTCOMES: tuple[str, ...] = get_args(MarkedOutcome)
# Who was not reached was not contacted: neither a quiet time nor a rest begins.
NO_CONTACT = "not_reached"
OPT_OUT = "do_not_contact"


@dataclass(frozen=True, order=True)
class Mark:
    """What happened with a customer of a list.

    Parameters
    ----------
    customer_id
        As in the list.
    occurred_at
        When, naive UTC.
    outcome
        One of `OUTCOMES`.
    note
        The reason, or what was promised.
    action, channel, agent
        What the list recommended, and who made the contact.
    """

    customer_id: str
    occurred_at: dt.datetime
    outcome: str
    note: str = ""
    action: str = ""
    channel: str = ""
    agent: str = ""


_COLUMNS = tuple(Mark.__dataclass_fields__)


def read_marks(path: Path) -> tuple[Mark, ...]:
    """All marks so far, oldest first; none without the file.

    Raises
    ------
    DataError
        When the file is damaged: somebody may have asked in it not to be contacted.
    """
    try:
        lines = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        if not set(_COLUMNS) <= set(lines.fieldnames or ()):
            # Also of a file that was emptied: no mark at all must not be taken for nobody having opted out.
            raise ValueError(f"its first line does not name {', '.join(_COLUMNS)}")
        marks = [
            Mark(
                row["customer_id"],
                dt.datetime.fromisoformat(row["occurred_at"]),
                *(row[name] for name in _COLUMNS[2:]),
            )
            for row in lines
        ]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f"{path}: the marked contacts can't be read: {' '.join(str(error).split())[:200]}; restore the file: "
            "it says who asked not to be contacted"
        ) from error
    return tuple(marks)


def write_marks(path: Path, marks: tuple[Mark, ...]) -> None:
    """Replace the file at once, oldest first; the same marks give the same bytes."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for mark in sorted(marks, key=lambda mark: (mark.occurred_at, mark)):
        row = vars(mark) | {"occurred_at": mark.occurred_at.isoformat(sep=" ", timespec="seconds")}
        writer.writerow(row[name] for name in _COLUMNS)
    write_atomic(path, sink.getvalue())


def opted_out(marks: tuple[Mark, ...]) -> frozenset[str]:
    """Who asked not to be contacted, whenever that was: consent fails closed.

    Examples
    --------
    >>> day = dt.datetime(2026, 7, 1, 9)
    >>> sorted(opted_out((Mark("7", day, "do_not_contact"), Mark("8", day, "done"))))
    ['7']
    """
    return frozenset(mark.customer_id for mark in marks if mark.outcome == OPT_OUT)


def with_marks(log: ir.Table | None, marks: tuple[Mark, ...], as_of: dt.date) -> ir.Table | None:
    """The contact log with the marked contacts before `as_of`; what the log has of the same day counts once.

    Parameters
    ----------
    log
        The contacts role; None for a config without one.

    Examples
    --------
    >>> mark = Mark("7", dt.datetime(2026, 6, 30, 9), "promised", channel="phone", agent="Eva")
    >>> with_marks(None, (mark,), dt.date(2026, 7, 1)).to_pyarrow().to_pylist()[0]["direction"]
    'outbound'
    >>> with_marks(None, (mark,), dt.date(2026, 6, 30)) is None
    True
    """
    midnight = dt.datetime.combine(as_of, dt.time())
    rows = [
        {
            "customer_id": mark.customer_id,
            "occurred_at": mark.occurred_at,
            "channel": mark.channel or None,
            "direction": "outbound",
            "agent": mark.agent or None,
            "topic": mark.outcome.replace("_", " "),
        }
        for mark in marks
        if mark.occurred_at < midnight and mark.outcome != NO_CONTACT
    ]
    if not rows:
        return log
    texts = dict.fromkeys(["customer_id", "channel", "direction", "agent", "topic"], "string")
    new = ibis.memtable(rows, schema={"customer_id": "string", "occurred_at": "timestamp", **texts})
    if log is None:
        return new
    days = log.select("customer_id", day_=log.occurred_at.date()).distinct()
    fresh = new.mutate(day_=new.occurred_at.date()).anti_join(days, ["customer_id", "day_"])
    known = {
        name: (fresh[name] if name in new.columns else _absent(name)).cast(kind)
        for name, kind in log.schema().items()
    }
    return log.union(fresh.select(**known))


def _absent(column: str) -> ir.Value:
    """What a marked contact has in a column of its log: it is no complaint, and known when it occurs."""
    return ibis.literal(False) if column == "complaint" else ibis.null()
