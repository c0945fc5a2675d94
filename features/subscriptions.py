"""Contracts: how many there are, what became larger or smaller, and when the fixed term ends."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.spec import At, feature
from features.worse import Worse


@feature("contract_starts", unit="contracts", driver="contracts")
def running_contract_count(at: At) -> Floats:
    """Contracts that run."""
    return at.events("contract_starts").count() - at.events("contract_ends").count()


@feature("contract_starts", unit="contracts", driver="contracts")
def contract_count_ever(at: At) -> Floats:
    """Contracts so far."""
    return at.events("contract_starts").count()


@feature("contract_trials", unit="trials", driver="contracts", actionable=False)
def trial_count_ever(at: At) -> Floats:
    """Trials so far."""
    return at.events("contract_trials").count()


@feature("contract_changes.up", unit="changes", driver="contracts", windows=True)
def upgrade_count(at: At, days: int) -> Floats:
    """Upgrades in the last {days} days."""
    return at.events("contract_changes").last(days).count(where="up")


@feature(
    "contract_changes.down",
    unit="changes",
    driver="downgrades",
    windows=True,
    worse=Worse(range=Range(above=0.5), says="took a smaller contract in the last {days} days"),
)
def downgrade_count(at: At, days: int) -> Floats:
    """Downgrades in the last {days} days."""
    return at.events("contract_changes").last(days).count(where="down")


@feature("contract_changes", unit="days", driver="contracts", null="no contract was changed")
def contract_change_gap_days(at: At) -> Floats:
    """Days since the last upgrade or downgrade."""
    return at.t - at.events("contract_changes").last_at()


@feature(
    "contract_pauses",
    unit="contracts",
    driver="pauses",
    worse=Worse(range=Range(above=0.5), says="has paused {paused_contract_count:contract}"),
)
def paused_contract_count(at: At) -> Floats:
    """Contracts that are paused."""
    return at.events("contract_pauses").count() - at.events("contract_resumptions").count()


@feature(
    "contract_terms",
    unit="days",
    driver="term",
    null="no fixed term, or it is over",
    worse=Worse(range=Range(above=0.5, below=45), says="the fixed term ends in {term_left_days:day}"),
)
def term_left_days(at: At) -> Floats:
    """Days to the end of the fixed term of the newest contract."""
    left = at.events("contract_terms").last_value("term_day") - at.t
    return np.where(left >= 0, left, np.nan)
