"""Who competes for tonight's list: every customer valued, every rule applied, and the most promising kept.

Their reasons are then computed, and `decide` chooses among them. A pure function of its arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Bools, Floats, Ints
from configs.outreach import Outreach
from models.effects.contact import Situation, called_for
from pipeline.outcomes.learned import ALL
from pipeline.outcomes.situation import inputs_of, recorded, rested, situation, told_us
from pipeline.outreach.contact_facts import contact_facts
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.costs import contact_costs
from pipeline.outreach.eligibility import Rule, blocked, check_columns, open_channels
from pipeline.outreach.playbook import fitting
from pipeline.outreach.stage import Stage, stage
from pipeline.outreach.valuation import Valuation, valuation


def prepare(
    scores: pd.DataFrame,
    context: Context,
    *,
    columns: Sequence[str],
    contacts: Any = None,
    facts: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    do_not_contact: Collection[str] = (),
    worth: Valuation | None = None,
) -> Prepared:
    """Value every customer, apply every rule, and pick those who compete for the list.

    Parameters
    ----------
    scores
        One row a customer: `customer_id`, `churn_probability`, and the columns of the matrix; `still_there` and `left`
        where known.
    columns
        Names of the matrix's columns, that the effect of a contact may depend on.
    contacts
        Ibis table or frame of the contacts role, cut at `as_of`.
    facts
        The customers source by `customer_id`, with columns that the model must not see: owner, household, consent, ids
        of the CRM. Who is not in it has no row there, and is not contacted where the config asks for consent.
    history
        `ledger.recommended` of the last `repeat_days`, `hold_days` and `max_contacts.days`.
    do_not_contact
        Ids of customers, see `consent.do_not_contact`.
    worth
        What each customer of `scores` is worth, in their order; absent, it is computed from `scores`.

    Raises
    ------
    DataError
        When a column that the config names is not there.
    """
    settings = context.settings
    order = np.argsort(scores["customer_id"].to_numpy(object), kind="stable")
    customers, unrecorded = _with_facts(scores.iloc[order].reset_index(drop=True), facts)
    has_left = _has_left(customers)
    customers = customers.assign(left=has_left | _gone(customers, settings))
    check_columns(list(map(str, customers.columns)), settings)
    known = _known(customers, contacts, context)
    channels = open_channels(context.channels, customers, settings)
    rules = blocked(
        customers,
        known,
        channels,
        history,
        do_not_contact,
        settings,
        context.as_of,
        context.hold_days,
        unrecorded,
    )
    worth = valuation(customers, settings, context.margin) if worth is None else worth.take(order)
    now = _stage(customers.loc[~has_left], context)
    fits = _fits(customers, worth, context)
    can = _possible(fits, known, channels, now, context)
    free = ~np.logical_or.reduce(list(rules.values())) & can.any(axis=1)
    open_ = _Open.of(customers, known, history, columns, fits, can, np.flatnonzero(free), context)
    best = open_.best(worth, context)
    among = _most(best, open_.spared_last(best, worth, now, context), settings.candidates)
    rows = open_.rows[among]
    everyone = np.full(len(customers), -np.inf)
    everyone[open_.rows] = best
    mean, spread, drawn = (found[among] for found in open_.effects)
    return Prepared(
        context,
        customers,
        known,
        worth,
        channels,
        {**rules, **_hopeless(can, known, now, everyone, free)},
        now,
        rows,
        order[rows],
        mean,
        spread,
        drawn,
        open_.seen.take(among),
        recorded(open_.seen, open_.people, open_.rest, among),
    )


_BLOCK = 1 << 13


@dataclass(frozen=True)
class _Open:
    """The customers against whose contact nothing stands, and what each action would do for them.

    Parameters
    ----------
    rows
        Their places among all customers.
    rest
        Days since our last contact, in usual gaps; shape (rows,).
    effects
        Of `_effects`; shape (rows, actions) each.
    """

    rows: Ints
    people: pd.DataFrame
    rest: Floats
    seen: Situation
    effects: tuple[Floats, Floats, Floats]

    @classmethod
    def of(
        cls,
        customers: pd.DataFrame,
        known: pd.DataFrame,
        history: pd.DataFrame | None,
        columns: Sequence[str],
        fits: Bools,
        can: Bools,
        rows: Ints,
        context: Context,
    ) -> _Open:
        days, rest, recent = rested(known, history, customers["customer_id"], context.settings, context.as_of)
        people = customers.iloc[rows].reset_index(drop=True)
        told, called = told_us(people, days[rows]), _called(customers, fits, context)[rows]
        seen = situation(people, inputs_of(people, columns), rest[rows], recent[rows], told, called)
        return cls(rows, people, rest[rows], seen, _effects(seen, can[rows], context))

    def best(self, worth: Valuation, context: Context) -> Floats:
        """Shape (rows,): the most that an action gains, by what is expected of it or by tonight's draw."""
        costs = contact_costs(context.playbook, context.settings, worth.priced)
        value, found = worth.worth[self.rows], np.empty(len(self.rows))
        for some in _blocks(len(found)):
            mean, _, drawn = (costs.gain(effect[some], value[some]) for effect in self.effects)
            found[some] = np.fmax(mean, drawn).max(axis=1, initial=-np.inf)
        return found

    def spared_last(self, best: Floats, worth: Valuation, now: Stage, context: Context) -> Floats:
        """The same, minus infinity for who must not be tried and whose gain is not sure.

        In a large company they alone would fill all the places of those who compete, and nobody would be listed.
        """
        spared = np.flatnonzero(now.spares(worth)[self.rows])
        costs = contact_costs(context.playbook, context.settings, worth.priced)
        mean, spread, _ = (effect[spared] for effect in self.effects)
        least = costs.gain(mean - now.sure * spread, worth.worth[self.rows[spared]])
        found = best.copy()
        found[spared[least.max(axis=1, initial=-np.inf) <= 0]] = -np.inf
        return found


