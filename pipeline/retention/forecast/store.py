"""Every night's forecast of the rate, kept, so that it can be held against what came: one Parquet file a date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import ChurnError
from pipeline.publish import write_atomic
from pipeline.retention.forecast.expected import RateForecast

_SCHEMA = pa.schema(
    [
        ("as_of", pa.date32()),
        ("measure", pa.string()),
        ("start", pa.date32()),
        ("end", pa.date32()),
        ("customers", pa.int64()),
        ("expected_lost", pa.float64()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("chance", pa.float64()),
        ("model_version", pa.string()),
    ]
)
_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.parquet")


def keep_forecasts(folder: Path, forecasts: Sequence[RateForecast], model_version: str) -> Path:
    """Keep one night's forecasts; the same forecasts give the same bytes, and a new run of a date replaces its file.

    Examples
    --------
    >>> import tempfile
    >>> day = dt.date(2026, 7, 1)
    >>> forecast = RateForecast(day, day, dt.date(2026, 8, 1), 100, 5.0, 95.0, 91.0, 99.0, 2.2, "rate")
    >>> folder = Path(tempfile.mkdtemp())
    >>> keep_forecasts(folder, [forecast], "3").name
    '2026-07-01.parquet'
    >>> stored(folder)[["measure", "customers", "rate", "model_version"]].values.tolist()
    [['rate', 100, 95.0, '3']]
    """
    rows = [asdict(forecast) | {"model_version": model_version} for forecast in forecasts]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), sink)
    file = folder / f"{forecasts[0].as_of}.parquet"
    try:
        write_atomic(file, sink.getvalue().to_pybytes())
    except OSError as error:
        raise ChurnError(
            f"{file}: can't be written: {error.strerror}; check its owner and the free space"
        ) from error
    return file


def stored(folder: Path, before: dt.date | None = None) -> pd.DataFrame:
    """The forecasts of the dates before one, or of all, oldest first; no rows when there are none.

    Raises
    ------
    ChurnError
        When a file is damaged.
    """
    found = {
        dt.date.fromisoformat(match[1]): file
        for file in folder.glob("*.parquet")
        if (match := _FILE.fullmatch(file.name))
    }
    tables = []
    for day in sorted(found):
        if before is None or day < before:
            try:
                tables.append(pq.read_table(found[day], partitioning=None).cast(_SCHEMA))
            except (OSError, pa.ArrowException) as error:
                said = " ".join(str(error).split())[:200]
                raise ChurnError(
                    f"{found[day]}: not readable: {said}; restore it, or move it away to forget that date"
                ) from error
    return (pa.concat_tables(tables) if tables else _SCHEMA.empty_table()).to_pandas()
