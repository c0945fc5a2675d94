"""What is shown of a training: the summary on the terminal, the description and the page of its run."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from models.statistics.top import FIGURES
from models.tracking import plots
from models.tracking.registry import Logged, TrainingRecord
from models.tracking.standing import TO_BE_PROMOTED, verdict_headline
from pipeline.result import table
from pipeline.tracking.champion import age_days
from pipeline.training.trained import Trained

TITLES = {
    "auc": "AUC",
    "average_precision": "AP",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
    "lift_top_tenth": "lift 10%",
    "gap_top_tenth": "gap 10%",
    "value_top_tenth": "value 10%",
    "lift_at_list": "lift list",
    "value_at_list": "value list",
}
SHORT = {"lift_top_tenth": ".2f", "lift_at_list": ".2f", "gap_top_tenth": "+.3f"} | dict.fromkeys(
    ("value_top_tenth", "value_at_list"), ".1%"
)


def _rows(by_name: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    return [[name, *(format(m[k], SHORT.get(k, ".4f")) for k in TITLES)] for name, m in by_name.items()]


def _backtest_rows(t: Trained) -> list[list[str]]:
    return [
        [
            str(x.fold.test),
            f"{len(x.y):,}",
            f"{np.average(x.y, weights=x.weight):.3f}",
            *_rows({"": m["model"]})[0][1:],
        ]
        for x, m in zip(t.training.tested, t.tests, strict=True)
    ]


def description(t: Trained) -> str:
    """The verdict and what led to it, for the pages of the run and of the version."""
    newest = t.training.tested[0].fold
    lines = [
        verdict_headline(verdict_of(t), t.verdict.reason),
        f"{newest}",
        f"Model: {t.weights}; calibrator {t.training.calibrator}.",
    ]
    worst = [f"Worst segment: {_worst(t)}"] if t.worst else []
    return "\n\n".join([*lines, *top_lines(t), *age_line(t), *worst, *t.notes])


def _worst(t: Trained) -> str:
    worst = t.worst
    if worst is None:
        return ""
    return f"{worst.name} ({worst.rows:,} rows): AUC {worst.auc:.3f}, predicted {worst.gap:+.3f} off"


def top_lines(t: Trained) -> list[str]:
    """Lift, calibration and value captured, in the top tenth and at the list's size, with their intervals."""
    metrics, size = t.tests[0]["model"], t.config.outreach.capacity
    told = []
    for name, where in (
        ("top_tenth", "top tenth"),
        ("at_list", f"first {size:,}, as many as the list holds"),
    ):
        lift, gap, value = (f"{figure}_{name}" for figure in FIGURES)
        inside = {n: t.intervals[n] for n in (lift, gap, value)}
        told.append(
            f"{where}: lift {metrics[lift]:.2f} [{inside[lift][0]:.2f}, {inside[lift][1]:.2f}], "
            f"predicted less came {metrics[gap]:+.3f} [{inside[gap][0]:+.3f}, {inside[gap][1]:+.3f}], "
            f"of the churners' value {metrics[value]:.1%} [{inside[value][0]:.1%}, {inside[value][1]:.1%}]"
        )
    return told


def worth_lines(t: Trained) -> list[str]:
    """What each source costs and what is lost without it, and the columns that the model makes nothing of."""
    rows = [
        [
            one.name,
            f"{t.sources.fingerprints.get(one.name, {}).get('rows', 0):,}",
            f"{one.columns}",
            f"{one.loss:+.4f}",
            f"[{one.low:+.4f}, {one.high:+.4f}]",
            one.verdict,
        ]
        for one in t.left_out
    ]
    header = ["source", "rows", "columns", "log loss without it", "", ""]
    told = ["", table(header, rows)] if rows else []
    if t.idle:
        told.append(f"{len(t.idle)} columns that the model makes nothing of: {', '.join(t.idle)}")
    return told


def age_line(t: Trained) -> list[str]:
    """Which model scores from now on where this one does not, and how old it is."""
    if t.verdict.promote or t.champion is None or t.verdict.vacant:
        return []
    was = t.champion.metadata["as_of"]
    days = age_days(t.champion, t.as_of)
    return [f"the champion stays: version {t.champion.version}, trained as of {was}, {days} days old"]


def verdict_of(t: Trained) -> str:
    """What the pages say of the version before the champion is moved."""
    if t.verdict.promote:
        return TO_BE_PROMOTED
    return "comparison failed" if t.verdict.failed else "not promoted"


def _verdict(t: Trained) -> str:
    if t.waits:
        return f"Proven, and beside the champion for {t.config.model.canary_nights} nights first"
    return "Promoted" if t.verdict.promote else "Not promoted"


def pictures(t: Trained) -> dict[str, bytes]:
    """Name of a file to a picture of the newest test, the backtest, the columns and the drivers."""
    newest = t.training.tested[0]
    rule = next((n for n in ("recency rule", "base rate") if n in newest.probability), "base rate")
    pair = {"model": newest.probability["model"], rule: newest.probability[rule]}
    dates = [str(x.fold.test) for x in t.training.tested[::-1]]
    lines = {n: [m[n]["log_loss"] for m in t.tests[::-1]] for n in pair}
    return {
        "calibration.png": plots.calibration(
            newest.y, pair, f"Calibration at {newest.fold.test}", newest.weight
        ),
        "gain.png": plots.gain(newest.y, pair, f"Churners found at {newest.fold.test}", newest.weight),
        "backtest.png": plots.over_time(dates, lines, "Backtest"),
        "importance.png": plots.bars(t.importance, "What the model looks at"),
        "drivers.png": plots.bars(t.drivers, "Drivers"),
    }


