"""A simulated company whose customers leave by a known law; the pipeline never reads the truth.

Every customer has a hidden state (satisfaction, last contact, open complaint, account manager) that moves day
by day. `leaving_hazard` turns it into the chance of leaving, and the same state drives what the files show:
purchases and usage fall, scores drop and complaints stay open before a customer leaves.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from configs.errors import ConfigError, DataError, Fault

Kind = Literal["non_contractual", "contractual"]
Array = NDArray[Any]

START, END, CUSTOMERS, HORIZON_DAYS, PATHS = dt.date(2023, 7, 1), dt.date(2026, 7, 1), 2_000, 60, 32
PLANS, PLAN_FEE = np.array(["basic", "standard", "premium"]), np.array([29.0, 79.0, 199.0])
RHYTHM_DAYS, PLAN_ODDS = np.array([75.0, 45.0, 30.0]), np.array([0.25, 0.0, -0.35])
REGIONS, SIZES = ["North", "South", "East", "West"], ["1-9", "10-49", "50-249", "250+"]
_CHANNELS = ["search", "referral", "fair", "partner", "advertisement"]
FIRST = np.array([["Anna", "James", "Mary Ann"], ["زهرا", "علی", "مریم"], ["आरती", "संजय", "गणेश"]], object)
_LAST = np.array(
    [["O'Neill", '"Bo" Berg', "Roy"], ["احمدی", "رضایی", "کریمی"], ["पाटील", "जाधव", "मोरे"]], object
)
AGENTS = np.array(["Eva Brandt", "Tom Hill", "سارا محمدی", "राहुल जोशी", "Lena Roth", "Omar Said", None])
DILIGENCE, ANSWER_RATE = np.array([1.5, 1.2, 1, 0.8, 0.5, 0.3]), np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.04])
REASONS = np.array(["unhappy", "nobody_cares", "competitor", "friend_or_free", "left_market", "closed_down"])
UNCOUNTED, UNCOUNTED_PER_DAY = np.array(["completed", "died"]), 0.03 / 365
WEEKDAY = (1.15, 1.2, 1.2, 1.15, 1.05, 0.7, 0.55)
FILES = ("customers.csv", "transactions.parquet", "feedback.csv", "contacts.csv", "usage.parquet", "truth")


@dataclass(frozen=True)
class Summary:
    """What was written: rows by file, customers who left for any reason, and those still there."""

    folder: Path
    rows: Mapping[str, int]
    left: int
    present: int


@dataclass(frozen=True)
class Population:
    """One value a customer, shape (n,); days are `date.toordinal()`. The last four change daily."""

    started: Array
    plan: Array
    purchase_rate: Array
    usage_rate: Array
    contentment: Array
    price_sensitivity: Array
    phase: Array
    satisfaction: Array
    last_contact: Array
    complaint: Array
    agent: Array

    def take(self, index: Array) -> Population:
        """The customers at `index`."""
        return Population(*(getattr(self, f.name)[index] for f in fields(self)))


@dataclass(frozen=True)
class Story:
    """Leaving day (inf: stays) and reason, events by name, (day, people, who is there) at month starts."""

    people: Population
    left: Array
    reason: Array
    events: Mapping[str, pd.DataFrame]
    snapshots: list[tuple[int, Population, Array]]


def leaving_hazard(people: Population, day: int, effect: Array | float = 0.0) -> Array:
    """Chance, shape (n,), that customers who are still there leave on `day`, a `date.toordinal()`.

    `effect`, a number or shape (n,), is what actions add to the log odds: below 0 keeps, above 0 drives away.

    Examples
    --------
    >>> day = dt.date(2025, 1, 9).toordinal()
    >>> people = _company(3, day - 8, day, default_rng(1))
    >>> bool((leaving_hazard(people, day, effect=-1.0) < leaving_hazard(people, day)).all())
    True
    """
    odds = -8.5 + PLAN_ODDS[people.plan] - 1.1 * people.satisfaction + 0.55 * _overdue(people, day)
    odds = odds + people.complaint + np.exp(-np.maximum(day - people.started, 0) / 120) + effect
    return np.asarray(1 / (1 + np.exp(-odds)))


def _overdue(people: Population, day: int) -> Array:
    return np.asarray(np.clip((day - people.last_contact) / RHYTHM_DAYS[people.plan] - 1, 0, 3))


def simulate(folder: Path, kind: Kind, customers: int, start: dt.date, end: dt.date, *, seed: int) -> Summary:
    """Simulate `[start, end)` and write the role files and `truth/truth.parquet` to `folder`, all or nothing.

    A demo in `folder` is replaced, anything else there refused. The same arguments give the same bytes.
    40 % of the `customers` have started before `start`, the others arrive until `end`.

    Raises
    ------
    ConfigError
        With every argument that makes no sense.
    DataError
        When `folder` holds something that is not a demo.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "demo"
    >>> done = simulate(folder, "contractual", 50, dt.date(2025, 1, 1), dt.date(2025, 4, 1), seed=1)
    >>> done.rows["customers.csv"]
    50
    """
    checks = {
        "kind": (kind in ("non_contractual", "contractual"), f"is {kind!r}", "give one of the two"),
        "customers": (customers > 0, f"is {customers}", "give at least 1"),
        "end": (start < end, f"{end} is not after start {start}", "give a later date"),
    }
    if faults := [Fault(key, what, fix) for key, (good, what, fix) in checks.items() if not good]:
        raise ConfigError("the demo cannot be simulated", faults)
    if folder.exists() and (not folder.is_dir() or {p.name for p in folder.iterdir()} - set(FILES)):
        raise DataError(f"{folder}: holds something that is not a demo; name another folder or move it away")
    first, last = start.toordinal(), end.toordinal()
    rngs = [default_rng(s) for s in SeedSequence(seed).spawn(5)]
    story = _live(_company(customers, first, last, rngs[0]), kind, first, last, rngs[1])
    tables = _records(story, kind, rngs[2]) | _talks(story, last, rngs[3])
    tables["truth/truth.parquet"] = _truth(story, kind, rngs[4])
    _publish(folder, tables)
    left = int(np.isfinite(story.left).sum())
    return Summary(folder, {name: len(table) for name, table in tables.items()}, left, customers - left)


def _publish(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    fresh, stale = (folder.parent / f".{folder.name}.{word}-{os.getpid()}" for word in ("new", "old"))
    try:
        (fresh / "truth").mkdir(parents=True)
        for name, table in tables.items():
            if name.endswith(".csv"):
                table.to_csv(fresh / name, index=False, lineterminator="\n")
            else:
                table.to_parquet(fresh / name, index=False)
        if folder.exists():
            folder.rename(stale)
        fresh.rename(folder)
    finally:
        if stale.exists() and not folder.exists():
            stale.rename(folder)
        for leftover in (fresh, stale):
            shutil.rmtree(leftover, ignore_errors=True)


def _company(n: int, first: int, last: int, rng: Generator) -> Population:
    before = int(0.4 * n)
    earlier = first - 1 - rng.exponential(500, before).astype(int)
    started = np.sort(np.r_[earlier, rng.integers(first, last, n - before)])
    plan, contentment = rng.choice(3, n, p=[0.5, 0.35, 0.15]), rng.normal(0, 0.4, n)
    return Population(
        started=started,
        plan=plan,
        purchase_rate=rng.gamma(2.5, 1 / 45, n),
        usage_rate=rng.gamma(2.0, 0.1, n),
        contentment=contentment,
        price_sensitivity=rng.gamma(2.0, 0.5, n),
        phase=rng.integers(0, 60, n),
        satisfaction=contentment + rng.normal(0, 0.55, n),
        last_contact=np.where(started < first, first - rng.random(n) * RHYTHM_DAYS[plan], started),
        complaint=np.zeros(n, bool),
        agent=rng.integers(0, len(DILIGENCE), n),
    )


def _live(people: Population, kind: Kind, first: int, last: int, rng: Generator) -> Story:
    n = len(people.plan)
    left, reason, snapshots = np.full(n, np.inf), np.full(n, None, object), []
    log: dict[str, list[tuple[Array, ...]]] = defaultdict(list)
    for day in range(first, last + 1):
        there = np.isinf(left) & (people.started < day)
        if dt.date.fromordinal(day).day == 1 and day > first:
            snapshots.append((day, people, there))
        if day == last:
            break
        u, hazard = rng.random(n), leaving_hazard(people, day)
        going = np.flatnonzero(there & (u < hazard + UNCOUNTED_PER_DAY * (kind == "contractual")))
        left[going] = day
        other = rng.choice(UNCOUNTED, len(going), p=[0.85, 0.15])
        reason[going] = np.where(u[going] < hazard[going], _reasons(people.take(going), day, rng), other)
        present = np.isinf(left) & (people.started <= day)
        after, moves = _advance(people, day, present, rng)
        for name, mask in (moves | _visible(people, kind, day, rng)).items():
            index = np.flatnonzero(mask & present)
            mood = people.satisfaction[index] - people.complaint[index]
            log[name].append((np.full(len(index), day), index, mood, people.agent[index]))
        people = after
    columns = {name: map(np.concatenate, zip(*rows, strict=True)) for name, rows in log.items()}
    keys = ("day", "index", "mood", "agent")
    events = {name: pd.DataFrame(dict(zip(keys, c, strict=True))) for name, c in columns.items()}
    return Story(people, left, reason, events, snapshots)


def _reasons(people: Population, day: int, rng: Generator) -> Array:
    price, calm = people.price_sensitivity, np.zeros(len(people.plan))
    unhappy, unseen = people.complaint - people.satisfaction, _overdue(people, day)
    weights = np.stack([unhappy, unseen, price, price - 0.5, calm, calm - 1], axis=1)
    return np.asarray(REASONS[np.argmax(weights + rng.gumbel(size=weights.shape), axis=1)])


def _buying(people: Population, date: dt.date) -> Array:
    season = 1 + 0.25 * np.cos(2 * np.pi * (date.timetuple().tm_yday - 335) / 365.25)
    mood = np.exp(0.9 * np.clip(people.satisfaction, -3, 1))
    return np.asarray(people.purchase_rate * WEEKDAY[date.weekday()] * season * mood)


def _visible(people: Population, kind: Kind, day: int, rng: Generator) -> dict[str, Array]:
    """Masks of the events that leave the state as it is."""
    u, date = rng.random((3, len(people.plan))), dt.date.fromordinal(day)
    usage = people.usage_rate * WEEKDAY[date.weekday()] * np.exp(0.8 * np.clip(people.satisfaction, -3, 1))
    billed, bought = people.phase % 28 + 1 == date.day, u[0] < -np.expm1(-_buying(people, date))
    return {
        "purchase": (billed if kind == "contractual" else bought) | (people.started == day),
        "usage": u[1] < -np.expm1(-usage),
        "question": u[2] < 0.006,
        "survey": (day - people.phase) % 60 == 0,
        "newsletter": (people.phase % 5 < 2) & (date.day == 15 and date.month % 3 == 0),
    }


def _advance(
    people: Population, day: int, present: Array, rng: Generator
) -> tuple[Population, dict[str, Array]]:
    """Move the state to the next day; masks of who was contacted, complained, had a complaint answered."""
    n, mood, agent, date = len(present), people.satisfaction, people.agent, dt.date.fromordinal(day)
    u, waited = rng.random((3, n)), (day - people.last_contact) / RHYTHM_DAYS[people.plan] ** 2
    contact = present & (u[0] < 1.6 * DILIGENCE[agent] * waited)
    complaint = present & ~people.complaint & (u[1] < 0.0025 * np.exp(-0.7 * mood))
    answer = present & people.complaint & (u[1] < ANSWER_RATE[agent])
    handover, shock = u[2] < 0.001, np.where(u[2] > 0.997, 0.5 + (u[2] - 0.997) * 500, 0)
    price_rise = 0.5 * people.price_sensitivity * ((date.month, date.day) == (1, 1))
    mood = mood + (people.contentment - mood) / 120 + rng.normal(0, 0.08, n) - shock - price_rise
    after = replace(
        people,
        satisfaction=mood + 0.1 * contact + 0.2 * answer - 0.02 * people.complaint - 0.3 * handover,
        last_contact=np.where(contact, day, people.last_contact),
        complaint=(people.complaint & ~answer) | complaint,
        agent=np.where(handover, (agent + 1) % len(DILIGENCE), agent),
    )
    return after, {"contact": contact, "complaint": complaint, "answer": answer}


def _time(days: Any) -> Any:
    """Ordinal days as timestamps to the second; infinite days have none."""
    seconds = np.round((np.where(np.isfinite(days), days, np.nan) - dt.date(1970, 1, 1).toordinal()) * 86_400)
    return pd.Series(pd.to_datetime(seconds, unit="s")).astype("datetime64[us]")


def _ids(index: Any) -> Array:
    return np.array([f"{i + 1:06d}" for i in index], object)


def _events(story: Story, rng: Generator, name: str) -> pd.DataFrame:
    """Events in order of time, in working hours and imported half a day later in the mean."""
    rows = story.events[name]
    moment = np.asarray(rows["day"]) + rng.uniform(8 / 24, 20 / 24, len(rows))
    known = _time(moment + rng.exponential(2.0 if name == "survey" else 0.5, len(rows)))
    rows = rows.assign(customer_id=_ids(rows["index"]), occurred_at=_time(moment), known_at=known)
    return rows.sort_values(["occurred_at", "index"], ignore_index=True)


def _records(story: Story, kind: Kind, rng: Generator) -> dict[str, pd.DataFrame]:
    n, plan, script = len(story.left), story.people.plan, rng.choice(3, len(story.left), p=[0.6, 0.2, 0.2])
    name = FIRST[script, rng.integers(0, 3, n)] + " " + _LAST[script, rng.integers(0, 3, n)]
    customers = pd.DataFrame({"customer_id": _ids(np.arange(n)), "name": name, "plan": PLANS[plan]})
    customers = customers.assign(started_at=_time(story.people.started), region=rng.choice(REGIONS, n))
    customers = customers.assign(channel=rng.choice(_CHANNELS, n), company_size=rng.choice(SIZES, n))
    if kind == "contractual":
        customers = customers.assign(ended_at=_time(story.left), end_reason=story.reason)
    bought, used = (_events(story, rng, name) for name in ("purchase", "usage"))
    basket = np.exp(rng.normal(3.6 + 0.4 * plan, 0.5))[bought["index"]] * rng.lognormal(0, 0.4, len(bought))
    amount = PLAN_FEE[plan[bought["index"]]] if kind == "contractual" else basket
    amount = (amount * 1.04 ** (bought["occurred_at"].dt.year - START.year)).round(2)
    bought = bought.assign(transaction_id=[f"T{i:07d}" for i in range(len(bought))], amount=amount)
    event = rng.choice(["login", "search", "report", "export"], len(used), p=[0.5, 0.25, 0.15, 0.1])
    minutes = rng.lognormal(2, 0.5, len(used)) * np.exp(0.3 * np.clip(used["mood"], -3, 1))
    used = used.assign(event=event, value=minutes.round(1))
    return {
        "customers.csv": customers,
        "transactions.parquet": bought[["transaction_id", "customer_id", "occurred_at", "amount"]],
        "usage.parquet": used[["customer_id", "occurred_at", "event", "value"]],
    }


def _talks(story: Story, last: int, rng: Generator) -> dict[str, pd.DataFrame]:
    """Surveys (who is content answers more often) and the contact history, as far as known at the end."""
    names = ("survey", "answer", "contact", "newsletter", "complaint", "question")
    survey, answer, ours, mail, complaint, question = (_events(story, rng, name) for name in names)
    asked = pd.concat([survey.assign(kind="nps"), answer.assign(kind="csat")])
    score = np.clip(np.round(7 + 1.6 * asked["mood"] + rng.normal(0, 1.2, len(asked))), 0, 10)
    answered = rng.random(len(asked)) < 1 / (1 + np.exp(-0.1 - 0.7 * asked["mood"]))
    asked = asked.assign(score=score.where(answered).astype("Int64"))
    early = ours["day"] - story.people.started[ours["index"]] < 60
    ours = ours.assign(topic=np.where(early, "onboarding", "review"), direction="outbound")
    mail = mail.assign(topic="newsletter", direction="outbound", agent=-1)
    solved = question["occurred_at"] + pd.to_timedelta(rng.integers(600, 400_000, len(question)), unit="s")
    question = question.assign(topic=rng.choice(["how-to", "billing"], len(question)), resolved_at=solved)
    complaint, answer = (rows.assign(nth=rows.groupby("index").cumcount()) for rows in (complaint, answer))
    answer = answer.assign(resolved_at=answer["occurred_at"])[["index", "nth", "resolved_at"]]
    complaint = complaint.merge(answer, on=["index", "nth"], how="left").assign(topic="complaint")
    talk = pd.concat([ours, mail, pd.concat([complaint, question]).assign(direction="inbound")])
    over = _time(np.minimum(story.left[talk["index"]], last)).to_numpy()
    channel = rng.choice(["phone", "email", "chat"], len(talk))
    channel = np.where(talk["topic"] == "newsletter", "email", channel)
    talk = talk.assign(channel=channel, agent=AGENTS[talk["agent"]])
    talk = talk.assign(resolved_at=talk["resolved_at"].where(talk["resolved_at"] < over))
    known = [rows[rows["known_at"] < _time([last])[0]] for rows in (asked, talk)]
    asked, talk = (rows.sort_values(["occurred_at", "index"]) for rows in known)
    key = ["customer_id", "occurred_at", "known_at"]
    return {
        "feedback.csv": asked[[*key, "kind", "score"]],
        "contacts.csv": talk[[*key, "channel", "direction", "agent", "topic", "resolved_at"]],
    }


def _outlook(people: Population, kind: Kind, day: int, rng: Generator) -> Array:
    """P(leaves), P(the label says churned) within the horizon from `day`, shape (2, n).

    The mean over simulated paths of the state; along a path the probabilities are exact sums over the days.
    """
    people = people.take(np.tile(np.arange(len(people.plan)), PATHS))
    stay, silent, gone, quiet = (np.full(len(people.plan), x) for x in (1.0, 1.0, 0.0, 0.0))
    for ahead in range(day, day + HORIZON_DAYS):
        hazard = leaving_hazard(people, ahead)
        gone, quiet = gone + stay * hazard, quiet + stay * hazard * silent
        stay = stay * (1 - hazard - UNCOUNTED_PER_DAY * (kind == "contractual"))
        silent = silent * np.exp(-_buying(people, dt.date.fromordinal(ahead)))
        people, _ = _advance(people, ahead, np.ones(len(stay), bool), rng)
    churned = gone if kind == "contractual" else quiet + stay * silent
    return np.asarray(np.stack([gone, churned]).reshape(2, PATHS, -1).mean(axis=1))


def _truth(story: Story, kind: Kind, rng: Generator) -> pd.DataFrame:
    """One row a customer and month start (none: a row without snapshot). Who has left has no P(leaves)."""
    newest = story.snapshots[-1][0] if story.snapshots else -np.inf
    frames = [pd.DataFrame({"index": np.flatnonzero(story.people.started >= newest), "day": np.nan})]
    for day, people, there in story.snapshots:
        truth = np.full((2, len(there)), np.nan)
        truth[1] = 1.0 if kind == "non_contractual" else np.nan
        truth[:, there] = _outlook(people.take(np.flatnonzero(there)), kind, day, rng)
        rows = {"index": np.arange(len(there)), "day": day, "leave_probability": truth[0]}
        frames.append(pd.DataFrame(rows).assign(churn_probability=truth[1])[people.started < day])
    rows = pd.concat(frames, ignore_index=True)
    index, snapshot = rows["index"].to_numpy(), _time(rows["day"])
    rows = rows.assign(customer_id=_ids(index), left_at=_time(story.left[index]), reason=story.reason[index])
    columns = ["customer_id", "left_at", "reason", "snapshot", "leave_probability", "churn_probability"]
    return rows.assign(snapshot=snapshot).reindex(columns=columns)
