"""`churn outcomes`: how good the scores were, what the lists changed, and what the next list learns from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import ConfigError, ModelError, TryAgainError
from configs.schema import Config
from models.effects.control_group import rows_needed
from models.statistics.intervals import wilson
from models.tracking import registry
from pipeline.commit import settle_when_free
from pipeline.languages.language import Language
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.drawn import in_contact_log, mature_nights
from pipeline.outcomes.effects import beliefs, lasting, outcome_groups, usual_of
from pipeline.outcomes.learning import has_news, learn, playbook_of
from pipeline.outcomes.outcome_tables import (
    CONTACT_DAYS,
    belief_table,
    check_table,
    group_table,
    json_values,
    lasting_table,
    power_line,
    precision_lines,
)
from pipeline.publish import only_run
from pipeline.result import Result
from pipeline.sources.opening import Sources, open_sources
from pipeline.tracking.champion import tracking_of
from pipeline.tracking.tonight import LOAD_SECONDS

POINTS = (0.01, 0.02, 0.05)
_RECENT_DAYS = 28


def outcomes(config: Config, as_of: dt.date, say: Say = lambda line: None) -> Result:
    """Join the ledger with what happened, measure, and learn.

    Returns
    -------
    Result
        Exit code 3 when the list, or an action, is proven to drive customers away.

    Raises
    ------
    DataError
        A source breaks its contract.
    ChurnError
        The ledger is damaged.
    """
    for line in settle_when_free(layout_of(config)):
        say(line)
    folder, language = layout_of(config).ledger, Language(config.language)
    if not has_news(folder, config, as_of):
        # Data that end long before the date are why nothing matures, or will be why all seem to have left.
        fresh = [] if config.churn.kind == "labelled" else open_sources(config, as_of).freshness.looks
        return _too_early(config, as_of, ledger.dates(folder)).with_look(fresh, language)
    sources, nights = open_sources(config, as_of), mature_nights(folder, config, as_of)
    sources.freshness.require()
    say(f"{len(nights)} nights have matured" + (f", {nights[0]} to {nights[-1]}" if nights else ""))
    found, rows = learn(sources, config, folder, as_of, say)
    rows = rows.assign(contacted=_contacted(sources, rows))
    return _result(sources, config, as_of, nights, rows, found).with_look(sources.look, language)


def resume(config: Config, name: str, as_of: dt.date) -> Result:
    """Switch an action, or the whole list, on again after it was stopped.

    Raises
    ------
    ConfigError
        The playbook has no such action.
    """
    names = [learned.ALL, *playbook_of(config).actions]
    if name not in names:
        raise ConfigError(f"--resume {name}: no such action; known: {', '.join(names)}")
    folder = layout_of(config).ledger
    with only_run(folder, "outcomes"):
        learned.resume_learned(folder, name, as_of)
        kept = learned.read_learned(folder, playbook_of(config), as_of)
        if kept.measured is not None:
            bounds = {n: b for n, b in kept.bounds.items() if n != name}
            learned.write(folder, replace(kept, bounds=bounds))
    what = "the list" if name == learned.ALL else f"action {name}"
    return Result(f"{what} is on again: only rows from {as_of} on can switch it off", {"resumed": name})


def _too_early(config: Config, as_of: dt.date, nights: list[dt.date]) -> Result:
    why = "the ledger is empty, run `churn score` first"
    if nights:
        days = dt.timedelta(days=config.churn.gap_days + config.churn.horizon_days)
        why = f"the first night, {nights[0]}, can be judged from {nights[0] + days} on"
    text = f"no list has matured by {as_of}: {why}"
    return Result(text, {"as_of": as_of.isoformat(), "nights": 0, "reason": text})


def _contacted(sources: Sources, rows: pd.DataFrame) -> Floats:
    found = in_contact_log(sources, rows, CONTACT_DAYS) if len(rows) else None
    return np.full(len(rows), np.nan) if found is None else found


def _forecast(config: Config) -> Mapping[str, float]:
    """What the champion's backtest promised; empty when no champion can be asked."""
    try:
        tracking = tracking_of(config)
        champion = registry.within(LOAD_SECONDS, lambda: registry.load_champion(tracking), "tracking store")
        return champion.metadata["test_metrics"]
    except (ModelError, TryAgainError, KeyError):
        return {}


