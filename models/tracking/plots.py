"""Pictures of a training for the tracking pages, as PNG bytes: they must show without a network."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from configs.arrays import Floats
from models.statistics.metrics import calibration_bins

BARS = 20
BLUE, ORANGE, GREY = "#2f5d8a", "#c8702a", "#8a8a8a"


def _picture(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context({"font.size": 10}):
        figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def calibration(
    y: Floats, contenders: Mapping[str, Floats], title: str, weight: Floats | None = None
) -> bytes:
    """Predicted against observed churn in bins of equal mass.

    Examples
    --------
    >>> calibration(np.array([0.0, 1.0]), {"model": np.array([0.2, 0.7])}, "t")[1:4]
    b'PNG'
    """
    figure, axes = _picture(title, "predicted probability of churn", "observed share of churn")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    for (name, p), colour in zip(contenders.items(), (BLUE, ORANGE), strict=False):
        table = calibration_bins(y, p, weight)
        axes.plot(table[:, 0], table[:, 1], marker="o", markersize=4, color=colour, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    return _png(figure)


def gain(y: Floats, contenders: Mapping[str, Floats], title: str, weight: Floats | None = None) -> bytes:
    """Share of the churners that are found by contacting the top of the ranking, with the lift there."""
    figure, axes = _picture(title, "share of customers contacted", "share of churners found")
    w = np.ones(len(y)) if weight is None else weight
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    for (name, p), colour in zip(contenders.items(), (BLUE, ORANGE), strict=False):
        order = np.argsort(-p, kind="stable")
        share = np.cumsum(w[order]) / max(w.sum(), 1)
        found = np.cumsum((w * y)[order]) / max((w * y).sum(), 1)
        lift = np.interp(0.1, share, found) / 0.1
        axes.plot(share, found, color=colour, label=f"{name} (lift in the top tenth {lift:.2f})")
    axes.legend(frameon=False, loc="lower right")
    return _png(figure)


def bars(values: Mapping[str, float], title: str) -> bytes:
    """Largest values as horizontal bars: column or driver importance."""
    shown = dict(sorted(values.items(), key=lambda v: -v[1])[:BARS])
    figure, axes = _picture(title, "mean absolute contribution, log-odds", "")
    axes.barh(list(shown)[::-1], list(shown.values())[::-1], color=BLUE)
    figure.set_size_inches(7, 1.5 + 0.25 * len(shown))
    return _png(figure)


def over_time(dates: Sequence[str], series: Mapping[str, Sequence[float]], title: str) -> bytes:
    """One line a contender over the test snapshots, oldest first."""
    figure, axes = _picture(title, "test snapshot", "log loss (lower is better)")
    for (name, values), colour in zip(series.items(), (BLUE, ORANGE, GREY), strict=False):
        axes.plot(dates, values, marker="o", color=colour, label=name)
    axes.tick_params(axis="x", rotation=20)
    axes.legend(frameon=False)
    return _png(figure)
