"""Whom to contact tonight, how and why: a decision in two steps, with the reasons computed in between.

`prepare` looks at all customers and says who could be on the list; the reasons of those are then computed, and
`decide` chooses among them. Everything is a pure function of its arguments: the same night gives the same list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.outreach import DEFAULT, Outreach
from configs.playbook import ACCOUNT_MANAGER
from models.decision.assignment import Options
from pipeline.outcomes.draws import control_period, draw
from pipeline.outreach.contact_facts import contact_facts
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.costs import contact_costs
from pipeline.outreach.decision import Decision, Outcome
from pipeline.outreach.eligibility import Rule, blocked, check_columns, open_channels
from pipeline.outreach.playbook import fitting, masks
from pipeline.outreach.reasons import Reason
from pipeline.outreach.selection import Limits, Night, select
from pipeline.outreach.valuation import Valuation, valuation

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def prepare(
    scores: pd.DataFrame,
    context: Context,
    *,
    contacts: Any = None,
    facts: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    do_not_contact: Collection[str] = (),
    effect: Floats | None = None,
    worth: Valuation | None = None,
) -> Prepared:
    """Value every customer, apply every rule, and pick those who compete for the list.

    Parameters
    ----------
    scores
        One row a customer: `customer_id`, `churn_probability`, and the columns of the matrix.
    contacts
        Ibis table or frame of the contacts role, cut at `as_of`.
    facts
        More columns by `customer_id`, that the model must not see: owner, household, consent, ids of the CRM.
    history
        `ledger.recommended` of the last `repeat_days` and `hold_days`.
    do_not_contact
        Ids, see `eligibility.read_ids`.
    effect
        Shape (n,), in the order of `scores`: predicted fall of the chance of leaving when contacted. It takes the
        place of chance x save rate, and the save rates only tell the actions apart.
    worth
        Of these customers, in the order of `scores`, where they are not all: what each is worth depends on all.

    Raises
    ------
    DataError
        When a column that the config names is not there.
    """
    settings = context.settings
    order = np.argsort(scores["customer_id"].to_numpy(object), kind="stable")
    customers = scores.iloc[order].reset_index(drop=True)
    if facts is not None:
        fresh = facts[[c for c in facts.columns if c not in customers or c == "customer_id"]]
        customers = customers.merge(fresh.drop_duplicates("customer_id"), on="customer_id", how="left")
    check_columns(customers, settings)
    known = contact_facts(contacts, pd.Index(customers["customer_id"]), settings, context.as_of)
    if contacts is None and "open_issue_count" in customers:
        known = known.assign(open_complaint=(customers["open_issue_count"] > 0).to_numpy())
    channels = open_channels(context.channels, customers, settings)
    rules = blocked(
        customers, known, channels, history, do_not_contact, settings, context.as_of, context.hold_days
    )
    worth = valuation(customers, settings, context.margin) if worth is None else worth.take(order)
    lift = _lift(customers, known, channels, worth, context, None if effect is None else effect[order])
    free = ~np.logical_or.reduce(list(rules.values()))
    best = _gain(lift, worth, context).max(axis=1, initial=-np.inf)
    rules = {**rules, **_hopeless(lift, known, best)}
    competing = np.flatnonzero(free & (best > 0))
    candidates, sampled, share = _candidates(customers, competing, best, context)
    return Prepared(
        context, customers, known, worth, channels, rules, lift, candidates, order[candidates], sampled, share
    )


def _lift(
    customers: pd.DataFrame,
    known: pd.DataFrame,
    channels: Bools,
    worth: Valuation,
    context: Context,
    effect: Floats | None,
) -> Floats:
    """Leaving prevented by each action, were it to fit by the reasons too."""
    probability = customers["churn_probability"].to_numpy(np.float64)
    ranks, complaint = worth.ranks, known["open_complaint"].to_numpy(bool)
    reach = {channel: channels[:, i] for i, channel in enumerate(context.channels)}
    saves = context.saves
    lift = np.zeros((len(customers), len(saves)))
    for i, action in enumerate(context.actions):
        can = fitting(action, customers, probability, ranks, None) & reach[action.channel]
        can &= ~complaint | action.settles_complaints
        base = probability * saves[i] if effect is None else effect * saves[i] / saves.mean()
        lift[:, i] = np.where(can, base, 0.0)
    return lift


def _gain(lift: Floats, worth: Valuation, context: Context, rows: Ints | None = None) -> Floats:
    """Expected gain of each action, minus infinity where it can't be taken."""
    amount = worth.amount if rows is None else worth.amount[rows]
    costs = contact_costs(context.playbook, context.settings, worth.priced)
    return np.where(lift > 0, lift * amount[:, None] - costs.off_the_gain, -np.inf)


