"""`churn outcomes`: how good the scores were, what the lists changed, and what the next list learns from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.errors import ModelError, TryAgainError
from configs.playbook import Playbook, load_playbook
from configs.schema import Config
from features.snapshots import newest_mature
from models.effects.control_group import (
    SaveRate,
    kept_effect,
    rows_needed,
    save_rate,
    smallest_effect,
    value_effect,
)
from models.statistics.intervals import wilson
from models.statistics.metrics import auc, ece, lift_at, log_loss
from models.tracking import registry
from pipeline.outcomes import ledger, save_rates
from pipeline.outcomes.drawn import churned, contacted, first_nights, ledger_folder, mature_rows
from pipeline.outcomes.outcome_tables import (
    CONTACT_DAYS,
    Check,
    Group,
    check_table,
    group_table,
    plain,
    power_line,
    precision_lines,
    rate_table,
)
from pipeline.outcomes.save_rates import SaveRates
from pipeline.publish import only_run
from pipeline.result import Result
from pipeline.sources.opening import Sources, open_sources
from pipeline.tracking.champion import tracking_of

Say = Callable[[str], None]
Floats = NDArray[np.float64]

CHECKS = 12
POINTS = (0.01, 0.02, 0.05)


def outcomes(config: Config, as_of: dt.date, say: Say = lambda line: None) -> Result:
    """Join the ledger with what happened, measure, and update the save rates.

    Returns
    -------
    Result
        Exit code 3 when the list is proven to drive customers away.

    Raises
    ------
    DataError
        A source breaks its contract.
    ChurnError
        The ledger is damaged.
    """
    folder = ledger_folder(config)
    last = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days)
    nights = [night for night in ledger.dates(folder) if night <= last]
    if not nights:
        return _too_early(config, as_of, ledger.dates(folder))
    sources = open_sources(config, as_of)
    say(f"{len(nights)} nights have matured, {nights[0]} to {nights[-1]}")
    checks = [_check(sources, config, night, as_of) for night in _spaced(nights, config)]
    rows = _judged(sources, config, as_of)
    say(f"{len(rows):,} customers were drawn for the list or its control group")
    playbook = load_playbook(
        None if config.outreach.playbook is None else config.path(config.outreach.playbook)
    )
    rates = SaveRates(_learned(rows, playbook), as_of)
    with only_run(folder, "outcomes"):
        save_rates.write(folder, rates)
    return _result(config, as_of, nights, checks, rows, rates)


def _too_early(config: Config, as_of: dt.date, nights: list[dt.date]) -> Result:
    why = "the ledger is empty, run `churn score` first"
    if nights:
        days = dt.timedelta(days=config.churn.gap_days + config.churn.horizon_days)
        why = f"the first night, {nights[0]}, can be judged from {nights[0] + days} on"
    text = f"no list has matured by {as_of}: {why}"
    return Result(text, {"as_of": as_of.isoformat(), "nights": 0, "reason": text})


def _spaced(nights: list[dt.date], config: Config) -> list[dt.date]:
    """The newest nights whose label windows do not overlap, newest first."""
    found: list[dt.date] = []
    for night in reversed(nights):
        if not found or (found[-1] - night).days >= config.churn.horizon_days:
            found.append(night)
    return found[:CHECKS]


def _check(sources: Sources, config: Config, night: dt.date, as_of: dt.date) -> Check:
    rows = ledger.read(
        ledger_folder(config),
        night,
        night + dt.timedelta(days=1),
        columns=["as_of", "customer_id", "churn_probability", "chosen"],
    )
    y, p = churned(sources, config, rows, as_of), rows["churn_probability"].to_numpy(np.float64)
    known = np.isfinite(y) & np.isfinite(p)
    listed, y, p = int((rows["chosen"] & known).sum()), y[known], p[known]
    return Check(
        night,
        customers=len(y),
        listed=listed,
        expected=float(p.sum()),
        churned=int(y.sum()),
        auc=auc(y, p) if len(y) else np.nan,
        log_loss=log_loss(y, p) if len(y) else np.nan,
        ece=ece(y, p) if len(y) else np.nan,
        lift_top_tenth=lift_at(y, p, 0.1) if len(y) else np.nan,
    )


def _judged(sources: Sources, config: Config, as_of: dt.date) -> pd.DataFrame:
    """Customers who were drawn, once a control period, with `kept` and `contacted`; censored ones left out."""
    rows = first_nights(mature_rows(config, as_of), config.outreach.control.days)
    if rows.empty:
        return rows.assign(kept=np.zeros(0), contacted=np.zeros(0), who=np.zeros(0, dtype=np.int64))
    reached = contacted(sources, rows, CONTACT_DAYS)
    rows = rows.assign(
        kept=1 - churned(sources, config, rows, as_of),
        contacted=np.nan if reached is None else reached,
        who=pd.factorize(rows["customer_id"])[0],
    )
    return rows.loc[rows["kept"].notna()].reset_index(drop=True)


def _group(name: str, rows: pd.DataFrame) -> Group:
    # A period in which chance put all into one group says nothing of the other.
    rows = rows.loc[rows["propensity"].between(0, 1, inclusive="neither")]
    listed, who = rows["chosen"].to_numpy(bool), rows["who"].to_numpy(np.int64)
    chance = rows["propensity"].to_numpy(np.float64)
    kept, value = rows["kept"].to_numpy(np.float64), rows["value"].fillna(0.0).to_numpy(np.float64)
    reached = rows["contacted"].to_numpy(np.float64)
    return Group(
        name,
        kept_effect(kept, listed, chance, who),
        value_effect(value, kept, listed, chance, who),
        float(reached[listed].mean()) if listed.any() else np.nan,
        float(reached[~listed].mean()) if (~listed).any() else np.nan,
    )


def _groups(rows: pd.DataFrame) -> list[Group]:
    actions = rows["action"].dropna()
    return [
        _group("all", rows),
        *(_group(a, rows.loc[rows["action"] == a]) for a in sorted(actions.unique())),
    ]


def _learned(rows: pd.DataFrame, playbook: Playbook) -> dict[str, SaveRate]:
    found = save_rates.priors(playbook)
    for action in found.keys() & set(rows["action"].dropna()):
        at = rows.loc[rows["action"] == action]
        counts = [at.loc[at[group], "kept"] for group in ("chosen", "control")]
        (kept, n), (kept_0, n_0) = ((float(c.sum()), float(len(c))) for c in counts)
        found[action] = save_rate(found[action], kept, n, kept_0, n_0)
    return dict(sorted(found.items()))


def _forecast(config: Config) -> Mapping[str, float]:
    """What the champion's backtest promised; empty when no champion can be asked."""
    if config.tracking.uri is None and not (config.home / "mlflow.db").exists():
        return {}  # to ask would make an empty store
    try:
        return registry.load_champion(tracking_of(config)).metadata["test_metrics"]
    except (ModelError, TryAgainError, KeyError):
        return {}


