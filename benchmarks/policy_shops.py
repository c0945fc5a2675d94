"""A simulated company without contracts: customers buy in their own rhythm and leave without a word.

Satisfaction is hidden. It moves around each customer's own level, falls after a bad experience and, in some companies,
while nobody gets in touch. Below a threshold the customer is likely to leave. A contact lifts it, but hardly when the
last one was a short time ago, not of the content, and not of somebody who no longer listens. Who is gone is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.policy_company import NEVER, Bools, Company, Events, Floats, Ints, Means, State, sigmoid

ACTIVE_WEEKS = 26


@dataclass
class Shops(Company):
    """See the module."""

    name: ClassVar[str] = "shops"
    drawn_as: ClassVar[str] = "shops"

    def draw_structure(self) -> None:
        """Rhythms, amounts with whales, moods, and what a contact does here."""
        rng, n = self.rng, len(self.born)
        self.rhythm = np.clip(rng.lognormal(np.log(rng.uniform(1.8, 4.5)), rng.uniform(0.4, 0.8), n), 0.8, 16)
        self.regular = rng.uniform(0, 1.5, n)
        self.rate = self._rate()
        self.amount = rng.lognormal(np.log(rng.uniform(20, 90)), rng.uniform(0.7, 1.3), n)
        self.level = rng.normal(rng.uniform(0.6, 1.3), 0.6, n)
        self.pull, self.noise = rng.uniform(0.025, 0.07), rng.uniform(0.08, 0.16)
        self.shock, self.neglect = rng.uniform(0.006, 0.02), rng.choice([0.0, rng.uniform(0.2, 0.6)])
        self.threshold, self.width = rng.uniform(-0.8, -0.2), rng.uniform(0.2, 0.45)
        self.worst = rng.uniform(0.05, 0.14)
        self.fade = rng.choice([0.0, rng.uniform(0.2, 0.7)])
        self.boost, self.rest = rng.uniform(0.8, 1.8), rng.uniform(4, 10)
        self.deaf, self.content = rng.uniform(0.8, 2.0), rng.uniform(0.5, 1.3)
        self.share_earned = rng.uniform(0.2, 0.5)
        self.surveys, self.own_rate = rng.random() < 0.7, rng.uniform(0.01, 0.04)
        a_year = float(np.median(self.amount / self.rhythm)) * 52 * self.share_earned
        call = rng.uniform(0.02, 0.06) * a_year
        self.means = {"call": Means("phone", round(call, 2)), "write": Means("email", round(call / 12, 2))}
        self.strength = np.array([1.0, rng.uniform(0.2, 0.6)])

    @property
    def margin(self) -> float:
        """Share of the revenue that is earned."""
        return round(float(self.share_earned), 3)

    def start(self) -> State:
        """Moods around the own level; the first purchase is due."""
        n = len(self.born)
        mood = self.level + self.rng.normal(0, self.noise / np.sqrt(2 * self.pull), n)
        zero = np.zeros(n)
        facts = {"buys": zero, "spend": zero, "first": np.full(n, NEVER), "last": np.full(n, NEVER)}
        return {
            **self.blank(),
            "mood": mood,
            "unsure": zero,
            "since": self.rhythm * self.rng.random(n),
            **facts,
        }

    def hazard(self, state: State, week: int) -> Floats:
        """Hardly anything for the satisfied, up to `worst` for the others."""
        # Where the mood is only expected, the mean over what it may be (MacKay 1992, the moderated output).
        unsure = np.sqrt(1 + np.pi / 8 * state["unsure"] / self.width**2)
        return 0.0004 + self.worst * sigmoid((self.threshold - state["mood"]) / self.width / unsure)

    def _pace(self, state: State) -> Floats:
        """How much less a dissatisfied customer buys."""
        return 1 - self.fade * sigmoid((self.threshold - state["mood"]) / self.width)

    def _chance(self, since: Floats, pace: Floats) -> Floats:
        """Of a purchase in a week that starts so many weeks after the last one; later, the likelier."""
        due = np.minimum((since + 0.5) / self.rhythm, 3.0) ** self.regular
        return 1 - np.exp(-due * pace / self.rhythm)

    def _rate(self) -> Floats:
        """Purchases a week in the long run: one over the mean gap."""
        not_yet, gap = np.ones(len(self.rhythm)), np.zeros(len(self.rhythm))
        for since in range(200):
            gap += not_yet
            not_yet = not_yet * (1 - self._chance(np.full(len(gap), float(since)), np.ones(len(gap))))
        return 1 / gap

    def earning(self, state: State, week: int) -> Floats:
        """By the own rhythm and amount."""
        return self.amount * self.share_earned * self._pace(state) * self.rate

    def moved(self, state: State, week: int, u: Floats | None) -> State:
        """Back to the own level, less what neglect takes; shocks and noise by chance."""
        gap = np.clip((week - state["last_ours"]) / 13, 0.0, 2.0)
        target = self.level - self.neglect * gap
        mood = state["mood"] + self.pull * (target - state["mood"])
        if u is None:
            hit, square = 1.75 * self.shock, 3.25 * self.shock
            unsure = (1 - self.pull) ** 2 * state["unsure"] + self.noise**2 + square - hit**2
            return {**state, "mood": mood - hit, "unsure": unsure}
        spread = np.sqrt(12) * (u[0] - 0.5) * self.noise
        hit = np.where(u[1] < self.shock, 1 + 1.5 * u[2], 0.0)
        return {**state, "mood": mood + spread - hit}

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """A lift for those who waver and still listen, the smaller the shorter the last one is ago."""
        rested = 1 - np.exp(-np.maximum(week - state["last_ours"], 0) / self.rest)
        listens = sigmoid((state["mood"] - (self.threshold - self.deaf)) / 0.3)
        wavers = sigmoid((self.threshold + self.content - state["mood"]) / 0.25)
        lift = self.boost * self.strength[np.maximum(action, 0)] * rested * listens * wavers
        mood = state["mood"] + np.where(action >= 0, lift, 0.0)
        return {**state, "mood": mood, "last_ours": np.where(action >= 0, week, state["last_ours"])}

    def usual(self, state: State, week: int, u: Floats) -> Bools:
        """The silent are called less: their silence is what drives the log, not the other way round."""
        silent = week - state["last"] > 2 * self.rhythm
        return np.asarray(u < self.own_rate * np.where(silent, 0.15, 1.0))

    def lived(self, state: State, week: int, u: Floats) -> tuple[Floats, Events]:
        """Purchases, surveys, questions and complaints."""
        there = self.there(state, week)
        chance = self._chance(state["since"], self._pace(state))
        new = there & (self.born == week) & (self.born > 0)
        bought = new | (there & (u[8] < chance))
        paid = np.round(self.amount * np.exp(0.3 * np.sqrt(12) * (u[9] - 0.5)), 2)
        who = np.flatnonzero(bought)
        state["since"] = np.where(bought, 0.0, state["since"] + 1)
        state["buys"] = state["buys"] + bought
        state["spend"] = state["spend"] + np.where(bought, paid, 0.0)
        state["first"] = np.where(bought & (state["first"] == NEVER), week, state["first"])
        state["last"] = np.where(bought, week, state["last"])
        events: Events = {
            "transactions": [{"who": who, "at": self.at(week, u[10, who]), "amount": paid[who]}]
        }
        unhappy = state["mood"] < self.threshold
        talks = np.flatnonzero(there & (u[11] < np.where(unhappy, 0.02, 0.004)))
        complaint = u[12, talks] < np.where(unhappy[talks], 0.7, 0.2)
        events["contacts"] = [
            self.inbound(week, talks[complaint], u[13], "complaint", 1 + 20 * u[14, talks[complaint]]),
            self.inbound(week, talks[~complaint], u[13], "question", 0.1 + u[14, talks[~complaint]]),
        ]
        if self.surveys:
            events["feedback"] = [self._asked(state, week, u)]
        return np.where(bought, paid * self.share_earned, 0.0), events

    def _asked(self, state: State, week: int, u: Floats) -> Events:
        asked = np.flatnonzero((week - state["last"] < 8) & (state["buys"] > 0) & (u[13] < 0.06))
        answers = self.there(state, week)[asked] & (
            u[14, asked] < np.where(state["mood"][asked] < self.threshold, 0.2, 0.5)
        )
        score = np.clip(np.round(7 + 1.6 * state["mood"][asked] + 5 * (u[15, asked] - 0.5)), 0, 10)
        return {
            "who": asked,
            "at": self.at(week, u[12, asked]),
            "score": np.where(answers, score, np.nan),
            "kind": np.full(len(asked), "nps", object),
        }

    def attributes(self) -> Mapping[str, NDArray[Any]]:
        """One that says a little of the amount, and one that says nothing."""
        rank = np.argsort(np.argsort(self.amount * self.rng.lognormal(0, 0.7, len(self.amount))))
        size = np.array(["small", "middle", "large"], object)[3 * rank // len(rank)]
        return {
            "size": size,
            "region": np.array(["north", "south", "west"], object)[np.arange(len(rank)) % 3],
        }

    def known(self, state: State, week: int) -> Bools:
        """Bought within half a year."""
        return np.asarray(week - state["last"] <= ACTIVE_WEEKS)

    def settings(self) -> dict[str, Any]:
        """As after `churn check`."""
        churn = {"kind": self.kind, "horizon_days": self.horizon_days, "active_days": 7 * ACTIVE_WEEKS}
        return {"churn": churn}

    def playbook(self) -> dict[str, Any]:
        """Two ways to get in touch, with anybody."""
        anybody = [{"columns": {"purchase_count_ever": {"above": 0}}}]
        return {
            "call": {
                "title": {"en": "Call"},
                "save_rate": {"saved": 2, "lost": 18},
                "when": anybody,
                "settles_complaints": True,
                "message": {"en": "How are you, and is there anything we should do better?"},
            },
            "write": {
                "title": {"en": "Write"},
                "save_rate": {"saved": 1, "lost": 29},
                "when": anybody,
                "message": {"en": "Is there anything we should do better? Just answer this mail."},
            },
        }

    def value(self, state: State, week: int) -> Floats:
        """Spent a week, by the records."""
        return state["spend"] / np.maximum(week - state["first"], 4)

    def rules(self, state: State, week: int) -> dict[str, tuple[Floats, Ints]]:
        """Who is a little late; and whom nobody has spoken to for long, among those who still buy."""
        gap = (state["last"] - state["first"]) / np.maximum(state["buys"] - 1, 1)
        late = (week - state["last"]) / np.maximum(np.where(state["buys"] > 1, gap, 6.0), 1.0)
        silence = np.minimum(week - state["last_ours"], 26)
        each = self.value(state, week)
        call = np.zeros(len(gap), np.int64)
        return {
            "late once": (np.sqrt(each) * ((late > 1) & (late < 2.5) & (silence > 8)), call),
            "long unheard": (np.sqrt(each) * silence * (late < 1.5), call),
        }


class _Held(Shops):
    """A contact holds customers back for eight weeks: what comes after is the subclass's matter."""

    held_weeks: ClassVar[int] = 8
    hold: ClassVar[float] = 0.3

    def draw_structure(self) -> None:
        """Neglect has no effect here."""
        super().draw_structure()
        self.neglect = 0.0

    def start(self) -> State:
        """Nobody is held, and no leaving is put off."""
        n = len(self.born)
        return {**super().start(), "until": np.full(n, NEVER), "owed": np.zeros(n)}

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """No lift of the mood."""
        held = action >= 0
        until = np.where(held, week + self.held_weeks, state["until"])
        return {**state, "until": until, "last_ours": np.where(held, week, state["last_ours"])}


