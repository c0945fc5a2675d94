"""What published nights say of one customer, and their rows made again to be looked into."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from configs.errors import ChurnError, DataError
from configs.schema import Config
from features.matrix import Matrix
from models.tracking import registry
from models.tracking.registry import Champion
from pipeline.dataset.matrix import build_matrix
from pipeline.layout import Layout
from pipeline.sources.opening import Sources
from pipeline.tracking.champion import tracking_of

MOST_OTHERS = 2_000


@dataclass(frozen=True)
class Published:
    """One customer in a published night.

    Parameters
    ----------
    probability
        As published.
    version
        Of the model that scored.
    config_digest
        Of the config at that night.
    """

    as_of: dt.date
    folder: Path
    probability: float
    version: int
    config_digest: str


def nights(layout: Layout, until: dt.date) -> list[dt.date]:
    """Dates of the published nights, the newest first."""
    folders = layout.runs.glob("????-??-??") if layout.runs.is_dir() else []
    dates = sorted((dt.date.fromisoformat(path.name) for path in folders), reverse=True)
    return [day for day in dates if day <= until]


def in_night(layout: Layout, day: dt.date, customer: str) -> Published | None:
    """A customer in the night of a date; None where it has no row.

    Raises
    ------
    ChurnError
        The night's files are not readable.
    """
    folder = layout.runs / str(day)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        asked = [("customer_id", "=", customer)]
        rows = pq.read_table(folder / "scores.parquet", columns=["churn_probability"], filters=asked)
        version, digest = int(manifest["model"]["version"]), str(manifest["config_digest"])
    except (OSError, ValueError, KeyError) as error:
        raise ChurnError(f"{folder}: not readable: {error}; run `churn score --as-of {day}` again") from error
    if not rows.num_rows:
        return None
    return Published(day, folder, float(rows["churn_probability"][0].as_py()), version, digest)


def tonight_and_before(layout: Layout, until: dt.date, customer: str) -> tuple[Published, Published | None]:
    """The customer in the newest night until a date, and in the newest one before in which it has a row.

    Raises
    ------
    DataError
        No night is published, or the customer is none at the newest one.
    """
    dates = nights(layout, until)
    if not dates:
        raise DataError(f"{layout.runs}: no published night until {until}; run `churn score` first")
    now = in_night(layout, dates[0], customer)
    if now is None:
        raise DataError(
            f"customer {customer!r}: not among the customers at {dates[0]}; check the id as it stands in the sources, "
            "or give --as-of a night at which it was one"
        )
    earlier = (in_night(layout, day, customer) for day in dates[1:])
    return now, next((one for one in earlier if one is not None), None)


def model_of_night(config: Config, night: Published) -> Champion:
    """The model that scored a night."""
    return registry.load_version(tracking_of(config), night.version)


def some_others(night: Published, seed: int) -> list[str]:
    """Ids of customers of the night drawn by chance, so many that ranks and medians are steady."""
    ids = pq.read_table(night.folder / "scores.parquet", columns=["customer_id"])["customer_id"]
    count = min(len(ids), MOST_OTHERS)
    chosen = np.sort(np.random.default_rng(seed).choice(len(ids), count, replace=False))
    return [str(x) for x in np.sort(ids.to_numpy(zero_copy_only=False).astype(str))[chosen]]


def matrix_of_some(sources: Sources, config: Config, days: list[dt.date], ids: list[str]) -> Matrix:
    """The matrix of some customers; nobody else's rows are reduced or brought here."""
    asked = sorted(set(ids))
    tables: dict[str, Any] = {
        role: rows.filter(rows.customer_id.isin(asked)) for role, rows in sources.tables.items()
    }
    return build_matrix(replace(sources, tables=tables), config, days)


def at(matrix: Matrix, day: dt.date) -> tuple[list[str], pd.DataFrame]:
    """Ids and features of a snapshot."""
    here = (pd.to_datetime(matrix.frame["snapshot"]) == pd.Timestamp(day)).to_numpy()
    ids = matrix.frame.loc[here, "customer_id"].tolist()
    return ids, matrix.features.loc[here].reset_index(drop=True)
