"""A part of the night: what came of it, in a few lines, and all of them with the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said, spoken, together
from pipeline.result import LOOK

_WORST_FIRST = (1, 2, 75, LOOK, 0)
_STATES = {2: "failed", 75: "later", LOOK: "look", 0: "ok"}
STATES = {"failed": N_("failed"), "later": N_("later"), "look": N_("look"), "ok": N_("ok")}
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
    lines: tuple[Said, ...]
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


def headline_of_night(parts: Sequence[NightPart]) -> Said:
    """Which parts are not well, in half a line.

    Examples
    --------
    >>> print(headline_of_night([NightPart("score", 0, ()), NightPart("monitor", 3, ()), NightPart("train", 1, ())]))
    train failed, monitor: look
    """
    bad = [_said_of(part) for part in worst_first(parts) if part.code]
    return together(bad, ", ") if bad else said("all is well")


def _said_of(part: NightPart) -> Said:
    if part.state == "look":
        return said("{part}: look", part=part.name)
    if part.state == "later":
        return said("{part}: try again later", part=part.name)
    return said("{part} failed", part=part.name)


def shown_parts(parts: Sequence[NightPart], language: Language) -> str:
    """The parts, the worst first, a few lines each.

    Examples
    --------
    >>> parts = [NightPart("score", 0, (said("all is well"),)), NightPart("train", 1, ())]
    >>> print(shown_parts(parts, Language("en")))
    failed  train
    ok      score    all is well
    """
    rows = []
    for part in worst_first(parts):
        lines = [cut_line(spoken(line, language)) for line in part.lines[:LINES]] or [""]
        if (more := len(part.lines) - LINES) > 0:
            lines.append(language.several("and {n} more line", "and {n} more lines", more))
        rows.append(f"{language.word(STATES[part.state]):<7} {part.name:<8} {lines[0]}".rstrip())
        rows += [f"{'':<16} {line}" for line in lines[1:]]
    return "\n".join(rows)


def cut_line(line: str) -> str:
    """A line of bounded length."""
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