def _result(
    config: Config,
    as_of: dt.date,
    nights: list[dt.date],
    checks: list[Check],
    rows: pd.DataFrame,
    rates: SaveRates,
) -> Result:
    promised, groups, power = _forecast(config), _groups(rows), _power(config, rows, nights)
    harmful = groups[0].kept.high < 0
    precision = _precision(rows)
    lines = [
        f"{config.name} as of {as_of}: {len(nights)} nights judged, {nights[0]} to {nights[-1]}",
        "",
        "How good the scores were",
        check_table(checks, promised),
        "",
        f"What the list changed: {len(rows):,} customers, each once a control period, kept or not after "
        f"{config.churn.gap_days + config.churn.horizon_days} days",
        group_table(groups),
        *precision_lines(precision),
        *power["lines"],
        *(["the list drives customers away: look at its actions before the next one"] if harmful else []),
        "",
        "What the next list believes",
        rate_table(rates),
    ]
    values = {
        "as_of": as_of.isoformat(),
        "nights": len(nights),
        "checks": [plain(asdict(c) | {"night": c.night.isoformat()}) for c in checks],
        "backtest": plain(
            {k: promised[k] for k in ("auc", "log_loss", "ece", "lift_top_tenth") if k in promised}
        ),
        "effects": [g.values() for g in groups],
        "precision": precision,
        "power": power["values"],
        "save_rates": {name: asdict(rate) | {"mean": rate.mean} for name, rate in rates.rates.items()},
    }
    return Result("\n".join(lines), values, 3 if harmful else 0)


def _precision(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Share who left, with its interval, of the list and of its control group, whom nobody held back."""
    found = {}
    for name, group in (("list", "chosen"), ("control", "control")):
        left = 1 - rows.loc[rows[group], "kept"]
        if len(left):
            low, high = wilson(float(left.sum()), len(left))
            found[name] = {"customers": len(left), "left": float(left.mean()), "low": low, "high": high}
    return found


def _power(config: Config, rows: pd.DataFrame, nights: list[dt.date]) -> dict[str, Any]:
    """The smallest effect that the rows can show, and how long it takes to see smaller ones."""
    listed, control = int(rows["chosen"].sum()), int(rows["control"].sum())
    share = control / len(rows) if control else config.outreach.control.share
    if not len(rows) or not 0 < share < 1:
        why = "nobody was drawn yet" if share else "no control group (outreach.control.share is 0), no effect"
        return {"lines": [why], "values": {"smallest_effect": None, "days_until": {}}}
    rate = float(rows.loc[rows["control"] if control else rows["chosen"], "kept"].mean())
    smallest = smallest_effect(rate, listed, control)
    a_day = len(rows) / ((nights[-1] - nights[0]).days + 1)
    days = {
        points: max(0, int(np.ceil((rows_needed(rate, points, share) - len(rows)) / a_day)))
        for points in POINTS
    }
    values = {
        "smallest_effect": smallest,
        "days_until": {f"{points:g}": wait for points, wait in days.items()},
    }
    return {"lines": [power_line(smallest, days)], "values": plain(values)}