def _hopeless(lift: Floats, known: pd.DataFrame, best: Floats) -> dict[Rule, Bools]:
    none = ~(lift > 0).any(axis=1)
    complaint = known["open_complaint"].to_numpy(bool)
    return {
        Rule.COMPLAINT: none & complaint,
        Rule.NO_ACTION: none & ~complaint,
        Rule.NO_GAIN: ~none & (best <= 0),
    }


def _candidates(
    customers: pd.DataFrame, competing: Ints, best: Floats, context: Context
) -> tuple[Ints, Bools, float]:
    """The most promising, and a random sample of all for the random part of the list."""
    settings = context.settings
    sampled = np.zeros(len(customers), bool)
    if len(competing) <= settings.candidates:
        sampled[competing] = True
        return competing, sampled, 1.0
    size = settings.candidates // 5 if settings.exploration else 0
    dice = draw(context.key, f"sample {context.as_of}", customers["customer_id"].iloc[competing].tolist())
    drawn = competing[np.argsort(dice, kind="stable")[:size]]
    rest = np.setdiff1d(competing, drawn)
    top = rest[np.argsort(-best[rest], kind="stable")[: settings.candidates - size]]
    sampled[drawn] = True
    return np.sort(np.concatenate([drawn, top])), sampled, size / len(competing)


def least_gain(prepared: Prepared) -> float:
    """What the least promising of those gains at most who compete for their gain and not by the draw.

    Nobody who gains less would compete; minus infinity where there is room for more.
    """
    rows = prepared.candidates[~prepared.sampled[prepared.candidates]]
    best = _gain(prepared.lift[rows], prepared.worth, prepared.context, rows).max(axis=1, initial=-np.inf)
    return float(best.min()) if len(rows) else -np.inf


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
    gain = _gain(np.where(fits, prepared.lift[rows], 0.0), prepared.worth, context, rows)
    customer, action = np.nonzero(gain > 0)
    owners = _owners(people, prepared.facts["agent"].iloc[rows].to_numpy(object), context)[customer, action]
    night, limits = _night(prepared, people, customer, action, gain[customer, action], owners)
    found = select(night, limits, context.settings.exploration, _limit_dice(limits, context))
    return Outcome(
        prepared, people, tuple(reasons), customer, action, gain, owners, night, found, fits
    ).decision()


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


def units(people: pd.DataFrame, settings: Outreach) -> list[str]:
    """The household of each customer, or the customer where none is known: only one of it is contacted."""
    ids = people["customer_id"]
    if settings.columns.household is None:
        return [f"customer {name}" for name in ids]
    homes = people[settings.columns.household]
    known = homes.notna() & (homes.astype("str").str.strip() != "")
    return [f"household {h}" if k else f"customer {c}" for h, k, c in zip(homes, known, ids, strict=True)]


def in_control(names: Sequence[str], context: Context) -> Bools:
    """Whether each household is in the control group of the date."""
    control = context.settings.control
    period = control_period(context.as_of, control.days)
    return draw(context.key, f"control {period}", names) < control.share


def _night(
    prepared: Prepared, people: pd.DataFrame, customer: Ints, action: Ints, gain: Floats, owners: NDArray[Any]
) -> tuple[Night, Limits]:
    context, settings = prepared.context, prepared.context.settings
    names = units(people, settings)
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
    ids = people["customer_id"].tolist()
    dice = [draw(context.key, f"{what} {context.as_of}", ids) for what in ("explore", "option")]
    night = Night(
        Options(unit[customer], gain, cost, groups),
        customer.astype(np.int64),
        len(people),
        in_control(names, context),
        prepared.sampled[prepared.candidates],
        np.stack(dice, axis=1),
    )
    budget = np.inf if settings.budget is None else settings.budget
    return night, Limits(float(settings.capacity), budget, caps)


def _limit_dice(limits: Limits, context: Context) -> Floats:
    count = 1 + sum(len(group) for group in limits.groups)
    return draw(context.key, f"limits {context.as_of}", map(str, range(count)))
