"""What each customer spent, net of what was given back: for the value of a customer, and no feature of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

import numpy as np

from configs.arrays import Floats
from features.spec import At, FeatureColumn

MONTH = 365.25 / 12
_NAME = re.compile(r"net_spend_(\d+)d")


def spending_columns(
    found: Collection[str], windows_days: Sequence[int], value_days: int
) -> tuple[tuple[FeatureColumn, Callable[[At], Floats]], ...]:
    """Net spend of the last window and of the one before it, and the share kept; none where amounts are unknown.

    Parameters
    ----------
    found
        What the sources have, see `features.matrix.available`.
    windows_days
        Lengths of windows that meet the periods; the one nearest to `value_days` is taken.
    """
    days = min(windows_days, key=lambda window: (abs(window - value_days), window))
    if "transactions.amount" not in found:
        return _of_contracts(days) if "contract_starts.amount" in found else ()
    given_back = "cancellations.amount" in found
    declared = (
        (f"net_spend_{days}d", f"Spend in the last {days} days, less refunds", _last),
        (f"net_spend_before_{days}d", f"Spend in the {days} days before, less refunds", _before),
        (
            f"kept_spend_share_{days}d",
            f"Share of the spend in {2 * days} days that was not given back",
            _kept,
        ),
    )
    return tuple(
        (
            FeatureColumn(name, label, "money", "never null", "spend", "transactions", False, None),
            partial(function, days=days, given_back=given_back),
        )
        for name, label, function in declared
    )


def _of_contracts(days: int) -> tuple[tuple[FeatureColumn, Callable[[At], Floats]], ...]:
    """Without purchases the amounts of the contracts, as if they were paid day by day."""
    declared = (
        (f"net_spend_{days}d", f"Amounts of contracts in the last {days} days", _owed),
        (f"net_spend_before_{days}d", f"Amounts of contracts in the {days} days before", _owed_before),
        (f"kept_spend_share_{days}d", f"Share of {2 * days} days that was not given back", _all_kept),
    )
    return tuple(
        (
            FeatureColumn(name, label, "money", "never null", "contracts", "contract_starts", False, None),
            partial(function, days=days),
        )
        for name, label, function in declared
    )


def spending_window(columns: Iterable[str]) -> int | None:
    """The length of the windows in days; None where nobody's spend is known.

    Examples
    --------
    >>> spending_window(["customer_id", "net_spend_90d", "net_spend_before_90d"])
    90
    """
    lengths = [int(match[1]) for name in columns if (match := _NAME.fullmatch(str(name)))]
    return lengths[0] if lengths else None


def _last(at: At, days: int, given_back: bool) -> Floats:
    return at.purchases.last(days).sum("amount") - _back(at, days, 0, given_back)


def _before(at: At, days: int, given_back: bool) -> Floats:
    return at.purchases.last(days, before=days).sum("amount") - _back(at, days, days, given_back)


def _kept(at: At, days: int, given_back: bool) -> Floats:
    spent = at.purchases.last(2 * days).sum("amount")
    back = _back(at, 2 * days, 0, given_back)
    return np.where(back > 0, np.maximum(spent - back, 0.0) / np.maximum(np.maximum(spent, back), 1e-12), 1.0)


def _back(at: At, days: int, before: int, given_back: bool) -> Floats:
    if not given_back:
        return np.zeros(len(at.members))
    return at.events("cancellations").last(days, before=before).sum("amount")


def _owed(at: At, days: int) -> Floats:
    return _monthly(at, 0) * _days_as_customer(at, days, 0) / MONTH


def _owed_before(at: At, days: int) -> Floats:
    return _monthly(at, days) * _days_as_customer(at, days, days) / MONTH


def _all_kept(at: At, days: int) -> Floats:
    return np.ones(len(at.members))


def _monthly(at: At, before: int) -> Floats:
    """Amounts of the contracts that ran so many days before the snapshot."""
    sides = []
    for role in ("contract_starts", "contract_ends"):
        events = at.events(role)
        since = events.last(before).sum("amount") if before else 0.0
        sides.append(events.sum("amount") - since)
    return np.maximum(sides[0] - sides[1], 0.0)


def _days_as_customer(at: At, days: int, before: int) -> Floats:
    """Days of the window that ends so many days before the snapshot, since the first contract."""
    return np.clip(at.t - at.started_at - before, 0.0, days)
