"""Has something changed? Measures that do not grow with the number of rows, and bands from the past itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from configs.arrays import Floats

# A past that lasted a year never shows all that can happen: so much further may the next day lie.
BEYOND = 1.1
_SPREADS = 0.75
# The newest days of the past may be part of what is to be found.
NEWEST = 28
FEWEST_PAST = 56
LONGEST_PAST = 364
_NORMAL = 1.4826


@dataclass(frozen=True)
class Band:
    """Between which values a deviation is nothing new.

    Parameters
    ----------
    low, high
        Around 0, which is no deviation.

    Examples
    --------
    >>> Band(-1.0, 2.0).excess(3.0), Band(-1.0, 2.0).excess(-0.5)
    (1.5, 0.5)
    """

    low: float
    high: float

    def excess(self, value: float) -> float:
        """How far a value lies out, as a multiple of the band's side; above 1 it is outside."""
        side = self.high if value > 0 else self.low
        if side == 0:  # nothing ever differed
            return math.inf if value else 0.0
        return value / side


def band(past: Floats, floor: float, width: float = 1.0) -> Band | None:
    """The band that past deviations span, somewhat widened; None where the past is too short.

    Parameters
    ----------
    past
        Shape (days,): deviations day by day, the oldest first, NaN where not known; the last is that before today.
    floor
        What is too small to matter, whatever the past.
    width
        Multiplies the band.

    Examples
    --------
    >>> band(np.tile([-1.0, 0.0, 1.0], 40), floor=0.5)
    Band(low=-2.21195, high=2.21195)
    >>> band(np.zeros(20), floor=0.5) is None
    True
    """
    known = past[:-NEWEST][np.isfinite(past[:-NEWEST])][-LONGEST_PAST:]
    if len(known) < FEWEST_PAST:
        return None
    spread = _SPREADS * _NORMAL * float(np.median(np.abs(known - np.median(known))))
    low, high = BEYOND * min(0.0, float(known.min())), BEYOND * max(0.0, float(known.max()))
    return Band(width * min(-floor, low - spread), width * max(floor, high + spread))


def hellinger(p: Floats, q: Floats) -> Floats:
    """Hellinger distance of shares or counts along the last axis: 0 the same, 1 nothing in common.

    Two normal distributions half a standard deviation apart have 0.18. The number of rows does not count.

    Examples
    --------
    >>> float(hellinger(np.array([1.0, 1.0]), np.array([300.0, 300.0])))
    0.0
    >>> float(hellinger(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    1.0
    """
    with np.errstate(invalid="ignore"):
        shares = [np.sqrt(x / x.sum(axis=-1, keepdims=True)) for x in (p, q)]
    return np.sqrt(np.clip(1.0 - (shares[0] * shares[1]).sum(axis=-1), 0.0, 1.0))


def hellinger_noise(cells: int, rows: float) -> float:
    """What the distance of so many rows from their own distribution is, about.

    Examples
    --------
    >>> round(hellinger_noise(11, 500), 3)
    0.05
    """
    return float(np.sqrt(max(cells - 1, 0) / (8 * max(rows, 1))))


def over(values: Floats, days: int) -> Floats:
    """Sums over the last days up to each; NaN before there are as many. Along the first axis.

    Examples
    --------
    >>> over(np.array([1.0, 2.0, 3.0]), 2)
    array([nan,  3.,  5.])
    """
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    found = np.full(values.shape, np.nan)
    if len(values) >= days:
        found[days - 1 :] = sums[days:] - sums[:-days]
    return found


def later(values: Floats, days: int) -> Floats:
    """The values of so many days before. Along the first axis.

    Examples
    --------
    >>> later(np.array([1.0, 2.0, 3.0]), 1)
    array([nan,  1.,  2.])
    """
    found = np.full(values.shape, np.nan)
    if days < len(values):
        found[days:] = values[: len(values) - days]
    return found


def counts_against(counts: Floats, days: int, step: int, times: int) -> tuple[Floats, Floats]:
    """What a count was expected to be from the same days of the weeks before, for each day.

    Days without any row, such as holidays, are no part of either: how long a source is silent is another question.

    Parameters
    ----------
    counts
        Shape (days,): rows a day.
    days
        Length of the window that ends with a day.
    step, times
        The windows that it is compared with end `step` days before, twice as many, ... so many `times`.

    Returns
    -------
    tuple
        Rows of the window, and expected rows; NaN where the past is too short.

    Examples
    --------
    >>> found, expected = counts_against(np.array([5.0, 1.0] * 40), 1, 2, 4)
    >>> float(found[-1]), float(expected[-1])
    (1.0, 1.0)
    """
    found, open_days = over(counts, days), over((counts > 0).astype(np.float64), days)
    with np.errstate(invalid="ignore", divide="ignore"):
        a_day = np.where(open_days > 0, found / open_days, np.nan)
    before = np.stack([later(a_day, step * k) for k in range(1, times + 1)])
    known = np.isfinite(before).sum(axis=0)
    middle = np.full(len(counts), np.nan)
    enough = known >= times / 2
    enough[: step * times] = False
    middle[enough] = np.nanmedian(before[:, enough], axis=0)
    return found, middle * open_days


def circular_mean(counts: Floats) -> Floats:
    """Mean place on a circle along the last axis, such as the hour of the day; NaN where it is everywhere the same.

    Examples
    --------
    >>> hours = np.zeros(24)
    >>> hours[[23, 1]] = 10
    >>> round(float(circular_mean(hours)), 6) % 24
    0.0
    """
    cells = counts.shape[-1]
    angle = 2 * np.pi * np.arange(cells) / cells
    x, y = (counts * np.cos(angle)).sum(axis=-1), (counts * np.sin(angle)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        clear = np.hypot(x, y) / counts.sum(axis=-1) > 0.1
    return np.where(clear, np.mod(np.arctan2(y, x) * cells / (2 * np.pi), cells), np.nan)


def circular_difference(a: Floats, b: Floats, cells: int) -> Floats:
    """The shorter way from b to a on a circle.

    Examples
    --------
    >>> float(circular_difference(np.array(1.0), np.array(23.0), 24))
    2.0
    """
    return np.mod(a - b + cells / 2, cells) - cells / 2
