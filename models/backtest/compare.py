"""Champion against challenger on the same rows, which neither has seen; without a verdict nothing is promoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats
from configs.errors import UnfitError
from models.backtest.best_members import RULES
from models.statistics.bootstrap import DRAWS, customer_draws
from models.statistics.metrics import auc, auc_many, ece, log_loss, row_log_loss

CALIBRATION_SLACK = 0.01
NAMED = 3


@dataclass(frozen=True)
class Difference:
    """Challenger minus champion, with 95 % intervals of a paired bootstrap over customers.

    Parameters
    ----------
    log_loss, auc, ece
        Differences; a negative log loss and a positive AUC are better.
    log_loss_interval, auc_interval
        Low and high.
    """

    log_loss: float
    log_loss_interval: tuple[float, float]
    auc: float
    auc_interval: tuple[float, float]
    ece: float


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
    draws: int = DRAWS,
    weight: Floats | None = None,
) -> Difference:
    """Compare two sets of probabilities on the same rows, each of which stands for `weight` rows.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> d = paired(y, 0.2 + 0.6 * y, np.full(100, 0.5), np.arange(100).astype(str), seed=1)
    >>> round(d.log_loss, 3), round(d.auc, 3), d.log_loss_interval[1] < 0
    (-0.47, 0.5, True)
    """
    loss = row_log_loss(y, challenger) - row_log_loss(y, champion)
    losses, ranks = [], []
    draws = max(50, min(draws, 20_000_000 // max(len(y), 1)))
    for w in customer_draws(customer, draws, seed, weight):
        losses.append(w @ loss / w.sum(1))
        ranks.append(auc_many(y, challenger, w) - auc_many(y, champion, w))
    low, high = np.quantile(np.concatenate(losses), [0.025, 0.975])
    rank_low, rank_high = np.nanquantile(np.concatenate(ranks), [0.025, 0.975])
    return Difference(
        log_loss=float(np.average(loss, weights=weight)),
        log_loss_interval=(float(low), float(high)),
        auc=auc(y, challenger, weight) - auc(y, champion, weight),
        auc_interval=(float(rank_low), float(rank_high)),
        ece=ece(y, challenger, weight) - ece(y, champion, weight),
    )


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
        difference = paired(y, challenger, _sound(champion(), y), customer, seed, weight=weight)
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
    named = "; ".join(" ".join(fault.split()) for fault in faults[:NAMED])
    return head + (f" ({named}{'; ...' if len(faults) > NAMED else ''})" if named else "")


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


def _against_champion(d: Difference, min_gain: float, loss: float, rule_loss: float) -> Verdict:
    low, high = d.log_loss_interval
    if not np.isfinite([d.log_loss, d.auc, d.ece, low, high]).all():
        raise ValueError("differences are not numbers; only one class in the newest mature rows?")
    said = f"log loss {d.log_loss:+.4f} [{low:+.4f}, {high:+.4f}], AUC {d.auc:+.4f}, ECE {d.ece:+.4f} to the champion"
    if high >= -min_gain:
        return Verdict(False, f"not proven better by more than {min_gain:g}: {said}", difference=d)
    if rule_loss < loss:
        worse = f"better than the champion, but log loss {loss:.4f} is above the {rule_loss:.4f} of the recency rule"
        return Verdict(False, f"{worse}: {said}", failed=True, difference=d)
    if d.ece > CALIBRATION_SLACK:
        return Verdict(False, f"better, but worse calibrated: {said}", difference=d)
    if d.auc_interval[1] < 0:
        return Verdict(False, f"better log loss, but a worse ranking: {said}", difference=d)
    return Verdict(True, f"better: {said}", difference=d)
