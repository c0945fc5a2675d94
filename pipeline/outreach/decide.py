"""Whom to contact tonight, how and why: a decision in two steps, with the reasons computed in between.

`prepare` looks at all customers and says who could be on the list; the reasons of those are then computed, and
`decide` chooses among them. Everything is a pure function of its arguments: the same night gives the same list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Floats, Ints
from configs.outreach import DEFAULT, Outreach
from configs.playbook import ACCOUNT_MANAGER
from models.decision.assignment import Options
from models.effects.contact import Situation
from pipeline.outcomes.draws import draw
from pipeline.outcomes.learned import ALL
from pipeline.outcomes.situation import inputs_of, recorded, rested, situation, told_us
from pipeline.outreach.contact_facts import contact_facts
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.costs import contact_costs
from pipeline.outreach.decision import Decision, Outcome
from pipeline.outreach.eligibility import Rule, blocked, check_columns, contact_units, open_channels
from pipeline.outreach.playbook import fitting, masks
from pipeline.outreach.reasons import Reason
from pipeline.outreach.selection import Choice, Limits, Selection, select
from pipeline.outreach.stage import Stage, stage
from pipeline.outreach.valuation import Valuation, valuation

SPARED_TOP = 0.02
# Of a draw: how far chance may change whom a pilot tries first.
PILOT_BOLDNESS = 0.25


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
    customers = scores.iloc[order].reset_index(drop=True)
    unrecorded = None
    if facts is not None:
        unrecorded = ~customers["customer_id"].isin(facts["customer_id"]).to_numpy(bool)
        fresh = facts[[c for c in facts.columns if c not in customers or c == "customer_id"]]
        customers = customers.merge(fresh.drop_duplicates("customer_id"), on="customer_id", how="left")
    customers = customers.assign(left=_left(customers, settings))
    check_columns(customers, settings)
    known = contact_facts(contacts, pd.Index(customers["customer_id"]), settings, context.as_of)
    if contacts is None and "open_issue_count" in customers:
        known = known.assign(open_complaint=(customers["open_issue_count"] > 0).to_numpy())
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
    chance = customers["churn_probability"].to_numpy(np.float64)
    risk = float(chance.mean()) if len(chance) else 0.5
    now = stage(
        settings,
        context.evidence,
        context.effect.rows,
        len(customers),
        risk,
        context.hold_days,
    )
    can = _possible(customers, known, channels, worth, now, context)
    days, rest, recent = rested(known, history, customers["customer_id"], settings, context.as_of)
    free = np.flatnonzero(~np.logical_or.reduce(list(rules.values())) & can.any(axis=1))
    people = customers.iloc[free].reset_index(drop=True)
    told = told_us(people, days[free])
    seen = situation(people, inputs_of(people, columns), rest[free], recent[free], told)
    effects = _effects(seen, can[free], context)
    best = np.full(len(customers), -np.inf)
    best[free] = np.fmax.reduce([_gain(effects[i], worth, context, free) for i in (0, 2)]).max(
        axis=1, initial=-np.inf
    )
    rules = {**rules, **_hopeless(can, known, now, best, np.isin(np.arange(len(customers)), free))}
    among = np.flatnonzero(best[free] > 0)
    if len(among) > settings.candidates:
        among = np.sort(among[np.argsort(-best[free][among], kind="stable")[: settings.candidates]])
    rows = free[among]
    kept = recorded(seen, people, rest[free], among)
    mean, spread, drawn = (found[among] for found in effects)
    return Prepared(
        context,
        customers,
        known,
        worth,
        channels,
        rules,
        now,
        rows,
        order[rows],
        mean,
        spread,
        drawn,
        seen.take(among),
        kept,
    )


def _left(customers: pd.DataFrame, settings: Outreach) -> Bools:
    """Who has left, as far as one can know: nobody can be kept of them, some can be won back."""
    left = customers["left"].to_numpy(bool) if "left" in customers else np.zeros(len(customers), bool)
    if "still_there" not in customers:
        return left
    return np.asarray(left | (customers["still_there"].to_numpy(np.float64) < settings.gone_below))


def _possible(
    customers: pd.DataFrame,
    known: pd.DataFrame,
    channels: Bools,
    worth: Valuation,
    now: Stage,
    context: Context,
) -> Bools:
    """Shape (n, actions): could be taken, were it to fit by the reasons too."""
    probability = customers["churn_probability"].to_numpy(np.float64)
    complaint = known["open_complaint"].to_numpy(bool)
    reach = {channel: channels[:, i] for i, channel in enumerate(context.channels)}
    can = np.zeros((len(customers), len(context.actions)), bool)
    for i, (name, action) in enumerate(context.playbook.actions.items()):
        if now.stopped & {name, ALL}:
            continue
        can[:, i] = fitting(action, customers, probability, worth.ranks, None) & reach[action.channel]
        can[:, i] &= ~complaint | action.settles_complaints
    return can


def _effects(seen: Situation, can: Bools, context: Context) -> tuple[Floats, Floats, Floats]:
    """Expected effect, its standard deviation and tonight's draw, shape (n, actions) each; NaN where impossible."""
    mean, spread = context.effect.effect(seen)
    drawn = context.effect.drawn(seen, np.random.default_rng(_seed("effect", context)))
    mean, spread, drawn = (np.where(can, x, np.nan) for x in (mean, spread, drawn))
    return mean, spread, drawn


