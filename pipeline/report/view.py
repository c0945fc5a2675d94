"""What the report shows, as plain values: no table, no config, no engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipeline.report.overview import Overview


@dataclass(frozen=True)
class Talk:
    """A contact on record; what the log does not say is empty. `ours` is None where the direction is not known."""

    day: dt.date
    channel: str = ""
    ours: bool | None = None
    agent: str = ""
    topic: str = ""


@dataclass(frozen=True)
class ListRow:
    """One customer of the outreach list.

    Parameters
    ----------
    rank
        From 1.
    customer_id
        As in the sources, unchanged.
    probability
        Of leaving, 0..1.
    value
        What the customer is worth, in the unit of the sources; None when no amounts are known.
    reasons
        Up to three sentences, the strongest first.
    last_contact
        None when there was none; the column is shown when `contacts` is among the sources.
    expected_gain, action
        None for all rows: the column is left out.
    name, owner, channel, message
        Empty where not known; a column that is empty in all rows is left out.
    due
        Day by which the contact should be made.
    win_back
        Has probably left in silence: the message asks the customer to come back.
    segments
        Attribute and value, of the attributes by which the list can be filtered.
    talks
        The last contacts on record, newest first.
    history
        Night and probability of past nights and of this one, oldest first.
    """

    rank: int
    customer_id: str
    probability: float
    value: float | None
    reasons: tuple[str, ...]
    last_contact: dt.date | None = None
    expected_gain: float | None = None
    action: str | None = None
    name: str = ""
    owner: str = ""
    channel: str = ""
    message: str = ""
    due: dt.date | None = None
    win_back: bool = False
    segments: tuple[tuple[str, str], ...] = ()
    talks: tuple[Talk, ...] = ()
    history: tuple[tuple[dt.date, float], ...] = ()


@dataclass(frozen=True)
class PeriodRow:
    """Retention of one period: S, N, E and lost are customers; the rate and its 95 % interval are percent.

    `period` is the label of `pipeline.retention.definition.periods`. The rate is shown as final only when `complete`.
    """

    period: str
    S: int
    N: int
    E: int
    lost: int
    rate: float | None
    low: float | None
    high: float | None
    complete: bool


@dataclass(frozen=True)
class Forecast:
    """Rate expected of a coming period, with its 95 % interval, all in percent."""

    period: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Contender:
    """Figures of the model or of a simple rule on the rows of the test snapshot; None is not known."""

    name: str
    auc: float | None
    log_loss: float | None
    lift: float | None
    ece: float | None


@dataclass(frozen=True)
class CalibrationBin:
    """A group of customers: mean probability stated and share that left, both 0..1."""

    predicted: float
    observed: float


@dataclass(frozen=True)
class ModelFacts:
    """The model that scored. `contenders`: itself first, then the recency rule and the base rate."""

    version: str
    trained_as_of: dt.date
    test_snapshot: dt.date
    test_customers: int
    contenders: tuple[Contender, ...]
    calibration: tuple[CalibrationBin, ...] = ()


@dataclass(frozen=True)
class Count:
    """Customers for whom `name` holds: a rule that kept them off the list, or a driver as first reason."""

    name: str
    customers: int


@dataclass(frozen=True)
class SourceRow:
    """How fresh a source is. `newest` is None for an empty one; `stale` is None when nobody judged.

    `known` is the percent of its customers that the other sources have too; None when nobody compared.
    """

    role: str
    rows: int
    newest: dt.date | None
    stale: bool | None = None
    known: float | None = None


@dataclass(frozen=True)
class WatchedRow:
    """Something that the monitoring found: the check, its place, and what was found and is to be done, in words."""

    check: str
    place: str
    finding: str


@dataclass(frozen=True)
class NightRow:
    """How many findings of each kind, a key of `FINDINGS`, the monitoring of a night had."""

    day: dt.date
    found: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class NightOutcome:
    """Scores of a past night against what happened: mean probability stated and share that left, both 0..1.

    `lift` is how many times as many leavers as a random tenth the tenth with the highest probability held; None where
    nobody left.
    """

    day: dt.date
    customers: int
    predicted: float
    observed: float
    lift: float | None


@dataclass(frozen=True)
class ReportView:
    """Everything that the report shows, as plain values.

    Parameters
    ----------
    company
        Name of the config.
    as_of
        That midnight UTC is now.
    horizon_days, gap_days
        The label window is `[as_of + gap, as_of + gap + horizon)`.
    customers, expected_to_leave
        How many were scored, and the sum of their probabilities.
    model
        What scored them.
    outreach
        Best first; the page shows the first `LIST_ROWS`.
    suppressed
        Customers kept off the list, by rule.
    retention
        Oldest period first; one that is running may be the last.
    forecast
        Of the next period.
    drivers
        By first reason, over all who were explained.
    sources, warnings
        Freshness by role; lines that a person should read.
    files
        Names of the files published beside the report.
    tracking_url
        Linked when it is http(s), else shown.
    active_days
        Without a purchase for so many days the rate counts a customer as lost; None where contracts end.
    pictures
        Drawings of the retention, elements of an HTML page.
    value_days
        Spend in so many days is a customer's value; None when the value is something else.
    watched, checks
        What the monitoring found, and how many checks it made.
    nights
        What the last nights found, oldest first, this one last.
    past
        Past nights whose label window is over, oldest first.
    language
        Of the page; see `pipeline.languages`.
    owner
        Whose page it is: it holds the list alone; empty for everybody's.
    currency
        Of the amounts; None shows them without a sign.
    overview
        The executive's half.
    """

    company: str
    as_of: dt.date
    horizon_days: int
    customers: int
    expected_to_leave: float
    model: ModelFacts
    outreach: tuple[ListRow, ...] = ()
    suppressed: tuple[Count, ...] = ()
    retention: tuple[PeriodRow, ...] = ()
    forecast: Forecast | None = None
    drivers: tuple[Count, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tracking_url: str | None = None
    gap_days: int = 0
    active_days: int | None = None
    pictures: tuple[str, ...] = ()
    value_days: int | None = None
    watched: tuple[WatchedRow, ...] = ()
    checks: int = 0
    nights: tuple[NightRow, ...] = ()
    past: tuple[NightOutcome, ...] = ()
    language: str = "en"
    currency: str | None = None
    owner: str = ""
    overview: Overview = Overview()  # noqa: RUF009 - frozen
