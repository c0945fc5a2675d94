"""The simulated company of `benchmarks.policy`: hidden kinds of customers, known chances, known effects."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats
from pipeline.outcomes.draws import control_period

KINDS = ("persuadable", "sure", "lost", "driven away")
SHARES = np.array([0.3, 0.35, 0.15, 0.2])
LEAVING = np.array([-3.5, -6.5, -2.0, -3.2])
ON_CONTACT = np.array([-1.8, 0.0, -0.05, 0.9])
OPENNESS = np.array([1.0, 0.3, 0.0, -1.0])
START = dt.date(2025, 1, 6)
WARM_UP, YEAR, WINDOW = 26, 52, 8
COST, COMPLIANCE = 1.0, 0.85
CONTROL_DAYS = 180


@dataclass(frozen=True)
class World:
    """What happens whatever anybody does: newcomers, moods and chances; arrays of shape (weeks, customers).

    A place whose customer leaves is taken by the newcomer of that week.
    """

    kind: NDArray[np.int64]
    own: Floats
    value: Floats
    noise: Floats
    mood: Floats
    chance: Floats
    complies: NDArray[np.bool_]
    control: Floats


def world(seed: int, customers: int) -> World:
    """Draw a company."""
    rng, weeks = np.random.default_rng(seed), WARM_UP + YEAR + WINDOW
    shape = (weeks + 1, customers)
    mood = rng.normal(0, 0.5, shape)
    for t in range(1, weeks + 1):
        mood[t] = 0.9 * mood[t - 1] + np.sqrt(1 - 0.81) * mood[t]
    return World(
        kind=rng.choice(4, shape, p=SHARES),
        own=rng.normal(0, 0.4, shape),
        value=rng.lognormal(4.5, 0.6, shape),
        noise=rng.normal(0, 1, (3, *shape)),
        mood=mood,
        chance=rng.random(shape),
        complies=rng.random(shape) < COMPLIANCE,
        control=rng.random(
            (
                control_period(day_of(weeks), CONTROL_DAYS) - control_period(day_of(0), CONTROL_DAYS) + 1,
                customers,
            )
        ),
    )


def day_of(week: int) -> dt.date:
    """First day of a week."""
    return START + dt.timedelta(weeks=week)


def sigmoid(x: Floats) -> Floats:
    """Chance of log odds."""
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass
class Company:
    """A company that lives through a world, week by week."""

    world: World
    week: int = 0
    born: NDArray[np.int64] = field(init=False)
    until: NDArray[np.int64] = field(init=False)
    quiet: NDArray[np.int64] = field(init=False)
    seen: list[Floats] = field(default_factory=list)
    left: list[NDArray[np.bool_]] = field(default_factory=list)
    ids: list[NDArray[np.int64]] = field(default_factory=list)
    listed: list[NDArray[np.bool_]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Everybody starts in week 0 and nobody has been contacted."""
        n = self.world.kind.shape[1]
        self.born, self.until, self.quiet = (np.zeros(n, dtype=np.int64) for _ in range(3))

    def of(self, values: Floats) -> Floats:
        """What the present customers brought along."""
        return values[self.born, np.arange(len(self.born))]

    def features(self) -> Floats:
        """What can be known of the present customers, shape (customers, features)."""
        w, kind = self.world, self.of(self.world.kind)
        odds = LEAVING[kind] + self.of(w.own)
        return np.column_stack(
            [
                odds + w.mood[self.week] + 0.6 * self.of(w.noise[0]),
                OPENNESS[kind] + 0.7 * self.of(w.noise[1]),
                self.week - self.born,
                self.of(w.value),
                self.of(w.noise[2]),
            ]
        ).astype(np.float64)

    def chances(self) -> tuple[Floats, Floats]:
        """True chance of leaving within the window, without and with a contact now; shape (customers,) each."""
        kind = self.of(self.world.kind)
        odds = LEAVING[kind] + self.of(self.world.own) + self.world.mood[self.week : self.week + WINDOW]
        stays = [
            np.prod(1 - sigmoid(odds + effect), axis=0) for effect in (np.zeros(len(kind)), ON_CONTACT[kind])
        ]
        return 1 - stays[0], 1 - stays[1]

    def live(self, listed: NDArray[np.bool_], contacted: NDArray[np.bool_]) -> None:
        """Pass a week, with these contacts at its start."""
        w, t, kind = self.world, self.week, self.of(self.world.kind)
        self.seen.append(self.features())
        self.listed.append(listed)
        self.ids.append(self.born * len(self.born) + np.arange(len(self.born)))
        self.until = np.where(contacted, t + WINDOW, self.until)
        odds = LEAVING[kind] + self.of(w.own) + w.mood[t] + ON_CONTACT[kind] * (self.until > t)
        gone = w.chance[t] < sigmoid(odds)
        self.left.append(gone)
        self.born = np.where(gone, t + 1, self.born)
        self.until, self.quiet = np.where(gone, 0, self.until), np.where(gone, 0, self.quiet)
        self.week = t + 1

    def churned(self, week: int) -> NDArray[np.bool_]:
        """Who of the customers of a past week left within the window."""
        return np.any(self.left[week : week + WINDOW], axis=0)


def year_end_truth(company: Company) -> Floats:
    """True chances of leaving without a contact of those who were there in the year's last week."""
    week = WARM_UP + YEAR - 1
    born, places = company.ids[week] // len(company.born), np.arange(len(company.born))
    odds = LEAVING[company.world.kind[born, places]] + company.world.own[born, places]
    return 1 - np.prod(1 - sigmoid(odds + company.world.mood[week : week + WINDOW]), axis=0)
