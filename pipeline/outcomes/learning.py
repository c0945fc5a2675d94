"""Learn from everybody whom chance listed or left alone: what the next list believes, and what is proven."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.playbook import Playbook, load_playbook
from configs.schema import Config
from models.effects.contact import Drawn, fit_contact_effect
from models.effects.expected import expected_alive, kept_by, recalibrated, shown_by, shown_in_silence
from models.effects.sequence import NOTHING, Bounds, bounds
from models.statistics.metrics import auc, ece, lift_at, log_loss
from pipeline.log import Say, logged_stage
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.drawn import (
    by_chance,
    churned,
    drawn_rows,
    is_mature,
    kept_so_far,
    mature_nights,
    of_customers,
    still_there_now,
)
from pipeline.outcomes.learned import ALL, Learned, NightCheck
from pipeline.outcomes.situation import from_record, there_of
from pipeline.publish import only_run
from pipeline.sources.opening import Sources

_YEAR = 365
# The newest rows teach the most about today's customers, and more would only cost time.
_MOST_ROWS = 20_000
_CHECKS = 12
_JUDGED = (
    "kept",
    "residual",
    "noise",
    "shown",
    "mature",
    "who",
    "there_residual",
    "there_noise",
    "there_shown",
)


def playbook_of(config: Config) -> Playbook:
    """The playbook that a config names, or the one that comes with churn."""
    return load_playbook(config.path(config.outreach.playbook) if config.outreach.playbook else None)


def judged_rows(sources: Sources, config: Config, folder: Path, as_of: dt.date) -> pd.DataFrame:
    """Everybody who was drawn for, with `kept` so far, what was `expected`, and how much of an effect shows.

    Columns `residual`, `noise`, `shown`, `mature`, `who`, and those of `_there_by_now` beside those of the ledger;
    censored rows are left out.
    """
    rows = drawn_rows(folder, config, as_of)
    if rows.empty:
        return rows.assign(**dict.fromkeys(_JUDGED, 0.0))
    theirs = of_customers(sources, rows["customer_id"].tolist())
    kept = kept_so_far(theirs, config, rows, as_of)
    return judged(rows, kept, still_there_now(theirs, config, rows, kept, as_of), config)


def judged(rows: pd.DataFrame, kept: Floats, there: Floats, config: Config) -> pd.DataFrame:
    """Rows of `drawn_rows` against what was expected of them.

    Parameters
    ----------
    kept
        1 kept so far, 0 lost, NaN unknown; shape (rows,).
    there
        Of `still_there_now`: what the model of the effect learns from. What is proven rests on `kept`.
    """
    known = np.isfinite(kept) & np.isfinite(rows["churn_probability"].to_numpy(np.float64))
    there = np.where(np.isfinite(there), there, kept)
    rows, kept, there = rows.loc[known].reset_index(drop=True), kept[known], there[known]
    p = rows["churn_probability"].to_numpy(np.float64)
    share = rows["age"].to_numpy(np.float64) / config.churn.horizon_days
    contractual = config.churn.kind == "contractual"
    expected = recalibrated(kept_by(p, share, contractual=contractual), share, kept)
    return rows.assign(
        kept=kept,
        residual=kept - expected,
        noise=expected * (1 - expected),
        shown=shown_by(p, share, contractual=contractual),
        mature=is_mature(config, rows),
        who=pd.factorize(rows["customer_id"])[0],
        **_there_by_now(rows, there, p, config),
    )


def _there_by_now(rows: pd.DataFrame, there: Floats, p: Floats, config: Config) -> dict[str, Floats]:
    """Columns `there_residual`, `there_noise`, `there_shown`: who is still there by now, against what was expected."""
    share = rows["days"].to_numpy(np.float64) / config.churn.horizon_days
    if config.churn.kind == "contractual":
        expected = recalibrated(kept_by(p, share, contractual=True), share, there)
        noise, shown = expected * (1 - expected), shown_by(p, share, contractual=True)
    else:
        expected, noise = expected_alive(there, there_of(rows["inputs"]), p, share)
        shown = shown_in_silence(p, share)
    return {"there_residual": there - expected, "there_noise": noise, "there_shown": shown}


def drawn_of(rows: pd.DataFrame, actions: tuple[str, ...]) -> Drawn:
    """Rows of `judged_rows` as the model of the effect takes them, of actions that still exist."""
    use = rows["action"].isin(actions) & by_chance(rows) & rows["inputs"].notna()
    some = rows.loc[use].tail(_MOST_ROWS)
    number = {name: i for i, name in enumerate(actions)}

    def column(name: str) -> np.ndarray:
        return some[name].to_numpy(np.float64)

    return Drawn(
        from_record(some["inputs"].tolist()),
        some["action"].map(number).to_numpy(np.int64),
        some["chosen"].to_numpy(np.float64),
        column("propensity"),
        column("there_residual"),
        column("there_noise"),
        column("there_shown"),
    )


def proven(rows: pd.DataFrame, config: Config, resumed: Mapping[str, dt.date]) -> dict[str, Bounds]:
    """Bounds of the effect of all actions together and of each, from rows whose whole window has passed."""
    use = rows.loc[rows["mature"].astype(bool) & by_chance(rows)]
    target = expected_rows(rows, config)
    found = {ALL: _bounds(use, resumed.get(ALL), target)}
    for action in sorted(use["action"].dropna().unique()):
        share = max(float((use["action"] == action).mean()), 0.05)
        found[action] = _bounds(use.loc[use["action"] == action], resumed.get(action), target * share)
    return found


def expected_rows(rows: pd.DataFrame, config: Config) -> float:
    """Randomised rows that a year brings at the pace of the first window; outcomes have no part in it."""
    rows = rows.loc[by_chance(rows)]
    if rows.empty:
        return 0.0
    days = config.churn.gap_days + config.churn.horizon_days
    since = pd.to_datetime(rows["as_of"])
    early = int((since < since.min() + pd.Timedelta(days=days)).sum())
    return early * _YEAR / days


def _bounds(rows: pd.DataFrame, since: dt.date | None, target: float) -> Bounds:
    if since is not None:
        rows = rows.loc[pd.to_datetime(rows["as_of"]) >= pd.Timestamp(since)]
    if rows.empty:
        return NOTHING
    e = rows["propensity"].to_numpy(np.float64)
    left, told = rows["residual"].to_numpy(np.float64), e * (1 - e)
    scores = (rows["chosen"].to_numpy(np.float64) - e) * left
    who = rows["who"].to_numpy(np.int64)
    return bounds(scores, float(told.sum()), who, target, variance=float(told @ left**2))


def usual_arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Those listed and those left to the team; `propensity` is the chance of the list among the two.

    Parameters
    ----------
    rows
        Of `judged_rows`, mature.
    """
    arms = rows.loc[rows["chosen"].astype(bool) | rows["usual"].astype(bool)]
    arms = arms.loc[by_chance(arms)]
    if arms.empty or not arms["usual"].any():
        return arms.iloc[:0]
    # Of those kept from the list, the same share was left to the team every night.
    share, e = float(rows["usual"].sum() / rows["control"].sum()), arms["propensity"].to_numpy(np.float64)
    return arms.assign(propensity=e / (e + (1 - e) * share))