def overview(t: Trained, pictures: Mapping[str, bytes]) -> bytes:
    """One page with the verdict, the tables and the pictures; it needs no network."""
    blocks = [
        f"<h1>{html.escape(t.config.name)} {t.as_of}: {_verdict(t).lower()}</h1><p>{html.escape(t.verdict.reason)}</p>",
        *(f"<p>{html.escape(note)}</p>" for note in (*t.notes, *t.sources.notes)),
        *(f"<p>{html.escape(line)}</p>" for line in (*top_lines(t), *age_line(t))),
        *([f"<p>Worst segment: {html.escape(_worst(t))}</p>"] if t.worst else []),
        *(f"<pre>{html.escape(text)}</pre>" for text in (*worth_lines(t), *t.fairness.lines) if text),
        f"<h2>On the newest test snapshot</h2><p>{html.escape(str(t.training.tested[0].fold))}</p>",
        _html_table(["", *TITLES.values()], _rows(t.tests[0])),
        "<h2>Over the test snapshots</h2>",
        _html_table(["test snapshot", "rows", "churned", *TITLES.values()], _backtest_rows(t)),
        *(
            f'<img alt="{name}" src="data:image/png;base64,{b64encode(png).decode()}">'
            for name, png in pictures.items()
        ),
    ]
    style = (
        "body{font:15px sans-serif;max-width:60em;margin:2em auto}"
        "td,th{padding:.2em .8em;text-align:right}td:first-child{text-align:left}"
        "h2{font-size:1.1em;margin-top:1.6em}img{max-width:100%;margin-top:1.6em}"
    )
    page = f'<!doctype html><meta charset="utf-8"><title>{t.config.name}</title><style>{style}</style>{"".join(blocks)}'
    return page.encode()


def _html_table(header: list[str], rows: list[list[str]]) -> str:
    cells = [f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in row)}</tr>" for row in rows]
    return f"<table><tr>{''.join(f'<th>{html.escape(c)}</th>' for c in header)}</tr>{''.join(cells)}</table>"


def _way_out(t: Trained, logged: Logged | None) -> list[str]:
    """How to score all the same where nothing was promoted and no champion stays."""
    if not t.verdict.vacant or logged is None:
        return []
    return [
        f"nothing can be scored now: look at the run with `churn ui`, and use this version by "
        f"`churn promote {logged.version} --reason WHY`, or train again with more history"
    ]


def training_summary(t: Trained, record: TrainingRecord, logged: Logged | None) -> tuple[str, dict[str, Any]]:
    """What the command prints, and the same as plain values."""
    newest = t.training.tested[0].fold
    out = f"outside the model: {', '.join([*t.report.constant, *t.report.empty, *t.report.identifying])}"
    dropped = [out] if t.report.constant or t.report.empty or t.report.identifying else []
    lines = [
        f"{t.config.name} as of {t.as_of}: {len(t.sample):,} rows, {len(t.sample.snapshots)} snapshots, "
        f"{np.average(t.sample.churned, weights=t.sample.weight):.1%} churned"
        + (f", {t.censored:,} censored" if t.censored else ""),
        str(newest),
        "",
        table(["", *TITLES.values()], _rows(t.tests[0])),
        "",
        table(["test snapshot", "rows", "churned", *TITLES.values()], _backtest_rows(t)),
        "",
        f"model: {t.weights}; calibrator {t.training.calibrator}",
        *top_lines(t),
        *([f"worst segment: {_worst(t)}"] if t.worst else []),
        *worth_lines(t),
        *t.fairness.lines,
        *dropped,
        *t.notes,
        *t.sources.notes,
        f"{_verdict(t)} ({f'version {logged.version}' if logged else 'not sent yet'}): {t.verdict.reason}",
        *age_line(t),
        *_way_out(t, logged),
        (logged.url if logged else None) or "the run and its pictures: `churn ui`",
    ]
    values = {
        "as_of": t.as_of.isoformat(),
        "test_snapshot": str(newest.test),
        "worst_segment": _worst(t) or None,
        "fairness": t.fairness.values,
        "left_out": [asdict(one) | {"verdict": one.verdict} for one in t.left_out],
        "idle_columns": list(t.idle),
        "metrics": t.tests[0],
        "backtest": {str(x.fold.test): m["model"] for x, m in zip(t.training.tested, t.tests, strict=True)},
        "weights": t.training.deployed.weights,
        "calibrator": t.training.calibrator,
        "promoted": t.verdict.promote and not t.waits,
        "waits": t.waits,
        "reason": t.verdict.reason,
        "intervals": t.intervals,
        "above_base_rate": t.above_base_rate,
        "champion_age_days": 0 if t.verdict.promote or t.champion is None else age_days(t.champion, t.as_of),
        "version": logged.version if logged else None,
        "run_id": logged.run_id if logged else None,
        "url": logged.url if logged else None,
        "notes": [*dropped, *t.notes, *t.sources.notes],
    }
    return "\n".join(lines), values
