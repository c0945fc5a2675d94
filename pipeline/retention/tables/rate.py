"""The classic retention rate, by period and segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.errors import DataError, Fault
from configs.schema import Churn
from models.statistics.intervals import wilson
from pipeline.languages import N_
from pipeline.languages.said import Said, said, together
from pipeline.retention.definition.movements import COUNTS, count_movements
from pipeline.retention.definition.periods import Period, Unit, periods_until
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table


def rate(start: int, new: int, end: int) -> float:
    """Customer retention rate in percent, (E - N) / S x 100.

    Parameters
    ----------
    start
        S, customers at the start of the period.
    new
        N, customers won during it.
    end
        E, customers at its end.

    Raises
    ------
    DataError
        When no rate exists: S is 0, a count is negative, or E - N lies outside 0..S.

    Examples
    --------
    >>> round(rate(start=44, new=12, end=43), 2), rate(start=20, new=5, end=24)
    (70.45, 95.0)
    """
    counts = {"S (start)": start, "N (new)": new, "E (end)": end}
    faults = [Fault(name, f"is {n}", "expected 0 or more") for name, n in counts.items() if n < 0]
    if start == 0:
        faults.append(Fault("S (start)", "is 0", "a period without customers at its start has no rate"))
    if end < new:
        faults.append(
            Fault("E (end)", f"is {end}, below N = {new}", "the new ones are part of E: count again")
        )
    elif end - new > start > 0:
        what = f"leaves E - N = {end - new} customers kept, more than the S = {start} there were"
        faults.append(Fault("E (end)", what, "count those who came during the period in N"))
    if faults:
        raise DataError("no retention rate", faults)
    return 100 * (end - new) / start


def retention_table(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    as_of: dt.date,
    unit: Unit = "month",
    *,
    periods: int = 12,
    segment: str | None = None,
    time_zone: str = "UTC",
    first_weekday: int = 0,
    rolling: bool = False,
    running: bool = False,
) -> pd.DataFrame:
    """Retention by period, and by segment when one is named.

    See `retention_of` for the columns and their rules, `periods_until` for the choice of periods.
    """
    chosen = periods_until(
        as_of,
        unit,
        periods,
        time_zone=time_zone,
        first_weekday=first_weekday,
        rolling=rolling,
        running=running,
    )
    return retention_of(tables, churn, chosen, as_of, segment)


def retention_of(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    periods: Sequence[Period],
    as_of: dt.date,
    segment: str | None = None,
) -> pd.DataFrame:
    """Retention of the given periods.

    Parameters
    ----------
    tables
        Role to Ibis table, cut to what was known at `as_of`; all counting is done where they live.
    churn
        What churn means here.
    periods
        Half-open periods, in any order; they may overlap. One that is not over is counted up to `as_of`.
    as_of
        That midnight UTC is now.
    segment
        A customer attribute. The sum over its values is the table without it.

    Returns
    -------
    DataFrame
        One row a period (and segment): `period`, `start`, `end`, `segment`, then

        - `S`, `E`: customers at the start and at the end; `N` = `new` + `returned`: customers at the end who
          were none at the start. `new`: for the first time ever; `returned`: they had been customers before,
          lapsed before the start, and are counted once, in the period at whose end they are back. A lapse
          and a return inside one period is no loss.
        - `kept` + `lost` = `S` and `kept` = `E - N`. `not_churn` are those of the lost who left for a reason
          that does not count as churn.
        - `came_and_went`: came for the first time and left within the period, so in neither S nor E.
        - `rate` = 100 (E - N) / S with its 95 % Wilson interval `rate_low`, `rate_high`; `churn_rate` =
          100 - `rate`. `adjusted_rate` leaves `not_churn` out of S, as the labels do. All are null in a
          period that is not over (`complete` is false) or has no customer at its start.
        - `complete`; `full_history`: the records reach back far enough to know every customer at the start.

    Raises
    ------
    DataError
        When a row violates E - N + lost = S.

    Examples
    --------
    >>> import ibis
    >>> customers = ibis.memtable(pd.DataFrame({
    ...     "customer_id": ["a", "b", "c"],
    ...     "started_at": pd.to_datetime(["2024-01-05", "2024-01-09", "2024-02-03"]),
    ...     "ended_at": pd.to_datetime([None, "2024-02-20", None])}))
    >>> churn = Churn(kind="contractual", horizon_days=28)
    >>> table = retention_table({"customers": customers}, churn, dt.date(2024, 3, 1), periods=1)
    >>> table[["period", "S", "N", "E", "lost", "rate"]].values.tolist()
    [['2024-02', 2, 1, 2, 1, 50.0]]
    """
    if not periods:
        raise DataError("no period to report; the as-of date lies before the first one")
    now = dt.datetime.combine(as_of, dt.time())
    spans = [(p.start, min(p.end, now)) for p in periods]
    frame = _named(count_movements(tables, churn, spans, segment), periods)
    check_identity(frame)
    return _with_rates(frame, _known_since(tables, churn))


def _known_since(tables: Mapping[str, ir.Table], churn: Churn) -> pd.Timestamp:
    """From when on the records tell who is a customer; no time at all when there are none."""
    if churn.kind == "contractual":
        return pd.Timestamp(tables["customers"].started_at.min().execute())
    first = pd.Timestamp(tables["transactions"].occurred_at.min().execute())
    return first + pd.Timedelta(days=churn.active_days)


def _named(counted: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """The counts with their periods; a period that met no customer at all has a row of zeros."""
    spans = pd.DataFrame(
        {
            "span": range(len(periods)),
            "period": [p.label for p in periods],
            "start": pd.to_datetime([p.start for p in periods]),
            "end": pd.to_datetime([p.end for p in periods]),
            "complete": [p.complete for p in periods],
        }
    )
    frame = spans.merge(counted, how="left" if "segment" not in counted else "inner", on="span")
    frame = frame.fillna(dict.fromkeys(COUNTS, 0)).astype(dict.fromkeys(COUNTS, "int64"))
    frame["N"] = frame["new"] + frame["returned"]
    first = ["period", "start", "end", *(["segment"] if "segment" in frame else []), "S", "N", "E"]
    return frame[[*first, *COUNTS[2:], "complete"]]


def check_identity(frame: pd.DataFrame) -> None:
    """Stop when a row's counts do not add up.

    Raises
    ------
    DataError
        Naming the first five rows that violate E - N + lost = S or kept + N = E.
    """
    wrong = frame[(frame.E - frame.N + frame.lost != frame.S) | (frame.kept + frame.N != frame.E)]
    if len(wrong):
        faults = [
            Fault(str(row.period), f"S {row.S}, N {row.N}, E {row.E}, kept {row.kept}, lost {row.lost}")
            for row in wrong.head(5).itertuples()
        ]
        message = f"{len(wrong)} rows violate E - N + lost = S; is a customer listed twice?"
        raise DataError(message, faults)


def _with_rates(frame: pd.DataFrame, known_since: pd.Timestamp) -> pd.DataFrame:
    final = frame["complete"].to_numpy()
    low, high = wilson(frame["kept"], frame["S"])
    kept, base = frame["kept"].to_numpy(float), frame["S"].to_numpy(float)
    at_risk = base - frame["not_churn"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            "rate": kept / base,
            "rate_low": low,
            "rate_high": high,
            "churn_rate": 1 - kept / base,
            "adjusted_rate": kept / np.where(at_risk > 0, at_risk, np.nan),
        }
    percent = {name: np.where(final, 100 * share, np.nan) for name, share in shares.items()}
    marks = {"complete": frame["complete"], "full_history": frame["start"] >= known_since}
    return frame.drop(columns="complete").assign(**percent, **marks)


RATE_COLUMNS = {
    "period": N_("period"),
    "segment": N_("segment"),
    "S": "S",
    "N": "N",
    "returned": N_("returned"),
    "E": "E",
    "lost": N_("lost"),
    "not_churn": N_("no churn"),
    "rate": N_("rate"),
    "rate_low": N_("95 % from"),
    "rate_high": N_("to"),
    "churn_rate": N_("churn"),
    "adjusted_rate": N_("adjusted"),
}


def by_period(question: Question) -> pd.DataFrame:
    """The classic rate by period (and segment), as the question asks."""
    config, as_of, scope = question.config, question.as_of, question.scope
    return retention_of(question.tables, config.churn, scope.until(as_of), as_of, scope.segment)


def show(question: Question) -> Shown:
    """The classic rate by period, from the config's customers."""
    frame = by_period(question)
    names = {
        name: header
        for name, header in RATE_COLUMNS.items()
        if name in frame and (name not in ("not_churn", "adjusted_rate") or frame["not_churn"].any())
    }
    rules = [said("rate = (E - N) / S; N are the new and the returned")]
    if "adjusted_rate" in names:
        left_out = list(question.config.churn.not_churn_reasons)
        rules.append(
            said("adjusted leaves out who left for a reason that is no churn ({reasons})", reasons=left_out)
        )
    return Shown(
        frame, show_table(frame, names, question.language), [*rules, who_is_a_customer(question.config.churn)]
    )


def who_is_a_customer(churn: Churn) -> Said:
    """The definition of a customer, in a line."""
    if churn.kind == "contractual":
        bridged = said("gaps of up to {days} days are bridged", days=churn.grace_days)
        here = said("a customer: the contract has started and not ended")
        return together([here, bridged]) if churn.grace_days else here
    return said("a customer: a purchase in the last {days} days", days=churn.active_days)


TABLE = Table(show, nightly=by_period)
