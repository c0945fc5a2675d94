"""How large a list may be for what is known: a pilot until the gain of its contacts is sure, and no harm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from configs.outreach import Outreach
from models.effects.control_group import rows_needed
from pipeline.outcomes.learned import ALL, Evidence

# A pilot is made to see an effect of this size, in chance of leaving, within one label window.
SEEN = 0.05
# A company in which not even this effect would be seen within a year learns nothing from leaving people alone.
LEAST = 0.10
YEAR = 365
# Effects below this quantile are possible for an option whose gain is called sure.
CAUTION = 0.8416
HALF = 0.5


@dataclass(frozen=True)
class Stage:
    """What tonight's list may do.

    Parameters
    ----------
    name
        `pilot`, `full`, or `belief` for a company that is too small to learn from.
    trial
        Contacts for the part that tries what is not sure; as many customers are left alone beside them.
    explore
        The same, once half of the list is sure.
    control
        Share of the sure part that is left alone.
    caution
        Standard deviations by which a gain must be positive to be called sure.
    stopped
        Actions that must not be taken, `all` for none at all.
    notes
        Why, a line each.
    """

    name: str
    trial: int
    explore: int
    control: float
    caution: float
    stopped: frozenset[str]
    notes: tuple[str, ...]


def stage(settings: Outreach, evidence: Evidence, customers: int, risk: float, hold_days: int) -> Stage:
    """What is right for what is known.

    Parameters
    ----------
    customers, risk
        How many there are, and their mean chance of leaving.
    hold_days
        Days until the outcome of a list is known.

    Examples
    --------
    >>> found = stage(Outreach(capacity=100), Evidence(), customers=5_000, risk=0.3, hold_days=60)
    >>> found.name, found.trial, found.control
    ('pilot', 22, 0.1)
    >>> stage(Outreach(), Evidence(), customers=40, risk=0.3, hold_days=60).name
    'belief'
    """
    lists = max(hold_days / evidence.every_days, 1.0)
    need, least = (rows_needed(risk, effect, HALF) for effect in (SEEN, LEAST))
    pilot = max(1, min(settings.capacity // 2, math.ceil(need / 2 / lists)))
    explore = round(settings.exploration * settings.capacity) if settings.control.share else 0
    a_year = min(2 * pilot * YEAR / evidence.every_days, customers * YEAR / hold_days)
    stops = tuple(_stopped(name) for name in sorted(evidence.stopped))
    if not settings.control.share or a_year < least:
        why = (
            "outreach.control.share is 0"
            if not settings.control.share
            else f"{customers:,} customers give at most {a_year:,.0f} randomised rows a year, and an effect of "
            f"{100 * LEAST:.0f} points takes {least:,}"
        )
        said = (
            f"nobody is left alone and nothing is learned ({why}): the list rests on the playbook's beliefs"
        )
        return Stage("belief", 0, 0, 0.0, 0.0, evidence.stopped, (said, *stops))
    share, told = _control(settings, evidence)
    if settings.start == "full":
        return Stage("full", explore, explore, share, 0.0, evidence.stopped, (*told, *stops))
    said = (
        f"pilot: up to {pilot} contacts a list and as many customers left alone, until their gain is sure; "
        f"that shows an effect of {100 * SEEN:.0f} points within {lists:,.0f} lists "
        "(outreach.start: full makes the whole list at once)"
    )
    return Stage("pilot", pilot, explore, share, CAUTION, evidence.stopped, (said, *told, *stops))


def _control(settings: Outreach, evidence: Evidence) -> tuple[float, tuple[str, ...]]:
    """The share left alone of those whose gain is sure: half of it once the list is proven to work."""
    share = settings.control.share
    every = evidence.bounds.get(ALL)
    if every is None or not every.helps:
        return share, ()
    return share / 2, (f"the list is proven to work: {share / 2:.0%} are left alone instead of {share:.0%}",)


def _stopped(name: str) -> str:
    what = "the whole list" if name == ALL else f"action {name}"
    return (
        f"{what} is switched off: it is proven to drive customers away; "
        f"`churn outcomes --resume {name}` switches it on again"
    )
