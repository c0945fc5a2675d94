"""What is kept of a training: parameters, metrics by prefix, steps, and the metadata that goes with the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.backtest.split import reach
from models.backtest.tuning import SIZES
from models.backtest.undated import WARNING
from models.statistics.metrics import calibration_bins
from models.tracking.registry import TrainingRecord
from pipeline.log import run_id
from pipeline.monitoring.watch import kept_by_training
from pipeline.tracking.champion import definition, recipe_of
from pipeline.training.page import description, overview, pictures, verdict_of
from pipeline.training.trained import Trained, newest_label

# What the table of runs shows, and the baselines' runs have; all else stands on the run's page.
HEADLINE = ("auc", "average_precision", "ece", "lift_top_tenth", "log_loss")
AGAINST = "{}_vs_champion"


def make_record(t: Trained) -> TrainingRecord:
    """Turn a training into what is logged: no customer ids, no rows."""
    newest = t.training.tested[0]
    files = pictures(t)
    return TrainingRecord(
        run_name=f"{t.as_of:%y-%m-%d} {t.kind} {t.config.name}",
        description=description(t),
        params=_params(t),
        metrics=_metrics(t),
        tags={
            "as_of": t.as_of.isoformat(),
            "run_id": run_id(t.config.name, t.config.digest, t.as_of),
            "verdict": verdict_of(t),
            "test_snapshot": str(newest.fold.test),
            "catalogue_hash": t.matrix.catalogue_hash,
        },
        headline=[*HEADLINE, AGAINST.format("log_loss")],
        steps=_steps(t),
        baselines={n: _headline(m) for n, m in t.tests[0].items() if n != "model"},
        datasets=t.sources.fingerprints,
        files={"overview.html": overview(t, files), **files},
        metadata=_metadata(t),
        trials=[(one.sizes, one.log_loss) for one in t.tuned.tried] if t.tuned else [],
    )


def _headline(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: round(metrics[name], 5) for name in HEADLINE}


def _metrics(t: Trained) -> dict[str, float]:
    """Figures on the newest test snapshot by their names in the field, each beside its interval and its comparison."""
    found = {name: value for name, value in t.tests[0]["model"].items() if name != "rows"}
    for name, (low, high) in t.intervals.items():
        found |= {f"{name}_low95": low, f"{name}_high95": high}
    above, low, high = t.above_base_rate
    found |= {
        "log_loss_vs_base_rate": above,
        "log_loss_vs_base_rate_low95": low,
        "log_loss_vs_base_rate_high95": high,
    }
    if t.verdict.difference is not None:
        d = t.verdict.difference
        found[AGAINST.format("auc")] = d.auc
        for name, (value, low, high) in {"log_loss": (d.log_loss, *d.log_loss_interval), **d.top}.items():
            against = AGAINST.format(name)
            found |= {against: value, f"{against}_low95": low, f"{against}_high95": high}
    for one in t.fairness.groups:
        place = re.sub(r"[^\w. -]", "_", one.name)
        found |= {f"fairness/{place} gap": one.predicted - one.churned, f"fairness/{place} lift": one.lift}
    found |= {f"left_out/{one.name} log_loss": one.loss for one in t.left_out}
    if t.horizons is not None:
        found |= t.horizons.metrics
    # The pages print every digit that they get.
    return {name: round(value, 5) for name, value in found.items()}


def _steps(t: Trained) -> dict[str, list[tuple[int, int, float]]]:
    """One step a test snapshot, the oldest first, at the snapshot's time."""
    found: dict[str, list[tuple[int, int, float]]] = {}
    for step, (tested, by_name) in enumerate(zip(t.training.tested[::-1], t.tests[::-1], strict=True)):
        when = int(tested.fold.test.astype("datetime64[ms]").astype(np.int64))
        for name in HEADLINE:
            found.setdefault(f"backtest/{name}", []).append((step, when, by_name["model"][name]))
        for rule in ("recency rule", "linear"):
            if rule in by_name:
                key = f"backtest/log_loss_{rule.replace(' ', '_')}"
                found.setdefault(key, []).append((step, when, by_name[rule]["log_loss"]))
    return found


def _params(t: Trained) -> dict[str, Any]:
    newest = t.training.tested[0].fold
    return {
        "as_of": t.as_of,
        "test_snapshot": newest.test,
        "test_rows": len(newest.test_rows),
        "train_first": newest.first,
        "train_last": newest.last,
        "train_rows_holdout": len(newest.train_rows),
        "train_rows": t.training.training_rows,
        "train_rows_share": round(t.training.training_rows / len(t.sample), 6),
        "customers_share": round(t.sources.share, 6),
        "censored_rows": t.censored,
        **{f"outreach.rows_{name}": count for name, count in _outreach_rows(t).items()},
        "customers": len(np.unique(t.sample.customer)),
        "used_columns": len(t.report.used),
        "unused_constant": " ".join((*t.report.constant, *t.report.empty)),
        "unused_identifying": " ".join(t.report.identifying),
        "weights": t.weights,
        "calibrator": t.training.calibrator,
        "model_digest": t.training.deployed.digest,
        **{f"churn.{k}": v for k, v in definition(t.config).items()},
        **(
            {f"tuned.{k}": getattr(t.tuned.settings, k) for k in SIZES} if t.tuned and t.tuned.adopted else {}
        ),
        **{f"model.{k}": v for k, v in t.config.model.model_dump(mode="json").items()},
        "seed": t.config.seed,
    }


def _outreach_rows(t: Trained) -> dict[str, int]:
    """How many rows our own list has touched: left out, weighed more for them, and left out without such rows."""
    found = t.untouched
    names = ("censored", "weighted", "without_equals", "capped")
    return {name: 0 if found is None else getattr(found, name) for name in names}


def _metadata(t: Trained) -> dict[str, Any]:
    config, newest = t.config, t.training.tested[0]
    window = reach(config.churn.gap_days, config.churn.horizon_days)
    last = max(t.sample.snapshots)
    return {
        "config": config.name,
        "as_of": t.as_of.isoformat(),
        "definition": definition(config),
        "labels_until": str(last + window),
        "holdout_labels_until": str(newest.fold.last + window),
        "test_snapshot": str(newest.fold.test),
        "test_rows": len(newest.y),
        "test_metrics": {k: v for k, v in t.tests[0]["model"].items() if np.isfinite(v)},
        "contenders": {n: {k: v for k, v in m.items() if np.isfinite(v)} for n, m in t.tests[0].items()},
        "calibration": calibration_bins(newest.y, newest.probability["model"], newest.weight)[:, :2].tolist(),
        "base_rate": float(np.average(t.sample.churned, weights=t.sample.weight)),
        "outreach_rows": _outreach_rows(t),
        "catalogue_hash": t.matrix.catalogue_hash,
        "catalogue": [vars(c) for c in t.matrix.columns],
        "calibrator": t.training.calibrator,
        "still_there": t.still_there,
        "horizons": None if t.horizons is None else t.horizons.metadata,
        "recipe": recipe_of(config),
        **({"table": newest_label(config, t.sources, t.sample)} if newest.fold.crossed else {}),
        "warnings": [WARNING] if newest.fold.crossed else [],
        "monitoring": kept_by_training(
            t.sources,
            config,
            t.as_of,
            t.sample.X,
            t.sample.snapshot,
            [(tested.fold.test, tested.probability["model"]) for tested in t.training.tested],
        ),
    }
