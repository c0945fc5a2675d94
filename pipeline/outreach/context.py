"""What a night's decision rests on, and what is known of the customers before the reasons are computed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from configs.arrays import Bools, Floats, Ints
from configs.outreach import Outreach
from configs.playbook import Action, Playbook
from models.effects.contact import ContactEffect, Situation
from pipeline.languages.language import Language
from pipeline.outcomes.learned import Evidence
from pipeline.outreach.costs import Costs, contact_costs
from pipeline.outreach.eligibility import Rule
from pipeline.outreach.stage import Stage
from pipeline.outreach.valuation import Valuation


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
    effect
        What is believed of the effect of each action, in the playbook's order.
    evidence
        What randomised rows have shown so far.
    margin
        Share of the revenue that is left after costs.
    language, currency
        Of the readers, but for owners with a language of their own.
    """

    as_of: dt.date
    settings: Outreach
    playbook: Playbook
    key: bytes
    hold_days: int
    effect: ContactEffect
    evidence: Evidence
    margin: float = 1.0
    language: str = "en"
    currency: str | None = None

    def language_of(self, owner: str = "") -> Language:
        """In which an owner reads; the company's without one."""
        return Language(self.settings.owner_languages.get(owner, self.language), self.currency)

    @property
    def actions(self) -> list[Action]:
        """In the playbook's order."""
        return list(self.playbook.actions.values())

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
    stage
        How large the list may be.
    candidates
        Places of those who need reasons, in the order of `customers`.
    explain
        The same customers as rows of the frame that was given.
    effect, spread, drawn
        Shape (candidates, actions): expected fall of the chance of leaving, its standard deviation, and the draw of
        tonight; NaN where the action can't be taken.
    seen, inputs
        Of each candidate: what the effect was computed from, and the same for the ledger.
    """

    context: Context
    customers: pd.DataFrame
    facts: pd.DataFrame
    worth: Valuation
    channels: Bools
    rules: Mapping[Rule, Bools]
    stage: Stage
    candidates: Ints
    explain: Ints
    effect: Floats
    spread: Floats
    drawn: Floats
    seen: Situation
    inputs: list[Any]

    @property
    def costs(self) -> Costs:
        """What a contact by each action costs."""
        return contact_costs(self.context.playbook, self.context.settings, self.worth.priced)

    def gain(self, effect: Floats) -> Floats:
        """Gain of each candidate by each action when it has such an effect; minus infinity where it can't be taken."""
        return self.costs.gain(effect, self.worth.worth[self.candidates])