def _result(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    nights: list[dt.date],
    rows: pd.DataFrame,
    found: learned.Learned,
) -> Result:
    mature = rows.loc[rows["mature"].astype(bool)]
    promised, groups, power = _forecast(config), outcome_groups(mature, found.bounds), _power(config, rows)
    usual, later, precision = (
        usual_of(mature, found.usual),
        lasting(sources, config, rows, as_of),
        _precision(mature),
    )
    believed = beliefs(found.effect, rows)
    stopped = sorted(name for name, b in found.bounds.items() if b.harms)
    days = config.churn.gap_days + config.churn.horizon_days
    lines = [
        f"{config.name} as of {as_of}: {len(nights)} nights judged"
        + (f", {nights[0]} to {nights[-1]}" if nights else f"; the first list is younger than {days} days"),
        "",
        "How good the scores were",
        check_table(found.checks, promised),
        "",
        f"What the list changed: {len(mature):,} customers whom chance listed or left alone, {days} days after",
        group_table(groups, usual),
        *precision_lines(precision),
        *power["lines"],
        "",
        *(["What lasts", lasting_table(later), later.verdict, ""] if later.rows else []),
        "What the next list believes",
        belief_table(believed),
        *[
            f"switched off: {name} is proven to drive customers away; `churn outcomes --resume {name}`"
            for name in stopped
        ],
    ]
    values = {
        "as_of": as_of.isoformat(),
        "nights": len(nights),
        "checks": [json_values(asdict(c) | {"night": c.night.isoformat()}) for c in found.checks],
        "backtest": json_values(
            {k: promised[k] for k in ("auc", "log_loss", "ece", "lift_top_tenth") if k in promised}
        ),
        "effects": [g.values() for g in groups],
        "usual": usual and usual.values(),
        "lasting": [json_values(asdict(row)) for row in later.rows],
        "precision": precision,
        "power": power["values"],
        "beliefs": [json_values(asdict(b)) for b in believed],
        "stopped": stopped,
    }
    return Result("\n".join(lines), values, 3 if stopped else 0)


def _precision(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Share who left, with its interval, of the list and of its control group, whom nobody held back."""
    found = {}
    for name, group in (("list", "chosen"), ("control", "control")):
        left = 1 - rows.loc[rows[group].astype(bool), "kept"]
        if len(left):
            low, high = wilson(float(left.sum()), len(left))
            found[name] = {
                "customers": len(left),
                "left": float(left.mean()),
                "low": float(low),
                "high": float(high),
            }
    return found


def _power(config: Config, rows: pd.DataFrame) -> dict[str, Any]:
    """How long it takes to see effects of some sizes, from the newest inflow of randomised rows."""
    use = rows.loc[rows["propensity"].between(0, 1, inclusive="neither")]
    if not len(use):
        why = (
            "nobody was drawn yet"
            if config.outreach.control.share
            else "no control group (outreach.control.share is 0)"
        )
        return {"lines": [f"power: {why}, no effect can be seen"], "values": {"days_until": {}}}
    rate, share = float(use["kept"].mean()), float(use["propensity"].mean())
    since = pd.to_datetime(use["as_of"])
    newest = since >= since.max() - pd.Timedelta(days=_RECENT_DAYS)
    span = max(int((since[newest].max() - since[newest].min()).days) + 1, 7)
    a_day = int(newest.sum()) / span
    days = {
        points: max(0, int(np.ceil((rows_needed(rate, points, 1 - share) - len(use)) / a_day)))
        for points in POINTS
    }
    return {
        "lines": [power_line(a_day, days)],
        "values": {"rows_a_day": a_day, "days_until": {f"{p:g}": wait for p, wait in days.items()}},
    }
