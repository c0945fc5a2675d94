"""What the simulated companies of `benchmarks.policy` share: weeks, hidden state, contacts, money, records.

A company is a number of places, one for each customer who is or will be there. Everything that chance decides of a
customer and a week is drawn from the seed and the week alone, whatever the lists do, so that two policies are compared
on the same company: they differ by the contacts and by what follows from them, and by nothing else.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
State = dict[str, Any]
Events = dict[str, Any]

START = dt.date(2024, 1, 1)  # a Monday
HISTORY = 60
AHEAD = 52
NOBODY = -1
NEVER = -10_000
DRAWS = 17


def day_of(week: int) -> dt.date:
    """First day of a week."""
    return START + dt.timedelta(weeks=week)


def sigmoid(x: Floats) -> Floats:
    """Chance of log odds."""
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass(frozen=True)
class Means:
    """An action of the company's own playbook: what one contact costs, and by which channel it goes.

    `discount` is what it gives away on average, beside the cost; the simulation takes it off what is earned.
    """

    channel: str
    cost: float
    discount: float = 0.0


@dataclass
class Money:
    """Earned and spent since the first list, and what the lists did."""

    earned: float = 0.0
    spent: float = 0.0
    contacts: int = 0
    listed: int = 0
    still_there: int = 0


@dataclass
class Company:
    """A company at a seed; a subclass says how its customers live.

    Parameters
    ----------
    seed
        Of everything.
    customers
        How many there are in week 0; drawn when None.
    weeks
        So many weeks will be lived, history included.
    """

    seed: int
    customers: int | None = None
    weeks: int = HISTORY + AHEAD
    rng: np.random.Generator = field(init=False, repr=False)
    born: Ints = field(init=False, repr=False)
    started: Ints = field(init=False, repr=False)
    ids: NDArray[Any] = field(init=False, repr=False)
    means: dict[str, Means] = field(init=False, repr=False)
    columns: Mapping[str, NDArray[Any]] = field(init=False, repr=False)

    name: ClassVar[str] = ""
    drawn_as: ClassVar[str] = ""  # variants of one company share its structure
    kind: ClassVar[str] = "non_contractual"
    sizes: ClassVar[tuple[int, int]] = (3_000, 5_000)
    newcomers: ClassVar[tuple[float, float]] = (0.006, 0.012)
    horizon_days: ClassVar[int] = 56
    compliance: ClassVar[float] = 0.87

    def __post_init__(self) -> None:
        """Draw the structure, then the customers."""
        self.rng = np.random.default_rng([self.seed, sum(map(ord, self.drawn_as or self.name))])
        n = int(self.rng.integers(*self.sizes)) if self.customers is None else self.customers
        a_week = self.rng.uniform(*self.newcomers) * n
        later = np.sort(self.rng.integers(0, self.weeks, int(a_week * self.weeks)))
        self.born = np.r_[np.zeros(n, np.int64), later]
        before = np.r_[self.rng.exponential(70, n).astype(np.int64), np.zeros(len(later), np.int64)]
        self.started = self.born - before
        self.ids = np.array([f"c{i:05d}" for i in self.rng.permutation(len(self.born))], object)
        self.draw_structure()
        self.columns = self.attributes()

    def draw_structure(self) -> None:
        """Set parameters of the company, `means` and the customers' own constants."""
        raise NotImplementedError

    def start(self) -> State:
        """The hidden state in week 0."""
        raise NotImplementedError

    def hazard(self, state: State, week: int) -> Floats:
        """Chance of leaving in that week, of whoever is still there."""
        raise NotImplementedError

    def earning(self, state: State, week: int) -> Floats:
        """Expected margin of that week."""
        raise NotImplementedError

    def moved(self, state: State, week: int, u: Floats | None) -> State:
        """The state a week later; its expectation when no draws are given."""
        raise NotImplementedError

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """The state right after contacts, one action a customer or `NOBODY`; its expectation without luck."""
        raise NotImplementedError

    def usual(self, state: State, week: int, u: Floats) -> Bools:
        """Whom the company's own people contact in that week, with the first action, list or no list."""
        raise NotImplementedError

    def lived(self, state: State, week: int, u: Floats) -> tuple[Floats, Events]:
        """Margin earned in that week by each customer, and what the records show of it. Notes facts in `state`."""
        raise NotImplementedError

    def attributes(self) -> Mapping[str, NDArray[Any]]:
        """Columns of the customers table beside id and start; kept in `columns`."""
        raise NotImplementedError

    def known(self, state: State, week: int) -> Bools:
        """Customers by the records: who could be on a list."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """The config, but for the sources: sections as in the YAML file."""
        raise NotImplementedError

    def playbook(self) -> dict[str, Any]:
        """The playbook as its user would have written it."""
        raise NotImplementedError

    def value(self, state: State, week: int) -> Floats:
        """Spent a week, by the records."""
        raise NotImplementedError

    def rules(self, state: State, week: int) -> dict[str, tuple[Floats, Ints]]:
        """Plain rules from the records: name to (score, action); only a score above 0 is contacted."""
        raise NotImplementedError

    @property
    def margin(self) -> float:
        """Share of the revenue that is earned."""
        raise NotImplementedError

    @property
    def costs(self) -> Floats:
        """Of one contact by each action."""
        return np.array([m.cost for m in self.means.values()])

    def there(self, state: State, week: int) -> Bools:
        """Customers in fact."""
        return np.asarray(state["alive"] & (self.born <= week))

    def draws(self, week: int) -> Floats:
        """Shape (DRAWS, customers): what chance decides in that week."""
        return np.random.default_rng([self.seed, 77, week]).random((DRAWS, len(self.born)))

    def part(self, state: State, who: Ints) -> tuple[Company, State]:
        """The same company with some of its customers only: what has one row a customer is cut."""
        n, small = len(self.born), copy.copy(self)
        for mine in (vars(small), state := dict(state)):
            for name, value in mine.items():
                if isinstance(value, np.ndarray) and value.shape[:1] == (n,):
                    mine[name] = value[who]
        return small, state

    def future(self, state: State, week: int, weeks: int = AHEAD) -> Floats:
        """What each customer who is there will bring from that week on, if nobody is contacted any more."""
        there = self.there(state, week).astype(np.float64)
        total = np.zeros(len(there))
        for ahead in range(week, week + weeks):
            total += there * self.earning(state, ahead)
            there = there * (1 - self.hazard(state, ahead))
            state = self.moved(state, ahead, None)
        return total

    def gains(self, state: State, week: int) -> Floats:
        """Shape (customers, actions): what one contact now is truly expected to bring, its cost taken off."""
        there = np.flatnonzero(self.there(state, week))
        company, now = self.part(state, there)
        without = company.future(now, week)
        found = np.full((len(self.born), len(self.means)), -np.inf)
        for i, cost in enumerate(self.costs):
            after = company.touched(now, week, np.full(len(there), i), None)
            found[there, i] = company.future(after, week) - without - cost
        return found

    def prospect(self, state: State, week: int) -> float:
        """What all who are there will bring."""
        company, now = self.part(state, np.flatnonzero(self.there(state, week)))
        return float(company.future(now, week).sum())

    def week(self, state: State, week: int, action: Ints, money: Money | None) -> tuple[State, Events]:
        """Live one week with these contacts of the list at its start."""
        u = self.draws(week)
        there = self.there(state, week)
        if money is not None:
            money.listed += int((action >= 0).sum())
            money.still_there += int(there[action >= 0].sum())
        asked = (action >= 0) & (u[0] < self.compliance)
        own = self.usual(state, week, u[1]) & (action < 0) & (self.born <= week)
        made = np.where(asked, action, np.where(own, 0, NOBODY))
        if money is not None:
            money.contacts += int(asked.sum())
            money.spent += float(self.costs[action[asked]].sum())
        after = self.touched(state, week, np.where(there, made, NOBODY), u[2])
        after["last_ours"] = np.where(made >= 0, week, after["last_ours"])
        earned, events = self.lived(after, week, u)
        if money is not None:
            money.earned += float(earned.sum())
        events["contacts"] = self._talks(week, made, u[3]) + events.get("contacts", [])
        gone = there & (u[4] < self.hazard(after, week))
        left = np.where(gone, week, after["left"])
        after = self.moved(after, week, u[5:8])
        return {**after, "alive": after["alive"] & ~gone, "left": left}, events

    def _talks(self, week: int, made: Ints, when: Floats) -> list[Events]:
        who = np.flatnonzero(made >= 0)
        names, means = np.array(list(self.means), object), list(self.means.values())
        channel = np.array([m.channel for m in means], object)[made[who]]
        agents = np.array(["Ines", "Otto", "Priya", "Sam"], object)[who % 4]
        direction = np.full(len(who), "outbound", object)
        resolved = np.full(len(who), np.datetime64("NaT"), "datetime64[s]")
        return [
            {
                "who": who,
                "at": self.at(week, when[who]),
                "channel": channel,
                "direction": direction,
                "agent": agents,
                "topic": names[made[who]],
                "resolved_at": resolved,
            }
        ]

    def inbound(self, week: int, who: Ints, when: Floats, topic: str, days: Floats) -> Events:
        """Contacts that customers began; open when `days` until the answer is infinite."""
        at = self.at(week, when[who])
        known = np.isfinite(days)
        answered = at + (np.where(known, days, 0) * 86_400).astype("timedelta64[s]")
        return {
            "who": who,
            "at": at,
            "channel": np.full(len(who), "phone", object),
            "direction": np.full(len(who), "inbound", object),
            "agent": np.full(len(who), None, object),
            "topic": np.full(len(who), topic, object),
            "resolved_at": np.where(known, answered, np.datetime64("NaT")).astype("datetime64[s]"),
        }

    @staticmethod
    def at(week: int, when: Floats) -> NDArray[Any]:
        """Times within a week."""
        monday = np.datetime64(day_of(week), "s")
        return monday + (when * 7 * 86_400).astype(np.int64).astype("timedelta64[s]")

    def blank(self) -> State:
        """What every state has."""
        n = len(self.born)
        return {
            "alive": np.ones(n, bool),
            "left": np.full(n, -1),
            "last_ours": self.born - self.rng.exponential(16, n).astype(np.int64) * (self.born == 0),
        }
