"""What is kept and shown of a training: parameters, metrics, pictures, the page and the summary."""

from __future__ import annotations

import datetime as dt
import html
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from configs.schema import Config
from features.matrix import Matrix
from models import plots
from models.compare import Verdict
from models.evaluate import Slice, intervals, measure, slices
from models.explain import contributions, importance
from models.metrics import calibration_bins
from models.recipe import Training
from models.registry import Logged, Record
from models.sample import ColumnReport, Sample
from models.split import reach
from models.undated import WARNING
from pipeline.result import table
from pipeline.sources import Sources

HEADLINE = ("auc", "log_loss", "average_precision", "ece", "lift_top_tenth")
CALIBRATION = ("brier", "ece", "base_rate", "mean_probability")
LIST = ("recall_at_list", "lift_at_list", "profit_at_list", "empc")
EXPLAINED_ROWS = 2_000
TITLES = {
    "auc": "AUC",
    "average_precision": "AP",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
    "lift_top_tenth": "lift 10%",
}


@dataclass(frozen=True)
class Trained:
    """Everything that a training produced, before it is logged."""

    config: Config
    as_of: dt.date
    sources: Sources
    matrix: Matrix
    sample: Sample
    report: ColumnReport
    training: Training
    verdict: Verdict
    censored: int

    @cached_property
    def tests(self) -> list[dict[str, dict[str, float]]]:
        """Metrics by test snapshot, newest first, and contender."""
        size = self.config.outreach.capacity
        return [{n: measure(t.y, p, size) for n, p in t.probability.items()} for t in self.training.tested]

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the model on the newest test snapshot."""
        newest = self.training.tested[0]
        return intervals(newest.y, newest.probability["model"], newest.customer, self.config.seed)

    @cached_property
    def importance(self) -> dict[str, float]:
        """Column to mean absolute contribution, on a sample of the newest test rows."""
        rows = self.training.tested[0].fold.test_rows
        some = np.random.default_rng(self.config.seed).permutation(rows)[:EXPLAINED_ROWS]
        return importance(contributions(self.training.deployed, self.sample.X.iloc[np.sort(some)]))

    @cached_property
    def drivers(self) -> dict[str, float]:
        """Driver to the sum of its columns' importance."""
        driver = {c.name: c.driver for c in self.matrix.columns}
        found: dict[str, float] = {}
        for name, value in self.importance.items():
            found[driver[name]] = found.get(driver[name], 0.0) + value
        return found

    @cached_property
    def worst(self) -> Slice | None:
        """The segment with the clearest error of calibration."""
        newest = self.training.tested[0]
        frame = self.sample.X.iloc[newest.fold.test_rows]
        found = slices(frame, newest.y, newest.probability["model"])
        return found[0] if found else None

    @property
    def kind(self) -> str:
        """What the deployed model is, in one word."""
        weights = self.training.deployed.weights
        return "blend" if len(weights) > 1 else next(iter(weights))


def definition(config: Config) -> dict[str, Any]:
    """What churn means in a config: two models are comparable only when this is equal."""
    used = {
        "contractual": {"horizon_days", "gap_days", "not_churn_reasons"},
        "non_contractual": {"horizon_days", "gap_days", "active_days"},
        "labelled": {"horizon_days", "churned_values"},
    }
    return config.churn.model_dump(mode="json", include={"kind", *used[config.churn.kind]})


def make_record(t: Trained) -> Record:
    """Turn a training into what is logged: no customer ids, no rows."""
    newest = t.training.tested[0]
    files = _pictures(t)
    return Record(
        run_name=f"{t.as_of:%y-%m-%d} {t.kind} {t.config.name}",
        description=_description(t),
        params=_params(t),
        metrics=_metrics(t),
        tags={
            "as_of": t.as_of.isoformat(),
            "verdict": "promoted" if t.verdict.promote else "failed" if t.verdict.failed else "kept champion",
            "test_snapshot": str(newest.fold.test),
            "catalogue_hash": t.matrix.catalogue_hash,
        },
        steps=_steps(t),
        baselines={n: _headline(m) for n, m in t.tests[0].items() if n != "model"},
        datasets=t.sources.fingerprints,
        files={"overview.html": _overview(t, files), **files},
        metadata=_metadata(t),
    )


