"""A part of the night: what came of it, in a few lines, and all of them with the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.result import LOOK

_WORST_FIRST = (1, 2, 75, LOOK, 0)
_STATES = {2: "failed", 75: "later", LOOK: "look", 0: "ok"}
LINES, WIDTH = 6, 240


@dataclass(frozen=True)
class NightPart:
    """What came of one part.

    Parameters
    ----------
    name
        Of the command, or what it is about.
    code
        Exit code.
    lines
        What there is to say, the weightiest first.
    values
        What the command printed as JSON.
    seconds, megabytes
        Time, and memory at its peak; 0 where nothing was run.
    """

    name: str
    code: int
    lines: tuple[str, ...]
    values: Any = None
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def state(self) -> str:
        """In one word: failed, later, look or ok."""
        return _STATES.get(self.code, "failed")

    @property
    def as_values(self) -> dict[str, Any]:
        """For machines."""
        return {
            "part": self.name,
            "state": self.state,
            "exit_code": self.code,
            "lines": list(self.lines),
            "seconds": round(self.seconds, 1),
            "megabytes": round(self.megabytes),
        }


def worst_first(parts: Sequence[NightPart]) -> list[NightPart]:
    """The parts by their exit code; those with the same stay in their order."""
    return sorted(parts, key=lambda part: _rank(part.code))


def worst_code(parts: Sequence[NightPart]) -> int:
    """One exit code for all.

    Examples
    --------
    >>> worst_code([NightPart("score", 3, ()), NightPart("train", 75, ()), NightPart("check", 0, ())])
    75
    """
    return worst_first(parts)[0].code if parts else 0


def _rank(code: int) -> int:
    return _WORST_FIRST.index(code) if code in _WORST_FIRST else 0


def headline_of_night(parts: Sequence[NightPart]) -> str:
    """Which parts are not well, in half a line.

    Examples
    --------
    >>> headline_of_night([NightPart("score", 0, ()), NightPart("monitor", 3, ()), NightPart("train", 1, ())])
    'train failed, monitor: look'
    """
    said = {"look": "{}: look", "later": "{}: try again later"}
    bad = [part for part in worst_first(parts) if part.code]
    return ", ".join(said.get(part.state, "{} failed").format(part.name) for part in bad) or "all is well"


def shown_parts(parts: Sequence[NightPart]) -> str:
    """The parts, the worst first, a few lines each.

    Examples
    --------
    >>> print(shown_parts([NightPart("score", 0, ("50 customers",)), NightPart("train", 1, ("too little history",))]))
    failed  train    too little history
    ok      score    50 customers
    """
    rows = []
    for part in worst_first(parts):
        lines = [cut_line(line) for line in part.lines[:LINES]] or [""]
        if more := len(part.lines) - LINES:
            lines += [f"and {more} more lines"] if more > 0 else []
        rows.append(f"{part.state:<7} {part.name:<8} {lines[0]}".rstrip())
        rows += [f"{'':<16} {line}" for line in lines[1:]]
    return "\n".join(rows)


def cut_line(line: str) -> str:
    """A line of bounded length."""
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
