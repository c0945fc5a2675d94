"""The product as a policy: the functions that `churn train` and `churn score` call, on a simulated company's tables.

Left out is what no list depends on: the retention tables, the report, the published files and the log of the night.
This is the only file of the benchmark that knows how the product is called.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.schema import Config, load_config
from models.tracking import registry
from pipeline.dataset.matrix import build_matrix
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outcomes.effects import lasting
from pipeline.outcomes.learning import has_news, judged_rows, learn
from pipeline.scoring.deciding import decided
from pipeline.scoring.night import Night
from pipeline.scoring.night_rates import no_rates
from pipeline.scoring.score_table import ScoreTable
from pipeline.scoring.scored import Everybody, Job, Scored
from pipeline.sources.opening import open_sources
from pipeline.tracking.champion import tracking_of
from pipeline.training.train import train

SMALL: Mapping[str, Mapping[str, Any]] = {
    # Smaller than the defaults, so that a year takes minutes: fewer snapshots, trees, seeds and tests.
    "snapshots": {"step_days": 28, "max_count": 8},
    "model": {"trees": 80, "seeds": 1, "test_snapshots": 1, "threads": 1},
}


class Product:
    """One installation.

    Parameters
    ----------
    file
        The config.
    seed
        Of the secret of the draws.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self.config: Config = load_config(file, {})
        self.layout = layout_of(self.config)
        self.layout.keys.mkdir(parents=True, exist_ok=True)
        key = self.layout.keys / self.config.outreach.control.key_file
        key.write_text(f"{np.random.default_rng([seed, 99]).integers(2**62):064x}\n")
        self.champion: registry.Champion | None = None

    def train(self, as_of: dt.date) -> None:
        """What `churn train` does, the tracking store included."""
        train(self.config, as_of)
        self.champion = registry.load_champion(tracking_of(self.config))

    def probabilities(self, as_of: dt.date) -> pd.Series:
        """Chance of leaving by customer."""
        columns, probability = self.seen(as_of)
        return pd.Series(probability, columns["customer_id"])

    def seen(self, as_of: dt.date) -> tuple[pd.DataFrame, np.ndarray]:
        """The columns that the model sees of each customer, and the chance of leaving."""
        scored = self._scored(self._job(as_of))
        return scored.matrix.frame, scored.probability

    def night(self, as_of: dt.date) -> Night:
        """What `churn score` does: learn from what has come true, decide, record in the ledger."""
        job = self._job(as_of)
        if has_news(self.layout.ledger, self.config, as_of):
            learn(job.sources, self.config, self.layout.ledger, as_of)
        night = decided(job, self._scored(job), create_key=True)
        rows = night.decision.ledger.assign(model_version=str(night.champion.version))
        ledger.append(self.layout.ledger, as_of, rows)
        return night

    def lasting(self, as_of: dt.date) -> str:
        """What `churn outcomes` says of delay and prevention."""
        job = self._job(as_of)
        rows = judged_rows(job.sources, self.config, self.layout.ledger, as_of)
        found = lasting(job.sources, self.config, rows, as_of)
        shown = [
            f"{row.months} months {100 * row.kept.estimate:+.1f} points "
            f"({100 * row.kept.fixed_low:+.1f}..{100 * row.kept.fixed_high:+.1f})"
            for row in found.rows
        ]
        return "; ".join([*shown, found.verdict])

    def _job(self, as_of: dt.date) -> Job:
        assert self.champion is not None
        sources = open_sources(self.config, as_of)
        return Job(self.config, as_of, self.champion, self.layout, lambda line: None, sources)

    def _scored(self, job: Job) -> Scored:
        model = job.champion.model
        matrix = build_matrix(job.sources, self.config, [job.as_of])
        probability = model.probability(matrix.features, 1)
        table = ScoreTable.of(matrix.frame["customer_id"], probability, {})
        return Scored(job.sources, matrix, probability, no_rates(), Everybody(table, matrix.features))
