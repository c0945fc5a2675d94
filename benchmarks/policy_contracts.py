"""A simulated company with contracts: renewals, hidden needs, and four actions that suit one need each.

A customer can leave only when the term ends. Four needs come and go: somebody to talk to, a lower price, training,
and service that works. Each shows in the records, but not always, and everything that shows has other causes too.
The action that suits the need usually ends it. Any other costs, and annoys a little; a discount costs real money for
a quarter of a year and helps nobody who did not look at the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.policy_company import NEVER, Bools, Company, Events, Floats, Ints, Means, State, sigmoid

CALL, DISCOUNT, TRAINING, SERVICE = range(4)
NEEDS = 4
DISCOUNT_WEEKS = 13
WEEKS_A_MONTH = 4
KINDS = np.array(["login", "search", "report", "share", "export", "settings"], object)


@dataclass
class Contracts(Company):
    """See the module."""

    name: ClassVar[str] = "contracts"
    kind: ClassVar[str] = "contractual"
    sizes: ClassVar[tuple[int, int]] = (2_500, 4_000)
    newcomers: ClassVar[tuple[float, float]] = (0.003, 0.007)
    horizon_days: ClassVar[int] = 84
    asks: ClassVar[float] = (
        1 / 3
    )  # so often a week does a need for somebody to talk to show, against the others
    uses: ClassVar[float] = 0.35  # share of the usual use that is left to who needs training

    def draw_structure(self) -> None:
        """Terms, fees, how often needs come, how much they weigh, and how clearly they show."""
        rng, n = self.rng, len(self.born)
        self.fee = rng.lognormal(np.log(rng.uniform(40, 150)), rng.uniform(0.5, 1.1), n)
        self.term = rng.choice([4, 13, 52], n, p=rng.dirichlet([3, 2, 2]))
        self.share_earned = rng.uniform(0.5, 0.85)
        self.onset = rng.uniform(0.0006, 0.002, NEEDS) * rng.lognormal(0, 0.5, (n, NEEDS))
        self.fades = rng.uniform(0.015, 0.05)
        self.weight = rng.uniform(2.4, 3.8, NEEDS)
        calm = np.log(np.array([0.004, 0.013, 0.05]) * rng.uniform(0.6, 1.6))
        self.calm = calm[np.searchsorted([4, 13], self.term)]
        self.first_weeks = rng.uniform(0, 1.2)
        self.lonely = rng.uniform(0, 2)
        self.works = rng.uniform(0.45, 0.8, NEEDS)
        self.annoys = rng.uniform(0.2, 0.8)
        self.usage = np.clip(rng.gamma(2.0, 1.0, n), 0.1, 5.0)
        self.shows = rng.uniform(0.2, 0.5, NEEDS)
        self.false_alarm = rng.uniform(0.001, 0.006, NEEDS)
        self.discount = round(rng.uniform(0.1, 0.25), 2)
        self.own_rate = rng.uniform(0.01, 0.03)
        month = float(np.median(self.fee)) * self.share_earned
        call, training, service = np.round(month * rng.uniform([0.1, 0.2, 0.15], [0.25, 0.5, 0.4]), 2)
        given = float(self.fee.mean()) * self.discount * DISCOUNT_WEEKS / WEEKS_A_MONTH
        self.means = {
            "call": Means("phone", float(call)),
            "discount": Means("email", 0.5, round(given, 2)),
            "training": Means("meeting", float(training)),
            "service_recovery": Means("phone", float(service)),
        }

    @property
    def margin(self) -> float:
        """Share of the revenue that is earned."""
        return round(float(self.share_earned), 3)

    def start(self) -> State:
        """Needs as they are found at any time."""
        n = len(self.born)
        need = (self.rng.random((n, NEEDS)) < 8 * self.onset).astype(np.float64)
        zero = np.zeros(n)
        facts = dict.fromkeys(("use_now", "use_before", "tickets", "disputes", "questions"), zero)
        return {**self.blank(), "need": need, "annoyed": zero, "cheap": np.full(n, NEVER), **facts}

    def hazard(self, state: State, week: int) -> Floats:
        """Only when the term ends."""
        age = week - self.started
        ends = np.flatnonzero((age % self.term == 0) & (age > 0))
        chance = np.zeros(len(age))
        odds = self.calm[ends] + self.first_weeks * np.exp(-age[ends] / 13) + state["annoyed"][ends]
        calm = sigmoid(odds)
        # Each need adds its own part, so that the expectation of a need gives the expectation of the chance.
        more = sigmoid(odds[:, None] + self.weight) - calm[:, None]
        chance[ends] = np.minimum(calm + (state["need"][ends] * more).sum(axis=1), 0.95)
        return chance

    def earning(self, state: State, week: int) -> Floats:
        """A quarter of the monthly fee, less a discount while it lasts."""
        cheap = week < state["cheap"]
        return self.fee * (self.share_earned - self.discount * cheap) / WEEKS_A_MONTH

    def moved(self, state: State, week: int, u: Floats | None) -> State:
        """Needs come and go; that for somebody to talk to comes sooner to those whom nobody calls."""
        gap = np.clip((week - state["last_ours"]) / 26, 0, 2)
        onset = self.onset.copy()
        onset[:, CALL] *= 1 + self.lonely * gap
        need = state["need"]
        if u is None:
            need = need * (1 - self.fades) + (1 - need) * onset
        else:
            which = np.random.default_rng(int(u[0, 0] * 2**53)).random((2, *need.shape))
            need = np.where(need > 0, which[0] >= self.fades, which[1] < onset).astype(np.float64)
        return {**state, "need": need, "annoyed": 0.9 * state["annoyed"]}

    def touched(self, state: State, week: int, action: Ints, luck: Floats | None) -> State:
        """What suits usually ends the need; what does not annoys."""
        need, made = state["need"].copy(), action >= 0
        rows, columns = np.flatnonzero(made), action[made]
        had = need[rows, columns]
        ends = self.works[columns] if luck is None else luck[rows] < self.works[columns]
        need[rows, columns] = had * (1 - ends)
        annoyed = state["annoyed"].copy()
        annoyed[rows] += np.where(columns == DISCOUNT, 0.0, self.annoys * (1 - had))
        cheap = np.where(action == DISCOUNT, week + DISCOUNT_WEEKS, state["cheap"])
        last = np.where(made, week, state["last_ours"])
        return {**state, "need": need, "annoyed": annoyed, "cheap": cheap, "last_ours": last}

    def usual(self, state: State, week: int, u: Floats) -> Bools:
        """A call now and then, to those who pay more rather than to those who pay less."""
        return np.asarray(u < self.own_rate * np.where(self.fee > np.median(self.fee), 1.5, 0.5))

    def lived(self, state: State, week: int, u: Floats) -> tuple[Floats, Events]:
        """The monthly fee, use, tickets, disputed invoices, surveys."""
        there, need = self.there(state, week), state["need"] > 0
        billed = there & ((week - self.started) % WEEKS_A_MONTH == 0)
        cheap = week < state["cheap"]
        paid = np.round(self.fee * (1 - self.discount * cheap), 2)
        earned = np.where(billed, self.fee * (self.share_earned - self.discount * cheap), 0.0)
        who = np.flatnonzero(billed)
        events: Events = {"transactions": [{"who": who, "at": self.at(week, u[8, who]), "amount": paid[who]}]}
        events["usage"] = [self._used(state, week, there, need[:, TRAINING], u)]
        ticket = np.flatnonzero(there & (u[9] < self._shown(need, SERVICE)))
        late = np.where(need[ticket, SERVICE], 15.0, 2.0) * u[10, ticket] + 0.2
        question = np.flatnonzero(there & (u[11] < self.asks * self._shown(need, CALL)))
        events["contacts"] = [
            self.inbound(week, ticket, u[10], "complaint", late),
            self.inbound(week, question, u[11], "question", 0.1 + u[10, question]),
        ]
        dispute = there & (u[12] < self._shown(need, DISCOUNT))
        at = np.flatnonzero(dispute)
        events["cancellations"] = [
            {"who": at, "at": self.at(week, u[13, at]), "amount": np.round(0.1 * paid[at], 2)}
        ]
        asked = np.flatnonzero(there & (u[14] < 0.04))
        events["feedback"] = [self._asked(need[asked], asked, week, u)]
        opened = np.zeros(len(there))
        opened[ticket] = 1
        state["tickets"] = 0.85 * state["tickets"] + opened
        asked_us = np.zeros(len(there))
        asked_us[question] = 1
        state["questions"] = 0.85 * state["questions"] + asked_us
        state["disputes"] = 0.85 * state["disputes"] + dispute
        return earned, events

    def _shown(self, need: Bools, which: int) -> Floats:
        return np.where(need[:, which], self.shows[which], self.false_alarm[which])

    def _used(self, state: State, week: int, there: Bools, lost: Bools, u: Floats) -> Events:
        dice = np.random.default_rng(int(u[15, 0] * 2**53))
        count = dice.poisson(self.usage * np.where(lost, self.uses, 1.0)) * there
        who = np.repeat(np.arange(len(count)), count)
        state["use_before"] = 0.92 * state["use_before"] + 0.08 * count
        state["use_now"] = 0.7 * state["use_now"] + 0.3 * count
        return {"who": who, "at": self.at(week, dice.random(len(who))), "event": dice.choice(KINDS, len(who))}

    def _asked(self, need: Bools, asked: Ints, week: int, u: Floats) -> Events:
        answers = u[15, asked] < np.where(need[:, CALL], 0.2, 0.5)
        mean = 8 - 2 * need.sum(axis=1) - 2 * need[:, SERVICE]
        score = np.clip(np.round(mean + 5 * (u[13, asked] - 0.5)), 0, 10)
        return {
            "who": asked,
            "at": self.at(week, u[12, asked]),
            "score": np.where(answers, score, np.nan),
            "kind": np.full(len(asked), "csat", object),
        }

    def attributes(self) -> Mapping[str, NDArray[Any]]:
        """The term, and a region that says nothing."""
        term = np.array(["monthly", "quarterly", "yearly"], object)[np.searchsorted([4, 13], self.term)]
        return {"term": term, "region": np.array(["north", "south"], object)[np.arange(len(term)) % 2]}

    def known(self, state: State, week: int) -> Bools:
        """The contract runs."""
        return self.there(state, week)

    def settings(self) -> dict[str, Any]:
        """A quarter ahead."""
        return {"churn": {"kind": self.kind, "horizon_days": self.horizon_days}}

    def playbook(self) -> dict[str, Any]:
        """One sign or two for each action."""

        def action(title: str, saved: float, when: list[Any], text: str, **more: Any) -> dict[str, Any]:
            rate = {"saved": saved, "lost": 20 - saved}
            return {
                "title": {"en": title},
                "save_rate": rate,
                "when": when,
                "message": {"en": text},
                **more,
            }

        return {
            "call": action(
                "Call",
                2,
                [
                    {"columns": {"contact_outbound_gap_days": {"above": 120}}},
                    {"columns": {"feedback_unanswered_count_90d": {"above": 0}}},
                ],
                "How are things, and what comes next for you?",
            ),
            "discount": action(
                "Discount for a quarter",
                3,
                [{"columns": {"cancellation_count_90d": {"above": 0}}}],
                "We would like to keep you and lower the price for a quarter of a year.",
            ),
            "training": action(
                "Training",
                3,
                [
                    {"columns": {"usage_rate_ratio_30d": {"below": 0.6}}},
                    {"columns": {"usage_active_days_change_30d": {"below": -2}}},
                ],
                "May I show you in half an hour what others use most?",
            ),
            "service_recovery": action(
                "Service recovery",
                3,
                [
                    {"columns": {"complaint_count_90d": {"above": 0}}},
                    {"columns": {"open_issue_count": {"above": 0}}},
                ],
                "I want to put right myself what went wrong.",
                settles_complaints=True,
            ),
        }

    def value(self, state: State, week: int) -> Floats:
        """Spent a week, by the records."""
        return self.fee / WEEKS_A_MONTH

    def rules(self, state: State, week: int) -> dict[str, tuple[Floats, Ints]]:
        """The action that the clearest sign asks for; and the same shortly before the term ends."""
        less_use = (state["use_before"] > 1) & (state["use_now"] < 0.45 * state["use_before"])
        quiet = (week - state["last_ours"] > 26) * 0.3
        signs = np.column_stack([quiet, state["disputes"], 0.8 * less_use, state["tickets"]])
        calm = (week - state["last_ours"] > 6) & (self.fee > 0.7 * np.median(self.fee))
        score = self.fee * np.where(calm & (signs.max(axis=1) > 0.6), signs.max(axis=1), 0.0)
        action = signs.argmax(axis=1)
        left = -(week - self.started) % self.term
        return {"by sign": (score, action), "by sign before the end": (score * (left <= 6), action)}


@dataclass
class Needs(Contracts):
    """The same with needs that last and can be read: which action it is decides as much as who.

    Complaints stay open, use falls to a fifth, invoices are disputed, and whoever wants to be talked to asks. The wrong
    action annoys more.
    """

    name: ClassVar[str] = "needs"
    asks: ClassVar[float] = 1.0
    uses: ClassVar[float] = 0.15

    def draw_structure(self) -> None:
        """As the other company's, drawn from clearer ranges."""
        super().draw_structure()
        rng, n = self.rng, len(self.born)
        self.onset = rng.uniform(0.001, 0.003, NEEDS) * rng.lognormal(0, 0.3, (n, NEEDS))
        self.fades = rng.uniform(0.008, 0.02)
        self.works = rng.uniform(0.55, 0.85, NEEDS)
        self.annoys = rng.uniform(0.4, 1.0)
        self.shows = rng.uniform(0.4, 0.8, NEEDS)
        self.false_alarm = rng.uniform(0.0005, 0.002, NEEDS)
        self.usage = np.clip(self.usage, 1.0, 5.0)

    def playbook(self) -> dict[str, Any]:
        """Questions ask for a call."""
        found = super().playbook()
        asked = {"contact_inbound_count_30d": {"above": 0}}
        return {**found, "call": {**found["call"], "when": [{"columns": asked}]}}

    def rules(self, state: State, week: int) -> dict[str, tuple[Floats, Ints]]:
        """The action that the clearest sign asks for; and the same shortly before the term ends."""
        less_use = (state["use_before"] > 0.8) & (state["use_now"] < 0.3 * state["use_before"])
        signs = np.column_stack([state["questions"], state["disputes"], less_use, state["tickets"]])
        since = week - state["last_ours"]
        score = self.fee * np.where((since > 4) & (signs.max(axis=1) > 0.8), signs.max(axis=1), 0.0)
        action = signs.argmax(axis=1)
        left = -(week - self.started) % self.term
        return {"by sign": (score, action), "by sign before the end": (score * (left <= 6), action)}