@dataclass
class Delay(_Held):
    """A contact only postpones: the leaving that was held back comes in the weeks after."""

    name: ClassVar[str] = "delay"

    def hazard(self, state: State, week: int) -> Floats:
        """Less while held, and what is owed afterwards."""
        plain = super().hazard(state, week)
        held = state["until"] > week
        return np.where(held, plain * self.hold, np.minimum(plain + 0.4 * state["owed"], 0.9))

    def moved(self, state: State, week: int, u: Floats | None) -> State:
        """What was held back is owed; what has come is paid."""
        held = state["until"] > week
        more = (1 - self.hold) * super().hazard(state, week)
        owed = np.where(held, state["owed"] + more, 0.6 * state["owed"])
        return {**super().moved(state, week, u), "owed": owed}


@dataclass
class Prevent(_Held):
    """The same for eight weeks, and it lasts."""

    name: ClassVar[str] = "prevent"

    def hazard(self, state: State, week: int) -> Floats:
        """Less ever since a contact."""
        return np.where(state["until"] > NEVER, self.hold, 1.0) * super().hazard(state, week)


@dataclass
class Null(Shops):
    """A contact changes nothing."""

    name: ClassVar[str] = "null"

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """Only noted."""
        return {**state, "last_ours": np.where(action >= 0, week, state["last_ours"])}

    def draw_structure(self) -> None:
        """Neglect has no effect either."""
        super().draw_structure()
        self.neglect = 0.0


@dataclass
class Small(Shops):
    """Five hundred customers."""

    name: ClassVar[str] = "small"
    sizes: ClassVar[tuple[int, int]] = (500, 501)
