"""How much one contact lowers the chance that a customer leaves: a Bayesian model, in use from the first night on.

It begins with a belief about where a contact can help, and moves with every customer whom chance listed or left alone.
For randomised rows with outcome y (1 kept), expected outcome m, treatment w of known chance e and inputs z the effect
is the regression of `y - m` on `(w - e) z` (Robinson 1988; Nie and Wager 2021, "Quasi-oracle estimation of
heterogeneous treatment effects"): whatever else decides who stays drops out, because w was drawn. Effects below zero
are possible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Floats, Ints
from models.effects import columns as cols
from models.effects.sparse import SingleEffects

# Standard deviations of the first belief: of how far the prior effect is off as a whole (1 is right), of an action
# against the others, and of an effect, in chance of leaving, that has another shape than the prior.
SCALE, SCALE_OF_ACTION, SHIFT, SHIFT_OF_ACTION = 0.9, 1.0, 0.03, 0.02
# Who told us of trouble just now, and was not answered, can be kept so many times as often more: a contact that answers
# is seldom a nuisance. Mean and standard deviation of the first belief.
TOLD, TOLD_SPREAD = 2.5, 1.0
# An action that answers a sign of leaving can prevent what the sign adds to the risk: so many times its save rate of
# that. Mean and standard deviation of the first belief.
CALLED, CALLED_SPREAD = 6.0, 2.0
TERMS = (
    "shape but for the sign",
    "shift",
    "fresh trouble",
    "risk by sign",
)  # what the coefficients of all stand before; a file of others is an older one
# So many customers of the company's mean risk are thought to be among those who have a sign, and those without.
_USUAL = 20.0
# The standard deviations may all be so many times as large, where the rows speak for it: strong effects are rare, but
# must not have to fight against the first belief. With the chance of each, so that a few rows change nothing.
WIDER = {1.0: 0.9, 3.0: 0.1}
# Chance that a single effect belongs to any column at all, and the part of it that columns of single actions have.
SOME_COLUMN, ONE_ACTION = 0.5, 0.4
_ROUNDS = 40


def prevented(probability: Floats, there: Floats, rest: Floats, recent: Floats) -> Floats:
    """Where a contact can prevent a loss, before anything was measured; to be multiplied by an action's save rate.

    It is highest for the wavering and falls towards those who are sure to leave or sure to stay, grows with the time
    since our last contact, and halves with each contact of ours lately.

    Parameters
    ----------
    probability
        Chance of leaving without a contact.
    there
        Chance that the customer has not left in silence.
    rest
        Days since our last contact, in usual or agreed gaps.
    recent
        Contacts of ours lately.

    Examples
    --------
    >>> p = np.array([0.05, 0.5, 0.98])
    >>> prevented(p, np.array([1.0, 0.9, 0.2]), np.ones(3), np.zeros(3)).round(2)
    array([0.22, 0.45, 0.03])
    """
    p = np.clip(probability, 0.0, 1.0)
    waver = np.sqrt(p * (1 - p))
    # Beyond the usual gap more time adds little.
    waited = np.where(rest < 1, rest, 1 + np.log(np.maximum(rest, 1.0)))
    return np.asarray(there * waver * np.minimum(waited, 2.0) * 0.5**recent)


def called_for(fits: Bools, probability: Floats) -> Floats:
    """How much an action is called for: the share of the risk that goes with the sign which it answers.

    It is the attributable fraction among those who have the sign (Miettinen 1974), by the chances of leaving: 0 where
    those whom the action does not fit are as likely to leave, as it is for an action that fits everybody.

    Parameters
    ----------
    fits
        Shape (customers, actions).
    probability
        Chance of leaving; shape (customers,).

    Returns
    -------
    ndarray
        Shape (customers, actions), 0 for those whom the action does not fit.

    Examples
    --------
    >>> fits = np.repeat([[True, True], [False, True]], [1000, 9000], axis=0)
    >>> called_for(fits, np.repeat([0.4, 0.1], [1000, 9000]))[[0, -1]].round(2).tolist()
    [[0.75, 0.0], [0.0, 0.0]]
    """
    usual = float(probability.mean()) if len(probability) else 0.0
    some, among = fits.sum(axis=0), probability @ fits
    with_sign = (among + _USUAL * usual) / (some + _USUAL)
    without = (probability.sum() - among + _USUAL * usual) / (len(fits) - some + _USUAL)
    return np.asarray(fits * np.maximum(1 - without / np.maximum(with_sign, 1e-12), 0.0))


@dataclass(frozen=True)
class Situation:
    """Customers as the model of the effect sees them, whatever is done; arrays of shape (rows,).

    Parameters
    ----------
    shape
        Of `prevented`.
    there
        Chance that the customer has not left in silence.
    risk
        Chance that the customer has not left in silence, times that of leaving.
    swing
        How uncertain it is who leaves: twice the standard deviation of the outcome. Differences between customers
        count by it, since nobody can be kept who stays anyway.
    told
        1 for a customer who has just told us of trouble and has not been contacted since, less the older it is, 0 for
        the others.
    called
        How much each action is called for, see `called_for`; shape (rows, actions), or (rows, 1) of one action.
    inputs
        Columns that may change the effect; shape (rows, columns), NaN where unknown.
    """

    shape: Floats
    there: Floats
    risk: Floats
    swing: Floats
    told: Floats
    called: Floats
    inputs: pd.DataFrame

    @classmethod
    def of(
        cls,
        probability: Floats,
        there: Floats,
        rest: Floats,
        recent: Floats,
        inputs: pd.DataFrame,
        told: Floats | None = None,
        called: Floats | None = None,
    ) -> Situation:
        """From the arguments of `prevented`, the columns, who told us of trouble, and what is called for.

        Without the last two nobody told us anything, and nothing is called for.
        """
        swing = 2 * np.sqrt(np.clip(probability * (1 - probability), 0.0, None))
        spoke = np.zeros(len(there)) if told is None else told
        calls = np.zeros((len(there), 1)) if called is None else called
        shape, risk = prevented(probability, there, rest, recent), there * np.clip(probability, 0.0, 1.0)
        return cls(shape, there, risk, swing, spoke, calls, inputs)

    def take(self, rows: NDArray[Any] | slice) -> Situation:
        """Some of the customers."""
        return Situation(
            self.shape[rows],
            self.there[rows],
            self.risk[rows],
            self.swing[rows],
            self.told[rows],
            self.called[rows],
            self.inputs.iloc[rows],
        )

    def called_by(self, action: Ints) -> Floats:
        """How much one action a row is called for; shape (rows,)."""
        every, rows = self.called.shape[1] == 1, np.arange(len(self.called))
        return np.asarray(self.called[rows, 0 if every else action])


@dataclass(frozen=True)
class Drawn:
    """Rows of customers for whom chance decided; arrays of shape (rows,).

    Parameters
    ----------
    action
        Number of the action that each got or would have got.
    treated, propensity
        Whether it was listed, and the chance of that.
    residual
        Outcome so far (1 kept), less what was expected.
    noise
        Variance of the outcome.
    share
        Part of the whole effect that can show by now, 0..1.
    """

    situation: Situation
    action: Ints
    treated: Floats
    propensity: Floats
    residual: Floats
    noise: Floats
    share: Floats

    def __len__(self) -> int:
        """Rows."""
        return len(self.action)


@dataclass(frozen=True)
class ContactEffect:
    """What is believed of the effect of each action on each customer.

    Parameters
    ----------
    actions, saves, answers
        Names of the actions, their save rates of the playbook (the level of the first belief), and 1 for those that
        answer a customer who told us of trouble.
    mean, covariance
        Of the coefficients that every customer has: prior shape, the same by action, level, level by action, prior
        shape once more for those who told us of trouble, and once more for those of whom an action is called for.
    columns
        Those that may change the effect, and how they become terms.
    single
        Which of their terms do; None where nothing was drawn yet. Terms of all actions come first, then those of each
        action.
    rows
        Randomised rows that were learned from, counted by how much they can tell: one whose whole effect shows and that
        was listed with a chance of one half counts 1.
    """

    actions: tuple[str, ...]
    saves: Floats
    answers: Floats
    mean: Floats
    covariance: Floats
    columns: tuple[cols.TermsOf, ...] = ()
    single: SingleEffects | None = None
    rows: float = 0.0

    @classmethod
    def prior(cls, saves: Mapping[str, float], answers: Collection[str] = ()) -> ContactEffect:
        """The belief of the first night.

        Parameters
        ----------
        saves
            Action to the share of leavers that it is believed to keep.
        answers
            Actions that answer a customer who told us of trouble.

        Examples
        --------
        >>> belief = ContactEffect.prior({"call": 0.1})
        >>> s = Situation.of(np.array([0.5]), np.ones(1), np.ones(1), np.zeros(1), pd.DataFrame(index=[0]))
        >>> mean, spread = belief.effect(s)
        >>> mean.round(3).tolist(), bool(spread[0, 0] > mean[0, 0])
        ([[0.05]], True)
        """
        n = len(saves)
        own = np.full(n, SCALE_OF_ACTION), np.full(n, SHIFT_OF_ACTION)
        spread = np.r_[SCALE, own[0], SHIFT, own[1], TOLD_SPREAD, CALLED_SPREAD]
        mean = np.r_[1.0, np.zeros(2 * n + 1), TOLD, CALLED]
        known = np.array([name in answers for name in saves], np.float64)
        return cls(tuple(saves), np.array(list(saves.values())), known, mean, np.diag(spread**2))

    def _design(self, s: Situation, action: int | Ints) -> Floats:
        """Shape (rows, 4 + 2 actions)."""
        n, rows = len(self.actions), np.arange(len(s.shape))
        at = np.broadcast_to(np.asarray(action, np.int64), rows.shape)
        D = np.zeros((len(rows), 4 + 2 * n))
        base, shift, told, called = self._each(s, at)
        D[:, 0], D[rows, 1 + at] = base, base
        D[:, 1 + n], D[rows, 2 + n + at] = shift, shift
        D[:, -2], D[:, -1] = told, called
        return D

    def _each(self, s: Situation, action: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """What stands before each coefficient, one action a row; shape (rows,) each."""
        called = s.called_by(action)
        # What a sign that the action answers has explained of the risk, nothing else must explain again.
        base = s.shape * self.saves[action] * (1 - called)
        return base, s.there, base * s.told * self.answers[action], s.risk * called * self.saves[action]

    def effect(self, s: Situation, only: Sequence[int] | None = None) -> tuple[Floats, Floats]:
        """Expected fall of the chance of leaving and its standard deviation; shape (rows, actions) each."""
        own = self._terms(s)
        pairs = [self._of_action(s, own, a) for a in (range(len(self.actions)) if only is None else only)]
        means, variances = zip(*pairs, strict=True)
        return np.column_stack(means), np.sqrt(np.column_stack(variances))

    def _terms(self, s: Situation) -> Floats:
        return cols.terms_of(self.columns, s.inputs) * (s.there * s.swing)[:, None]

    def _of_action(self, s: Situation, own: Floats, action: int) -> tuple[Floats, Floats]:
        D, some = self._short(s, action)
        mean = D @ (some @ self.mean)
        variance = np.einsum("ij,ij->i", D @ (some @ self.covariance @ some.T), D)
        if self.single is not None:
            part = self._part(self.single, action, own.shape[1])
            mean = mean + own @ part.coefficient
            variance = variance + part.variance_of(own)
        return mean, variance

    def _short(self, s: Situation, action: int) -> tuple[Floats, Floats]:
        """What `_design` has of one action but for its zeros, (rows, 4), and which coefficients stand before it."""
        n, some = len(self.actions), np.zeros((4, 4 + 2 * len(self.actions)))
        # Both the coefficients of all actions and those of this one stand before the same two numbers.
        some[0, [0, 1 + action]] = some[1, [1 + n, 2 + n + action]] = 1.0
        some[2, -2] = some[3, -1] = 1.0
        return np.column_stack(self._each(s, np.full(len(s.shape), action))), some

    @staticmethod
    def _part(single: SingleEffects, action: int, k: int) -> SingleEffects:
        """Single effects as they are for one action: its own terms and those of all, by term."""
        every, mine = slice(0, k), slice(k * (1 + action), k * (2 + action))
        chances = single.chance[:, every], single.chance[:, mine]
        total = np.maximum(chances[0] + chances[1], 1e-300)
        share = chances[1] / total

        def mixed(values: Floats) -> Floats:
            return np.asarray((1 - share) * values[:, every] + share * values[:, mine])

        return SingleEffects(chances[0] + chances[1], mixed(single.mean), mixed(single.variance))

    def drawn(self, s: Situation, rng: np.random.Generator) -> Floats:
        """Effects as they could well be: one draw from the posterior, the same for all; shape (rows, actions)."""
        own = self._terms(s)
        k = own.shape[1]
        dense = rng.multivariate_normal(self.mean, self.covariance, method="cholesky")
        sparse = np.zeros((1 + len(self.actions)) * k) if self.single is None else self.single.draw(rng)
        common, found = own @ sparse[:k], []
        for a in range(len(self.actions)):
            D, some = self._short(s, a)
            found.append(D @ (some @ dense) + common + own @ sparse[k * (1 + a) : k * (2 + a)])
        return np.column_stack(found)

    def to_json(self) -> str:
        """The same values always give the same text."""
        single = self.single and {k: v.tolist() for k, v in vars(self.single).items()}
        values = {
            "terms": list(TERMS),
            "actions": list(self.actions),
            "saves": self.saves.tolist(),
            "answers": self.answers.tolist(),
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "columns": [asdict(c) for c in self.columns],
            "single": single,
            "rows": self.rows,
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ContactEffect:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            When the text is anything else.
        """
        v = json.loads(text)
        single = v["single"] and SingleEffects(**{k: np.array(x) for k, x in v["single"].items()})
        arrays = {k: np.array(v[k], np.float64) for k in ("saves", "answers", "mean", "covariance")}
        columns = tuple(cols.from_json(c) for c in v["columns"])
        n = len(v["actions"])
        shapes = {"saves": (n,), "answers": (n,), "mean": (4 + 2 * n,), "covariance": (4 + 2 * n,) * 2}
        if wrong := [name for name, shape in shapes.items() if arrays[name].shape != shape]:
            raise ValueError(f"{', '.join(wrong)}: not of {n} actions")
        return cls(tuple(v["actions"]), **arrays, columns=columns, single=single, rows=float(v["rows"]))


