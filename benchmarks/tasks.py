"""The fixed tasks of the quality benchmark, and the figures of what a contender said."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.schema import Config, load_config
from models.prediction.sample import Sample
from models.statistics.metrics import auc, average_precision, ece, lift_at, log_loss
from pipeline.result import table
from pipeline.training.train import prepare_history, prepare_table, usable

ROOT = Path(__file__).parents[1]
TASKS = {
    "cdnow": dt.date(1998, 6, 30),
    "online_retail": dt.date(2011, 12, 9),
    "open_university": dt.date(2014, 12, 1),
    "us_lapse": dt.date(2004, 1, 1),
    "mlc_churn": dt.date(2018, 1, 1),
    "telco": dt.date(2018, 1, 1),
}
DEPLOYED = {
    "cdnow": ["1997-12-01", "1998-01-15", "1998-02-15", "1998-04-01"],
    "online_retail": ["2011-07-15", "2011-08-15", "2011-09-15", "2011-10-10"],
}
Floats = np.ndarray
HEADER = ["", "AUC", "AP", "log loss", "ECE", "lift 10%", "seconds"]


@dataclass(frozen=True)
class Told:
    """What a contender said of the test rows, and how long its training took."""

    y: Floats
    p: Floats
    seconds: float

    @property
    def figures(self) -> list[float]:
        """AUC, average precision, log loss, ECE, lift in the top tenth, seconds."""
        y, p = self.y, self.p
        return [
            auc(y, p),
            average_precision(y, p),
            log_loss(y, p),
            ece(y, p),
            lift_at(y, p, 0.1),
            self.seconds,
        ]


def config_of(name: str) -> Config:
    """A shipped config or one of the benchmark's own, its files taken from the folder of the data sets."""
    folder = Path(os.environ.get("CHURN_DATASETS", ROOT.parent / "shared" / "datasets"))
    own = ROOT / "benchmarks" / "configs" / f"{name}.yaml"
    file = own if own.exists() else ROOT / "configs" / f"{name}.yaml"
    sources = load_config(file, environ={}).sources.given
    places = {role: folder.resolve().joinpath(*Path(s.uri).parts[-2:]) for role, s in sources.items()}
    return load_config(file, {f"CHURN__SOURCES__{role.upper()}__URI": str(p) for role, p in places.items()})


def history(config: Config, as_of: dt.date) -> Sample:
    """All that may be learned from as of a date."""
    prepare = prepare_table if config.churn.kind == "labelled" else prepare_history
    sample = prepare(config, as_of, lambda line: None).sample
    return sample.columns(list(usable(sample, config.model.allow_leaks).used))


def rows_of(told: dict[str, list[float]], more: dict[str, str] | None = None, title: str = "") -> str:
    """A table, one contender a row, with one more column of text if given."""
    shown = [
        [n, *(f"{v:.3f}" for v in f[:4]), f"{f[4]:.2f}", f"{f[5]:.0f}" if f[5] else ""]
        for n, f in told.items()
    ]
    if more is None:
        return table(HEADER, shown)
    return table([*HEADER, title], [[*row, more.get(n, "")] for row, n in zip(shown, told, strict=True)])
