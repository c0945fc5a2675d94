"""What a night's decision rests on, and what is known of the customers before the reasons are computed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.outreach import Outreach
from configs.playbook import Action, Playbook
from pipeline.outreach.costs import Costs, contact_costs
from pipeline.outreach.eligibility import Rule
from pipeline.outreach.valuation import Valuation

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Context:
    """What a night's decision rests on beside the customers.

    Parameters
    ----------
    as_of
        That midnight UTC is now.
    settings, playbook
        From the config.
    key
        Secret of the draws, see `draws.control_key`.
    hold_days
        Gap and horizon: so long is a customer of the control group left alone once chosen.
    save_rates
        Action to the beta posterior (saved, lost) that stands in place of the playbook's belief.
    margin
        Share of the revenue that is left after costs.
    """

    as_of: dt.date
    settings: Outreach
    playbook: Playbook
    key: bytes
    hold_days: int
    save_rates: Mapping[str, tuple[float, float]]
    margin: float = 1.0

    @property
    def actions(self) -> list[Action]:
        """In the playbook's order."""
        return list(self.playbook.actions.values())

    @property
    def saves(self) -> Floats:
        """Shape (actions,): share of leavers that each action is expected to keep."""
        priors = {n: (a.save_rate.saved, a.save_rate.lost) for n, a in self.playbook.actions.items()}
        betas = np.array([self.save_rates.get(name, prior) for name, prior in priors.items()], np.float64)
        return np.asarray(betas[:, 0] / betas.sum(axis=1))

    @property
    def channels(self) -> list[str]:
        """Of the playbook, sorted."""
        return sorted({action.channel for action in self.actions})


@dataclass(frozen=True)
class Prepared:
    """All customers in the order of their ids, and who of them could be on the list.

    Parameters
    ----------
    customers
        The scored columns and the facts, with `churn_probability`.
    facts
        Of `contact_facts`.
    worth
        What keeping each is worth, and in which words that is to be told.
    channels
        Shape (n, channels): may be contacted by it.
    rules
        What stands against a contact, so far.
    lift
        Shape (n, actions): leaving prevented by each action, in customers, if it fits; 0 where it can't be taken.
    candidates
        Places of those who need reasons, in the order of `customers`.
    explain
        The same customers as rows of the frame that was given.
    sampled
        Shape (n,): candidates who take part in the random draw.
    sample_share
        Share of those with a possible gain who do.
    """

    context: Context
    customers: pd.DataFrame
    facts: pd.DataFrame
    worth: Valuation
    channels: Bools
    rules: Mapping[Rule, Bools]
    lift: Floats
    candidates: Ints
    explain: Ints
    sampled: Bools
    sample_share: float

    @property
    def costs(self) -> Costs:
        """What a contact by each action costs."""
        return contact_costs(self.context.playbook, self.context.settings, self.worth.priced)
