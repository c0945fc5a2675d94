"""Learn from everybody whom chance listed or left alone: what the next list believes, and what is proven."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from configs.playbook import Playbook, load_playbook
from configs.schema import Config
from models.effects.contact import Drawn, fit_contact_effect
from models.effects.expected import kept_by, recalibrated, shown_by
from models.effects.sequence import NOTHING, Bounds, bounds
from pipeline.log import Say, logged_stage
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.drawn import drawn_rows, is_mature, kept_so_far, of_customers
from pipeline.outcomes.learned import ALL, Learned
from pipeline.outcomes.situation import from_record
from pipeline.publish import only_run
from pipeline.sources.opening import Sources

_YEAR = 365
# The newest rows teach the most about today's customers, and more would only cost time.
_MOST_ROWS = 20_000


def playbook_of(config: Config) -> Playbook:
    """The playbook that a config names, or the one that comes with churn."""
    return load_playbook(config.path(config.outreach.playbook) if config.outreach.playbook else None)


def judged_rows(sources: Sources, config: Config, folder: Path, as_of: dt.date) -> pd.DataFrame:
    """Everybody who was drawn for, with `kept` so far, what was `expected`, and how much of an effect shows.

    Columns `residual`, `noise`, `shown`, `mature` and `who` beside those of the ledger; censored rows are left out.
    """
    rows = drawn_rows(folder, config, as_of)
    if rows.empty:
        return rows.assign(**dict.fromkeys(["kept", "residual", "noise", "shown", "mature", "who"], 0.0))
    kept = kept_so_far(of_customers(sources, rows["customer_id"].tolist()), config, rows, as_of)
    known = np.isfinite(kept) & np.isfinite(rows["churn_probability"].to_numpy(np.float64))
    rows, kept = rows.loc[known].reset_index(drop=True), kept[known]
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
    )


def drawn_of(rows: pd.DataFrame, actions: tuple[str, ...]) -> Drawn:
    """Rows of `judged_rows` as the model of the effect takes them, of actions that still exist."""
    use = rows["action"].isin(actions) & rows["propensity"].between(0, 1, inclusive="neither")
    use &= rows["inputs"].notna()
    some = rows.loc[use].tail(_MOST_ROWS)
    number = {name: i for i, name in enumerate(actions)}

    def column(name: str) -> np.ndarray:
        return some[name].to_numpy(np.float64)

    return Drawn(
        from_record(some["inputs"].tolist()),
        some["action"].map(number).to_numpy(np.int64),
        some["chosen"].to_numpy(np.float64),
        column("propensity"),
        column("residual"),
        column("noise"),
        column("shown"),
    )


def proven(rows: pd.DataFrame, config: Config, resumed: Mapping[str, dt.date]) -> dict[str, Bounds]:
    """Bounds of the effect of all actions together and of each, from rows whose whole window has passed."""
    use = rows.loc[rows["mature"].astype(bool) & rows["propensity"].between(0, 1, inclusive="neither")]
    target = expected_rows(rows, config)
    found = {ALL: _bounds(use, resumed.get(ALL), target)}
    for action in sorted(use["action"].dropna().unique()):
        share = max(float((use["action"] == action).mean()), 0.05)
        found[action] = _bounds(use.loc[use["action"] == action], resumed.get(action), target * share)
    return found


def expected_rows(rows: pd.DataFrame, config: Config) -> float:
    """Randomised rows that a year brings at the pace of the first window; outcomes have no part in it."""
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
    scores = (rows["chosen"].to_numpy(np.float64) - e) * rows["residual"].to_numpy(np.float64)
    return bounds(scores, float((e * (1 - e)).sum()), rows["who"].to_numpy(np.int64), target)


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
        counted(listed_or_left_alone_by_chance=len(rows), to_the_end=int(rows["mature"].sum()))
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
    return Learned(effect, proven(rows, config, resumed), as_of), rows


def has_news(folder: Path, config: Config, as_of: dt.date) -> bool:
    """Whether any list is old enough to learn from."""
    oldest = ledger.dates(folder)[:1]
    return bool(oldest) and (as_of - oldest[0]).days > config.churn.gap_days
