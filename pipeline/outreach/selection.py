"""The list of one night: first whose gain is sure, then a trial of what is not, each against customers left alone.

Whether a customer who is chosen will be listed or left alone is drawn by a keyed hash before anything is chosen. The
choice does not look at the draw, and the room of those left alone goes to the next choice. So for everybody who is
chosen, to be listed or left alone is a matter of chance only, and the chance is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from configs.arrays import Bools, Floats, Ints
from models.decision.assignment import Options, assign

_ROUNDS = 12
_HALF = 0.5


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
class Choice:
    """What can be chosen tonight, and the draws.

    Parameters
    ----------
    options
        One for each customer and action that is worth a thought; `gain` is the expected one; groups as in `Limits`,
        their caps unread.
    tried
        Shape (options,): the gain as it could well be, by tonight's draw.
    sure
        Shape (options,): the gain is positive even when the effect is as small as it may well be.
    customer
        Shape (options,): number of the customer, below `customers`.
    spared
        Shape (customers,): must not be left alone.
    dice
        Shape (customers,), in [0, 1): customers whose number is below the share of the control group are left alone.
        The same for all of a household.
    """

    options: Options
    tried: Floats
    sure: Bools
    customer: Ints
    customers: int
    spared: Bools
    dice: Floats

    def only(self, may: Bools) -> Choice:
        """The same options, of which some can't be chosen."""
        return replace(self, sure=self.sure & may, tried=np.where(may, self.tried, -np.inf))

    def alone(self, share: float) -> Bools:
        """Shape (options,): would be left alone."""
        return np.asarray(((self.dice < share) & ~self.spared)[self.customer])


@dataclass(frozen=True)
class Selection:
    """What came out.

    Parameters
    ----------
    listed, left_alone
        Numbers of the options on the list, and of those that would be if chance had not left their customers alone.
    trial
        Shape (options,): was chosen to be tried.
    chance
        Shape (options,): chance of being listed of what was chosen; 0 for the others.
    gain, bound
        Of the first and largest choice, before anybody was left alone; nothing gains more than the bound.
    """

    listed: Ints
    left_alone: Ints
    trial: Bools
    chance: Floats
    gain: float
    bound: float

    @property
    def taken(self) -> Ints:
        """Numbers of all options that were chosen."""
        return np.concatenate([self.listed, self.left_alone])

    def used(self, options: Options, limits: Limits) -> Limits:
        """What those on the list use of the limits."""
        return _use(options, self.listed, limits)

    def joined(self, other: Selection) -> Selection:
        """Both, of options that have nothing in common; the gain is this one's."""
        return Selection(
            np.concatenate([self.listed, other.listed]),
            np.concatenate([self.left_alone, other.left_alone]),
            self.trial | other.trial,
            np.maximum(self.chance, other.chance),
            self.gain,
            self.bound,
        )


@dataclass
class _Progress:
    """What has been decided so far, and the room that is left."""

    room: Limits
    listed: list[int] = field(default_factory=list)
    left_alone: list[int] = field(default_factory=list)
    closed: set[int] = field(default_factory=set)

    def record(self, choice: Choice, taken: Ints, alone: Bools) -> Limits:
        """Note the options taken; return what those on the list use."""
        listed = taken[~alone[taken]]
        self.listed += listed.tolist()
        self.left_alone += taken[alone[taken]].tolist()
        self.closed |= set(choice.options.unit[taken].tolist())
        use = _use(choice.options, listed, self.room)
        self.room = self.room.less(use)
        return use


def select(choice: Choice, limits: Limits, *, trial: float, control: float, limit_dice: Floats) -> Selection:
    """Choose within the limits.

    Parameters
    ----------
    trial
        Contacts for the trial; half of those who are chosen for it are left alone.
    control
        Share of the others that is left alone.
    limit_dice
        Shape (1 + groups,), in [0, 1): whether a fraction of a contact is tried tonight.
    """
    progress = _Progress(limits)
    share = min(trial / limits.capacity, 1.0) if limits.capacity else 0.0
    quota = limits.share(share, limit_dice) if share else _nothing(limits)
    halves, few = choice.alone(_HALF), choice.alone(control)
    chance, tried = np.zeros(len(choice.customer)), np.zeros(len(choice.customer), bool)
    first = _best(choice, progress, limits.less(quota), choice.sure, choice.options.gain, few)
    sure = np.array(progress.listed + progress.left_alone, np.int64)
    _best(choice, progress, quota.at_most(progress.room), choice.tried > 0, choice.tried, halves)
    taken = np.array(progress.listed + progress.left_alone, np.int64)
    tried[np.setdiff1d(taken, sure)] = True
    _best(choice, progress, progress.room, choice.sure, choice.options.gain, few)
    taken = np.array(progress.listed + progress.left_alone, np.int64)
    chance[taken] = np.where(
        choice.spared[choice.customer[taken]], 1.0, 1 - np.where(tried[taken], _HALF, control)
    )
    listed = len(progress.listed)
    return Selection(taken[:listed], taken[listed:], tried, chance, *first)


def _nothing(limits: Limits) -> Limits:
    return Limits(0.0, 0.0, tuple(np.zeros(len(g)) for g in limits.groups))


def _use(options: Options, taken: Ints, limits: Limits) -> Limits:
    groups = tuple(
        np.bincount(group[taken], minlength=len(room)).astype(np.float64)
        for (group, _), room in zip(options.groups, limits.groups, strict=True)
    )
    return Limits(float(len(taken)), float(options.cost[taken].sum()), groups)


def _best(
    choice: Choice, progress: _Progress, room: Limits, may: Bools, gain: Floats, alone: Bools
) -> tuple[float, float]:
    """Fill the room with the best choice; again with what those left alone set free, until nothing is."""
    first: tuple[float, float] | None = None
    for _ in range(_ROUNDS):
        open_ = np.flatnonzero(may & ~np.isin(choice.options.unit, list(progress.closed)))
        options = replace(choice.options, gain=gain)
        found = assign(_part(options, open_, room), int(max(room.capacity, 0)), room.budget)
        first = first or (found.gain, found.bound)
        taken = open_[found.taken]
        before = len(progress.left_alone)
        room = room.less(progress.record(choice, taken, alone))
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