def _seed(purpose: str, context: Context) -> int:
    """The same every time that a night is decided, and known to nobody without the key."""
    told = f"{purpose} {context.as_of}".encode()
    return int.from_bytes(hashlib.blake2b(told, key=context.key, digest_size=8).digest())


def _gain(effect: Floats, worth: Valuation, context: Context, rows: Ints) -> Floats:
    """Gain of each action when it has such an effect, minus infinity where it can't be taken."""
    costs = contact_costs(context.playbook, context.settings, worth.priced)
    gain = effect * worth.worth[rows][:, None] - costs.off_the_gain
    return np.where(np.isnan(gain), -np.inf, gain)


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
    gain = _gain(prepared.effect, prepared.worth, prepared.context, prepared.candidates)
    return float(gain.max(axis=1).min())


def decide(prepared: Prepared, reasons: Sequence[tuple[Reason, ...]]) -> Decision:
    """Choose actions and customers, within the limits.

    Parameters
    ----------
    reasons
        Of `prepared.candidates`, in their order; empty tuples where nobody could tell.
    """
    context, rows = prepared.context, prepared.candidates
    people = prepared.customers.iloc[rows].reset_index(drop=True)
    drivers = masks([{reason.driver for reason in each} for each in reasons])
    probability = people["churn_probability"].to_numpy(np.float64)
    ranks = prepared.worth.ranks[rows]
    fits = np.column_stack([fitting(a, people, probability, ranks, drivers) for a in context.actions])
    now = prepared.stage
    # A pilot tries first what is expected to help: it learns about those whom the list would contact.
    bold = PILOT_BOLDNESS if now.name == "pilot" else 1.0
    gain, least, tried = (
        np.where(fits, _gain(effect, prepared.worth, context, rows), -np.inf)
        for effect in (
            prepared.effect,
            prepared.effect - now.sure * prepared.spread,
            prepared.effect + bold * (prepared.drawn - prepared.effect),
        )
    )
    if now.name == "pilot":
        # Nobody of the most valuable is put at risk before anything is known, and the rest by the least effort only.
        if prepared.worth.priced:
            tried[ranks < SPARED_TOP] = -np.inf
        effort = np.where(np.isfinite(gain), prepared.costs.amount, np.inf)
        tried[effort > effort.min(axis=1, keepdims=True)] = -np.inf
        tried = _in_order(tried, gain > 0)
    customer, action = np.nonzero((gain > 0) | (tried > 0))
    owners = _owners(people, prepared.facts["agent"].iloc[rows].to_numpy(object), context)[customer, action]
    at = customer, action
    choice, limits = _choice(
        prepared,
        people,
        at,
        (gain[at], least[at] > 0, tried[at]),
        owners,
    )
    found = _selected(choice, limits, people, prepared)
    return Outcome(
        prepared, people, tuple(reasons), customer, action, gain, owners, choice, found, fits
    ).decision()