def _most(best: Floats, first: Floats, candidates: int) -> Ints:
    """Places, in their order, of so many at most who gain above 0, the highest of `first` before the others."""
    among = np.flatnonzero(best > 0)
    if len(among) > candidates:
        among = np.sort(among[np.argsort(-first[among], kind="stable")[:candidates]])
    return among


def _with_facts(customers: pd.DataFrame, facts: pd.DataFrame | None) -> tuple[pd.DataFrame, Bools | None]:
    """Customers with the columns that only the facts have, and who of them has no row there; None without facts."""
    if facts is None:
        return customers, None
    each = facts[~facts["customer_id"].duplicated()].reset_index(drop=True)
    # An index finds a million ids five times as fast as `isin` does.
    places = pd.Index(each["customer_id"]).get_indexer(customers["customer_id"])
    fresh = each[[c for c in each.columns if c not in customers]].reindex(places).set_index(customers.index)
    return pd.concat([customers, fresh], axis=1), places < 0


def _known(customers: pd.DataFrame, contacts: Any, context: Context) -> pd.DataFrame:
    """What the contact log says; without one, an open issue stands for an open complaint."""
    known = contact_facts(contacts, pd.Index(customers["customer_id"]), context.settings, context.as_of)
    if contacts is None and "open_issue_count" in customers:
        return known.assign(open_complaint=(customers["open_issue_count"] > 0).to_numpy())
    return known


def _stage(customers: pd.DataFrame, context: Context) -> Stage:
    chance = customers["churn_probability"].to_numpy(np.float64)
    risk = float(chance.mean()) if len(chance) else 0.5
    return stage(
        context.settings, context.evidence, context.effect.rows, len(chance), risk, context.hold_days
    )


