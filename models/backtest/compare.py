"""Champion against challenger on the same rows, which neither has seen; without a verdict nothing is promoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats
from configs.errors import UnfitError
from models.backtest.best_members import RULES
from models.backtest.evaluate import top_of
from models.statistics.bootstrap import DRAWS, customer_draws
from models.statistics.metrics import auc, auc_many, ece, log_loss, row_log_loss

CALIBRATION_SLACK = 0.01
_NAMED = 3
TOP = {
    "lift_top_tenth": "lift of the top tenth",
    "lift_at_list": "lift at the list's size",
    "value_at_list": "value captured at the list's size",
}


@dataclass(frozen=True)
class Difference:
    """Challenger minus champion, with 95 % intervals of a paired bootstrap over customers.

    Parameters
    ----------
    log_loss, auc, ece
        Differences; a negative log loss and a positive AUC are better.
    log_loss_interval, auc_interval
        Low and high.
    top
        Difference, low and high of the figures that the list depends on, by the names of `TOP`; more is better.
    """

    log_loss: float
    log_loss_interval: tuple[float, float]
    auc: float
    auc_interval: tuple[float, float]
    ece: float
    top: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The differences with their intervals, in one line."""
        low, high = self.log_loss_interval
        parts = [f"log loss {self.log_loss:+.4f} [{low:+.4f}, {high:+.4f}]", f"AUC {self.auc:+.4f}"]
        parts.append(f"ECE {self.ece:+.4f}")
        parts += [f"{TOP[n]} {d:+.2f} [{lo:+.2f}, {hi:+.2f}]" for n, (d, lo, hi) in self.top.items()]
        return f"{', '.join(parts)} to the champion"

    @property
    def worse_at_top(self) -> list[str]:
        """What is proven worse of `TOP`, in words."""
        return [TOP[name] for name, (_, _, high) in self.top.items() if high < 0]


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger becomes champion.

    Parameters
    ----------
    promote
        Yes or no.
    reason
        One sentence with numbers.
    failed
        Whether the comparison itself failed, so that a person should look.
    difference
        To the champion; None without one.
    unfit
        Why the champion can't be used at all; None when it can, or when there is none.
    vacant
        Whether nothing was promoted and there is no champion that could be used.
    """

    promote: bool
    reason: str
    failed: bool = False
    difference: Difference | None = None
    unfit: str | None = None
    vacant: bool = False


def paired(
    y: Floats,
    challenger: Floats,
    champion: Floats,
    customer: NDArray[np.str_],
    seed: int,
    list_size: int,
    draws: int = DRAWS,
    weight: Floats | None = None,
    value: Floats | None = None,
) -> Difference:
    """Compare two sets of probabilities on the same rows, each of which stands for `weight` rows.

    Parameters
    ----------
    list_size
        How many customers the outreach list holds.
    value
        What each customer is worth; None where all are worth the same.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> d = paired(y, 0.2 + 0.6 * y, np.full(100, 0.5), np.arange(100).astype(str), seed=1, list_size=10)
    >>> round(d.log_loss, 3), round(d.auc, 3), d.log_loss_interval[1] < 0
    (-0.47, 0.5, True)
    """
    loss = row_log_loss(y, challenger) - row_log_loss(y, champion)
    losses, ranks = [], []
    tops: dict[str, list[Floats]] = {name: [] for name in TOP}

    def top_difference(w: Floats) -> dict[str, Floats]:
        mine, theirs = (top_of(y, p, list_size, w, value) for p in (challenger, champion))
        return {name: mine[name] - theirs[name] for name in TOP}

    draws = max(50, min(draws, 20_000_000 // max(len(y), 1)))
    for w in customer_draws(customer, draws, seed, weight):
        losses.append(w @ loss / w.sum(1))
        ranks.append(auc_many(y, challenger, w) - auc_many(y, champion, w))
        for name, found in top_difference(w).items():
            tops[name].append(found)
    low, high = np.quantile(np.concatenate(losses), [0.025, 0.975])
    everybody = np.ones(len(y)) if weight is None else weight
    known = top_difference(everybody[None, :])
    rank_low, rank_high = np.nanquantile(np.concatenate(ranks), [0.025, 0.975])
    return Difference(
        log_loss=float(np.average(loss, weights=weight)),
        log_loss_interval=(float(low), float(high)),
        auc=auc(y, challenger, weight) - auc(y, champion, weight),
        auc_interval=(float(rank_low), float(rank_high)),
        ece=ece(y, challenger, weight) - ece(y, champion, weight),
        top={name: (float(known[name][0]), *_middle(np.concatenate(tops[name]))) for name in TOP},
    )


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def judge(
    y: Floats,
    challenger: Floats,
    champion: Callable[[], Floats] | None,
    customer: NDArray[np.str_],
    rules: Mapping[str, Floats],
    min_gain: float,
    seed: int,
    weight: Floats | None = None,
    unfit: str | None = None,
    list_size: int = 1,
    value: Floats | None = None,
    refit: Callable[[], bool] = lambda: False,
) -> Verdict:
    """Decide on the newest mature rows.

    Parameters
    ----------
    y
        Labels of these rows.
    challenger
        Probabilities of the challenger's holdout model.
    champion
        Computes the champion's probabilities of the same rows; None when there is no champion.
    customer
        Customers of these rows.
    rules
        Probabilities of the simple rules, by name.
    min_gain
        By how much the log loss must fall; the whole 95 % interval of the difference must show it.
    seed
        Of the bootstrap.
    weight
        For how many rows each stands; None where each stands for itself.
    unfit
        Without `champion`: why the one that there was can't be used; it is replaced by whatever beats the simple rules.
    list_size, value
        As in `paired`: what the challenger is worth at the top.
    refit
        Says whether the challenger is the champion's recipe on newer rows: then it is deployed unless it is proven
        worse, since a model that is left alone grows old. Any other has to be proven better.

    Returns
    -------
    Verdict
        Any error in here gives "not promoted" with the error as the reason.

    Examples
    --------
    >>> y, who = np.array([0.0, 1.0] * 50), np.arange(100).astype(str)
    >>> judge(y, 0.2 + 0.6 * y, None, who, {"base rate": np.full(100, 0.5)}, 0.0, 1).promote
    True
    >>> def broken():
    ...     raise ValueError("columns differ")
    >>> judge(y, 0.2 + 0.6 * y, broken, who, {}, 0.0, 1).reason
    'comparison failed, champion stays: columns differ'
    """
    try:
        if champion is None:
            return _against_rules(y, challenger, rules, weight, unfit)
        old = _sound(champion(), y)
        difference = paired(y, challenger, old, customer, seed, list_size, weight=weight, value=value)
        if refit():
            return _refitted(difference)
        rule_loss = log_loss(y, rules["recency rule"], weight) if "recency rule" in rules else np.inf
        return _against_champion(difference, min_gain, log_loss(y, challenger, weight), rule_loss)
    except UnfitError as error:
        return Verdict(False, _one_line(error), failed=True, unfit=_one_line(error))
    except Exception as error:
        stays = "" if champion is None else ", champion stays"
        said = f"comparison failed{stays}: {_one_line(error)}"
        return Verdict(False, said, failed=True, unfit=unfit, vacant=champion is None)


def _one_line(error: Exception) -> str:
    head, *faults = str(error).strip().splitlines() or [type(error).__name__]
    named = "; ".join(" ".join(fault.split()) for fault in faults[:_NAMED])
    return head + (f" ({named}{'; ...' if len(faults) > _NAMED else ''})" if named else "")


def _sound(p: Floats, y: Floats) -> Floats:
    if p.shape != y.shape or not np.isfinite(p).all():
        raise ValueError(
            f"champion gave {p.shape} probabilities for {y.shape} rows, or values that are not numbers"
        )
    return p


def _against_rules(
    y: Floats, challenger: Floats, rules: Mapping[str, Floats], weight: Floats | None, unfit: str | None
) -> Verdict:
    mine = log_loss(y, _sound(challenger, y), weight)
    losses = {name: log_loss(y, p, weight) for name, p in rules.items() if name in RULES}
    if not losses or not np.isfinite([mine, *losses.values()]).all():
        raise ValueError("no simple rule to compare with")
    best = min(losses, key=lambda n: losses[n])
    if mine > losses[best] + 1e-9:
        none = "no champion yet" if unfit is None else f"the champion can't be used any more ({unfit})"
        said = f"{none}, and {best} is better: log loss {losses[best]:.4f} against {mine:.4f}"
        return Verdict(False, said, True, unfit=unfit, vacant=True)
    new = (
        "first champion" if unfit is None else f"in place of a champion that can't be used any more ({unfit})"
    )
    return Verdict(True, f"{new}: log loss {mine:.4f}, {best} {losses[best]:.4f}", unfit=unfit)


def _require_numbers(d: Difference) -> None:
    if not np.isfinite([d.log_loss, d.auc, d.ece, *d.log_loss_interval]).all():
        raise ValueError("differences are not numbers; only one class in the newest mature rows?")


def _refitted(d: Difference) -> Verdict:
    _require_numbers(d)
    worse = [
        *(["log loss"] if d.log_loss_interval[0] > 0 else []),
        *(["ranking"] if d.auc_interval[1] < 0 else []),
        *d.worse_at_top,
    ]
    if worse:
        why = f"the champion's recipe on newer rows is proven worse in {', '.join(worse)}"
        return Verdict(False, f"{why}: {d.said}", difference=d)
    return Verdict(True, f"the champion's recipe on newer rows, not proven worse: {d.said}", difference=d)


def _against_champion(d: Difference, min_gain: float, loss: float, rule_loss: float) -> Verdict:
    _require_numbers(d)
    if d.log_loss_interval[1] >= -min_gain:
        return Verdict(False, f"not proven better by more than {min_gain:g}: {d.said}", difference=d)
    if rule_loss < loss:
        worse = f"better than the champion, but log loss {loss:.4f} is above the {rule_loss:.4f} of the recency rule"
        return Verdict(False, f"{worse}: {d.said}", failed=True, difference=d)
    if d.ece > CALIBRATION_SLACK:
        return Verdict(False, f"better, but worse calibrated: {d.said}", difference=d)
    if d.auc_interval[1] < 0:
        return Verdict(False, f"better log loss, but a worse ranking: {d.said}", difference=d)
    if d.worse_at_top:
        return Verdict(
            False, f"better log loss, but worse in {', '.join(d.worse_at_top)}: {d.said}", difference=d
        )
    return Verdict(True, f"better: {d.said}", difference=d)
