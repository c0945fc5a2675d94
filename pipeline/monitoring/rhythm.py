"""A source against its own past: does as much arrive as ever, of the same kind, in the same units, at the same hours?

Each of these is a deviation from the weeks before, and the same deviation of every day of the past year says how much
is nothing new. Growth, weekends, holidays and campaigns are therefore expected where they have been seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from configs.arrays import Floats
from configs.monitoring import CheckName, Monitoring
from configs.roles import ROLES
from models.statistics.drift import (
    FEWEST_PAST,
    NEWEST,
    Band,
    band,
    circular_difference,
    circular_mean,
    counts_against,
    hellinger,
    later,
    over,
)
from pipeline.languages.said import Said, said, said_n
from pipeline.monitoring.checks import LOOK, Check, judged_by_band, not_judged
from pipeline.monitoring.history import HOURS, History
from pipeline.monitoring.trained import renamed_values

# The last is for sources with so few rows that a week tells nothing, and for what began weeks ago.
_WINDOWS = (1, 3, 7, 28)
WEEK, LONG = _WINDOWS[-2:]
REFERENCE = 56
FEWEST_ROWS, FEWEST_OF_A_CLOCK = 30, 100
_FEWEST_DAYS = 2 * FEWEST_PAST

# What is too small to matter: 1.5 times the rows, 1.6 times the size, a fifth of the values, two hours.
FLOOR_ROWS, FLOOR_SIZE, FLOOR_SHARE, FLOOR_HOURS, FLOOR_MIX = 0.4, 0.47, 0.2, 2.0, 0.25
NEW_SHARE, NEW_ROWS, GONE_ROWS = 0.02, 10, 20
LONGER = 1.5
_Unit = Callable[[int], Said]


def _rows(n: int) -> Said:
    return said_n("rows in {n} day", "rows in {n} days", n)


def _rows_a_customer(n: int) -> Said:
    return said_n("rows a customer and hour in {n} day", "rows a customer and hour in {n} days", n)


def _oclock(n: int) -> Said:
    return said_n("o'clock on average in {n} day", "o'clock on average in {n} days", n)


def _typical(n: int) -> Said:
    return said_n("as the typical size in {n} day", "as the typical size in {n} days", n)


def _empty(n: int) -> Said:
    return said_n("of it empty in {n} day", "of it empty in {n} days", n)


def _apart(n: int) -> Said:
    return said_n("distance of its values in {n} day", "distance of its values in {n} days", n)


@dataclass(frozen=True)
class Deviation:
    """One thing about a source, seen through a window, day by day.

    Parameters
    ----------
    days
        Length of the window.
    off
        Shape (days,): how far each day's window is from what was expected; NaN where unknown.
    size
        The same in the unit of `floor`: what must be exceeded to matter.
    floor
        In that unit.
    found
        The newest window's figure, in the unit that is shown.
    shown
        A deviation as the figure that would have had it.
    """

    days: int
    off: Floats
    size: Floats
    floor: float
    found: float
    shown: Callable[[float], float]


def rhythm_of(history: History, as_of: dt.date, settings: Monitoring) -> list[Check]:
    """The checks of a source against its own past."""
    if not history.dated or not history.rows.any():
        return (
            [not_judged("volume", history.role, said("its rows have no time"))] if history.rows.any() else []
        )
    seen = history.until(history.newest + dt.timedelta(days=1))
    if len(seen.rows) < _FEWEST_DAYS:
        why = said("its past is shorter than {n} days", n=_FEWEST_DAYS)
        return [_silence(history, as_of, settings), not_judged("volume", history.role, why)]
    values = _values_of(seen) if ROLES[seen.role].clock == "occurred_at" else ()
    return [_silence(history, as_of, settings), *_checks(seen, settings.width), *values]


def _silence(history: History, as_of: dt.date, settings: Monitoring) -> Check:
    """Days without a row up to now, against the longest such time in the past; a short past says less."""
    days = np.flatnonzero(history.rows)
    if len(days) == 1 and ROLES[history.role].clock == "started_at":
        # All have the one day on which they were brought into the system: that nobody came since is no silence.
        return not_judged("silence", history.role, said("too few rows or too short a past"))
    longest = int(np.diff(days).max()) - 1 if len(days) > 1 else 0
    silent = (as_of - history.newest).days - 1
    short = len(history.rows) < _FEWEST_DAYS
    limit = float(max(settings.silent_days * (1 + short), np.ceil(LONGER * longest)))
    what = said(
        "the newest row is of {day}; bring newer rows, or set `monitoring.silent_days`", day=history.newest
    )
    unit = said("days without a row")
    return judged_by_band("silence", history.role, float(silent), 0.0, limit, unit, what, silent / limit)


def _checks(seen: History, width: float) -> Iterator[Check]:
    role = seen.role
    yield _worst(
        "volume", role, list(_volume(seen)), width, said("see that the export is whole and ran once"), _rows
    )
    rows = [_ratio(seen.rows, seen.visits, d, FLOOR_ROWS) for d in _WINDOWS]
    yield _worst(
        "rows_per_customer", role, rows, width, said("see that no row was sent twice"), _rows_a_customer
    )
    clock = [_clock(seen.hours, d) for d in _WINDOWS]
    if any(np.isfinite(c.off).any() and np.ptp(np.flatnonzero(seen.hours.sum(axis=0))) for c in clock):
        what = said("see the clock and `{key}`", key=f"sources.{role}.time_zone")
        yield _worst("hours", role, clock, width, what, _oclock)
    if ROLES[role].clock == "started_at":  # those who are new differ from the others anyway: see `trained`
        return
    for column, number in seen.numbers.items():
        found = [_ratio(number.logs, number.sizes, d, FLOOR_SIZE, logs=True) for d in _WINDOWS]
        yield _worst("values", f"{role}.{column}", found, width, said("see the unit of the column"), _typical)
    for column, known in seen.present.items():
        shares = [_share(seen.rows - known, seen.rows, d) for d in _WINDOWS]
        yield _worst(
            "nulls", f"{role}.{column}", shares, width, said("see that the column is filled"), _empty
        )
    for column, (_, counts) in seen.categories.items():
        mixes = [_mix(counts, d) for d in _WINDOWS]
        what = said("see that its values are written as before")
        yield _worst("categories", f"{role}.{column}", mixes, width, what, _apart)


def _volume(seen: History) -> Iterator[Deviation]:
    """Rows on a scale on which the noise of a count is the same for many and for few."""
    rows = seen.rows
    week_is_enough = False
    for days, step, times in ((1, 7, 8), (3, 7, 8), (7, 7, 8), (LONG, LONG, 4)):
        if days == LONG and week_is_enough:
            return
        found, expected = counts_against(rows, days, step, times)
        expected = np.where(expected >= FEWEST_ROWS, expected, np.nan)
        week_is_enough = days == WEEK and bool(np.isfinite(expected[-1]))
        root = 2 * np.sqrt(expected + 3 / 8)
        off = 2 * np.sqrt(found + 3 / 8) - root
        if days == 1:  # many rows on a single day are a campaign; rows that were sent twice show otherwise
            off = np.minimum(off, 0.0)
        size = np.log((found + 0.5) / (expected + 0.5))
        last = float(root[-1])

        def shown(off: float, root: float = last) -> float:
            return max(root + off, 0.0) ** 2 / 4

        yield Deviation(days, off, size, FLOOR_ROWS, float(found[-1]), shown)


def _ratio(above: Floats, below: Floats, days: int, floor: float, *, logs: bool = False) -> Deviation:
    """A mean of the window against that of the weeks before, as the logarithm of their ratio."""
    weight = over(below, days)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = over(above, days) / np.where(weight >= FEWEST_ROWS, weight, np.nan)
        before = later(over(above, REFERENCE) / over(below, REFERENCE), days)
        off = mean - before if logs else np.log(mean / before)
    base = float(np.exp(before[-1]) if logs else before[-1])
    found = float(np.exp(mean[-1]) if logs else mean[-1])
    return Deviation(days, off, off, floor, found, lambda off: base * float(np.exp(off)))


def _share(empty: Floats, rows: Floats, days: int) -> Deviation:
    weight = over(rows, days)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = over(empty, days) / np.where(weight >= FEWEST_ROWS, weight, np.nan)
        before = later(over(empty, REFERENCE) / over(rows, REFERENCE), days)
    base, off = float(before[-1]), share - before
    return Deviation(
        days, off, off, FLOOR_SHARE, float(share[-1]), lambda off: float(np.clip(base + off, 0, 1))
    )


def _clock(hours: Floats, days: int) -> Deviation:
    found = over(hours, days)
    found[found.sum(axis=1) < FEWEST_OF_A_CLOCK] = np.nan
    mean, before = circular_mean(found), circular_mean(later(over(hours, REFERENCE), days))
    off = circular_difference(mean, before, HOURS)
    base = float(before[-1])
    return Deviation(days, off, off, FLOOR_HOURS, float(mean[-1]), lambda off: (base + off) % HOURS)


def _mix(counts: Floats, days: int) -> Deviation:
    found = over(counts, days)
    found[found.sum(axis=1) < 2 * FEWEST_ROWS] = np.nan
    off = hellinger(found, later(over(counts, REFERENCE), days))
    return Deviation(days, off, off, FLOOR_MIX, float(off[-1]), lambda off: max(off, 0.0))


def _worst(
    name: CheckName, place: str, seen: list[Deviation], width: float, advice: Said, unit: _Unit
) -> Check:
    """The window that lies furthest outside; where none does, the longest that can be judged."""
    found = [
        check for one in seen if (check := _of_window(name, place, one, width, advice, unit)) is not None
    ]
    if not found:
        return not_judged(name, place, said("too few rows or too short a past"))
    outside = [check for check in found if check.beyond > 1]
    return max(outside, key=lambda check: check.beyond) if outside else found[-1]


def _of_window(
    name: CheckName, place: str, seen: Deviation, width: float, advice: Said, unit: _Unit
) -> Check | None:
    usual: Band | None = band(seen.off[:-1], 0.0, width)
    now, size = float(seen.off[-1]), float(seen.size[-1])
    if usual is None or not np.isfinite(now):
        return None
    small = abs(size) <= width * seen.floor
    beyond = min(abs(size) / (width * seen.floor), usual.excess(now) if now else 0.0)
    low, high = _shown(seen, usual, now, width)
    beyond = 0.0 if small else beyond
    return judged_by_band(name, place, seen.found, low, high, unit(seen.days), advice, beyond)


def _shown(seen: Deviation, usual: Band, now: float, width: float) -> tuple[float, float]:
    """The band in the unit of the figure: what the past spans, and what is too small to matter."""
    if seen.size is seen.off:
        ends = min(usual.low, -width * seen.floor), max(usual.high, width * seen.floor)
        return seen.shown(ends[0]), seen.shown(ends[1])
    middle = seen.shown(0.0)
    factor = float(np.exp(width * seen.floor))
    return min(seen.shown(usual.low), middle / factor), max(seen.shown(usual.high), middle * factor)


def _values_of(seen: History) -> Iterator[Check]:
    """Values of a category that the past year does not know, and values that are no longer there."""
    for column, (values, counts) in seen.categories.items():
        place = f"{seen.role}.{column}"
        new, gone = _new_and_gone(values, counts)
        if new or gone:
            advice = renamed_values(new, gone)
            yield Check("categories", f"{place} values", verdict=LOOK, advice=advice, beyond=2.0)


def _new_and_gone(values: tuple[str, ...], counts: Floats) -> tuple[list[str], list[str]]:
    new, gone = set[int](), set[int]()
    for days in _WINDOWS:
        window = over(counts, days)
        now, before = window[-1], counts[:-days].sum(axis=0)
        enough = (now >= NEW_ROWS) & (now >= NEW_SHARE * max(now.sum(), 1))
        new |= set(np.flatnonzero(enough & (before == 0)))
        usual = later(over(counts, REFERENCE), days)[-1] * days / REFERENCE
        past = window[: -days - NEWEST]
        always = (
            np.nanmin(past[-7 * REFERENCE :], axis=0) > 0
            if np.isfinite(past).any()
            else np.zeros(len(values), bool)
        )
        gone |= set(np.flatnonzero((now == 0) & (now.sum() > 0) & (usual >= GONE_ROWS) & always))
    return [values[k] for k in sorted(new)], [values[k] for k in sorted(gone)]
