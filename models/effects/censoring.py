"""Labels that our own list has touched: censored at the contact, and made up for by those whom chance left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from configs.arrays import Bools, Floats, Ints

MOST = 20.0


@dataclass(frozen=True)
class Untouched:
    """For how many rows each stands, when the question is what happens without a contact of ours.

    Parameters
    ----------
    weight
        Shape (rows,): 0 for the censored, 1 for those that no draw concerned, above 1 for those left alone by chance.
    censored, weighted
        How many rows weigh 0, and how many more than 1.
    without_equals
        Censored rows whose customers were surely listed: nobody like them was left alone, and nothing stands for them.
    capped
        Rows whose weight was cut at `MOST`.
    """

    weight: Floats
    censored: int
    weighted: int
    without_equals: int
    capped: int


def without_contact(rows: int, row: Ints, listed: Bools, chance: Floats) -> Untouched:
    """Inverse probability of censoring weights (Robins and Finkelstein 2000).

    A row is censored when its customer was listed before the outcome was known. Whoever was chosen on the same terms
    and left alone stands for the censored too: with the weight 1 / (1 - chance), multiplied over the nights. The
    weights are right when the chance is that of the draw, given everything known that night.

    Parameters
    ----------
    rows
        How many rows there are.
    row, listed, chance
        Shape (choices,): the row whose label window a choice of its customer falls into, whether the customer was
        then listed, and the chance of that.

    Examples
    --------
    Of three customers chosen with the chance 3/4 one was left alone; a fourth was never chosen:

    >>> found = without_contact(4, np.array([0, 1, 2]), np.array([True, True, False]), np.full(3, 0.75))
    >>> found.weight.tolist(), found.censored
    ([0.0, 0.0, 4.0, 1.0], 2)
    """
    hit = np.bincount(row[listed], minlength=rows) > 0
    sure = np.bincount(row[listed & (chance >= 1)], minlength=rows) > 0
    alone = ~listed & (chance < 1)
    logs = np.bincount(row[alone], -np.log1p(-chance[alone]), minlength=rows)
    full = np.where(hit, 0.0, np.exp(logs))
    weight = np.minimum(full, MOST)
    return Untouched(
        weight, int(hit.sum()), int((weight > 1).sum()), int(sure.sum()), int((full > MOST).sum())
    )
