"""What churn means in a company, from its tables: kind, horizon, as-of date, snapshots."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from configs.arrays import Ints
from configs.errors import HistoryError
from configs.schema import Config
from features.snapshots import DAY, EPOCH, seconds
from pipeline.dataset.labelled import CHURNED, KEPT
from pipeline.dataset.sample import bounded
from pipeline.setup.columns import RolePart
from pipeline.setup.draft import Draft
from pipeline.setup.interview import Interview
from pipeline.setup.table_words import says_churned
from pipeline.setup.words import rank
from pipeline.sources.databases import arrow
from pipeline.sources.freshness import STALE_DAYS
from pipeline.sources.opening import Sources
from pipeline.training.advisor import Advice, TeamPace, advise

CONTRACT_HORIZONS = (30, 60, 90, 180, 365)
ENOUGH_ENDINGS = 50
THIRDS = 3
WANTED_SNAPSHOTS = 12
_HALF = 0.5
_SHORTEST, _SIXTH = 7, 6  # of a short history; so that three snapshots have their horizon in it
ENDED_WELL = frozenset(
    {
        *("completed", "complete", "finished", "fulfilled", "graduated", "matured", "abgeschlossen", "پایان"),
        *("died", "death", "deceased", "verstorben", "فوت"),
    }
)


def kind_of(parts: list[RolePart]) -> str:
    """How leaving shows, by the tables that there are."""
    if any({"started_at", "ended_at"} <= set(part.columns) for part in parts):
        return "contractual"
    people = [part for part in parts if part.role == "customers"]
    alone = len(people) == len(parts)
    return "labelled" if alone and any("churned" in part.columns for part in people) else "non_contractual"


def label_words(part: RolePart, interview: Interview, given: str | None) -> list[str]:
    """The values that mean churned; empty where the usual words do."""
    column = part.table.column(part.columns["churned"])
    words = [value.lower().removesuffix(".") for value in column.samples]
    if rank(column.name, "kept") is not None:
        stayed = [value for value in column.samples if value.lower().removesuffix(".") in CHURNED]
        guess = next((value for value in column.samples if value not in stayed), column.samples[0])
        return [
            interview.settle(f"value of {column.name!r} that means churned", guess, "--churned-value", given)
        ]
    if all(word in CHURNED | KEPT for word in words):
        return []
    likely = [v for v in column.samples if says_churned(v) or v.lower() in CHURNED]
    guess = likely[0] if len(likely) == 1 else column.samples[0]
    if len(likely) == 1 and given is None:
        return [guess]
    return [interview.settle(f"value of {column.name!r} that means churned", guess, "--churned-value", given)]


def define(draft: Draft, config: Config, opened: Sources, today: dt.date) -> None:
    """Write as-of date, horizon, active days and snapshots into the draft."""
    churn = draft.values["churn"]
    spells = _spells(opened) if churn["kind"] == "contractual" else None
    newest = opened.freshness.newest or today
    as_of = min(newest + dt.timedelta(days=1), today)
    if spells is None:
        _by_gaps(draft, config, opened, as_of)
    else:
        _by_contracts(draft, spells, as_of, opened.first_day)
        as_of = _while_running(*spells, as_of, churn["horizon_days"])
    if (today - as_of).days > STALE_DAYS or (newest - as_of).days >= 1:
        draft.values["as_of"] = as_of
        draft.remarks["as_of"] = (
            f"stands in for today: the newest row is of {newest}. Leave it out once data come in every day"
        )
    else:
        as_of = today
    _snapshots(draft, opened.first_day, as_of)


def _by_gaps(draft: Draft, config: Config, opened: Sources, as_of: dt.date) -> None:
    churn = draft.values["churn"]
    try:
        some = bounded(opened, config, [as_of], lambda line: None)
        advice: Advice = advise(some.local["transactions"], seconds(as_of) // DAY, TeamPace.of(config))
    except HistoryError as error:
        if "churn.horizon_days" not in draft.remarks:
            churn["horizon_days"] = horizon = max(_SHORTEST, (as_of - opened.first_day).days // _SIXTH)
            churn["active_days"] = 2 * horizon
        draft.doubts.append(f"horizon_days {churn['horizon_days']} is not from the data: {error}")
        return
    if "churn.horizon_days" not in draft.remarks:
        churn["horizon_days"] = advice.horizon_days
        draft.remarks["churn.horizon_days"] = advice.reason[0].partition(";")[0]
    churn["active_days"] = max(advice.active_days, churn["horizon_days"])
    draft.remarks["churn.active_days"] = advice.reason[1].partition(":")[0]


def _spells(opened: Sources) -> tuple[Ints, Ints]:
    """First and last day of each contract, since 1970; far away while it runs."""
    role = "contracts" if "contracts" in opened.tables else "customers"
    rows = arrow(opened.tables[role].select("started_at", "ended_at"))
    start, end = (_days(rows[name].to_pylist()) for name in ("started_at", "ended_at"))
    return start, end


def _days(times: list[dt.datetime | None]) -> Ints:
    far = np.iinfo(np.int64).max // 2
    return np.array([far if t is None else (t.date() - EPOCH).days for t in times], dtype=np.int64)


def _while_running(start: Ints, end: Ints, as_of: dt.date, horizon_days: int) -> dt.date:
    """A day on which contracts run: where an export ends with all of them, a horizon before half have ended."""
    last = (as_of - EPOCH).days
    days = np.arange(int(start.min()) + 1, last + 1)
    running = np.searchsorted(np.sort(start), days, side="right") - np.searchsorted(
        np.sort(end), days, side="right"
    )
    if not len(days) or running[-1] >= _HALF * np.median(running):
        return as_of
    enough = np.flatnonzero(running >= _HALF * np.median(running))
    return EPOCH + dt.timedelta(days=int(days[enough[-1]]) - horizon_days)


def _by_contracts(draft: Draft, spells: tuple[Ints, Ints], as_of: dt.date, first: dt.date) -> None:
    """The shortest horizon with enough endings in it."""
    churn = draft.values["churn"]
    if "churn.horizon_days" in draft.remarks:
        return
    last, history = (as_of - EPOCH).days, (as_of - first).days
    fits = [h for h in CONTRACT_HORIZONS if h * THIRDS <= history] or CONTRACT_HORIZONS[:1]
    ended = {h: int(((spells[1] >= last - h) & (spells[1] < last)).sum()) for h in fits}
    # The newest days may be thin: the mean of the whole history counts as well.
    mean = {h: int((spells[1] < last).sum() * h / max(history, 1)) for h in fits}
    days = next((h for h in fits if max(ended[h], mean[h]) >= ENOUGH_ENDINGS), fits[-1])
    churn["horizon_days"] = days
    draft.remarks["churn.horizon_days"] = (
        f"about {max(ended[days], mean[days]):,} contracts end in so many days"
    )


def _snapshots(draft: Draft, first: dt.date, as_of: dt.date) -> None:
    """Denser snapshots where the history is short; the defaults where it is not."""
    history = (as_of - first).days
    least = min(90, max(30, history // 5))
    room = history - draft.values["churn"]["horizon_days"] - least
    step = 30 if room >= 30 * WANTED_SNAPSHOTS else max(7, room // WANTED_SNAPSHOTS)
    found = {"step_days": step} if step != 30 else {}
    found |= {"min_history_days": least} if least != 90 else {}
    if found:
        draft.values["snapshots"] = found
        draft.remarks["snapshots"] = f"{history} days of history are few: snapshots close together"


def not_churn(part: RolePart) -> list[str]:
    """Reasons of endings that are nobody's loss, such as a course that was completed."""
    name: Any = part.columns.get("end_reason")
    if not isinstance(name, str):
        return []
    return sorted(v for v in part.table.column(name).samples if v.lower() in ENDED_WELL)