def fit_contact_effect(belief: ContactEffect, rows: Drawn) -> ContactEffect:
    """Learn from randomised rows; `belief` is the prior and stays as it is.

    Examples
    --------
    A contact keeps one half of the customers and drives the other away; the column tells which:

    >>> rng = np.random.default_rng(0)
    >>> x, w = rng.integers(0, 2, 3000) * 1.0, rng.integers(0, 2, 3000) * 1.0
    >>> y = (rng.random(3000) < 0.6 + 0.2 * w * (2 * x - 1)) * 1.0
    >>> one = np.ones(3000)
    >>> s = Situation.of(0.4 * one, one, one, 0 * one, pd.DataFrame({"x": x}))
    >>> trial = Drawn(s, np.zeros(3000, int), w, 0.5 * one, y - 0.6, 0.24 * one, one)
    >>> found = fit_contact_effect(ContactEffect.prior({"call": 0.1}), trial)
    >>> found.effect(s.take(np.array([np.argmin(x), np.argmax(x)])))[0].round(1).ravel()
    array([-0.2,  0.2])
    """
    if not len(rows):
        return belief
    s = rows.situation
    columns = cols.learn_terms(s.inputs)
    begun = replace(belief, columns=columns)
    own = begun._terms(s)
    k, n = own.shape[1], len(belief.actions)
    weight = (rows.treated - rows.propensity) * rows.share / np.sqrt(rows.noise)
    y = rows.residual / np.sqrt(rows.noise)
    D = begun._design(s, rows.action) * weight[:, None]
    gram, cross, seen = _sums(own * weight[:, None], rows.action, n, D, y)
    priors = _chances(k, n)
    precision, covariance = _as_wide_as_the_rows_say(belief, D, y)
    pull = precision @ belief.mean
    mean, single = belief.mean, SingleEffects.prior(priors)
    for _ in range(_ROUNDS if k else 1):
        before = mean
        mean = covariance @ (pull + D.T @ y - cross.T @ single.coefficient)
        if not k:
            break
        single = single.updated(gram, seen - cross @ mean, priors)
        if np.abs(mean - before).max() < 1e-6:
            break
    told = float((4 * rows.propensity * (1 - rows.propensity) * rows.share).sum())
    return replace(begun, mean=mean, covariance=covariance, single=single if k else None, rows=told)


