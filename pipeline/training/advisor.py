"""`churn check`: what churn should mean on these data, and whether more data would help."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np

from configs.errors import HistoryError
from configs.schema import Config
from features.snapshots import DAY, newest_mature, seconds
from models.backtest.learning import LearningCurve, customer_curve, history_curve
from models.backtest.split import fold_at
from models.backtest.undated import CROSS_VALIDATION_FOLDS, fold_of
from models.prediction.sample import Sample
from pipeline.dataset.attributes import suspects_of
from pipeline.dataset.sample import bounded
from pipeline.log import Say
from pipeline.result import Result, table
from pipeline.sources.opening import Sources, open_sources
from pipeline.training.gaps import Horizon, PurchaseDays, active_days_for, horizon_of, returned_within
from pipeline.training.train import backtest_settings, doubts, prepare_history, prepare_table, usable

CANDIDATES = (30, 45, 60, 90, 120, 180, 270, 360)
WITHIN = (7, 14, 30, 60, 90, 180, 360)
FEW_RETURN = 0.25
_WINDOWS = 3
MOST_FOLLOWED = 180
USABLE_CHURNERS = 100
FEWEST_CHURNERS = 20


@dataclass(frozen=True)
class TeamPace:
    """How fast a team gets through its list.

    Parameters
    ----------
    capacity
        Customers on one night's list.
    rest_days
        Days of rest after a contact.
    """

    capacity: int
    rest_days: int

    @classmethod
    def of(cls, config: Config) -> TeamPace:
        """As the config says."""
        return cls(config.outreach.capacity, config.outreach.repeat_days)

    def days_to_act(self, leavers: int) -> int:
        """Days until each of so many was on a list once and the last contact had its time to work.

        Examples
        --------
        >>> TeamPace(capacity=50, rest_days=28).days_to_act(201)
        33
        """
        return math.ceil(leavers / self.capacity) + self.rest_days

    def capacity_for(self, leavers: int, days: int) -> int | None:
        """Customers on one list with which so many days would do; None where the rest alone takes as long.

        Examples
        --------
        >>> TeamPace(50, 28).capacity_for(201, 30), TeamPace(50, 28).capacity_for(201, 28)
        (101, None)
        """
        return math.ceil(leavers / (days - self.rest_days)) if days > self.rest_days else None


@dataclass(frozen=True)
class Advice:
    """What is recommended, and why.

    Parameters
    ----------
    horizon_days, active_days
        The recommendation.
    reason
        One sentence each, with numbers.
    candidates
        Every horizon that the history has room for.
    within
        Days to the share of purchases that another one follows within them.
    """

    horizon_days: int
    active_days: int
    reason: tuple[str, ...]
    candidates: tuple[Horizon, ...]
    within: dict[int, float]


def advise(bought: ir.Table, end: int, pace: TeamPace) -> Advice:
    """Recommend `horizon_days` and `active_days` for customers who give no notice.

    A horizon should be so long that few of those called churned come back and that the team gets round to all who leave
    within it, and as short as that allows: a shorter one is learned from fresher labels. Three label windows have to
    fit into the history: one to learn from, one to check on, one that is not over yet.

    Parameters
    ----------
    bought
        All purchases before `end`, on the local DuckDB.
    end
        The as-of date, in days since 1970.
    pace
        Of the team that contacts them.

    Raises
    ------
    HistoryError
        When not even the shortest horizon fits.
    """
    purchases = PurchaseDays.of(bought)
    first = int(purchases.day.min())
    history = end - first
    longest = max(history // _WINDOWS, CANDIDATES[0])
    days = np.array([c for c in CANDIDATES if c <= history], dtype=np.int64)
    if not len(days):
        raise HistoryError(
            f"{history} days of purchases are too few to look at gaps; {CANDIDATES[0]} are needed"
        )
    active = active_days_for(purchases, end, days)
    followed = int(min(MOST_FOLLOWED, max(CANDIDATES[0], history // 4)))
    found = tuple(
        horizon_of(bought, end, int(c), followed, active)
        for c in days
        if c <= longest and end - followed - c - first >= CANDIDATES[0]
    )
    if not found:
        raise HistoryError(f"{history} days of purchases leave no room for a horizon and the time after it")
    fit = [h for h in found if h.churned >= FEWEST_CHURNERS and h.return_share <= FEW_RETURN]
    in_time = [h for h in fit if pace.days_to_act(h.churned) <= h.days]
    chosen = (
        (in_time or fit)[0]
        if fit
        else min(found, key=lambda h: (np.nan_to_num(h.return_share, nan=1.0), h.days))
    )
    active = max(active, chosen.days)
    why = f"of those silent for {chosen.days} days {chosen.return_share:.0%} came back in the {followed} days after"
    if fit:
        why += f"; the shortest horizon with at most {FEW_RETURN:.0%} is {fit[0].days} days"
    else:
        why += f"; no horizon of at most {longest} days (a third of the history) gets below {FEW_RETURN:.0%}"
    within = dict(zip(WITHIN, returned_within(purchases, end, np.array(WITHIN)).tolist(), strict=True))
    rest = (
        f"nearly all who come back have done so within {active} days: who is silent for longer is no customer"
    )
    return Advice(chosen.days, active, (why, rest, _time_to_act(chosen, pace)), found, within)


def _time_to_act(chosen: Horizon, pace: TeamPace) -> str:
    """Whether the team gets round to all who leave within the horizon, and what would do otherwise."""
    needed = pace.days_to_act(chosen.churned)
    said = (
        f"{chosen.churned:,} leave within {chosen.days} days: with {pace.capacity} a night and {pace.rest_days} days "
        f"for the last contact to work, the team needs {needed:,} days to reach each of them once"
    )
    if needed <= chosen.days:
        return said
    if (capacity := pace.capacity_for(chosen.churned, chosen.days)) is None:
        return f"{said}: the rest (outreach.repeat_days) is as long as the horizon, which leaves one contact"
    return f"{said}; outreach.capacity: {capacity} would do, otherwise the list has to choose"


def recommendations(config: Config, as_of: dt.date, say: Say = lambda line: None) -> Result:
    """Look at the rows, the gaps, the horizons, the snapshots and the learning curves.

    Raises
    ------
    DataError
        A source breaks its contract, or there is too little history.
    """
    parts: list[str] = []
    values: dict[str, Any] = {"as_of": as_of.isoformat(), "kind": config.churn.kind}
    look: tuple[str, ...] = ()
    opened = open_sources(config, as_of, dated=config.churn.kind != "labelled")
    parts.append(rows_text(opened))
    values["rows"] = {role: account.values() for role, account in opened.accounts.items()}
    values["notes"] = list(opened.notes)
    if config.churn.kind != "labelled":
        opened.freshness.require()
        look = (*opened.look, *map(str, suspects_of(opened, config)))
        if opened.matches:
            parts.append("\n".join(map(str, opened.matches)))
            values["known_elsewhere"] = {match.role: match.values for match in opened.matches}
    if config.churn.kind == "non_contractual":
        say("gaps between purchases")
        sources = bounded(opened, config, [as_of], say)
        end = seconds(as_of) // DAY
        pace = TeamPace.of(config)
        advice = advise(sources.local["transactions"], end, pace)
        parts.append(_advice_text(config, advice, pace))
        values["advice"] = {**asdict(advice), "candidates": [_values(h, pace) for h in advice.candidates]}
    try:
        learned, doubted = _learning(config, as_of, values, say)
        parts += learned
        look = (*look, *doubted)
    except HistoryError as error:
        parts.append(f"no learning curve: {error}")
        values["learning"] = None
    return Result("\n\n".join(parts), values).with_look(look)


def rows_text(sources: Sources) -> str:
    """Where every row of each source went, and what was said of it."""
    lines = [account.line(role) for role, account in sources.accounts.items()]
    return "\n".join([*lines, *(f"note: {note}" for note in sources.notes)])


def _values(h: Horizon, pace: TeamPace) -> dict[str, Any]:
    day = dt.date(1970, 1, 1) + dt.timedelta(days=h.snapshot)
    shares = {"return_share": h.return_share, "churn_share": h.churn_share}
    return {**asdict(h), "snapshot": day.isoformat(), "days_to_act": pace.days_to_act(h.churned), **shares}


def _advice_text(config: Config, advice: Advice, pace: TeamPace) -> str:
    gaps = "  ".join(f"{days} days {share:.0%}" for days, share in advice.within.items())
    rows = [
        [
            f"{h.days}",
            str(dt.date(1970, 1, 1) + dt.timedelta(days=h.snapshot)),
            f"{h.customers:,}",
            f"{h.churn_share:.1%}",
            f"{h.return_share:.1%}",
            f"{pace.days_to_act(h.churned):,} days",
            "<- recommended" if h.days == advice.horizon_days else "",
        ]
        for h in advice.candidates
    ]
    followed = advice.candidates[0].followed
    now = config.churn
    head = ["horizon", "snapshot", "customers", "churned", "came back", "to act", ""]
    return "\n".join(
        [
            f"another purchase follows within  {gaps}",
            "",
            table(head, rows),
            f"came back: bought in the {followed} days after the horizon; to act: until the team has reached each once",
            "",
            f"recommended: horizon_days {advice.horizon_days}, active_days {advice.active_days} "
            f"(the config has {now.horizon_days} and {now.active_days})",
            *(f"  {line}" for line in advice.reason),
        ]
    )


def _learning(
    config: Config, as_of: dt.date, values: dict[str, Any], say: Say
) -> tuple[list[str], list[str]]:
    """What the curves show, and what makes a look at the columns needed."""
    undated = config.churn.kind == "labelled"
    every = (prepare_table if undated else prepare_history)(config, as_of, say).sample
    used = list(usable(every, config.model.allow_leaks).used)
    sample = every.columns(used)
    train, test, said = _split_table(sample) if undated else _split_history(sample, config)
    settings = backtest_settings(config)
    parts, curves = [], {"customers": customer_curve(train, test, settings, say)}
    if not undated:
        parts.append(_snapshots_text(sample, config, as_of, values))
        curves["snapshots"] = history_curve(train, test, settings, say)
    later = len(sample.snapshots) - len(train.snapshots)
    parts += [f"{said}\n{curve_text(what, curve, later)}" for what, curve in curves.items()]
    values["learning"] = {what: asdict(curve) for what, curve in curves.items()}
    return parts, doubts(config, every, used)


def _split_history(sample: Sample, config: Config) -> tuple[Sample, Sample, str]:
    fold = fold_at(sample, sample.snapshots[0], config.churn.gap_days, config.churn.horizon_days)
    if fold is None:
        raise HistoryError(
            f"{len(sample.snapshots)} mature snapshots, and none is over before the newest one starts"
        )
    return sample.rows(fold.train_rows), sample.rows(fold.test_rows), f"log loss on {fold}"


def _split_table(sample: Sample) -> tuple[Sample, Sample, str]:
    of = fold_of(sample.customer, 0, CROSS_VALIDATION_FOLDS)
    test = sample.rows(of == 0)
    return sample.rows(of != 0), test, f"log loss on {len(test):,} customers held back; without dates"


def _snapshots_text(sample: Sample, config: Config, as_of: dt.date, values: dict[str, Any]) -> str:
    rows: list[tuple[str, int, int]] = []
    for snapshot in sample.snapshots:
        at = sample.snapshot == snapshot
        rows.append((str(snapshot), int(at.sum()), int(sample.churned[at].sum())))
    values["snapshots"] = [dict(zip(("snapshot", "customers", "churners"), row, strict=True)) for row in rows]
    newest = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days)
    few = sum(churners < USABLE_CHURNERS for _, _, churners in rows)
    shown = [[day, f"{n:,}", f"{ones:,}", f"{ones / n:.1%}"] for day, n, ones in rows]
    lines = [
        f"{len(rows)} mature snapshots (the newest can be {newest})",
        table(["snapshot", "customers", "churners", "share"], shown),
    ]
    if few:
        lines.append(
            f"{few} of them have fewer than {USABLE_CHURNERS} churners: figures of one snapshot are noisy"
        )
    return "\n".join(lines)


def curve_text(what: str, curve: LearningCurve, later: int) -> str:
    """A curve as a table and in a sentence; `later` snapshots are newer than those that it was fitted on."""
    rows = [[f"{p.size:,}", f"{p.rows:,}", f"{p.log_loss:.4f}", f"{p.auc:.4f}"] for p in curve.points]
    shown = table([what, "rows", "log loss", "AUC"], rows)
    if curve.drawn is not None:
        used, known = curve.drawn
        shown += f"\non {used:,} customers drawn of {known:,}"
    if len(curve.points) < 2:
        return f"{shown}\ntoo few {what} for a curve"
    chance = f"(chance: +-{2 * curve.noise:.4f})"
    if curve.gain < 0:
        harm = f"{shown}\nthe last doubling raised the log loss by {-curve.gain:.4f} {chance}"
        if what != "snapshots":
            return f"{harm}: more such {what} would not help"
        return f"{harm}: use fewer snapshots, snapshots.max_count: {curve.best.size + later}"
    if curve.gain == 0:
        return f"{shown}\ntwice as many {what} would hardly help: the last doubling brought nothing beyond chance"
    return f"{shown}\ntwice as many {what} should lower the log loss by about {curve.gain:.4f} {chance}"
