"""What keeping each customer is worth, from the columns of the matrix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.outreach import Outreach
from models.value import expected_margin

Floats = NDArray[np.float64]
_SPEND = re.compile(r"spend_sum_(\d+)d")


@dataclass(frozen=True)
class Valuation:
    """Value of each customer.

    Parameters
    ----------
    amount
        Shape (n,): expected margin, or 1 where amounts are unknown.
    priced
        Whether it is money, so that it can be set against costs.
    parameters
        Method and figures, to be logged.
    notes
        Lines that a person should read.
    """

    amount: Floats
    priced: bool
    parameters: Mapping[str, Any]
    notes: tuple[str, ...]


def valuation(customers: pd.DataFrame, settings: Outreach) -> Valuation:
    """Value the customers by the configured method.

    The spend of the last window and of the one before it are the history; its length is `value_days`, or the
    nearest window that there is.

    Examples
    --------
    >>> valuation(pd.DataFrame({"customer_id": ["7"]}), Outreach()).notes
    ('no amounts are known: every customer counts as worth 1, and costs are left out of the gain',)
    """
    n, chosen = len(customers), settings.value
    windows = sorted(int(m[1]) for name in customers.columns if (m := _SPEND.fullmatch(str(name))))
    if chosen.method == "constant" or not windows:
        why = (
            ()
            if chosen.method == "constant"
            else ("no amounts are known: every customer counts as worth 1, ",)
        )
        notes = (f"{why[0]}and costs are left out of the gain",) if why else ()
        return Valuation(np.ones(n), False, {"method": "constant"}, notes)
    days = min(windows, key=lambda window: (abs(window - settings.value_days), window))
    spend, exposure = _history(customers, days)
    segment = None
    if chosen.segment is not None:
        segment = pd.factorize(customers[chosen.segment].astype("str"), sort=True)[0].astype(np.int64)
    worth = expected_margin(
        spend,
        exposure,
        days=settings.value_days,
        margin=chosen.margin,
        segment=segment,
        shrink=chosen.method == "credibility",
    )
    return Valuation(worth.amount, True, {**worth.parameters, "history_window_days": days}, ())


def _history(customers: pd.DataFrame, days: int) -> tuple[Floats, Floats]:
    """Spend and days as a customer of the last window and of the one before, shape (n, 2) each."""
    last = customers[f"spend_sum_{days}d"].to_numpy(np.float64)
    change = customers.get(f"spend_change_{days}d")
    before = np.full(len(last), np.nan) if change is None else last - change.to_numpy(np.float64)
    known = [
        customers[c].to_numpy(np.float64) for c in ("tenure_days", "purchase_tenure_days") if c in customers
    ]
    tenure = np.fmax.reduce(known) if known else np.full(len(last), np.inf)
    tenure = np.where(np.isnan(tenure), np.inf, np.maximum(tenure, 1.0))
    exposure = np.stack([np.minimum(tenure, days), np.clip(tenure - days, 0, days)], axis=1)
    spend = np.stack([last, before], axis=1)
    known_spend = np.isfinite(spend)
    return np.where(known_spend, spend, 0.0), np.where(known_spend, exposure, 0.0)
