"""How long the customer has been with us."""

from __future__ import annotations

import numpy as np

from features.panel import Floats
from features.spec import At, feature


@feature("transactions", unit="days", driver="tenure", null="has never bought", actionable=False)
def purchase_tenure_days(at: At) -> Floats:
    """Days since the first purchase."""
    return at.t - at.purchases.first_at()


@feature(
    "customers.started_at",
    unit="days",
    driver="tenure",
    null="start unknown",
    actionable=False,
    reason="a customer for {tenure_days:.0f} days",
)
def tenure_days(at: At) -> Floats:
    """Days since the customer started."""
    return at.t - at.started_at


@feature("customers.started_at", unit="days", driver="tenure", null="start unknown", actionable=False)
def anniversary_days(at: At) -> Floats:
    """Days to the nearest anniversary of the start."""
    year = np.mod(at.t - at.started_at, 365.25)
    return np.minimum(year, 365.25 - year)