def against_usual(rows: pd.DataFrame, config: Config) -> Bounds | None:
    """Bounds of the effect of the list against what the team would have done anyway; None without any such row."""
    mature = rows.loc[rows["mature"].astype(bool) & by_chance(rows)]
    arms = usual_arms(mature)
    share = len(arms) / max(len(mature), 1)
    return _bounds(arms, None, expected_rows(rows, config) * share) if len(arms) else None


def night_checks(sources: Sources, config: Config, folder: Path, as_of: dt.date) -> list[NightCheck]:
    """Scores against what happened, of the newest nights whose label windows do not overlap, newest first."""
    nights = _spaced(mature_nights(folder, config, as_of), config)
    return [_check(sources, config, folder, night, as_of) for night in nights]


def _spaced(nights: list[dt.date], config: Config) -> list[dt.date]:
    found: list[dt.date] = []
    for night in reversed(nights):
        if not found or (found[-1] - night).days >= config.churn.horizon_days:
            found.append(night)
    return found[:_CHECKS]


def _check(sources: Sources, config: Config, folder: Path, night: dt.date, as_of: dt.date) -> NightCheck:
    rows = ledger.read_ledger(
        folder,
        night,
        night + dt.timedelta(days=1),
        columns=["as_of", "customer_id", "churn_probability", "chosen"],
    )
    y, p = churned(sources, config, rows, as_of), rows["churn_probability"].to_numpy(np.float64)
    known = np.isfinite(y) & np.isfinite(p)
    listed, y, p = int((rows["chosen"] & known).sum()), y[known], p[known]
    return NightCheck(
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


def learn(
    sources: Sources, config: Config, folder: Path, as_of: dt.date, say: Say = lambda line: None
) -> tuple[Learned, pd.DataFrame]:
    """Learn from all lists so far, and keep it beside the ledger for the next one.

    Returns
    -------
    tuple
        What is believed now, and the rows of `judged_rows`.

    Raises
    ------
    ChurnError
        The ledger is damaged.
    """
    with logged_stage("learning", say) as counted:
        found, rows = learned_at(sources, config, folder, as_of)
        some = rows.loc[by_chance(rows)]
        counted(listed_or_left_alone_by_chance=len(some), to_the_end=int(some["mature"].sum()))
    with only_run(folder, "outcomes"):
        learned.write(folder, found)
    return found, rows


def learned_at(
    sources: Sources, config: Config, folder: Path, as_of: dt.date
) -> tuple[Learned, pd.DataFrame]:
    """What `learn` keeps, and the rows of `judged_rows`; nothing is written."""
    rows = judged_rows(sources, config, folder, as_of)
    prior = learned.belief(playbook_of(config))
    resumed = {name: day for name, day in learned.resumed(folder).items() if day <= as_of}
    effect = fit_contact_effect(prior, drawn_of(rows, prior.actions)) if len(rows) else prior
    checks = night_checks(sources, config, folder, as_of)
    return Learned(effect, proven(rows, config, resumed), as_of, against_usual(rows, config), checks), rows


def has_news(folder: Path, config: Config, as_of: dt.date) -> bool:
    """Whether any list is old enough to learn from."""
    oldest = ledger.dates(folder)[:1]
    return bool(oldest) and (as_of - oldest[0]).days > config.churn.gap_days
