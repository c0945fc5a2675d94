"""Does a model serve groups of people alike: is it right about each, and does it find their churners as often?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats
from models.statistics.intervals import newcombe
from models.statistics.top import in_top

FEWEST_ROWS, FEWEST_CHURNERS = 100, 20
GAP, ERRORS, FOUR_FIFTHS, LEVEL = 0.02, 4.0, 0.8, 0.995


@dataclass(frozen=True)
class Group:
    """Figures of one group, on rows that the model has not seen.

    Parameters
    ----------
    name
        Of the group.
    rows
        How many it has.
    churned, predicted
        Share that churned, and mean probability.
    error
        Standard error of their difference, were the probabilities right.
    in_top
        Share of the group that stands in the top of the ranking.
    found, found_of_others
        Share of the churners who stand there: of the group, and of all others (equal opportunity); NaN without any.
    doubtful
        The difference of the two can hardly be chance.
    """

    name: str
    rows: int
    churned: float
    predicted: float
    error: float
    in_top: float
    found: float
    found_of_others: float
    doubtful: bool

    @property
    def lift(self) -> float:
        """Times as many of its churners stand in the top as of its customers; NaN where none stands there."""
        return self.found / self.in_top if self.in_top else float("nan")

    @property
    def looks(self) -> list[str]:
        """What a person should look at: a wrong level, or churners that are found far less often."""
        told = []
        if self.rows >= FEWEST_ROWS and abs(self.predicted - self.churned) > max(GAP, ERRORS * self.error):
            told.append(f"{self.name}: {self.predicted:.1%} predicted, {self.churned:.1%} churned")
        if self.doubtful and self.found < FOUR_FIFTHS * self.found_of_others:
            told.append(
                f"{self.name}: {self.found:.0%} of its churners stand in the top, of the others' "
                f"{self.found_of_others:.0%}"
            )
        return told


def by_group(
    y: Floats, p: Floats, group: NDArray[np.str_], share: float = 0.1, weight: Floats | None = None
) -> Sequence[Group]:
    """Figures of every group, by name.

    Parameters
    ----------
    y, p
        Labels (0/1) and probabilities, shape (rows,).
    group
        To which group each row belongs, shape (rows,).
    share
        Of the rows that make the top, 0..1.
    weight
        Of the rows; None where all count once.

    Examples
    --------
    >>> y, p = np.tile([0.0, 1.0], 100), np.tile([0.2, 0.8], 100)
    >>> [(g.name, g.rows, g.looks) for g in by_group(y, p, np.repeat(["a", "b"], 100), 0.5)]
    [('a', 100, []), ('b', 100, [])]
    """
    w = np.ones(len(y)) if weight is None else weight
    top = in_top(p, share, w[None, :])[0]  # each row's weight there; a tie at the edge is shared
    return [_group(name, y, p, w, top, group == name) for name in np.unique(group)]


def _group(name: str, y: Floats, p: Floats, w: Floats, top: Floats, at: NDArray[np.bool_]) -> Group:
    mine = w[at] / w[at].sum()
    hits, churners = float(top[at] @ y[at]), float(w[at] @ y[at])
    hits_0, churners_0 = float(top[~at] @ y[~at]), float(w[~at] @ y[~at])
    enough = min(churners, churners_0) >= FEWEST_CHURNERS
    return Group(
        name=str(name),
        rows=int(at.sum()),
        churned=float(mine @ y[at]),
        predicted=float(mine @ p[at]),
        error=float(np.sqrt(mine**2 @ (p[at] * (1 - p[at])))),
        in_top=float(top[at].sum() / w[at].sum()),
        found=hits / churners if churners else float("nan"),
        found_of_others=hits_0 / churners_0 if churners_0 else float("nan"),
        doubtful=enough and newcombe(hits, churners, hits_0, churners_0, LEVEL)[1] < 0,
    )
