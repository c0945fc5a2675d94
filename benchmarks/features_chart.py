"""Seconds for the purchase columns against events and snapshots, by contender, as a drawing.

    python -m benchmarks.features_chart --polars VENV/bin/python   # writes benchmarks/features.svg, prints its figures

Seconds of the clock, so nothing else should run beside it. The customers grow with the events, fifty purchases each;
snapshots are counted at the largest company.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.features import measure, prepared

POLARS = "Polars plan, purchases only"
CONTENDERS = ("product, purchases only", POLARS, "DuckDB plan, purchases only", "floor, purchases only")
EVENTS = (500_000, 1_000_000, 2_000_000, 5_000_000)
SNAPSHOTS = (1, 3, 6, 12, 24)
USUAL = 12

Lines = Mapping[str, Sequence[float]]  # contender -> seconds, one a place


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "churn-benchmark")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("features.svg"))
    parser.add_argument("--polars", help="Python of an environment that has Polars, DuckDB and pandas")
    given = parser.parse_args()
    python = {POLARS: given.polars}
    folders = [prepared(f"events-{n}", given.folder, (n // 50, n, 10, 10)) for n in EVENTS]
    by_events = {
        name: [seconds(name, folder, USUAL, python.get(name)) for folder in folders] for name in CONTENDERS
    }
    by_snapshots = {
        name: [seconds(name, folders[-1], n, python.get(name)) for n in SNAPSHOTS] for name in CONTENDERS
    }
    draw(by_events, by_snapshots, given.out)
    print(f"drawn: {given.out}")


def seconds(name: str, folder: Path, count: int, python: str | None) -> float:
    """Seconds of a contender; no number where it failed."""
    found = measure(name, folder, count, python or sys.executable)
    return float("nan") if found is None else found["seconds"]


def draw(by_events: Lines, by_snapshots: Lines, out: Path) -> None:
    """Write both panels, with a line a contender, as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = (
        ([n / 1e6 for n in EVENTS], by_events, f"million purchases, {USUAL} snapshots"),
        (SNAPSHOTS, by_snapshots, f"snapshots, {EVENTS[-1]:,} purchases"),
    )
    with mpl.rc_context({"svg.hashsalt": "features", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for axes, (places, lines, label) in zip(figure.subplots(1, 2), panels, strict=True):
            for name, values in lines.items():
                axes.plot(places, values, marker="o", label=name.removesuffix(", purchases only"))
            axes.set(xlabel=label, ylabel="seconds", xlim=(0, None), ylim=(0, None))
            axes.grid(alpha=0.3)
        figure.axes[0].legend(frameon=False)
        figure.savefig(out, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
