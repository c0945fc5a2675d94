"""What a use case hands back to the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs.base import redacted
from pipeline.languages.language import Language
from pipeline.languages.said import said, spoken

LOOK = 3
# What moves a terminal's cursor, colours it, or turns the direction of what follows.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NUMBER = re.compile(r"<?[-+]?[\d.,٫٬]*( ?[%٪])?")


@dataclass(frozen=True)
class Result:
    """A use case's outcome, for a person and for a machine.

    Parameters
    ----------
    text
        What is printed on standard output.
    values
        The same as plain values, for `--json`.
    exit_code
        0, or 3 when a person should look.
    """

    text: str
    values: Any
    exit_code: int = 0

    def with_look(self, look: Sequence[str], language: Language | None = None) -> Result:
        """The result with lines that a person should look at, and exit code 3 where it was 0.

        Parameters
        ----------
        language
            Of the text, and of `in_words`, where other commands find what the lines are in it; None for those who set
            churn up.

        Examples
        --------
        >>> found = Result("10 rows", {"rows": 10}).with_look(["the newest row is old"])
        >>> print(found.text, found.exit_code, sep="; ")
        10 rows
        look: the newest row is old; 3
        """
        if not look:
            return self
        reader = language or Language("en")
        shown = [spoken(said("look: {line}", line=line), reader) for line in look]
        values = {**self.values, "look": [*self.values.get("look", []), *look]}
        if language is not None:
            words = {line: spoken(line, language) for line in look}
            values["in_words"] = {**self.values.get("in_words", {}), **words}
        return Result("\n".join([self.text, *shown]), values, self.exit_code or LOOK)


def visible(text: str) -> str:
    r"""A text as it may reach a terminal: without passwords, and control characters spelled out.

    Examples
    --------
    >>> print(visible("customer \x1b[2J at http://me:secret@host"))
    customer \u001b[2J at http://me:***@host
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", redacted(text))


def as_line(values: Any) -> str:
    """Plain values as one line of JSON, without passwords.

    Examples
    --------
    >>> as_line({"uri": "http://me:secret@host", "rows": 3})
    '{"uri": "http://me:***@host", "rows": 3}'
    """
    return json.dumps(_without_secrets(values), default=str, ensure_ascii=False)


def _without_secrets(values: Any) -> Any:
    if isinstance(values, str):
        return redacted(values)
    if isinstance(values, Mapping):
        return {name: _without_secrets(value) for name, value in values.items()}
    return [_without_secrets(value) for value in values] if isinstance(values, list | tuple) else values


def table(header: list[str], rows: list[list[str]]) -> str:
    """A plain text table; columns whose cells are all numbers are aligned right.

    Examples
    --------
    >>> print(table(["name", "n"], [["a", "1"], ["bc", "10"]]))
    name   n
    a      1
    bc    10
    """
    rows = [[cell.replace("\n", "\\n") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    right = [all(_NUMBER.fullmatch(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in [header, *rows]
    ]
    return "\n".join(lines)