def _headline(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"a_headline/{name}": round(metrics[name], 5) for name in HEADLINE}


def _metrics(t: Trained) -> dict[str, float]:
    metrics = t.tests[0]["model"]
    found = _headline(metrics)
    if t.verdict.difference is not None:
        d = t.verdict.difference
        found |= {
            "b_vs_champion/log_loss_thousandths": 1000 * d.log_loss,
            "b_vs_champion/log_loss_thousandths_low": 1000 * d.log_loss_interval[0],
            "b_vs_champion/log_loss_thousandths_high": 1000 * d.log_loss_interval[1],
            "b_vs_champion/auc_thousandths": 1000 * d.auc,
        }
    found |= {f"c_calibration/{name}": metrics[name] for name in CALIBRATION}
    found |= {f"e_list/{name}": metrics[name] for name in LIST}
    for name, (low, high) in t.intervals.items():
        found |= {f"f_interval/{name}_low": low, f"f_interval/{name}_high": high}
    # The pages print every digit that they get.
    return {name: round(value, 5) for name, value in found.items()}


def _steps(t: Trained) -> dict[str, list[tuple[int, int, float]]]:
    """One step a test snapshot, the oldest first, at the snapshot's time."""
    found: dict[str, list[tuple[int, int, float]]] = {}
    for step, (tested, by_name) in enumerate(zip(t.training.tested[::-1], t.tests[::-1], strict=True)):
        when = int(tested.fold.test.astype("datetime64[ms]").astype(np.int64))
        for name in HEADLINE:
            found.setdefault(f"d_backtest/{name}", []).append((step, when, by_name["model"][name]))
        for rule in ("recency rule", "linear"):
            if rule in by_name:
                key = f"d_backtest/log_loss_{rule.replace(' ', '_')}"
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
        "censored_rows": t.censored,
        "customers": len(np.unique(t.sample.customer)),
        "columns": len(t.report.used),
        "columns_constant": " ".join((*t.report.constant, *t.report.empty)),
        "columns_identifying": " ".join(t.report.identifying),
        "weights": _weights(t),
        "calibrator": t.training.calibrator,
        "model_digest": t.training.deployed.digest,
        **{f"churn.{k}": v for k, v in definition(t.config).items()},
        **{f"model.{k}": v for k, v in t.config.model.model_dump(mode="json").items()},
        "seed": t.config.seed,
    }


def _weights(t: Trained) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in t.training.deployed.weights.items())


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
        "calibration": calibration_bins(t.training.tested[0].y, t.training.tested[0].probability["model"])[
            :, :2
        ].tolist(),
        "base_rate": float(t.sample.churned.mean()),
        "catalogue_hash": t.matrix.catalogue_hash,
        "catalogue": [vars(c) for c in t.matrix.columns],
        "calibrator": t.training.calibrator,
        "warnings": [WARNING] if newest.fold.crossed else [],
    }


