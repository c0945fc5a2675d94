"""Whom to contact tonight and how: the choice among those who compete for the list, see `competing.py`.

A pure function of its arguments: the same night gives the same list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Floats, Ints
from configs.outreach import DEFAULT, Outreach
from configs.playbook import ACCOUNT_MANAGER
from models.decision.assignment import Options
from pipeline.outcomes.draws import draw
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.decision import Decision, Outcome
from pipeline.outreach.eligibility import contact_units
from pipeline.outreach.playbook import fitting, masks
from pipeline.outreach.reasons import Reason
from pipeline.outreach.selection import Choice, Limits, Selection, select

# Of a draw: how far chance may change whom a pilot tries first.
PILOT_BOLDNESS = 0.25


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
    gain, least = (
        np.where(fits, prepared.gain(effect), -np.inf)
        for effect in (prepared.effect, prepared.effect - prepared.stage.sure * prepared.spread)
    )
    tried = _tried(prepared, fits, gain, least > 0)
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


def _tried(prepared: Prepared, fits: Bools, gain: Floats, sure: Bools) -> Floats:
    """Shape (candidates, actions): in which order contacts are tried, highest first; minus infinity: not at all."""
    pilot = prepared.stage.name == "pilot"
    # A pilot tries first what is expected to help: it learns about those whom the list would contact.
    bold = PILOT_BOLDNESS if pilot else 1.0
    effect = prepared.effect + bold * (prepared.drawn - prepared.effect)
    tried = np.where(fits, prepared.gain(effect), -np.inf)
    if not pilot:
        return tried
    # Nobody of the most valuable is put at risk before anything is known, and the rest by the least effort only.
    tried[prepared.stage.spares(prepared.worth)[prepared.candidates]] = -np.inf
    effort = np.where(np.isfinite(gain), prepared.costs.amount, np.inf)
    tried[effort > effort.min(axis=1, keepdims=True)] = -np.inf
    # Whose gain is sure is on the list without a trial, for which half of them would be left alone.
    return _in_order(tried, (gain > 0) & ~sure)


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
    # Few names stand for a million customers: each is looked at once, and missing ones come last as -1.
    code, names = pd.factorize(column)
    return np.array([*(str(name) if str(name).strip() else nobody for name in names), nobody], object)[code]


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
