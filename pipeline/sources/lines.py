"""Where rows stand: file and line of rows that are numbered from 1 through all files of a source."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.sources.looks import opened
from pipeline.sources.texts import TextFile, records


@dataclass(frozen=True)
class Spot:
    """Where a row stands.

    Parameters
    ----------
    file
        Its name for messages.
    line
        The line in which the record ends; None where the file has no lines.
    row
        Its number in the file, from 1 below the header.

    Examples
    --------
    >>> print(Spot("may.csv", 12, 11), Spot("may.parquet", None, 11), sep="; ")
    may.csv line 12; may.parquet data row 11
    """

    file: str
    line: int | None
    row: int

    def __str__(self) -> str:
        return f"{self.file} {f'data row {self.row}' if self.line is None else f'line {self.line}'}"


Spots = Callable[[Collection[int]], dict[int, Spot]]


def in_texts(files: Iterable[TextFile], rows: Collection[int]) -> dict[int, Spot]:
    """Of rows of text files; those that were left aside because they do not fit the header have no number."""
    found: dict[int, Spot] = {}
    before, last, asked = 0, max(rows, default=0), frozenset(rows)
    for file in files:
        number, names = 0, file.look.dialect.names
        for line, fields in records(file.origin or file):
            if tuple(map(str.strip, fields)) == names or (file.ragged and len(fields) != len(names)):
                continue
            number += 1
            if before + number in asked:
                found[before + number] = Spot(file.shown, line if file.lined else None, number)
            if before + number >= last:
                return found
        before += number
    return found


def in_fixed_width(files: Iterable[tuple[Path, str]], rows: Collection[int]) -> dict[int, Spot]:
    """Of rows of files without a header, numbered through the lines that are not blank."""
    found: dict[int, Spot] = {}
    before, asked = 0, frozenset(rows)
    for path, shown in files:
        number = 0
        with opened(path) as stream:
            for line, text in enumerate(stream, 1):
                number += bool(text.strip())
                if text.strip() and before + number in asked:
                    found[before + number] = Spot(shown, line, number)
        before += number
    return found


def in_parquet(files: Sequence[str], ends: Sequence[int], rows: Collection[int]) -> dict[int, Spot]:
    """Of rows of Parquet files.

    Parameters
    ----------
    ends
        Rows of the files up to each and with it.

    Examples
    --------
    >>> in_parquet(["a", "b"], [2, 5], [4])
    {4: Spot(file='b', line=None, row=2)}
    """
    at = {row: bisect_left(ends, row) for row in sorted(rows)}
    return {row: Spot(files[i], None, row - (ends[i - 1] if i else 0)) for row, i in at.items()}
