"""What a retention command was asked, and how its table comes out: as text, as rows, as a file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import ConfigError
from configs.schema import Config
from pipeline.publish import write_atomic
from pipeline.result import Result
from pipeline.retention.rate_scope import Scope
from pipeline.retention.rate_text import notes_of
from pipeline.sources.opening import Sources, open_sources


@dataclass(frozen=True)
class Asked:
    """What a command is about.

    Parameters
    ----------
    config, as_of
        Whose figures, and when.
    scope
        Periods and segment.
    out
        Write the table to this CSV or Parquet file, too.
    say
        Tells what is going on.
    """

    config: Config
    as_of: dt.date
    scope: Scope
    out: Path | None = None
    say: Callable[[str], None] = field(default=lambda line: None)

    def open(self) -> Sources:
        """The sources as known at as-of.

        Raises
        ------
        ConfigError
            For a table without dates.
        """
        if self.config.churn.kind not in ("contractual", "non_contractual"):
            raise ConfigError(
                f"churn.kind {self.config.churn.kind} has no dates, and so no rate; use contractual or non_contractual"
            )
        sources = open_sources(self.config, self.as_of)
        for note in sources.notes:
            self.say(note)
        return sources

    def result(
        self, frame: pd.DataFrame, shown: str, rules: Sequence[str], more: Mapping[str, Any] | None = None
    ) -> Result:
        """Write the table where it is wanted, and hand back its text and its rows."""
        notes = [*rules, *notes_of(frame)]
        if self.out is not None:
            write_frame(frame, self.out)
            notes.append(f"written {self.out}")
        head = f"{self.config.name} as of {self.as_of}"
        values = {"config": self.config.name, "as_of": str(self.as_of), "rows": rows_of(frame)}
        values |= {name: rows_of(v) if isinstance(v, pd.DataFrame) else v for name, v in (more or {}).items()}
        return Result("\n".join([head, shown, *notes]), values | {"notes": notes})


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values: times as ISO text, what is not known as None."""
    found: list[dict[str, Any]] = json.loads(
        frame.to_json(orient="records", date_format="iso", date_unit="s", double_precision=12)
    )
    return found


def write_frame(frame: pd.DataFrame, file: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending, whole or not at all.

    Raises
    ------
    ConfigError
        For another ending, or a place that can't be written.
    """
    if file.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"--out {file}: write a .csv or a .parquet file")
    content = frame.to_csv(index=False).encode() if file.suffix == ".csv" else frame.to_parquet(index=False)
    _write(file, content)


def write_picture(svg: str, file: Path) -> None:
    """Write a drawing as an SVG file."""
    if file.suffix != ".svg":
        raise ConfigError(f"--picture {file}: write a .svg file")
    _write(file, svg)


def _write(file: Path, content: str | bytes) -> None:
    try:
        write_atomic(file, content)
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}; choose another place") from error
