"""Choice under several limits at once: at most one option a unit, best total gain, with a proven bound.

The linear relaxation is solved exactly, over all options but with few of them in memory at a time (sifting: Bixby
et al. 1992, Operations Research 40(5)). Its prices bound what any choice can gain; its solution is whole but for at
most as many units as there are limits, and a small integer program settles those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from configs.arrays import Floats, Ints

EPSILON = 1e-9
_WHOLE = 1e-6
SAMPLE_UNITS = 3_000
ADDED_AT_ONCE = 50_000
CORE_OPTIONS = 1_000
SMALL_CORE = 200
CLOSE = 1e-3
FILL_FROM = 10_000
SIFTING_ROUNDS = 60
# One thread and no time limit: the choice does not depend on how busy the machine is.
SEARCH = {
    "output_flag": False,
    "threads": 1,
    "mip_max_nodes": 1_000,
    "mip_feasibility_tolerance": EPSILON,
    "primal_feasibility_tolerance": EPSILON,
}


@dataclass(frozen=True)
class Options:
    """What can be done for whom.

    Parameters
    ----------
    unit
        Shape (n,): number of the customer or household; at most one of its options is taken.
    gain
        Shape (n,): only positive ones are ever taken.
    cost
        Shape (n,): not negative.
    groups
        Of each kind, such as channel and owner: the group's number of each option, shape (n,), and how many options
        each group can take, shape (groups,), infinite where there is no limit.
    """

    unit: Ints
    gain: Floats
    cost: Floats
    groups: Sequence[tuple[Ints, Floats]] = ()


@dataclass(frozen=True)
class Assignment:
    """The options taken.

    Parameters
    ----------
    taken
        Numbers of the options, ascending.
    gain
        Their sum.
    bound
        No choice within the limits gains more.
    """

    taken: Ints
    gain: float
    bound: float


def assign(options: Options, capacity: int, budget: float = np.inf) -> Assignment:
    """The options with the greatest total gain within all limits.

    The same options in the same order give the same choice.

    Parameters
    ----------
    capacity
        How many options at most.
    budget
        What they may cost together.

    Examples
    --------
    Two customers, a call or a mail each, and one call a day: the call goes where it adds most.

    >>> both = Options(np.array([0, 0, 1, 1]), np.array([9.0, 8.0, 7.0, 1.0]), np.zeros(4),
    ...                [(np.array([0, 1, 0, 1]), np.array([1.0, np.inf]))])
    >>> assign(both, capacity=2)
    Assignment(taken=array([1, 2]), gain=15.0, bound=15.0)
    """
    most = _most(options, capacity, budget)
    kept = _undominated(options, most, np.isfinite(budget))
    if len(kept) == 0:
        return Assignment(np.zeros(0, np.int64), 0.0, 0.0)
    _, unit = np.unique(options.unit[kept], return_inverse=True)
    problem = _Problem(unit.astype(np.int64), options.gain[kept], *_limits(options, kept, most, budget))
    relaxed = problem.relaxed()
    taken = kept[problem.whole(relaxed)]
    gain = float(options.gain[taken].sum())
    return Assignment(taken, gain, max(gain, relaxed.bound))


def _most(options: Options, capacity: int, budget: float) -> int:
    """How many options can be taken at all."""
    most = min(capacity, len(np.unique(options.unit)))
    for group, caps in options.groups:
        most = min(most, int(np.minimum(caps, np.bincount(group, minlength=len(caps))).sum()))
    cheapest = np.sort(options.cost)[:most]
    return int((np.cumsum(cheapest) <= budget).sum())


def _undominated(options: Options, most: int, priced: bool) -> Ints:
    """Options that an optimal choice may need, ascending.

    Two options use the same of every limit when they agree in cost and in all groups. Of a unit's such options only
    the best is needed; and of all units' only the best `most`, because a choice with a lesser one leaves one of
    those units free.
    """
    positive = np.flatnonzero(options.gain > 0)
    keys = [options.cost[positive]] if priced else []
    for group, caps in options.groups:
        keys.append(np.where(caps < most, np.arange(len(caps)), -1)[group[positive]].astype(np.float64))
    kind = _numbered(keys, len(positive))
    order = np.lexsort((positive, -options.gain[positive], options.unit[positive], kind))
    same = (np.diff(kind[order]) == 0) & (np.diff(options.unit[positive][order]) == 0)
    first = order[np.r_[True, ~same][: len(order)]]
    order = first[np.lexsort((positive[first], -options.gain[positive][first], kind[first]))]
    starts = np.flatnonzero(np.r_[True, np.diff(kind[order]) != 0][: len(order)])
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return np.sort(positive[order[place < most]])


def _numbered(keys: Sequence[Floats], n: int) -> Ints:
    """One number for each combination of the keys."""
    kind = np.zeros(n, np.int64)
    for key in keys:
        values, code = np.unique(key, return_inverse=True)
        kind = kind * len(values) + code
    return kind


def _limits(options: Options, kept: Ints, most: int, budget: float) -> tuple[Any, Floats]:
    """The limits that can bind, as rows over the kept options, and their right-hand sides."""
    n, columns = len(kept), np.arange(len(kept))
    rows, caps_of = [sparse.csr_matrix(np.ones((1, n)))], [np.array([float(most)])]
    if np.isfinite(budget):
        scale = budget or 1.0
        rows.append(sparse.csr_matrix(options.cost[kept][None] / scale))
        caps_of.append(np.array([budget / scale]))
    for group, caps in options.groups:
        matrix = sparse.csr_matrix((np.ones(n), (group[kept], columns)), shape=(len(caps), n))
        binds = np.flatnonzero(caps < most)
        rows.append(matrix[binds])
        caps_of.append(caps[binds])
    return sparse.vstack(rows).tocsc(), np.concatenate(caps_of)


@dataclass(frozen=True)
class _Relaxed:
    """Solution of the relaxation: options worked on, their shares, loss of taking each option, bound."""

    share: Floats
    loss: Floats
    worth: Floats
    bound: float


@dataclass(frozen=True)
class _Problem:
    """`use @ x <= caps`, at most one option a unit; `unit` numbers from 0 without gaps."""

    unit: Ints
    gain: Floats
    use: Any
    caps: Floats

    def relaxed(self) -> _Relaxed:
        """The exact solution of the relaxation."""
        n = len(self.unit)
        prices = self._first_prices()
        working, share = np.zeros(n, bool), np.zeros(n)
        for _ in range(SIFTING_ROUNDS):
            left = self.gain - self.use.T @ prices
            worth = self._best(np.where(working, left, 0.0))
            missed = np.where(working, 0.0, left - worth[self.unit])
            new = np.flatnonzero(missed > EPSILON * self.gain.max())
            if len(new) == 0 and working.any():
                break
            working[new[np.argsort(-missed[new], kind="stable")[:ADDED_AT_ONCE]]] = True
            chosen = np.flatnonzero(working)
            share = np.zeros(n)
            share[chosen], prices = self._linear(chosen, self.caps)
        left = self.gain - self.use.T @ prices
        worth = self._best(np.maximum(left, 0.0))
        return _Relaxed(share, worth[self.unit] - left, worth, float(prices @ self.caps + worth.sum()))

    def whole(self, relaxed: _Relaxed) -> Ints:
        """A whole choice: the relaxation rounded down, filled up, and improved among what could still be better.

        An option whose loss at the prices exceeds the gap to the bound is in no better choice, and a unit that is
        worth more than the gap is in every better one.
        """
        order = np.argsort(relaxed.loss, kind="stable")
        start = self._filled(np.flatnonzero(relaxed.share > 1 - _WHOLE), order[:FILL_FROM])
        gap = relaxed.bound - self.gain[start].sum()
        core = order[relaxed.loss[order] <= gap * (1 + _WHOLE)]
        near = CLOSE if len(core) > SMALL_CORE else EPSILON
        if gap <= near * relaxed.bound:
            return np.sort(start)
        core = core[:CORE_OPTIONS]
        alone = np.bincount(self.unit[core], minlength=len(relaxed.worth)) == 1
        sure = (alone & (relaxed.worth > gap * (1 + _WHOLE)))[self.unit[core]]
        fixed, open_ = core[sure], np.sort(core[~sure])
        caps = self.caps - self.use[:, fixed].sum(axis=1).A1 if len(fixed) else self.caps
        if (caps < -_WHOLE).any() or len(open_) == 0:
            return np.sort(start)
        rest = relaxed.bound - self.gain[fixed].sum()
        near = near * relaxed.bound / rest if rest > 0 else 0.0
        better = np.concatenate([fixed, self._integer(open_, np.maximum(caps, 0.0), near)])
        better = self._filled(better, order[:FILL_FROM])
        return np.sort(max(start, better, key=lambda taken: float(self.gain[taken].sum())))

    def _best(self, value: Floats) -> Floats:
        best = np.zeros(int(self.unit.max()) + 1)
        np.maximum.at(best, self.unit, value)
        return best

    def _first_prices(self) -> Floats:
        """Prices of a sample of the units, with a share of every limit as large as theirs of the units."""
        units = int(self.unit.max()) + 1
        step = max(1, units // SAMPLE_UNITS)
        if step == 1:
            return np.zeros(len(self.caps))
        chosen = np.flatnonzero(self.unit % step == 0)
        return self._linear(chosen, self.caps / step)[1]

    def _rows(self, chosen: Ints) -> Any:
        """One row for each unit that has more than one of the chosen options."""
        _, unit = np.unique(self.unit[chosen], return_inverse=True)
        several = np.bincount(unit) > 1
        row = np.cumsum(several) - 1
        inside = several[unit]
        shape = (int(several.sum()), len(chosen))
        return sparse.csr_matrix(
            (np.ones(int(inside.sum())), (row[unit[inside]], np.flatnonzero(inside))), shape
        )

    def _linear(self, chosen: Ints, caps: Floats) -> tuple[Floats, Floats]:
        """Shares of the chosen options in the relaxation, and the price of each limit."""
        rows = self._rows(chosen)
        matrix = sparse.vstack([self.use[:, chosen], rows]).tocsc()
        right = np.concatenate([caps, np.ones(rows.shape[0])])
        scale = float(self.gain[chosen].max())
        solved = linprog(
            -self.gain[chosen] / scale, A_ub=matrix, b_ub=right, bounds=(0, 1), method="highs-ds"
        )
        if solved.x is None:
            raise ArithmeticError(f"the relaxation could not be solved: {solved.message}")
        prices = np.maximum(-solved.ineqlin.marginals[: len(caps)], 0.0) * scale
        return np.asarray(solved.x), prices

    def _integer(self, chosen: Ints, caps: Floats, near: float) -> Ints:
        """The best whole choice among few options but for a share `near`, or the best found within the nodes."""
        from highspy import Highs, HighsLp, HighsVarType, kHighsInf

        rows = self._rows(chosen)
        matrix = sparse.vstack([self.use[:, chosen], rows]).tocsc()
        gain, limits = self.gain[chosen], matrix.shape[0]
        program = HighsLp()
        program.num_col_, program.num_row_ = len(chosen), limits
        program.col_cost_ = -gain / gain.max()
        program.col_lower_, program.col_upper_ = np.zeros(len(chosen)), np.ones(len(chosen))
        program.row_lower_ = np.full(limits, -kHighsInf)
        program.row_upper_ = np.concatenate([caps, np.ones(rows.shape[0])])
        program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
        program.a_matrix_.value_ = matrix.data
        program.integrality_ = [HighsVarType.kInteger] * len(chosen)
        solver = Highs()
        for name, value in {**SEARCH, "mip_rel_gap": near}.items():
            solver.setOptionValue(name, value)
        solver.passModel(program)
        solver.run()
        share = np.asarray(solver.getSolution().col_value, dtype=np.float64)
        return chosen[share > 1 / 2] if len(share) == len(chosen) else chosen[:0]

    def _filled(self, taken: Ints, order: Ints) -> Ints:
        """The taken options, and others in that order as long as the limits allow."""
        room = self.caps - self.use[:, taken].sum(axis=1).A1 if len(taken) else self.caps.copy()
        served = np.zeros(int(self.unit.max()) + 1, bool)
        served[self.unit[taken]] = True
        more = []
        for option in order:
            if room[0] < 1 - _WHOLE:
                break
            if served[self.unit[option]]:
                continue
            start, end = self.use.indptr[option], self.use.indptr[option + 1]
            limits, amounts = self.use.indices[start:end], self.use.data[start:end]
            if (room[limits] >= amounts - _WHOLE * np.maximum(amounts, 1)).all():
                room[limits] -= amounts
                served[self.unit[option]] = True
                more.append(option)
        return np.concatenate([taken, np.array(more, np.int64)])
