"""Every horizon at once, as deployed: trained as of a day, judged by what came in the days that the data go on.

    python -m benchmarks.horizons
    python -m benchmarks.horizons --environments FOLDER     # SurvivalBoost too, in an environment made there
    python -m benchmarks.horizons --environments FOLDER --rows 2000     # on so many rows: an hour becomes minutes

Integrated Brier score of the chance that nothing happens by each day, against the champion's probability carried at
an even rate, one Kaplan-Meier curve for all, BG/NBD, and SurvivalBoost of `hazardous` on the rows that churn fits its
curves on; where these are fewer by --rows, churn's curves of them too. Then how many of the 80 % intervals that end
while the data go on hold the day, and the tails.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.quality_peers import environment
from benchmarks.tasks import config_of
from models.backtest.horizons import integrated
from models.backtest.recipe import run_recipe
from models.prediction import members
from models.prediction.classifier import learn_columns
from models.prediction.horizons import (
    FIT_ROWS,
    USUAL_LEVELS,
    Curves,
    Outlook,
    edges_of,
    fit,
    hazard_curves,
    outlook,
    with_levels,
)
from models.prediction.sample import Sample
from models.prediction.scoring import bgnbd_log_odds, encode, input_names
from models.prediction.waits import Waits
from pipeline.dataset.labelling import build_waits
from pipeline.dataset.matrix import build_matrix
from pipeline.result import table
from pipeline.sources.opening import open_sources
from pipeline.training.horizons import learn_horizons
from pipeline.training.train import backtest_settings, prepare_history, usable

# Task to the day of training and the end of its data.
DAYS = {
    "cdnow": (dt.date(1997, 12, 1), dt.date(1998, 7, 1)),
    "online_retail": (dt.date(2011, 7, 15), dt.date(2011, 12, 10)),
    "us_lapse": (dt.date(2002, 1, 1), dt.date(2003, 1, 1)),
}
WEEK = 7


def bgnbd(sample: Sample, now: pd.DataFrame, edges: np.ndarray, horizon: int) -> Curves | None:
    """BG/NBD at every edge; None where there are no purchases."""
    columns = learn_columns(sample.X)
    member = members.bgnbd_member(encode(columns, sample.X), input_names(columns), horizon, 7)
    if member is None:
        return None
    part = encode(columns, now)[:, member["inputs"]]
    z = [bgnbd_log_odds({**member, "horizon": int(day)}, part) for day in edges[1:]]
    return Curves(edges, np.column_stack([np.zeros(len(now)), *(np.logaddexp(0, -one) for one in z)]))


def hazardous(
    python: Path, sample: Sample, waits: Waits, now: pd.DataFrame, edges: np.ndarray
) -> tuple[Curves, float]:
    """SurvivalBoost, and its seconds."""
    columns = learn_columns(sample.X)
    names = [f"x{i}" for i in range(len(input_names(columns)))]
    duration = np.where(waits.event, waits.days, np.fmin(waits.days, waits.followed)) + 0.5
    keys = {"event": waits.event.astype(int), "duration": duration}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train = pd.DataFrame(encode(columns, sample.X), columns=names).assign(**keys)
        train.to_parquet(place / "train.parquet")
        pd.DataFrame(encode(columns, now), columns=names).to_parquet(place / "test.parquet")
        np.save(place / "days.npy", edges[1:].astype(float))
        script = Path(__file__).with_name("survival_peer.py")
        subprocess.run([python / "bin" / "python", script, place], check=True, capture_output=True)
        survival = np.clip(np.load(place / "survival.npy"), 1e-9, 1.0)
        hazard = np.maximum.accumulate(-np.log(survival), axis=1)
        return Curves(edges, np.column_stack([np.zeros(len(now)), hazard])), float(
            (place / "seconds.txt").read_text()
        )


def judged(name: str, python: Path | None, most: int) -> None:
    """One task: print the scores and the intervals."""
    config, (day, end) = config_of(name), DAYS[name]
    settings = backtest_settings(config)
    found = prepare_history(config, day, lambda line: None)
    sample = found.sample.columns(list(usable(found.sample, config.model.allow_leaks).used))
    every = edges_of(settings.horizon_days, config.model.horizons_days)
    training = run_recipe(sample, settings, config.model.test_snapshots, lambda line: None)
    start = time.perf_counter()
    model = learn_horizons(config, found.sources, sample, training, settings, day).model
    took = time.perf_counter() - start
    if model is None:
        raise SystemExit(f"{name}: too few events")
    matrix = build_matrix(open_sources(config, day), config, [day])
    ids, at = matrix.frame["customer_id"].to_numpy(str), matrix.frame["snapshot"].to_numpy("datetime64[D]")
    ahead = (end - day).days
    came = build_waits(open_sources(config, end), config, ids, at, end, list(range(ahead + 1)))
    now, horizon = matrix.features, settings.horizon_days
    p = training.deployed.probability(now)
    survival = 1 - p if settings.contractual else p
    learned = hazard_curves(model, now)
    edges = learned.edges
    flat = Curves(edges, np.broadcast_to(edges, learned.hazard.shape)).tied(horizon, survival)
    told = {
        "churn": (learned.tied(horizon, survival), took),
        "  untied": (learned, 0.0),
        "even rate": (flat, 0.0),
    }
    told["Kaplan-Meier"] = (hazard_curves(model, now, everybody=True), 0.0)
    if not settings.contractual and (rule := bgnbd(sample, now, edges, horizon)) is not None:
        told["BG/NBD"] = (rule, 0.0)
    if python is not None:
        few = sample.at_most(most, settings.seed)
        waits = build_waits(found.sources, config, few.customer, few.snapshot, day, every)
        if most < FIT_ROWS and (small := fit(few, waits, settings, every)) is not None:
            told[f"churn, {len(few):,} rows"] = (hazard_curves(small, now).tied(horizon, survival), 0.0)
        told[f"SurvivalBoost, {len(few):,} rows"] = hazardous(python, few, waits, now, edges)
    last = int(min(ahead, edges[-1]))
    days = [*range(WEEK, last, WEEK), last]
    rows = [
        [n, f"{integrated(curve, came, days):.5f}", f"{seconds:.0f}" if seconds else ""]
        for n, (curve, seconds) in told.items()
    ]
    print(f"\n{name} as of {day}: {len(ids):,} customers, {last} days ahead, trained horizon {horizon}")
    print(table(["", "integrated Brier", "seconds"], rows))
    levels = tuple(round(level, 3) for level in model.spec["horizons"].get("levels", USUAL_LEVELS))
    for what, spread in (("usual levels", USUAL_LEVELS), (f"levels {levels}", levels)):
        print(
            f"80 % intervals by {what}: {_held(outlook(with_levels(model, spread), now, p, []), came, ahead)}"
        )


def _held(said: Outlook, came: Waits, ahead: int) -> str:
    """How many intervals end in time, how many of these hold the day, and what lies on either side."""
    over = said.high < ahead  # NaN is not
    if not over.any():
        return "none ends in time"
    before, after = (came.days < said.low)[over], (~(came.days <= said.high))[over]
    inside = 1 - before.mean() - after.mean()
    return f"{over.sum():,} end in time and hold {inside:.1%}; before, after: {before.mean():.1%}, {after.mean():.1%}"


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=list(DAYS), choices=list(DAYS))
    parser.add_argument("--environments", type=Path, help="folder of the peer's virtual environment")
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="of the fit of SurvivalBoost")
    asked = parser.parse_args()
    there = (
        environment("hazardous", asked.environments, ["hazardous", "pandas"]) if asked.environments else None
    )
    for task in asked.tasks:
        judged(task, there, asked.rows)


if __name__ == "__main__":
    main()
