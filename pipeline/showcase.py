"""`churn demo`: simulate a company and run the whole job on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from configs.errors import ConfigError
from configs.schema import Config
from pipeline import demo
from pipeline.layout import layout_of
from pipeline.result import Result
from pipeline.scoring.score import score
from pipeline.training.train import train


def run_demo(config: Config, as_of: dt.date, customers: int, say: Callable[[str], None]) -> Result:
    """Simulate, train, score, publish, and say where everything is."""
    source = next(iter(config.sources.given.values()))
    if config.churn.kind == "labelled":
        raise ConfigError(
            "the demo simulates a company with dates; use configs/demo.yaml or demo_contractual.yaml"
        )
    folder = config.path(source.uris[0]).parent
    say(f"simulate {customers:,} customers into {folder}")
    demo.simulate(folder, config.churn.kind, customers, demo.START, as_of, seed=config.seed)
    trained = train(config, as_of, say)
    scored = score(config, as_of, None, dry_run=False, say=say)
    latest = layout_of(config).latest
    places = [
        f"the list    {latest / 'outreach.csv'}",
        f"the report  {latest / 'report.html'}",
        f"the rate    {latest / 'retention.csv'}",
        "MLflow      churn ui",
    ]
    text = "\n\n".join([trained.text, scored.text, "\n".join(places)])
    values = {"train": trained.values, "score": scored.values}
    return Result(text, values, max(trained.exit_code, scored.exit_code))