def _rows(by_name: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    return [
        [name, *(f"{m[k]:.2f}" if k == "lift_top_tenth" else f"{m[k]:.4f}" for k in TITLES)]
        for name, m in by_name.items()
    ]


def _backtest_rows(t: Trained) -> list[list[str]]:
    return [
        [str(x.fold.test), f"{len(x.y):,}", f"{x.y.mean():.3f}", *_rows({"": m["model"]})[0][1:]]
        for x, m in zip(t.training.tested, t.tests, strict=True)
    ]


def _description(t: Trained) -> str:
    newest = t.training.tested[0].fold
    lines = [
        f"**{_verdict(t)}**: {t.verdict.reason}",
        f"{newest}",
        f"Model: {_weights(t)}; calibrator {t.training.calibrator}.",
    ]
    return "\n\n".join([*lines, *t.training.notes])


def _verdict(t: Trained) -> str:
    return "Promoted" if t.verdict.promote else "Not promoted"


def _pictures(t: Trained) -> dict[str, bytes]:
    newest = t.training.tested[0]
    rule = next((n for n in ("recency rule", "base rate") if n in newest.probability), "base rate")
    pair = {"model": newest.probability["model"], rule: newest.probability[rule]}
    dates = [str(x.fold.test) for x in t.training.tested[::-1]]
    lines = {n: [m[n]["log_loss"] for m in t.tests[::-1]] for n in pair}
    return {
        "plots/calibration.png": plots.calibration(newest.y, pair, f"Calibration at {newest.fold.test}"),
        "plots/gain.png": plots.gain(newest.y, pair, f"Churners found at {newest.fold.test}"),
        "plots/backtest.png": plots.over_time(dates, lines, "Backtest"),
        "plots/importance.png": plots.bars(t.importance, "What the model looks at"),
        "plots/drivers.png": plots.bars(t.drivers, "Drivers"),
    }


def _overview(t: Trained, pictures: Mapping[str, bytes]) -> bytes:
    """One page with the verdict, the tables and the pictures; it needs no network."""
    blocks = [
        f"<h1>{html.escape(t.config.name)} {t.as_of}: {_verdict(t).lower()}</h1><p>{html.escape(t.verdict.reason)}</p>",
        *(f"<p>{html.escape(note)}</p>" for note in (*t.training.notes, *t.sources.notes)),
        _html_table(["", *TITLES.values()], _rows(t.tests[0])),
        _html_table(["test snapshot", "rows", "churned", *TITLES.values()], _backtest_rows(t)),
        *(
            f'<img alt="{name}" src="data:image/png;base64,{b64encode(png).decode()}">'
            for name, png in pictures.items()
        ),
    ]
    style = (
        "body{font:15px sans-serif;max-width:60em;margin:2em auto}"
        "td,th{padding:.2em .8em;text-align:right}img{max-width:100%}"
    )
    page = f'<!doctype html><meta charset="utf-8"><title>{t.config.name}</title><style>{style}</style>{"".join(blocks)}'
    return page.encode()


def _html_table(header: list[str], rows: list[list[str]]) -> str:
    cells = [f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in rows]
    return f"<table><tr>{''.join(f'<th>{html.escape(c)}</th>' for c in header)}</tr>{''.join(cells)}</table>"


def summary(t: Trained, record: Record, logged: Logged) -> tuple[str, dict[str, Any]]:
    """What the command prints, and the same as plain values."""
    newest = t.training.tested[0].fold
    out = f"outside the model: {', '.join([*t.report.constant, *t.report.empty, *t.report.identifying])}"
    dropped = [out] if t.report.constant or t.report.empty or t.report.identifying else []
    worst = t.worst
    said = (
        f"{worst.name} ({worst.rows:,} rows): AUC {worst.auc:.3f}, predicted {worst.gap:+.3f} off"
        if worst
        else ""
    )
    lines = [
        f"{t.config.name} as of {t.as_of}: {len(t.sample):,} rows, {len(t.sample.snapshots)} snapshots, "
        f"{t.sample.churned.mean():.1%} churned" + (f", {t.censored:,} censored" if t.censored else ""),
        str(newest),
        "",
        table(["", *TITLES.values()], _rows(t.tests[0])),
        "",
        table(["test snapshot", "rows", "churned", *TITLES.values()], _backtest_rows(t)),
        "",
        f"model: {_weights(t)}; calibrator {t.training.calibrator}",
        *([f"worst segment: {said}"] if said else []),
        *dropped,
        *t.training.notes,
        *t.sources.notes,
        f"{_verdict(t)} (version {logged.version}): {t.verdict.reason}",
        logged.url,
    ]
    values = {
        "as_of": t.as_of.isoformat(),
        "test_snapshot": str(newest.test),
        "metrics": t.tests[0],
        "backtest": {str(x.fold.test): m["model"] for x, m in zip(t.training.tested, t.tests, strict=True)},
        "weights": t.training.deployed.weights,
        "calibrator": t.training.calibrator,
        "promoted": t.verdict.promote,
        "reason": t.verdict.reason,
        "version": logged.version,
        "run_id": logged.run_id,
        "url": logged.url,
        "notes": [*dropped, *t.training.notes, *t.sources.notes],
    }
    return "\n".join(lines), values
