"""How large a list may be for what is known: a pilot until the gain of its contacts is sure, and no harm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from configs.arrays import Bools
from configs.outreach import Outreach
from models.effects.control_group import rows_needed
from pipeline.languages.said import Said, said
from pipeline.outcomes.learned import ALL, Evidence
from pipeline.outreach.valuation import Valuation

# A pilot is made to see an effect of half the chance of leaving, within these bounds, in one label window.
SEEN = (0.02, 0.05)
# A company in which not even this effect would be seen within a year learns nothing from leaving people alone.
LEAST = 0.10
_YEAR = 365
# A pilot's first lists make a contact without trying it only when its gain stays above zero with an effect of so many
# standard deviations less than expected (a chance of 84 %). The first belief reaches it for those who told us of
# trouble. Each randomised row lowers the bar. The pilot ends where an expected gain is enough: an effect of the size
# that it looks for would by then be seen as far from zero as the bar is, more often than not.
SURE = 1.0
_MORE_OFTEN_THAN_NOT = 0.6
# The most valuable of a company are not tried in a pilot.
_SPARED = 0.02
_HALF = 0.5


@dataclass(frozen=True)
class Stage:
    """What tonight's list may do.

    Parameters
    ----------
    name
        `pilot`, `full`, or `belief` for a company that is too small to learn from.
    trial
        Contacts for the part that tries what is not sure; as many customers are left alone.
    sure
        How many standard deviations less than expected an effect may be, and the contact must still gain; the others
        are tried.
    control
        Share left alone of those whose gain is expected.
    stopped
        Actions that must not be taken, `all` for none at all.
    notes
        Why, a line each.
    """

    name: str
    trial: int
    sure: float
    control: float
    stopped: frozenset[str]
    notes: tuple[Said, ...]

    def spares(self, worth: Valuation) -> Bools:
        """Who is too valuable to be tried; shape (customers,).

        Nobody where values are unknown, and nobody for a value that many have, such as the fee that all pay.
        """
        if self.name != "pilot" or not worth.priced:
            return np.zeros(len(worth.amount), bool)
        ranks = worth.ranks
        _, place, count = np.unique(ranks, return_inverse=True, return_counts=True)
        return np.asarray((ranks < _SPARED) & (count[place] <= max(_SPARED * len(ranks), 1.0)))


def stage(
    settings: Outreach, evidence: Evidence, rows: float, customers: int, risk: float, hold_days: int
) -> Stage:
    """What is right for what is known.

    Parameters
    ----------
    rows
        Randomised rows so far, see `ContactEffect`.
    customers, risk
        How many there are, and their mean chance of leaving.
    hold_days
        Days until the outcome of a list is known.

    Examples
    --------
    >>> found = stage(Outreach(capacity=100), Evidence(), rows=0, customers=5_000, risk=0.3, hold_days=60)
    >>> found.name, found.trial, found.sure
    ('pilot', 22, 1.0)
    >>> stage(Outreach(), Evidence(), rows=0, customers=40, risk=0.3, hold_days=60).name
    'belief'
    """
    lists = max(hold_days / evidence.every_days, 1.0)
    seen = min(max(risk / 2, SEEN[0]), SEEN[1])
    need, least = (rows_needed(risk, effect, _HALF) for effect in (seen, LEAST))
    enough = rows_needed(risk, seen, _HALF, _MORE_OFTEN_THAN_NOT, level=2 * NormalDist().cdf(SURE) - 1)
    pilot = max(1, min(settings.capacity // 2, math.ceil(need / 2 / lists)))
    explore = round(settings.exploration * settings.capacity) if settings.control.share else 0
    a_year = min(2 * pilot * _YEAR / evidence.every_days, customers * _YEAR / hold_days)
    stops = tuple(_stopped(name) for name in sorted(evidence.stopped))
    if not settings.control.share or a_year < least:
        why = (
            said("`outreach.control.share` is 0")
            if not settings.control.share
            else said(
                "{customers} customers give at most {rows:.0f} randomised rows a year, and an effect of {points:.0f} "
                "points takes {needed}",
                customers=customers,
                rows=a_year,
                points=100 * LEAST,
                needed=least,
            )
        )
        belief = said(
            "nobody is left alone and nothing is learned ({why}): the list rests on the playbook's beliefs",
            why=why,
        )
        return Stage("belief", 0, 0.0, 0.0, evidence.stopped, (belief, *stops))
    share, told = _control(settings, evidence)
    if settings.start == "full" or rows >= enough:
        return Stage("full", explore, 0.0, share, evidence.stopped, (*told, *stops))
    trial, sure = max(explore, pilot), SURE * (1 - rows / enough)
    pilot_line = said(
        "pilot: {trial} contacts try what is not sure, as many customers are left alone, beyond them only contacts "
        "are made that gain with a chance of {chance:.0%}; {rows:.0f} of {needed} randomised rows are in that show an "
        "effect of {points:.0f} points (`outreach.start: full` skips the pilot)",
        trial=trial,
        chance=NormalDist().cdf(sure),
        rows=rows,
        needed=enough,
        points=100 * seen,
    )
    return Stage("pilot", trial, sure, share, evidence.stopped, (pilot_line, *told, *stops))


def _control(settings: Outreach, evidence: Evidence) -> tuple[float, tuple[Said, ...]]:
    """The share left alone of those whose gain is sure: half of it once the list is proven to work."""
    share = settings.control.share
    every = evidence.bounds.get(ALL)
    if every is None or not every.helps:
        return share, ()
    told = said(
        "the list is proven to work: {now:.0%} are left alone instead of {before:.0%}",
        now=share / 2,
        before=share,
    )
    return share / 2, (told,)


def _stopped(name: str) -> Said:
    again = f"churn outcomes --resume {name}"
    if name == ALL:
        return said(
            "the whole list is switched off: it is proven to drive customers away; `{command}` switches it on again",
            command=again,
        )
    return said(
        "action {name} is switched off: it is proven to drive customers away; `{command}` switches it on again",
        name=name,
        command=again,
    )