def _has_left(customers: pd.DataFrame) -> Bools:
    """Who has left for sure: nobody can be kept of them, some can be won back."""
    return customers["left"].to_numpy(bool) if "left" in customers else np.zeros(len(customers), bool)


def _gone(customers: pd.DataFrame, settings: Outreach) -> Bools:
    """Who has very probably left without a word."""
    if "still_there" not in customers:
        return np.zeros(len(customers), bool)
    return np.asarray(customers["still_there"].to_numpy(np.float64) < settings.gone_below)


def _fits(customers: pd.DataFrame, worth: Valuation, context: Context) -> Bools:
    """Shape (n, actions): fits by all but the reasons, which nobody knows yet."""
    chance = customers["churn_probability"].to_numpy(np.float64)
    each = [fitting(action, customers, chance, worth.ranks, None) for action in context.actions]
    return np.column_stack(each)


def _possible(fits: Bools, known: pd.DataFrame, channels: Bools, now: Stage, context: Context) -> Bools:
    """Shape (n, actions): could be taken, were it to fit by the reasons too."""
    complaint = known["open_complaint"].to_numpy(bool)
    reach = {channel: channels[:, i] for i, channel in enumerate(context.channels)}
    can = np.zeros(fits.shape, bool)
    for i, (name, action) in enumerate(context.playbook.actions.items()):
        if now.stopped & {name, ALL}:
            continue
        can[:, i] = fits[:, i] & reach[action.channel] & (~complaint | action.settles_complaints)
    return can


def _called(customers: pd.DataFrame, fits: Bools, context: Context) -> Floats:
    """Shape (n, actions): how much each action is called for, of those who have not left.

    A chance of leaving that the playbook itself asks for is no sign of anything.
    """
    chance, stay = customers["churn_probability"].to_numpy(np.float64), ~customers["left"].to_numpy(bool)
    signs = [all(when.probability is None for when in action.when) for action in context.actions]
    found = np.zeros(fits.shape)
    found[stay] = called_for((fits & np.array(signs, bool))[stay], chance[stay])
    return found


def _blocks(rows: int) -> Iterator[slice]:
    """Rows in pieces whose arrays stay in the cache of a core."""
    return (slice(begin, begin + _BLOCK) for begin in range(0, rows, _BLOCK))


def _effects(seen: Situation, can: Bools, context: Context) -> tuple[Floats, Floats, Floats]:
    """Expected effect, its standard deviation and tonight's draw, shape (n, actions) each; NaN where impossible."""
    found = np.empty((3, *can.shape))
    for some in _blocks(len(can)):
        here = seen.take(some)
        # One draw of the belief holds for all customers of the night.
        drawn = context.effect.drawn(here, np.random.default_rng(_seed("effect", context)))
        found[:, some] = np.where(can[some], (*context.effect.effect(here), drawn), np.nan)
    mean, spread, drawn = found
    return mean, spread, drawn


def _seed(purpose: str, context: Context) -> int:
    """The same every time that a night is decided, and known to nobody without the key."""
    told = f"{purpose} {context.as_of}".encode()
    return int.from_bytes(hashlib.blake2b(told, key=context.key, digest_size=8).digest())


def _hopeless(can: Bools, known: pd.DataFrame, now: Stage, best: Floats, free: Bools) -> dict[Rule, Bools]:
    off = ALL in now.stopped
    none = ~can.any(axis=1) & (not off)
    complaint = known["open_complaint"].to_numpy(bool)
    return {
        Rule.STOPPED: np.full(len(best), off),
        Rule.COMPLAINT: none & complaint,
        Rule.NO_ACTION: none & ~complaint,
        Rule.NO_GAIN: free & (best <= 0),
    }


def least_gain(prepared: Prepared) -> float:
    """What the least promising of the candidates gains; minus infinity where there was room for more."""
    if len(prepared.candidates) < prepared.context.settings.candidates:
        return -np.inf
    gain = prepared.gain(prepared.effect)
    return float(gain.max(axis=1).min())
