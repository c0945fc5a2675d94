"""What was recommended, to whom, when and why: one Parquet file a date, only ever added to.

A night that is made afterwards was delivered to nobody: its rows lie in a file of another name, which nothing that
rests on contacts reads, so that nobody in it counts as contacted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.errors import ChurnError
from pipeline.publish import write_atomic

SCHEMA = pa.schema(
    [
        ("as_of", pa.date32()),
        ("customer_id", pa.string()),
        ("churn_probability", pa.float64()),
        ("eligible", pa.bool_()),  # no rule stood against a contact, and some action had a positive gain
        ("chosen", pa.bool_()),  # was on the list
        ("control", pa.bool_()),  # would have been on the list, and chance kept it from it
        ("usual", pa.bool_()),  # of these: the team does what it would have done without a list
        ("trial", pa.bool_()),  # chosen to be tried, not because the gain was sure
        (
            "propensity",
            pa.float64(),
        ),  # chance of being on the list, once chosen; 0 for whoever was not chosen
        ("action", pa.string()),  # of those chosen or left alone; null for the others
        ("channel", pa.string()),
        ("expected_gain", pa.float64()),
        ("value", pa.float64()),
        ("reasons", pa.string()),  # sentences, joined by REASON_JOINT
        ("model_version", pa.string()),
        ("inputs", pa.map_(pa.string(), pa.float64())),  # of those chosen: what the effect was computed from
    ]
)
# Columns that files of an earlier version lack; null there.
ADDED = frozenset({"usual", "trial", "inputs"})
REASON_JOINT = " | "
PART = "part.parquet"
NOT_DELIVERED = "not_delivered.parquet"
_FOLDER = re.compile(r"as_of=(\d{4}-\d\d-\d\d)")

_State = Literal["new", "same", "changed"]


@dataclass(frozen=True)
class Written:
    """What becomes of a date's rows.

    `state` is `new`; or `same`, when the date holds the same rows already; or `changed`, when it holds or held
    others: the earlier files then stay beside the newest as `superseded-<digest>.parquet`. `files` are those to be
    written, by their place in the ledger, the earlier one first.
    """

    path: Path
    state: _State
    rows: int
    sha256: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def append(folder: Path, as_of: dt.date, rows: pd.DataFrame) -> Written:
    """Record one night at once.

    A reader sees nothing of the date or all of it, also when the process or the machine dies meanwhile; no other
    date is touched. The same rows, in any order, give the same bytes.

    Parameters
    ----------
    folder
        The ledger; the rows go to `as_of=<date>/part.parquet` in it.
    rows
        The columns of `SCHEMA` but `as_of`, one row a scored customer.

    Raises
    ------
    ChurnError
        When a column is missing or of another type, a customer stands there twice, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> row = {name: [None] for name in SCHEMA.names[1:]} | {"customer_id": ["7"]}
    >>> ledger = Path(tempfile.mkdtemp())
    >>> append(ledger, dt.date(2026, 7, 1), pd.DataFrame(row)).state
    'new'
    >>> append(ledger, dt.date(2026, 7, 1), pd.DataFrame(row)).state
    'same'
    """
    written = planned(folder, as_of, rows)
    try:
        for leftover in written.path.parent.glob(
            ".*.tmp"
        ):  # of a run that was killed; the caller holds the lock
            leftover.unlink(missing_ok=True)
        for name, content in written.files.items():
            write_atomic(folder / name, content)
    except OSError as error:
        raise _refused(written.path, "written", error) from error
    return written


def planned(folder: Path, as_of: dt.date, rows: pd.DataFrame, *, delivered: bool = True) -> Written:
    """What recording a night would write; nothing is written.

    Parameters
    ----------
    delivered
        Whether people get the list. Where they do not, an earlier file of the kind is replaced.

    Raises
    ------
    ChurnError
        As `append` does.
    """
    content = _as_bytes(as_of, rows)
    place, part = Path(f"as_of={as_of.isoformat()}"), PART if delivered else NOT_DELIVERED
    target = folder / place / part
    try:
        earlier = target.read_bytes() if target.exists() else None
        superseded = delivered and any(target.parent.glob("superseded-*.parquet"))
    except OSError as error:
        raise _refused(target, "read", error) from error
    files = {} if content == earlier else {str(place / part): content}
    state: _State = "new" if earlier is None else "changed" if files or superseded else "same"
    if earlier is not None and files and delivered:
        name = f"superseded-{hashlib.sha256(earlier).hexdigest()[:12]}.parquet"
        files = {str(place / name): earlier, **files}
    return Written(target, state, len(rows), hashlib.sha256(content).hexdigest(), files)


def _refused(path: Path, what: str, error: OSError) -> ChurnError:
    return ChurnError(
        f"{path}: the ledger can't be {what}: {error.strerror}; check its owner and the free space"
    )


def _as_bytes(as_of: dt.date, rows: pd.DataFrame) -> bytes:
    if missing := [name for name in SCHEMA.names[1:] if name not in rows.columns]:
        raise ChurnError(f"ledger: columns are missing: {', '.join(missing)}")
    if twice := rows["customer_id"][rows["customer_id"].duplicated()].head(5).tolist():
        raise ChurnError(f"ledger: customers stand there twice, such as {', '.join(map(repr, twice))}")
    ordered = rows.sort_values("customer_id", kind="stable").assign(as_of=as_of)
    try:
        table = pa.Table.from_pandas(ordered[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ChurnError(f"ledger: {' '.join(str(error).split())[:200]}") from error
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return bytes(sink.getvalue())


def dates(folder: Path) -> list[dt.date]:
    """Dates that were delivered, oldest first; none when there is no ledger yet."""
    found = [_FOLDER.fullmatch(path.parent.name) for path in folder.glob(f"as_of=*/{PART}")]
    return sorted(dt.date.fromisoformat(match[1]) for match in found if match)


def read_ledger(
    folder: Path,
    start: dt.date | None = None,
    end: dt.date | None = None,
    *,
    columns: list[str] | None = None,
    only: Callable[[pc.Expression], pc.Expression] | None = None,
) -> pd.DataFrame:
    """Rows of the delivered dates in `[start, end)`, by date and customer.

    Parameters
    ----------
    columns
        All of `SCHEMA` when absent.
    only
        Makes a filter from `pyarrow.compute.field`, so that only some rows are read.

    Raises
    ------
    ChurnError
        When a file is damaged.
    """
    schema = SCHEMA if columns is None else pa.schema([SCHEMA.field(name) for name in columns])
    tables = []
    for day in dates(folder):
        if (start is not None and day < start) or (end is not None and day >= end):
            continue
        path = folder / f"as_of={day.isoformat()}" / PART
        try:
            # pq.read_table would take the date for a second, differently typed as_of.
            with path.open("rb") as file:
                missing = ADDED - set(pq.read_schema(file).names)
                file.seek(0)
                names = [name for name in schema.names if name not in missing]
                filters = None if only is None else only(pc.field)
                tables.append(_whole(pq.read_table(file, columns=names, filters=filters), schema))
        except (OSError, pa.ArrowException) as error:
            text = " ".join(str(error).split())[:200]
            raise ChurnError(
                f"{path}: not readable: {text}; restore it from a backup, or move it away to forget that date"
            ) from error
    return (pa.concat_tables(tables) if tables else schema.empty_table()).to_pandas()


def _whole(table: pa.Table, schema: pa.Schema) -> pa.Table:
    for name in [name for name in schema.names if name not in table.column_names]:
        table = table.append_column(name, pa.nulls(len(table), schema.field(name).type))
    return table.select(schema.names).cast(schema)


def recommended(folder: Path, start: dt.date, end: dt.date) -> pd.DataFrame:
    """Who was on the list or in its control group in `[start, end)`.

    Returns
    -------
    DataFrame
        `as_of`, `customer_id`, `channel`, `control`, `usual` (of these, left to the team) and `trial`.
    """
    rows = read_ledger(
        folder,
        start,
        end,
        columns=["as_of", "customer_id", "channel", "chosen", "control", "usual", "trial"],
        only=lambda field: field("chosen") | field("control"),
    )
    marks = {name: rows[name] == True for name in ("usual", "trial")}  # noqa: E712 - null is no
    return rows.drop(columns="chosen").assign(**marks)
