"""How large a list may be for what is known: a pilot until the gain of its contacts is sure, and no harm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from configs.outreach import Outreach
from models.effects.control_group import rows_needed
from pipeline.outcomes.learned import ALL, Evidence

# A pilot is made to see an effect of half the chance of leaving, within these bounds, in one label window.
SEEN = (0.02, 0.05)
# A company in which not even this effect would be seen within a year learns nothing from leaving people alone.
LEAST = 0.10
YEAR = 365
# The list grows from the trial to its whole capacity while the chance that it gains goes from the one to the other. The
# first belief alone does not reach the lower one.
GROWS_FROM, GROWN_AT = 0.85, 0.97
# It takes so large a part of the rows that show the effect of the pilot, too: a few lucky ones prove nothing.
PART_OF_THE_ROWS = 0.5
HALF = 0.5


@dataclass(frozen=True)
class Stage:
    """What tonight's list may do.

    Parameters
    ----------
    name
        `pilot`, `full`, or `belief` for a company that is too small to learn from.
    trial
        Contacts for the part that tries what is not sure, before anything is known; as many customers are left alone.
    explore
        The same, when the list has grown.
    control
        Share left alone of those whose gain is expected.
    stopped
        Actions that must not be taken, `all` for none at all.
    notes
        Why, a line each.
    rows
        Share of the randomised rows that are in, of those that a whole list takes; 0..1.
    """

    name: str
    trial: int
    explore: int
    control: float
    stopped: frozenset[str]
    notes: tuple[str, ...]
    rows: float = 1.0

    def size(self, chance: float) -> Size:
        """How large the two parts of the list may be, by the chance that its contacts gain together.

        Examples
        --------
        >>> pilot = Stage("pilot", 40, 10, 0.1, frozenset(), ())
        >>> [(round(pilot.size(p).trial), round(pilot.size(p).grown, 2)) for p in (0.25, 0.85, 0.91, 0.99)]
        [(20, 0.0), (40, 0.0), (25, 0.5), (10, 1.0)]
        """
        if self.name != "pilot":
            return Size(self.explore, 1.0, "")
        grown = self.rows * min(max((chance - GROWS_FROM) / (GROWN_AT - GROWS_FROM), 0.0), 1.0)
        trial = (self.trial + grown * (self.explore - self.trial)) * min(1.0, 2 * chance)
        said = (
            f"pilot: with a chance of {chance:.0%} the contacts gain, and {self.rows:.0%} of the needed rows are in; "
            f"the list grows from {GROWS_FROM:.0%} up to {GROWN_AT:.0%} (outreach.start: full skips the pilot)"
        )
        return Size(trial, grown, said if grown < 1 else "")


@dataclass(frozen=True)
class Size:
    """Contacts of the trial, share of the capacity for those whose gain is expected, and why."""

    trial: float
    grown: float
    note: str


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
    >>> found.name, found.trial, found.explore
    ('pilot', 22, 10)
    >>> stage(Outreach(), Evidence(), rows=0, customers=40, risk=0.3, hold_days=60).name
    'belief'
    """
    lists = max(hold_days / evidence.every_days, 1.0)
    seen = min(max(risk / 2, SEEN[0]), SEEN[1])
    need, least = (rows_needed(risk, effect, HALF) for effect in (seen, LEAST))
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
        return Stage("belief", 0, 0, 0.0, evidence.stopped, (said, *stops))
    share, told = _control(settings, evidence)
    if settings.start == "full":
        return Stage("full", explore, explore, share, evidence.stopped, (*told, *stops))
    said = (
        f"the pilot's trial has {pilot} contacts a list and as many customers left alone: an effect of "
        f"{100 * seen:.0f} points would be seen within {math.ceil(need / 2 / pilot):,} lists"
    )
    known = min(1.0, rows / max(need * PART_OF_THE_ROWS, 1.0))
    return Stage("pilot", max(pilot, explore), explore, share, evidence.stopped, (said, *told, *stops), known)


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
