"""A simulated marketplace in which being contacted drives many away.

Most customers take a contact as a nuisance and are likelier to leave for some weeks. It helps those with an open
problem, and newcomers who have not found their way yet. The records show this with noise: not every problem is
reported, not every report is a problem, and some newcomers registered long before their first purchase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.policy_company import NEVER, Bools, Company, Events, Floats, Ints, Means, State

ACTIVE_WEEKS = 26


@dataclass
class Market(Company):
    """See the module."""

    name: ClassVar[str] = "market"
    sizes: ClassVar[tuple[int, int]] = (3_000, 5_000)
    newcomers: ClassVar[tuple[float, float]] = (0.008, 0.016)

    def draw_structure(self) -> None:
        """Who minds, how much and how long; how often problems come and how well they show."""
        rng, n = self.rng, len(self.born)
        self.pace = np.clip(rng.gamma(1.6, rng.uniform(0.15, 0.35), n), 0.06, 1.0)
        self.amount = rng.lognormal(np.log(rng.uniform(15, 60)), rng.uniform(0.6, 1.1), n)
        self.share_earned = rng.uniform(0.08, 0.2)
        self.minds = rng.random(n) < rng.uniform(0.55, 0.8)
        self.reactance, self.lasts = rng.uniform(1.0, 2.0), rng.uniform(4, 9)
        self.base = rng.uniform(0.004, 0.009) * rng.lognormal(0, 0.4, n)
        self.problem_onset, self.problem_ends = rng.uniform(0.003, 0.008), rng.uniform(0.03, 0.08)
        self.problem_weight = rng.uniform(1.3, 2.2)
        self.young_weeks, self.young_weight = rng.uniform(6, 12), rng.uniform(0.8, 1.7)
        self.welcome = rng.uniform(0.6, 1.6)
        self.works = np.array([rng.uniform(0.5, 0.8), rng.uniform(0.2, 0.5)])
        self.soft = np.array([1.0, rng.uniform(0.4, 0.9)])
        self.reports, self.noise_reports = rng.uniform(0.2, 0.45), rng.uniform(0.003, 0.01)
        early = rng.random(n) < 0.3
        self.started = self.started - np.where(early, rng.integers(4, 60, n), 0)
        self.own_rate = rng.uniform(0.002, 0.008)
        a_year = float(np.median(self.amount * self.pace)) * 52 * self.share_earned
        call = rng.uniform(0.01, 0.03) * a_year
        self.means = {"call": Means("phone", round(call, 2)), "write": Means("email", round(call / 4, 2))}

    @property
    def margin(self) -> float:
        """The fee."""
        return round(float(self.share_earned), 3)

    def start(self) -> State:
        """Few have a problem."""
        n = len(self.born)
        share = self.problem_onset / (self.problem_onset + self.problem_ends)
        zero = np.zeros(n)
        facts = {"buys": zero, "spend": zero, "first": np.full(n, NEVER), "last": np.full(n, NEVER)}
        problem = (self.rng.random(n) < share).astype(np.float64) * (self.born == 0)
        return {
            **self.blank(),
            "problem": problem,
            "angry": zero,
            "helped": zero,
            "reported": np.full(n, NEVER),
            **facts,
        }

    def _young(self, week: int) -> Floats:
        age = week - self.born + np.where(self.born == 0, 60, 0)
        return np.exp(-np.maximum(age, 0) / self.young_weeks)

    def hazard(self, state: State, week: int) -> Floats:
        """Up with problems, with a bad start and with anger; down after help."""
        odds = self.problem_weight * state["problem"] + self.young_weight * self._young(week)
        return np.minimum(self.base * np.exp(odds + state["angry"] - state["helped"]), 0.9)

    def earning(self, state: State, week: int) -> Floats:
        """The fee on what is bought."""
        return (1 - np.exp(-self.pace)) * self.amount * self.share_earned

    def moved(self, state: State, week: int, u: Floats | None) -> State:
        """Anger and help wear off; problems come and go."""
        keep = np.exp(-1 / self.lasts)
        had = state["problem"]
        if u is None:
            problem = had * (1 - self.problem_ends) + (1 - had) * self.problem_onset
        else:
            problem = np.where(had > 0, u[0] >= self.problem_ends, u[0] < self.problem_onset).astype(
                np.float64
            )
        return {
            **state,
            "problem": problem,
            "angry": keep * state["angry"],
            "helped": 0.92 * state["helped"],
        }

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """Ends a problem often; helps the new; makes the others angry, twice as much twice in a row."""
        made, which = action >= 0, np.maximum(action, 0)
        had, young = state["problem"], self._young(week)
        ends = self.works[which] if luck is None else luck < self.works[which]
        problem = np.where(made, had * (1 - ends), had)
        helped = state["helped"] + np.where(
            made, self.welcome * young * self.soft[which] * (young > 0.2) * (state["helped"] < 0.3), 0.0
        )
        calm = np.maximum(had, (young > 0.4).astype(np.float64))
        angry = state["angry"] + np.where(
            made & self.minds, self.reactance * self.soft[which] * (1 - calm), 0.0
        )
        last = np.where(made, week, state["last_ours"])
        return {**state, "problem": problem, "helped": helped, "angry": angry, "last_ours": last}

    def usual(self, state: State, week: int, u: Floats) -> Bools:
        """Seldom, and rather those who bought lately."""
        return np.asarray(u < self.own_rate * np.where(week - state["last"] < 8, 1.5, 0.5))

    def lived(self, state: State, week: int, u: Floats) -> tuple[Floats, Events]:
        """Purchases, reports and surveys."""
        there = self.there(state, week)
        new = there & (self.born == week) & (self.born > 0)
        bought = new | (there & (u[8] < 1 - np.exp(-self.pace)))
        paid = np.round(self.amount * np.exp(0.4 * np.sqrt(12) * (u[9] - 0.5)), 2)
        who = np.flatnonzero(bought)
        state["buys"] = state["buys"] + bought
        state["spend"] = state["spend"] + np.where(bought, paid, 0.0)
        state["first"] = np.where(bought & (state["first"] == NEVER), week, state["first"])
        state["last"] = np.where(bought, week, state["last"])
        trouble = state["problem"] > 0
        reported = there & (u[11] < np.where(trouble, self.reports, self.noise_reports))
        state["reported"] = np.where(reported, week, state["reported"])
        at = np.flatnonzero(reported)
        wait = np.where(trouble[at], 25.0, 3.0) * u[13, at] + 0.2
        asked = np.flatnonzero(there & (u[14] < 0.03))
        answers = u[15, asked] < 0.4
        score = np.clip(np.round(7.5 - 3.5 * trouble[asked] + 6 * (u[13, asked] - 0.5)), 0, 10)
        events: Events = {
            "transactions": [{"who": who, "at": self.at(week, u[10, who]), "amount": paid[who]}],
            "contacts": [self.inbound(week, at, u[12], "complaint", wait)],
            "feedback": [
                {
                    "who": asked,
                    "at": self.at(week, u[12, asked]),
                    "score": np.where(answers, score, np.nan),
                    "kind": np.full(len(asked), "rating", object),
                }
            ],
        }
        return np.where(bought, paid * self.share_earned, 0.0), events

    def attributes(self) -> Mapping[str, NDArray[Any]]:
        """Age bands go with who minds, a little; the region does not."""
        says = self.minds * 0.8 + self.rng.random(len(self.minds)) * 1.5
        age = np.array(["young", "middle", "old"], object)[np.searchsorted([0.9, 1.5], says)]
        return {"age": age, "region": np.array(["north", "south", "west"], object)[np.arange(len(age)) % 3]}

    def known(self, state: State, week: int) -> Bools:
        """Bought within half a year."""
        return np.asarray(week - state["last"] <= ACTIVE_WEEKS)

    def settings(self) -> dict[str, Any]:
        """As after `churn check`."""
        return {
            "churn": {"kind": self.kind, "horizon_days": self.horizon_days, "active_days": 7 * ACTIVE_WEEKS}
        }

    def playbook(self) -> dict[str, Any]:
        """Two ways to get in touch, with anybody."""
        anybody = [{"columns": {"purchase_count_ever": {"above": 0}}}]
        return {
            "call": {
                "title": {"en": "Call"},
                "save_rate": {"saved": 2, "lost": 18},
                "when": anybody,
                "settles_complaints": True,
                "message": {"en": "Can I help you with anything?"},
            },
            "write": {
                "title": {"en": "Write"},
                "save_rate": {"saved": 1, "lost": 29},
                "when": anybody,
                "settles_complaints": True,
                "message": {"en": "Can we help you with anything? Just answer this mail."},
            },
        }

    def value(self, state: State, week: int) -> Floats:
        """Spent a week, by the records."""
        return state["spend"] / np.maximum(week - state["first"], 4)

    def rules(self, state: State, week: int) -> dict[str, tuple[Floats, Ints]]:
        """Those who reported something lately; and these and the newcomers."""
        each = np.sqrt(self.value(state, week))
        report = week - state["reported"] <= 4
        fresh = (week - state["first"] <= 8) & (self.started > 0)
        calm = week - state["last_ours"] > 6
        call = np.zeros(len(each), np.int64)
        return {
            "reported": (each * report * calm, call),
            "reported or new": (each * (report + 0.5 * fresh) * calm, call),
        }
