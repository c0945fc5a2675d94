"""How the columns that may change an effect become terms of a linear model; learned once, kept as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.arrays import Floats

CUTS = (1 / 3, 2 / 3)
LIMIT = 3.0
_EDGE = 0.01
RARE = 0.02


@dataclass(frozen=True)
class TermsOf:
    """One column: how a number becomes terms.

    Parameters
    ----------
    name
        Of the input.
    low, high
        Numbers beyond are taken for these: nothing grows outside of what was tried.
    fill
        Stands for an unknown number.
    mean, scale
        After the signed logarithm.
    cuts
        Numbers at which the column becomes a yes or no.
    flagged
        Whether to be unknown is a term of its own.
    """

    name: str
    low: float
    high: float
    fill: float
    mean: float
    scale: float
    cuts: tuple[float, ...]
    flagged: bool

    @classmethod
    def of(cls, name: str, values: Floats) -> TermsOf | None:
        """Learned from the rows of the trial; None where they hardly differ."""
        known = values[np.isfinite(values)]
        if not len(known):
            return None
        low, high = np.quantile(known, [_EDGE, 1 - _EDGE])
        fill = float(np.median(known))
        z = _squash(np.clip(np.where(np.isfinite(values), values, fill), low, high))
        share = len(known) / len(values)
        flagged = 1 - share > RARE
        if z.std() < 1e-9 and not flagged:
            return None
        kinds = np.unique(known)
        middles = (kinds[:1] + kinds[1:2]) / 2 if len(kinds) == 2 else np.quantile(known, CUTS)
        cuts = [float(c) for c in np.unique(middles) if RARE < (known > c).mean() < 1 - RARE]
        scale = float(z.std()) if z.std() > 1e-9 else 1.0
        return cls(name, float(low), float(high), fill, float(z.mean()), scale, tuple(cuts), flagged)

    def terms(self, values: Floats) -> Floats:
        """Shape (rows, terms): the standardised number, above each cut or not, unknown or not."""
        known = np.isfinite(values)
        x = np.clip(np.where(known, values, self.fill), self.low, self.high)
        z = np.clip((_squash(x) - self.mean) / self.scale, -LIMIT, LIMIT)
        flags = [(~known).astype(np.float64)] if self.flagged else []
        return np.column_stack([z, *((x > cut) & known for cut in self.cuts), *flags]).astype(np.float64)

    @property
    def names(self) -> list[str]:
        """What each term says."""
        return [
            self.name,
            *(f"{self.name} above {cut:g}" for cut in self.cuts),
            *([f"{self.name} unknown"] if self.flagged else []),
        ]


def _squash(x: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def learn_terms(frame: pd.DataFrame) -> tuple[TermsOf, ...]:
    """Columns of the trial's inputs that differ between customers."""
    found = [TermsOf.of(str(name), frame[name].to_numpy(np.float64)) for name in frame.columns]
    return tuple(column for column in found if column is not None)


def terms_of(columns: tuple[TermsOf, ...], frame: pd.DataFrame) -> Floats:
    """Shape (rows, terms); a column that the frame lacks is unknown."""
    nothing = np.full(len(frame), np.nan)
    parts = [c.terms(frame[c.name].to_numpy(np.float64) if c.name in frame else nothing) for c in columns]
    return np.hstack(parts) if parts else np.zeros((len(frame), 0))


def from_json(values: Mapping[str, object]) -> TermsOf:
    """Read what `dataclasses.asdict` wrote."""
    return TermsOf(**{**values, "cuts": tuple(values["cuts"])})  # type: ignore[arg-type]