def _in_order(tried: Floats, may: Bools) -> Floats:
    """The same order with all of them above 0: a draw says who is tried first, and never that nobody is.

    Examples
    --------
    >>> _in_order(np.array([-3.0, -1.0, 5.0, -np.inf]), np.array([True, True, False, True])).round(2).tolist()
    [0.01, 2.01, -inf, -inf]
    """
    use = may & np.isfinite(tried)
    least = tried.min(where=use, initial=np.inf)
    return np.where(use, tried - least + 0.01, -np.inf)


def _selected(choice: Choice, limits: Limits, people: pd.DataFrame, prepared: Prepared) -> Selection:
    """The list of those who may stay, and then the block of those who may come back, each with its own capacity."""
    settings, now = prepared.context.settings, prepared.stage
    gone = people["left"].to_numpy(bool)[choice.customer]
    dice = _limit_dice(limits, prepared.context)
    stay = select(
        choice.only(~gone),
        limits,
        trial=now.trial,
        control=now.control,
        limit_dice=dice,
    )
    used = stay.used(choice.options, limits)
    room = replace(limits.less(used), capacity=float(settings.win_back_capacity))
    few = min(now.trial, settings.win_back_capacity)
    back = select(
        choice.only(gone & ~np.isin(choice.options.unit, choice.options.unit[stay.taken])),
        room,
        trial=few,
        control=now.control,
        limit_dice=dice,
    )
    return stay.joined(back)


def account_managers(people: pd.DataFrame, agents: NDArray[Any], settings: Outreach) -> NDArray[Any]:
    """Shape (n,): who looks after each customer; the team that stands in where nobody is known.

    Parameters
    ----------
    agents
        Shape (n,): who contacted each last, for configs without a column of owners.
    """
    nobody = settings.teams.get(ACCOUNT_MANAGER, "account manager")
    column = agents if settings.columns.owner is None else people[settings.columns.owner].to_numpy(object)
    return np.array(
        [nobody if pd.isna(name) or not str(name).strip() else str(name) for name in column], object
    )


def _owners(people: pd.DataFrame, agents: NDArray[Any], context: Context) -> NDArray[Any]:
    """Shape (n, actions): who makes the contact."""
    own, teams = account_managers(people, agents, context.settings), context.settings.teams
    return np.column_stack(
        [
            own if a.owner == ACCOUNT_MANAGER else np.full(len(own), teams.get(a.owner, a.owner), object)
            for a in context.actions
        ]
    )


def _choice(
    prepared: Prepared,
    people: pd.DataFrame,
    at: tuple[Ints, Ints],
    gains: tuple[Floats, Bools, Floats],
    owners: NDArray[Any],
) -> tuple[Choice, Limits]:
    """The options of the candidates with tonight's draws, and what the list may use."""
    context, settings, (customer, action) = prepared.context, prepared.context.settings, at
    gain, sure, tried = gains
    names = contact_units(people, settings)
    unit = np.unique(np.array(names, object), return_inverse=True)[1].astype(np.int64)
    channel_of = np.array([context.channels.index(a.channel) for a in context.actions])
    known_owners, owner = np.unique(owners.astype(object), return_inverse=True)
    default = settings.owner_capacity.get(DEFAULT, np.inf)
    caps = (
        np.array([settings.channel_capacity.get(c, np.inf) for c in context.channels], np.float64),
        np.array([settings.owner_capacity.get(str(o), default) for o in known_owners], np.float64),
    )
    cost = prepared.costs.amount[action]
    groups = [(channel_of[action].astype(np.int64), caps[0]), (owner.astype(np.int64), caps[1])]
    choice = Choice(
        Options(unit[customer], gain, cost, groups),
        tried,
        sure & (gain > 0),
        customer.astype(np.int64),
        len(people),
        prepared.facts["open_complaint"].to_numpy(bool)[prepared.candidates],
        draw(context.key, f"alone {context.as_of}", names),
    )
    budget = np.inf if settings.budget is None else settings.budget
    return choice, Limits(float(settings.capacity), budget, caps)


def _limit_dice(limits: Limits, context: Context) -> Floats:
    count = 1 + sum(len(group) for group in limits.groups)
    return draw(context.key, f"limits {context.as_of}", map(str, range(count)))
