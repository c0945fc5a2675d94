"""A year in the tracking store: what 365 nights and 52 trainings cost the commands and the pages.

    python -m benchmarks.tracking             # makes a store of a year, logged by churn's own code, and measures
    python -m benchmarks.tracking --nights 30 --trainings 4

The first training and the first night are those of the demo, kept as on a night whose store is away; each is logged
again under other dates. Figures are of the store with one night and one training, and of the one with all of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs.schema import Config, load_config
from models.tracking import registry
from models.tracking.session import spoken_to
from pipeline.demo import START, simulate
from pipeline.layout import layout_of
from pipeline.scoring.score import score
from pipeline.tracking import tonight
from pipeline.tracking.champion import tracking_of
from pipeline.tracking.delivery import send_trainings
from pipeline.training.train import train

AS_OF = dt.date(2026, 7, 1)
SMALL = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "50", "CHURN__MODEL__TEST_SNAPSHOTS": "2"}
AWAY = {"CHURN__TRACKING__URI": "http://127.0.0.1:9"}


def quiet(line: str) -> None:
    """Say nothing."""


def prepared(home: Path, customers: int) -> tuple[Config, registry.Parcel, dict[str, Any]]:
    """A home with a champion, and what a training and a night of it hand to the store."""
    (home / "configs").mkdir(parents=True, exist_ok=True)
    file = home / "configs" / "demo.yaml"
    shutil.copy(Path(__file__).parents[1] / "configs" / "demo.yaml", file)
    config, away = (load_config(file, {**SMALL, **more}) for more in ({}, AWAY))
    layout = layout_of(config)
    folder = config.path(next(iter(config.sources.given.values())).uris[0]).parent
    simulate(folder, config.churn.kind, customers, START, AS_OF, seed=config.seed)
    train(away, AS_OF, quiet)
    parcel = registry.unpacked_training((layout.untold / f"{AS_OF}.json").read_text(), "kept")
    send_trainings(config, layout.untold, quiet)
    for store in (config, away):  # the first leaves the champion that the second uses
        score(store, AS_OF, None, dry_run=False, say=quiet)
    night = json.loads((layout.unsent / f"{AS_OF}.json").read_text())
    return config, parcel, night


def fill(config: Config, parcel: registry.Parcel, night: dict[str, Any], nights: int, trainings: int) -> None:
    """Log so many more nights and trainings before the date."""
    tracking = tracking_of(config)
    held = {name: model for name, model in parcel.models.items() if name != "model"}
    for back in range(trainings, 0, -1):
        day = str(AS_OF - dt.timedelta(days=7 * back))
        record = replace(parcel.record, tags={**parcel.record.tags, "as_of": day})
        logged = registry.log_training(tracking, record, parcel.models["model"], held)
        registry.make_champion(tracking, logged.version, "newer rows")
    for back in range(nights, 0, -1):
        day = str(AS_OF - dt.timedelta(days=back))
        registry.log_scoring(tracking, **{**night, "tags": {**night["tags"], "as_of": day}})


def pages(config: Config, name: str) -> int:
    """What the pages ask for: the newest hundred runs of an experiment, with all their figures."""
    with spoken_to(tracking_of(config)) as client:
        found = client.get_experiment_by_name(name)
        return len(
            client.search_runs(
                [found.experiment_id], max_results=100, order_by=["attributes.start_time DESC"]
            )
        )


def night_again(config: Config, night: dict[str, Any]) -> None:
    """Log a night that is there already: it is replaced."""
    registry.log_scoring(tracking_of(config), **night)


def measured(config: Config, night: dict[str, Any]) -> dict[str, float]:
    """Seconds of what touches the store."""
    tracking, layout = tracking_of(config), layout_of(config)
    work: dict[str, Callable[[], object]] = {
        "store is asked before a training": lambda: registry.check_store(tracking),
        "champion is loaded": lambda: tonight.champion_tonight(config, layout.champion, quiet),
        "a night is logged again": lambda: night_again(config, night),
        "page of the trainings": lambda: pages(config, "demo"),
        "page of the nights": lambda: pages(config, "demo nightly"),
        "churn score": lambda: score(config, AS_OF, None, dry_run=False, say=quiet),
        "churn train": lambda: train(config, AS_OF, quiet),
        "nights older than half a year are cleaned": lambda: registry.clean_nightly(
            tracking, AS_OF - dt.timedelta(days=180)
        ),
    }
    found = {}
    for name, run in work.items():
        begun = time.perf_counter()
        run()
        found[name] = time.perf_counter() - begun
    return found


def runs_of(config: Config, day: dt.date) -> int:
    """How many nights of a date the store shows."""
    with spoken_to(tracking_of(config)) as client:
        found = client.get_experiment_by_name("demo nightly")
        return len(client.search_runs([found.experiment_id], f"tags.as_of = '{day}'"))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=364)
    parser.add_argument("--trainings", type=int, default=51)
    parser.add_argument("--customers", type=int, default=400)
    given = parser.parse_args()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with tempfile.TemporaryDirectory() as folder:
        config, parcel, night = prepared(Path(folder), given.customers)
        first = measured(config, night)
        begun = time.perf_counter()
        fill(config, parcel, night, given.nights, given.trainings)
        print(
            f"{given.nights} nights and {given.trainings} trainings logged in {time.perf_counter() - begun:.0f} s"
        )
        size = sum(f.stat().st_size for f in Path(folder).glob("mlflow.db*")) / 1e6
        artifacts = (
            sum(f.stat().st_size for f in (Path(folder) / "mlartifacts").rglob("*") if f.is_file()) / 1e6
        )
        print(f"mlflow.db {size:.0f} MB, mlartifacts {artifacts:.0f} MB")
        year = measured(config, night)
        print(f"{'seconds':42} {'one night':>10} {'a year':>8}")
        for name, seconds in first.items():
            print(f"{name:42} {seconds:10.2f} {year[name]:8.2f}")
        print(f"runs of {AS_OF}, which was logged five times: {runs_of(config, AS_OF)}")


if __name__ == "__main__":
    main()
