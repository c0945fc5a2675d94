"""The list of one night: the best choice within the limits, a random part, and the control group left alone.

The control group is drawn by a keyed hash before anything is chosen, and takes part in the choice: whoever of it
would be listed is left alone, and the room goes to the next choice. So for everybody who is chosen, whether to be
listed or left alone was a matter of chance only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decision.assignment import Options, assign

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 12
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Limits:
    """What one list may use; infinite where there is no limit.

    Parameters
    ----------
    capacity
        Customers.
    budget
        Cost of all contacts.
    groups
        For each kind, such as channel and owner: contacts by group.
    """

    capacity: float
    budget: float
    groups: tuple[Floats, ...]

    def less(self, use: Limits) -> Limits:
        """What is left."""

        def rest(mine: Floats, theirs: Floats) -> Floats:
            with np.errstate(invalid="ignore"):
                return np.where(np.isinf(mine), np.inf, np.maximum(mine - theirs, 0.0))

        return Limits(
            self.capacity - use.capacity,
            float(rest(np.array(self.budget), np.array(use.budget))),
            tuple(rest(mine, theirs) for mine, theirs in zip(self.groups, use.groups, strict=True)),
        )

    def at_most(self, other: Limits) -> Limits:
        """The smaller of each."""
        return Limits(
            min(self.capacity, other.capacity),
            min(self.budget, other.budget),
            tuple(np.minimum(mine, theirs) for mine, theirs in zip(self.groups, other.groups, strict=True)),
        )

    def share(self, share: float, dice: Floats) -> Limits:
        """That share of each; a fraction of a contact is one as often as the dice, in [0, 1), say."""

        def part(room: Floats, die: Floats) -> Floats:
            return np.where(np.isfinite(room), np.floor(room * share + die), np.inf)

        ends = np.cumsum([1, *map(len, self.groups)])
        parts = [part(g, dice[a:b]) for g, a, b in zip(self.groups, ends[:-1], ends[1:], strict=True)]
        return Limits(float(part(np.array(self.capacity), dice[0])), self.budget * share, tuple(parts))


@dataclass(frozen=True)
class Night:
    """What can be chosen tonight, and the draws.

    Parameters
    ----------
    options
        One for each customer and action with a positive gain; groups as in `Limits`, their caps unread.
    customer
        Shape (options,): number of the customer, below `customers`.
    control
        Shape (customers,): is in the control group.
    sampled
        Shape (customers,): takes part in the draw of the random part.
    dice
        Shape (customers, 2), in [0, 1): the order of the draw, and which of the own options is drawn.
    """

    options: Options
    customer: Ints
    customers: int
    control: Bools
    sampled: Bools
    dice: Floats


@dataclass(frozen=True)
class Selection:
    """What came out.

    Parameters
    ----------
    listed, left_alone
        Numbers of the options on the list, and of those that would be if their customers were not in the control
        group.
    explored
        Shape (options,): was drawn.
    chance
        Shape (customers,): chance of being drawn, of those in the draw.
    gain, bound
        Of the first and largest choice, before the control group was taken out; nothing gains more than the bound.
    """

    listed: Ints
    left_alone: Ints
    explored: Bools
    chance: Floats
    gain: float
    bound: float


@dataclass
class _Progress:
    """What has been decided so far, and the room that is left."""

    room: Limits
    listed: list[int] = field(default_factory=list)
    left_alone: list[int] = field(default_factory=list)
    closed: set[int] = field(default_factory=set)

    def record(self, night: Night, taken: Ints) -> Limits:
        """Note the options taken; return what those on the list use."""
        control = night.control[night.customer[taken]]
        listed = taken[~control]
        self.listed += listed.tolist()
        self.left_alone += taken[control].tolist()
        self.closed |= set(night.options.unit[taken].tolist())
        use = _use(night.options, listed, self.room)
        self.room = self.room.less(use)
        return use


def select(night: Night, limits: Limits, exploration: float, limit_dice: Floats) -> Selection:
    """Choose within the limits.

    Parameters
    ----------
    exploration
        Share of every limit that goes to the random part.
    limit_dice
        Shape (1 + groups,), in [0, 1): whether a fraction of a contact is explored tonight.
    """
    progress = _Progress(limits)
    quota = limits.share(exploration, limit_dice) if exploration else _nothing(limits)
    first = _best(night, progress, limits.less(quota))
    explored, chance = _drawn(night, progress, quota.at_most(progress.room))
    _best(night, progress, progress.room)
    taken = np.array(progress.listed + progress.left_alone, np.int64)
    listed = len(progress.listed)
    return Selection(taken[:listed], taken[listed:], explored, chance, *first)


def _nothing(limits: Limits) -> Limits:
    return Limits(0.0, 0.0, tuple(np.zeros(len(g)) for g in limits.groups))


def _use(options: Options, taken: Ints, limits: Limits) -> Limits:
    groups = tuple(
        np.bincount(group[taken], minlength=len(room)).astype(np.float64)
        for (group, _), room in zip(options.groups, limits.groups, strict=True)
    )
    return Limits(float(len(taken)), float(options.cost[taken].sum()), groups)


def _best(night: Night, progress: _Progress, room: Limits) -> tuple[float, float]:
    """Fill the room with the best choice; again with what the control group left free, until nothing is."""
    first: tuple[float, float] | None = None
    for _ in range(ROUNDS):
        open_ = np.flatnonzero(~np.isin(night.options.unit, list(progress.closed)))
        found = assign(_part(night.options, open_, room), int(max(room.capacity, 0)), room.budget)
        first = first or (found.gain, found.bound)
        taken = open_[found.taken]
        before = len(progress.left_alone)
        room = room.less(progress.record(night, taken))
        if len(progress.left_alone) == before or not len(taken):
            break
    return first or (0.0, 0.0)


def _part(options: Options, chosen: Ints, room: Limits) -> Options:
    groups = [
        (group[chosen], np.maximum(caps, 0.0))
        for (group, _), caps in zip(options.groups, room.groups, strict=True)
    ]
    return replace(
        options,
        unit=options.unit[chosen],
        gain=options.gain[chosen],
        cost=options.cost[chosen],
        groups=groups,
    )


def _drawn(night: Night, progress: _Progress, quota: Limits) -> tuple[Bools, Floats]:
    """Draw customers at random, one of their options each, as long as the quota has room.

    The chance of an option is the share drawn of those like it, in channel and owner, that were in the draw.
    """
    options = night.options
    explored, chance = np.zeros(len(options.unit), bool), np.zeros(night.customers)
    open_ = night.sampled[night.customer] & ~np.isin(options.unit, list(progress.closed))
    drawn = _one_each(night, np.flatnonzero(open_))
    if quota.capacity < 1 or not len(drawn):
        return explored, chance
    order = drawn[np.argsort(night.dice[night.customer[drawn], 0], kind="stable")]
    taken = _as_far_as_it_goes(night, order, quota)
    progress.record(night, taken)
    explored[taken] = True
    like = _alike(options)
    kinds = int(like.max()) + 1
    rate = np.bincount(like[taken], minlength=kinds) / np.maximum(
        np.bincount(like[drawn], minlength=kinds), 1
    )
    mine = np.flatnonzero(open_)
    sums = np.bincount(night.customer[mine], rate[like[mine]], minlength=night.customers)
    counts = np.bincount(night.customer[mine], minlength=night.customers)
    members = _members(night, mine)
    return explored, sums / np.maximum(counts, 1) / np.maximum(members, 1)


def _one_each(night: Night, open_: Ints) -> Ints:
    """For each unit one customer, and for this customer one option, all with the same chance."""
    customer, unit = night.customer[open_], night.options.unit[open_]
    counts = np.bincount(customer, minlength=night.customers)
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    order = np.argsort(customer, kind="stable")
    who = np.flatnonzero(counts)
    place = starts[who] + np.floor(night.dice[who, 1] * counts[who]).astype(np.int64)
    picked = order[np.minimum(place, starts[who] + counts[who] - 1)]
    by_unit = np.lexsort((night.dice[customer[picked], 0], unit[picked]))
    first = np.r_[True, np.diff(unit[picked][by_unit]) != 0][: len(by_unit)]
    return np.sort(open_[picked[by_unit[first]]])


def _members(night: Night, open_: Ints) -> Floats:
    """Shape (customers,): how many customers of the own unit are in the draw."""
    pairs = np.unique(np.stack([night.options.unit[open_], night.customer[open_]]), axis=1)
    _, of, sizes = np.unique(pairs[0], return_inverse=True, return_counts=True)
    members = np.zeros(night.customers)
    members[pairs[1]] = sizes[of]
    return members


def _alike(options: Options) -> Ints:
    """One number for each combination of groups."""
    like = np.zeros(len(options.unit), np.int64)
    for group, caps in options.groups:
        like = like * len(caps) + group
    return np.unique(like, return_inverse=True)[1].astype(np.int64)


def _as_far_as_it_goes(night: Night, order: Ints, quota: Limits) -> Ints:
    """Options in that order that still fit; those left alone use nothing, but only fit where others would."""
    options, taken = night.options, []
    capacity, budget, rooms = quota.capacity, quota.budget, [room.copy() for room in quota.groups]
    for option in order:
        if capacity < 1:
            break
        places: Sequence[Any] = [group[option] for group, _ in options.groups]
        cost = options.cost[option]
        if cost > budget + TOLERANCE or any(room[p] < 1 for room, p in zip(rooms, places, strict=True)):
            continue
        taken.append(int(option))
        if not night.control[night.customer[option]]:
            capacity, budget = capacity - 1, budget - cost
            for room, place in zip(rooms, places, strict=True):
                room[place] -= 1
    return np.array(taken, np.int64)
