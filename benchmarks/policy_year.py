"""A year of weekly lists under a policy, on a simulated company."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.policy_company import (
    HISTORY,
    NEVER,
    NOBODY,
    Bools,
    Company,
    Events,
    Floats,
    Ints,
    Money,
    State,
    day_of,
)
from benchmarks.policy_product import SMALL, Product
from benchmarks.policy_records import Records

CAPACITY = 0.04
REST = 4
TRAIN_EVERY = 26
LOOK_EVERY = 4
RISK_EVERY = 2


@dataclass
class Year:
    """What a policy did.

    Parameters
    ----------
    worth
        Week since the first list to: earned - spent + what those who are there will bring.
    spent
        Week to what contacts had cost by then, discounts aside.
    told
        What the product says in the end of delay or prevention; empty for other policies.
    """

    policy: str
    money: Money = field(default_factory=Money)
    worth: dict[int, float] = field(default_factory=dict)
    spent: dict[int, float] = field(default_factory=dict)
    told: str = ""
    seconds: float = 0.0


Choice = Callable[[State, int], Ints]


@dataclass
class Setting:
    """A company when its first list is due, its records and events so far, and how many a list may hold."""

    company: Company
    state: State
    folder: Path
    roles: set[str]
    capacity: int
    past: list[Events]


def settled(company: Company, folder: Path) -> Setting:
    """Live the history, and write it down."""
    records = Records(company, folder)
    state, nobody, past = company.start(), np.full(len(company.born), NOBODY), []
    for week in range(HISTORY):
        state, events = company.week(state, week, nobody, None)
        records.note(week, events)
        past.append(events)
    capacity = max(1, round(CAPACITY * int(company.there(state, HISTORY).sum())))
    return Setting(company, state, folder, records.roles, capacity, past)


def live(setting: Setting, policy: str, weeks: int, folder: Path) -> Year:
    """So many weeks of lists; `folder` is for the product's use."""
    year, begun = Year(policy), time.perf_counter()
    if policy not in ("product", *RISKS):
        lived(setting, year, weeks, choice_of(setting, policy))
        return year
    records = records_of(setting, folder)
    records.customers(setting.state, HISTORY)
    product = Product(records.config(setting.capacity, SMALL), setting.company.seed)
    choose = choice_of(setting, policy, product)

    def recorded(state: State, week: int) -> Ints:
        records.customers(state, week)
        return choose(state, week)

    state = lived(setting, year, weeks, recorded, records.note)
    if policy == "product":
        records.customers(state, HISTORY + weeks)
        year.told = product.lasting(day_of(HISTORY + weeks))
    year.seconds = time.perf_counter() - begun
    return year


def lived(
    setting: Setting,
    year: Year,
    weeks: int,
    choose: Choice,
    note: Callable[[int, Events], None] = lambda week, events: None,
) -> State:
    """Live the weeks, each chosen for and told of, and note in `year` what came of it; returns the last state."""
    company, state = setting.company, setting.state
    for week in range(HISTORY, HISTORY + weeks):
        state, events = company.week(state, week, choose(state, week), year.money)
        note(week, events)
        done = week + 1 - HISTORY
        if done % LOOK_EVERY == 0 or done in (26, weeks):
            year.worth[done] = year.money.earned - year.money.spent + company.prospect(state, week + 1)
            year.spent[done] = year.money.spent
    return state


RISKS = ("risk", "risk x value")


def policies_of(setting: Setting) -> list[str]:
    """Names of all policies of a company."""
    rules = list(setting.company.rules(setting.state, HISTORY))
    return ["nobody", "random", *RISKS, *rules, "product", "oracle"]


def records_of(setting: Setting, folder: Path) -> Records:
    """The history, shared by links, and place for what comes."""
    records = Records(setting.company, folder)
    records.roles = set(setting.roles)
    for role in setting.roles:
        (folder / role).mkdir(parents=True)
        for file in (setting.folder / role).iterdir():
            (folder / role / file.name).hardlink_to(file)
    return records


def choice_of(setting: Setting, policy: str, product: Product | None = None) -> Choice:
    """Who is contacted in a week, and how, by a policy's name."""
    company, capacity = setting.company, setting.capacity
    nobody = np.full(len(company.born), NOBODY)
    any_action = np.random.default_rng([company.seed, 55]).integers(
        0, len(company.means), (company.weeks, len(nobody))
    )
    listed_at = np.full(len(nobody), NEVER)

    def rested(chosen: Callable[[State, int], tuple[Floats, Ints]]) -> Choice:
        """The best of those who have not been listed lately."""

        def choice(state: State, week: int) -> Ints:
            score, action = chosen(state, week)
            free = company.known(state, week) & (week - listed_at >= REST)
            best = top(np.where(free, score, -np.inf), capacity)
            listed_at[best] = week
            return np.where(best, action, NOBODY)

        return choice

    if policy == "nobody":
        return lambda state, week: nobody
    if policy == "random":
        return rested(lambda state, week: (1 - company.draws(week)[16], any_action[week]))
    if policy == "oracle":
        return lambda state, week: _perfect(company, state, week, capacity)
    if product is not None:
        if policy == "product":
            return _of_product(company, product)
        return rested(_of_risk(company, product, any_action, with_value=policy == "risk x value"))
    return rested(lambda state, week: company.rules(state, week)[policy])


def top(score: Floats, capacity: int) -> Bools:
    """The best, of those with a score above 0."""
    chosen = np.zeros(len(score), bool)
    chosen[np.argsort(-score, kind="stable")[:capacity]] = True
    return chosen & (score > 0)


def _perfect(company: Company, state: State, week: int, capacity: int) -> Ints:
    gains = company.gains(state, week)
    best = top(gains.max(axis=1), capacity)
    return np.where(best, gains.argmax(axis=1), NOBODY)


def _of_product(company: Company, product: Product) -> Choice:
    place = pd.Series(np.arange(len(company.ids)), company.ids)
    number = {name: i for i, name in enumerate(company.means)}

    def choice(state: State, week: int) -> Ints:
        if (week - HISTORY) % TRAIN_EVERY == 0:
            product.train(day_of(week))
        chosen = product.night(day_of(week)).decision.chosen
        action = np.full(len(place), NOBODY)
        action[place[chosen["customer_id"]].to_numpy()] = chosen["action"].map(number).to_numpy()
        return action

    return choice


def _of_risk(
    company: Company, product: Product, any_action: Ints, *, with_value: bool
) -> Callable[[State, int], tuple[Floats, Ints]]:
    """The product's probabilities of every other week, trained once; with value: times what was spent a week."""
    place = pd.Series(np.arange(len(company.ids)), company.ids)
    probability = np.zeros(len(place))

    def chosen(state: State, week: int) -> tuple[Floats, Ints]:
        if week == HISTORY:
            product.train(day_of(week))
        if (week - HISTORY) % RISK_EVERY == 0:
            found = product.probabilities(day_of(week))
            probability[:] = 0.0
            probability[place[found.index].to_numpy()] = found.to_numpy()
        score = probability
        if with_value:
            score = probability * company.value(state, week)
        return score, any_action[week]

    return chosen


def run(company: Company, weeks: int, only: tuple[str, ...] = ()) -> dict[str, Year]:
    """Every policy on one company."""
    with tempfile.TemporaryDirectory() as folder:
        setting = settled(company, Path(folder) / "history")
        names = [p for p in policies_of(setting) if not only or p in only]
        return {p: live(setting, p, weeks, Path(folder) / p.replace(" ", "_")) for p in names}
