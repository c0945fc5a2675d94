"""What keeping each customer is worth, from the columns of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Floats
from configs.outreach import Outreach
from features.spending import spending_window
from models.decision.worth import concave, typical_amount
from models.statistics.credibility import expected_margin
from pipeline.languages.said import Said, said
from pipeline.outreach.playbook import value_ranks


@dataclass(frozen=True)
class Valuation:
    """Value of each customer.

    Parameters
    ----------
    amount
        Shape (n,): expected margin, or 1 where amounts are unknown.
    typical
        Median of the positive amounts of all customers.
    priced
        Whether it is money, so that it can be set against costs.
    parameters
        Method and figures, to be logged.
    notes
        Lines that a person should read.
    among_all
        Shape (n,): share of all customers who are worth more, where these are not all; None where they are.
    """

    amount: Floats
    typical: float
    priced: bool
    parameters: Mapping[str, Any]
    notes: tuple[Said, ...]
    among_all: Floats | None = None

    @property
    def worth(self) -> Floats:
        """Shape (n,): the amounts as the gain counts them: concave, so that no whale carries the list alone."""
        return concave(self.amount, self.typical)

    @cached_property
    def ranks(self) -> Floats:
        """Shape (n,): share of all customers who are worth more, 0..1."""
        return value_ranks(self.amount) if self.among_all is None else self.among_all

    def take(self, order: NDArray[np.int64]) -> Valuation:
        """The customers in another order."""
        ranks = None if self.among_all is None else self.among_all[order]
        return replace(self, amount=self.amount[order], among_all=ranks)


def valuation(customers: pd.DataFrame, settings: Outreach, margin: float) -> Valuation:
    """Value the customers by the configured method.

    The net spend of the last window and of the one before it are the history, see `features.spending`.

    Parameters
    ----------
    margin
        Share of the revenue that is left after costs.

    Examples
    --------
    >>> valuation(pd.DataFrame({"customer_id": ["7"]}), Outreach(), margin=0.4).notes
    ('no amounts are known: every customer counts as worth 1, and costs are left out of the gain',)
    """
    chosen, days = settings.value, spending_window(customers.columns)
    if days is None or chosen.method == "constant":
        return worth_one(len(customers), settings)
    spend, exposure = purchase_history(customers, days)
    segment = None
    if chosen.segment is not None:
        # Without a value there is a segment of its own, as on a cluster.
        names = customers[chosen.segment].astype("str").fillna("nan")
        segment = pd.factorize(names, sort=True)[0].astype(np.int64)
    worth = expected_margin(
        spend,
        exposure,
        days=settings.value_days,
        margin=margin,
        segment=segment,
        kept=kept(customers, days),
        shrink=chosen.method == "credibility",
    )
    said = {**worth.parameters, "history_window_days": days}
    return Valuation(worth.amount, typical_amount(worth.amount), True, said, ())


def worth_one(n: int, settings: Outreach) -> Valuation:
    """All customers are worth the same."""
    asked = settings.value.method == "constant"
    why = said("no amounts are known: every customer counts as worth 1, and costs are left out of the gain")
    return Valuation(np.ones(n), 1.0, False, {"method": "constant"}, () if asked else (why,))


def purchase_history(customers: pd.DataFrame, days: int) -> tuple[Floats, Floats]:
    """Net spend and days as a customer of the last window and of the one before, shape (n, 2) each."""
    spend = customers[[f"net_spend_{days}d", f"net_spend_before_{days}d"]].to_numpy(np.float64)
    known = [
        customers[c].to_numpy(np.float64) for c in ("tenure_days", "purchase_tenure_days") if c in customers
    ]
    tenure = np.fmax.reduce(known) if known else np.full(len(customers), np.inf)
    tenure = np.where(np.isnan(tenure), np.inf, np.maximum(tenure, 1.0))
    exposure = np.stack([np.minimum(tenure, days), np.clip(tenure - days, 0, days)], axis=1)
    return spend, exposure


def kept(customers: pd.DataFrame, days: int) -> Floats:
    """Share of the purchases of both windows that was not given back, shape (n,)."""
    return customers[f"kept_spend_share_{days}d"].to_numpy(np.float64)
