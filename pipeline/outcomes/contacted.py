"""`churn contacted`: what people marked in the report becomes part of the contact log, and opt-outs count at once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from configs.errors import ConfigError, DataError, Fault
from configs.schema import Config
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.publish import only_run
from pipeline.result import Result
from pipeline.sources.contacted import OPT_OUT, OUTCOMES, Mark, read_marks, write_marks

_NEEDED = ("config", "customer_id", "occurred_at", "outcome")
SHOWN_FAULTS = 20
LONGEST_NOTE = 2_000
# Clocks of readers may be ahead.
AHEAD = dt.timedelta(days=1)


def contacted(config: Config, file: Path, now: dt.datetime) -> Result:
    """Add the marks of a file to those of the config.

    Parameters
    ----------
    file
        As the report saves it; `-` for standard input.
    now
        Naive UTC; later marks are refused.

    Raises
    ------
    ConfigError
        When the file can't be read.
    DataError
        With every fault of the file at once; then nothing is written.
    """
    layout = layout_of(config)
    name = "standard input" if str(file) == "-" else str(file)
    marks = marks_of(_text(file), config.name, name, now)
    _on_a_list(marks, layout.ledger, name)
    with only_run(layout.folder, "contacted"):
        before = read_marks(layout.contacted)
        new = [mark for mark in dict.fromkeys(marks) if mark not in set(before)]
        if new:
            write_marks(layout.contacted, (*before, *new))
    counts = Counter(mark.outcome for mark in new)
    told = ", ".join(
        f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in OUTCOMES if counts[outcome]
    )
    again = len(marks) - len(new)
    text = f"{len(new)} contacts added to {layout.contacted}" + (f": {told}" if told else "")
    if again:
        text += f"; {again} were there before"
    if counts[OPT_OUT]:
        text += f"\n{counts[OPT_OUT]} asked not to be contacted: no list has them from now on"
    values = {"added": len(new), "again": again, "file": str(layout.contacted), "outcomes": dict(counts)}
    return Result(text, values)


def _text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{file}: can't be read: {error}; give the file that the report saved") from error


def marks_of(text: str, config: str, file: str, now: dt.datetime) -> tuple[Mark, ...]:
    r"""The marks of a file's text.

    Raises
    ------
    DataError
        With every fault at once.

    Examples
    --------
    >>> text = "config,customer_id,occurred_at,outcome\nshop,7,2026-07-01T09:00:00Z,done\n"
    >>> marks_of(text, "shop", "marks.csv", dt.datetime(2026, 7, 1, 12))[0].occurred_at
    datetime.datetime(2026, 7, 1, 9, 0)
    """
    head = text.lstrip().splitlines()[:1] or [""]
    separator = next((sign for sign in (";", "\t") if sign in head[0] and "," not in head[0]), ",")
    rows = csv.DictReader(io.StringIO(text.lstrip(), newline=""), delimiter=separator)
    missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise DataError(
            f"{file}: the columns {', '.join(missing)} are missing; save it in the report, under 'Contact today'"
        )
    marks, faults = [], []
    for row in rows:
        try:
            marks.append(_mark(row, config, now))
        except ValueError as error:
            faults.append(Fault(f"{file}, line {rows.line_num}", str(error)))
    _refuse(faults)
    return tuple(marks)


def _mark(row: Mapping[str | None, str | None], config: str, now: dt.datetime) -> Mark:
    cell = {str(name): " ".join(str(value or "").split()) for name, value in row.items()}
    # An id keeps every blank that it has.
    customer = row.get("customer_id") or ""
    if cell["config"] != config:
        raise ValueError(
            f"is of the config {cell['config']!r}, this one is {config!r}; choose the right one by --config"
        )
    if not customer:
        raise ValueError("has no customer_id; delete the line")
    if cell["outcome"] not in OUTCOMES:
        raise ValueError(f"outcome {cell['outcome']!r} is unknown; use one of {', '.join(OUTCOMES)}")
    try:
        moment = dt.datetime.fromisoformat(cell["occurred_at"])
    except ValueError:
        raise ValueError(
            f"occurred_at {cell['occurred_at']!r} is no time; write it as 2026-07-01T09:30:00Z"
        ) from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    if moment > now + AHEAD:
        raise ValueError(f"occurred_at {cell['occurred_at']} lies ahead; correct it, or the machine's clock")
    words = (cell.get(name, "")[:LONGEST_NOTE] for name in ("note", "action", "channel", "agent"))
    return Mark(customer, moment.replace(microsecond=0), cell["outcome"], *words)


def _on_a_list(marks: tuple[Mark, ...], record: Path, file: str) -> None:
    """Refuse ids that no list has had; an opt-out counts for whomever it names."""
    asked = sorted({mark.customer_id for mark in marks if mark.outcome != OPT_OUT})
    if not asked:
        return
    rows = ledger.read_ledger(
        record,
        columns=["customer_id"],
        only=lambda field: field("chosen") & field("customer_id").isin(asked),
    )
    listed = set(rows["customer_id"])
    _refuse(
        [
            Fault(f"{file}, customer {customer!r}", "was on no list", "correct the id as the list writes it")
            for customer in asked
            if customer not in listed
        ]
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        count = f"{len(faults)} fault{'s' * (len(faults) > 1)}"
        raise DataError(f"{count} in the marked contacts; nothing was added", faults[:SHOWN_FAULTS])