def _as_wide_as_the_rows_say(belief: ContactEffect, D: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Precision of the belief and covariance after the rows, of the width with the highest evidence."""
    gram, left = D.T @ D, D.T @ (y - D @ belief.mean)
    found = []
    for wider, chance in WIDER.items():
        precision = np.linalg.inv(belief.covariance * wider**2)
        covariance = np.linalg.inv(precision + gram)
        # Log of chance and evidence, but for what is the same for every width (MacKay 1992).
        log = (
            2 * np.log(chance)
            + left @ covariance @ left
            + np.linalg.slogdet(precision)[1]
            + np.linalg.slogdet(covariance)[1]
        )
        found.append((float(log), precision, covariance))
    _, precision, covariance = max(found, key=lambda one: one[0])
    return np.asarray(precision, np.float64), np.asarray(covariance, np.float64)


def _sums(own: Floats, action: Ints, actions: int, D: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """`X'X`, `X'D` and `X'y` of the terms of all actions and then of each, whose own terms are 0 in other rows."""
    k = own.shape[1]
    gram, cross, seen = np.zeros((k * (1 + actions),) * 2), np.zeros((k * (1 + actions), D.shape[1])), []
    for a in range(actions):
        at, mine, every = action == a, slice(k * (1 + a), k * (2 + a)), slice(0, k)
        X = own[at]
        gram[mine, mine] = gram[mine, every] = gram[every, mine] = X.T @ X
        gram[every, every] += gram[mine, mine]
        cross[mine] = X.T @ D[at]
        seen.append(X.T @ y[at])
    cross[:k] = sum((cross[k * (1 + a) : k * (2 + a)] for a in range(actions)), np.zeros((k, D.shape[1])))
    return gram, cross, np.concatenate([np.sum(seen, axis=0), *seen])


def _chances(terms: int, actions: int) -> Floats:
    """Prior chance of each term, of all actions first; with one action there is nothing to tell apart."""
    if not terms:
        return np.zeros(0)
    own = ONE_ACTION if actions > 1 else 1e-9
    every = np.full(terms, SOME_COLUMN * (1 - own) / terms)
    return np.r_[every, np.full(terms * actions, SOME_COLUMN * own / (terms * actions))]
