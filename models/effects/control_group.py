"""How many must be left alone until an effect shows, and who of a list was reached by a contact."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from configs.arrays import Bools, Ints
from models.statistics.intervals import LEVEL

POWER = 0.8


def rows_needed(
    rate: float, effect: float, control_share: float, power: float = POWER, level: float = LEVEL
) -> int:
    """Rows, list and control group together, until a difference of shares would be seen with this confidence.

    Examples
    --------
    >>> rows_needed(0.5, 0.1, 0.5), rows_needed(0.5, 0.1, 0.5, level=0.68)
    (785, 338)
    """
    z = float(ndtri((1 + level) / 2) + ndtri(power))
    return math.ceil(z * z * rate * (1 - rate) / (effect * effect * control_share * (1 - control_share)))


def reached(who: Ints, start: Ints, days: int, contacted: Ints, contacted_on: Ints) -> Bools:
    """Say of each row whether one of the contacts fell into its `[start, start + days)`.

    Parameters
    ----------
    who, start
        Number of the customer and first day of each row; shape (rows,).
    days
        Length of the window.
    contacted, contacted_on
        Number of the customer and day of each contact, in any order; shape (contacts,).

    Examples
    --------
    >>> reached(np.array([0, 0, 1]), np.array([10, 11, 10]), 5, np.array([0]), np.array([10]))
    array([ True, False, False])
    """
    if not len(contacted) or not len(who):
        return np.zeros(len(who), dtype=bool)
    first = int(min(start.min(), contacted_on.min()))
    span = int(max(start.max(), contacted_on.max())) - first + days + 1
    keys = np.sort(contacted.astype(np.int64) * span + (contacted_on - first))
    at = who.astype(np.int64) * span + (start - first)
    return np.asarray(np.searchsorted(keys, at + days) > np.searchsorted(keys, at))
