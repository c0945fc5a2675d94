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
from pipeline.languages.said import Said, said, spoken, together
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.drawn import by_chance, in_contact_log, mature_nights
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
    what = said("the list") if name == learned.ALL else said("action {name}", name=name)
    line = said("{what} is on again: only rows from {day} on can switch it off", what=what, day=as_of)
    return Result(spoken(line, Language(config.language)), {"resumed": name})


def _too_early(config: Config, as_of: dt.date, nights: list[dt.date]) -> Result:
    why = said("the ledger is empty, run `churn score` first")
    if nights:
        days = dt.timedelta(days=config.churn.gap_days + config.churn.horizon_days)
        why = said(
            "the first night, {night}, can be judged from {day} on", night=nights[0], day=nights[0] + days
        )
    line = said("no list has matured by {day}: {why}", day=as_of, why=why)
    values = {"as_of": as_of.isoformat(), "nights": 0, "reason": str(line)}
    return Result(spoken(line, Language(config.language)), values)


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
    language = Language(config.language)
    range_ = (
        said("{first} to {last}", first=nights[0], last=nights[-1])
        if nights
        else said("the first list is younger than {days} days", days=days)
    )
    head = said(
        "{company} as of {day}: {nights} nights judged", company=config.name, day=as_of, nights=len(nights)
    )
    changed = said(
        "What the list changed: {n} customers whom chance listed or left alone, {days} days after",
        n=groups[0].listed + groups[0].alone,
        days=days,
    )
    lines = [
        spoken(together([head, range_], ", " if nights else "; "), language),
        "",
        language.word("How good the scores were"),
        check_table(found.checks, promised, language),
        "",
        spoken(changed, language),
        group_table(groups, usual, language),
        *precision_lines(precision, language),
        spoken(power["line"], language),
        "",
        *(
            [language.word("What lasts"), lasting_table(later, language), spoken(later.verdict, language), ""]
            if later.rows
            else []
        ),
        language.word("What the next list believes"),
        belief_table(believed, language),
        *(spoken(_switched_off(name), language) for name in stopped),
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


def _switched_off(name: str) -> Said:
    return said(
        "switched off: {name} is proven to drive customers away; `churn outcomes --resume {key}`",
        name=said("all") if name == learned.ALL else name,
        key=name,
    )


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
    use = rows.loc[by_chance(rows)]
    if not len(use):
        line = (
            said("power: nobody was drawn yet, no effect can be seen")
            if config.outreach.control.share
            else said(
                "power: no control group ({key} is 0), no effect can be seen", key="outreach.control.share"
            )
        )
        return {"line": line, "values": {"days_until": {}}}
    rate, share = float(use["kept"].mean()), float(use["propensity"].mean())
    since = pd.to_datetime(use["as_of"])
    newest = since > since.max() - pd.Timedelta(days=_RECENT_DAYS)
    nights = np.unique(since[newest].to_numpy("datetime64[D]"))
    # A list stands for the days until the next one.
    every = int(np.median(np.diff(nights)).astype(np.int64)) if len(nights) > 1 else 1
    span = max(int((nights[-1] - nights[0]).astype(np.int64)) + every, 7)
    a_day = int(newest.sum()) / span
    days = {
        points: max(0, int(np.ceil((rows_needed(rate, points, 1 - share) - len(use)) / a_day)))
        for points in POINTS
    }
    return {
        "line": power_line(a_day, days),
        "values": {"rows_a_day": a_day, "days_until": {f"{p:g}": wait for p, wait in days.items()}},
    }
