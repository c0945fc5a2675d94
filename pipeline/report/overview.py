"""What an executive reads of a night, as plain values: goals, money, segments, reasons, effects of the lists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GoalRow:
    """A goal of the config on the newest period that is over; `reached` is None where it can't be judged.

    `by` is how far on the good side, negative when short of it; `since` begins the run of `periods` with this status.
    """

    metric: str
    wanted: str
    period: str
    value: float | None
    reached: bool | None
    by: float | None
    since: str
    periods: int


@dataclass(frozen=True)
class Change:
    """Why the rate moved between two periods, in percentage points, `mix` + `behaviour` = `total`.

    `mix` comes from other shares of the customers by `attribute`, `behaviour` from the same kinds kept differently.
    """

    attribute: str
    before: str
    after: str
    total: float
    mix: float
    behaviour: float


@dataclass(frozen=True)
class PeriodRevenue:
    """Revenue of a period that came from those who paid in the one before, in percent of what they paid then.

    `gross` without, `net` with what they paid more; `repeat` is the share of revenue from repeat purchases.
    """

    period: str
    gross: float | None
    net: float | None
    repeat: float | None


@dataclass(frozen=True)
class PointWorth:
    """What one point more of the rate brings in a year: customers at its end, revenue, and what is left of it.

    It assumes `today` customers, of whom in each period `rate` percent are kept, the mean of the last `periods` ones,
    or `better` with one point more, `each` revenue of a customer and period, and `left` percent of it after costs.
    """

    customers: float
    revenue: float
    margin: float
    today: int
    rate: float
    better: float
    periods: int
    each: float
    left: float


@dataclass(frozen=True)
class SegmentRow:
    """The rate of a segment in percent, of `S` customers at the start, with its 95 % interval."""

    attribute: str
    segment: str
    S: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SurveyRow:
    """What customers said in a period: NPS in points, shares in percent, or a mean score; and how many answered."""

    kind: str
    measure: str
    period: str
    answered: int
    answer_rate: float
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class StatedRow:
    """A reason that customers gave for leaving; `controllable` is yes, no or unknown; `share` in percent."""

    reason: str
    controllable: str
    customers: int
    share: float


@dataclass(frozen=True)
class AuditRow:
    """What those lost in the newest period have in common: how much more often this group left than all others."""

    fact: str
    value: str
    customers: int
    lost_share: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class EffectRow:
    """What being on the list changed, in points of the share kept, with an interval that holds at every look.

    `name` is empty for all actions together; `low` and `high` are None while too few were drawn.
    """

    name: str
    rows: int
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Cohort:
    """Who is left of those who started together, in percent by periods since; the newest ages are absent."""

    name: str
    size: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Overview:
    """The executive's half; what the sources do not tell is empty.

    Parameters
    ----------
    usual
        The list against what the team would have done without one; None where nobody is left to the team.
    doubtful
        Periods whose start the records do not reach back far enough to know.
    held, past
        Of the past forecasts whose time is over, how many held what came in their interval, and how many there are.
    segments_of
        The period of the segments' rates.
    audit_of
        The period of the audit.
    """

    goals: tuple[GoalRow, ...] = ()
    change: Change | None = None
    money: PeriodRevenue | None = None
    point: PointWorth | None = None
    segments: tuple[SegmentRow, ...] = ()
    segments_of: str = ""
    surveys: tuple[SurveyRow, ...] = ()
    stated: tuple[StatedRow, ...] = ()
    audit: tuple[AuditRow, ...] = ()
    audit_of: str = ""
    effects: tuple[EffectRow, ...] = ()
    usual: EffectRow | None = None
    cohorts: tuple[Cohort, ...] = ()
    doubtful: frozenset[str] = frozenset()
    held: int = 0
    past: int = 0

    @property
    def rate_goal(self) -> GoalRow | None:
        """The first goal for the rate, by periods as the page shows them."""
        return next((goal for goal in self.goals if goal.metric in ("rate", "adjusted_rate")), None)
