"""What a use case hands back to the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LOOK = 3
_NUMBER = re.compile(r"<?[-+]?[\d.,]*( %)?")


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

    def with_look(self, look: Sequence[str]) -> Result:
        """The result with lines that a person should look at, and exit code 3 where it was 0.

        Examples
        --------
        >>> found = Result("10 rows", {"rows": 10}).with_look(["the newest row is old"])
        >>> print(found.text, found.exit_code, sep="; ")
        10 rows
        look: the newest row is old; 3
        """
        if not look:
            return self
        text = "\n".join([self.text, *(f"look: {line}" for line in look)])
        return Result(text, {**self.values, "look": list(look)}, self.exit_code or LOOK)


def table(header: list[str], rows: list[list[str]]) -> str:
    """A plain text table; columns whose cells are all numbers are aligned right.

    Examples
    --------
    >>> print(table(["name", "n"], [["a", "1"], ["bc", "10"]]))
    name   n
    a      1
    bc    10
    """
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    right = [all(_NUMBER.fullmatch(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in [header, *rows]
    ]
    return "\n".join(lines)
