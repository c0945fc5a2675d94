"""A table's way through a command: what it is asked, and how it leaves as text, rows, file and picture."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from configs.errors import ConfigError
from configs.schema import Config
from pipeline.csv_text import csv_text
from pipeline.languages.said import said, spoken
from pipeline.publish import write_atomic
from pipeline.result import Result
from pipeline.retention.definition.at_hand import Seen
from pipeline.retention.definition.scope import Scope
from pipeline.retention.rendering import notes_of
from pipeline.retention.table import Question, Shown, Table
from pipeline.sources.opening import open_sources


def asked(
    table: Table, config: Config, as_of: dt.date, say: Callable[[str], None] = lambda line: None, **scope: Any
) -> Question:
    """What a command asks a table; the sources are opened when the table looks at them.

    Parameters
    ----------
    say
        Is told what was left out of the sources.
    scope
        As of `Scope.of`: what is None comes from the config.
    """

    def opened() -> Seen:
        if config.churn.kind not in ("contractual", "non_contractual"):
            raise ConfigError(
                f"churn.kind {config.churn.kind} has no dates, and so no rate; use contractual or non_contractual"
            )
        sources = open_sources(config, as_of)
        for note in sources.notes:
            say(note)
        return Seen(sources, table.reads)

    return Question(config, as_of, Scope.of(config.retention, **scope), opened)


def result_of(
    shown: Shown, question: Question, out: Path | None = None, picture: Path | None = None
) -> Result:
    """The text and the rows of a table, which is written and drawn where that is wanted.

    Parameters
    ----------
    out
        A CSV or Parquet file.
    picture
        An SVG file.

    Raises
    ------
    ConfigError
        For a file with another ending, or a place that can't be written.
    """
    if picture is not None and shown.picture is not None:
        from pipeline.report.curves import standalone

        write_picture(standalone(shown.picture()), picture)
    notes: list[str] = [*shown.rules, *notes_of(shown.frame)]
    if out is not None:
        write_frame(shown.frame, out)
        notes.append(said("written {file}", file=out))
    head = said("{company} as of {day}", company=question.config.name, day=question.as_of)
    text = [spoken(line, question.language) for line in (head, shown.text, *notes)]
    values = {"config": question.config.name, "as_of": str(question.as_of), "rows": rows_of(shown.frame)}
    values |= {name: rows_of(v) if isinstance(v, pd.DataFrame) else v for name, v in shown.more.items()}
    tables = vars(question).get("tables")  # there when the table has looked at the sources
    look = tables.look if isinstance(tables, Seen) else ()
    return Result("\n".join(text), values | {"notes": [str(note) for note in notes]}).with_look(
        look, question.language
    )


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
    content = csv_text(frame).encode() if file.suffix == ".csv" else frame.to_parquet(index=False)
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
