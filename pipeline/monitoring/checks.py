"""What a check found: one row of the night's table, for a person and for a machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import pandas as pd

from configs.monitoring import CHECKS, CheckName, Monitoring
from pipeline.languages.names import in_words, role_in_words
from pipeline.languages.said import NO_LINE, Said, said, together

FINE, LOOK, STOP, OPEN, IGNORED = "as expected", "look", "stop", "not judged", "ignored"
DIGITS, SMALLEST = 4, 6


@dataclass(frozen=True)
class Check:
    """One thing that was watched.

    Parameters
    ----------
    name
        The check, of `configs.monitoring.CHECKS`.
    place
        The source, its column, or the feature.
    found, low, high
        What was found, and between what it was expected; None where it is no number.
    unit
        What the numbers are.
    verdict
        `as expected`, `look`, `stop`, `not judged` or `ignored`.
    advice
        What was found, in words, and the next step; why nothing was judged.
    beyond
        How far outside, as a multiple of the band; above 1 it is outside.

    Examples
    --------
    >>> unit, advice = Said("rows in 7 days"), Said("ask for the missing rows")
    >>> print(Check("volume", "contacts", 12, 60, 140, unit, LOOK, advice))
    volume contacts: 12 rows in 7 days, expected 60 to 140; ask for the missing rows
    """

    name: CheckName
    place: str
    found: float | None = None
    low: float | None = None
    high: float | None = None
    unit: Said = NO_LINE
    verdict: str = FINE
    advice: Said = NO_LINE
    beyond: float = 0.0

    def __str__(self) -> str:
        return str(self.line)

    @property
    def line(self) -> Said:
        """The check, its place, and what was found."""
        check, place = in_words("checks", self.name), role_in_words(self.place)
        return said("{check} {place}: {found}", check=check, place=place, found=self.words)

    @property
    def words(self) -> Said:
        """What was found, what was expected, and the next step."""
        parts = []
        if self.found is not None:
            parts.append(said("{n:.4g} {unit}", n=self.found, unit=self.unit))
            if self.low is not None and self.high is not None:
                band = said("expected {low:.4g} to {high:.4g}", low=self.low, high=self.high)
                parts = [together([*parts, band], ", ")]
        return together([*parts, self.advice])

    @property
    def outside(self) -> bool:
        """Whether a person should look."""
        return self.verdict in (LOOK, STOP)


def judged_by_band(
    name: CheckName,
    place: str,
    found: float,
    low: float,
    high: float,
    unit: Said,
    advice: Said,
    beyond: float,
) -> Check:
    """A check by how far it lies beyond its band; the advice is given where that is outside."""
    out = beyond > 1
    return Check(
        name, place, found, low, high, unit, LOOK if out else FINE, advice if out else NO_LINE, beyond
    )


def not_judged(name: CheckName, place: str, why: Said) -> Check:
    """A check that could not be made, and why."""
    return Check(name, place, verdict=OPEN, advice=why)


def ruled(checks: Iterable[Check], settings: Monitoring) -> tuple[Check, ...]:
    """The checks, those to look at first, with the config's word on what is ignored and what stops."""
    found = [_ruled(check, settings) for check in checks]
    return tuple(sorted(found, key=lambda c: (not c.outside, CHECKS.index(c.name), c.place)))


def _ruled(check: Check, settings: Monitoring) -> Check:
    if not check.outside:
        return check
    shown = (check.name, f"{check.name} {check.place}")
    if any(fnmatchcase(name, pattern) for pattern in settings.ignore for name in shown):
        return replace(check, verdict=IGNORED)
    return replace(check, verdict=STOP) if check.name in settings.stop_when else check


def frame_of(checks: Sequence[Check]) -> pd.DataFrame:
    """The night's table: one row a check, numbers to four digits, since sums vary in their last ones."""
    columns = ("name", "place", "verdict", "found", "low", "high", "unit", "advice")
    rows = [{name: getattr(check, name) for name in columns} for check in checks]
    table = pd.DataFrame(rows, columns=list(columns)).rename(
        columns={"name": "check", "low": "expected_low", "high": "expected_high"}
    )
    numbers = ["found", "expected_low", "expected_high"]
    return table.assign(**{c: table[c].astype(float).map(_rounded) for c in numbers})


def _rounded(value: float) -> float:
    return round(float(f"{value:.{DIGITS}g}"), SMALLEST)
