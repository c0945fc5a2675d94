"""One customer step by step: rows, features, what each member of the model says, and the probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from features.spec import FeatureColumn
from models.prediction.explain import Contributions
from models.prediction.steps import ScoringSteps
from pipeline.result import table
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources


@dataclass(frozen=True)
class Followed:
    """What becomes of a customer's rows, from the sources to the probability.

    Parameters
    ----------
    rows
        Role to the number of rows that are known at the night.
    features
        Name, label, value and what it adds to the log-odds, of each column that the model reads; the strongest first.
    base
        Log-odds of the average row; with all pushes the log-odds after the calibrator.
    model
        The way through the model.
    """

    rows: Mapping[str, int]
    features: Sequence[tuple[str, str, str, float]]
    base: float
    model: ScoringSteps

    @property
    def lines(self) -> list[str]:
        """For the terminal."""
        steps = self.model
        members = [
            [
                one.name,
                f"{one.share:.3f}",
                f"{one.log_odds:+.4f}",
                " ".join(f"{value:+.4f}" for value in one.boosters),
            ]
            for one in steps.members
        ]
        pushes = [[label, value, f"{push:+.4f}", name] for name, label, value, push in self.features]
        return [
            "step by step:",
            f"1. rows that are known: {', '.join(f'{role} {count:,}' for role, count in self.rows.items())}",
            f"2. {len(pushes)} columns that the model reads, and what each adds to log-odds of {self.base:+.4f}",
            table(["feature", "value", "adds", "column"], pushes),
            "3. members of the model",
            table(["member", "share", "log-odds", "its tree models"], members),
            f"4. blended {steps.blended:+.4f}; calibrator {steps.calibrator}: {steps.calibrated:+.4f}",
            f"5. probability {steps.probability:.6f}",
        ]

    @property
    def values(self) -> dict[str, Any]:
        """For machines."""
        names = ("column", "label", "value", "adds")
        return {
            "rows": dict(self.rows),
            "base": self.base,
            "features": [dict(zip(names, one, strict=True)) for one in self.features],
            **asdict(self.model),
        }


def followed(
    sources: Sources,
    customer: str,
    row: pd.DataFrame,
    columns: Sequence[FeatureColumn],
    found: Contributions,
    steps: ScoringSteps,
) -> Followed:
    """Gather the steps; `found` are the contributions of the row."""
    label = {c.name: c.label for c in columns}
    pushes = dict(zip(found.columns, map(float, found.values[0]), strict=True))
    features = [
        (name, label[name], cell_text(row[name]), pushes[name])
        for name in sorted(pushes, key=lambda name: -abs(pushes[name]))
    ]
    counts = {role: _count(rows, customer) for role, rows in sources.tables.items()}
    return Followed(counts, features, found.base, steps)


def _count(rows: Any, customer: str) -> int:
    own = rows.filter(rows.customer_id == customer)
    return int(arrow(own.aggregate(rows=own.count()))["rows"][0].as_py())


def cell_text(column: pd.Series[Any]) -> str:
    """A single value as text."""
    value = column.iloc[0]
    if pd.isna(value):
        return "unknown"
    return f"{value:.6g}" if pd.api.types.is_numeric_dtype(column) else str(value)
