"""`churn retention survival`, `second`, `feedback` and `forecast`: results of more than one table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from configs.errors import ConfigError
from pipeline.result import Result
from pipeline.retention import rate_tables
from pipeline.retention.forecasts import forecasts_folder, recorded, track_record
from pipeline.retention.membership import customers_at
from pipeline.retention.periods import utc_midnight
from pipeline.retention.rate_forecast import check_forecasts
from pipeline.retention.rate_result import Asked, write_picture
from pipeline.retention.rate_text import percent, show
from pipeline.retention.rates import definition
from pipeline.retention.reported import reported
from pipeline.retention.satisfaction import customer_trends, stopped_answering, trend_table
from pipeline.retention.survival import (
    lifetimes,
    logrank_table,
    second_purchases,
    survival_summary,
    survival_table,
)

AGES = (30, 90, 180, 365)


def survival(asked: Asked, picture: Path | None) -> Result:
    """How long customers stay: Kaplan-Meier by segment, with log-rank tests."""
    tables = reported(asked.open())
    counts = lifetimes(tables, asked.config.churn, asked.as_of, asked.scope.segment)
    rules = [definition(asked.config), "Kaplan-Meier; who is still there, or left for no churn, is censored"]
    return _curves(asked, counts, picture, rules, "still customers")


def second(asked: Asked, picture: Path | None) -> Result:
    """The time from the first to the second purchase."""
    counts = second_purchases(reported(asked.open()), asked.as_of, asked.scope.segment)
    rules = [
        "share without a second purchase so many days after the first; median over all, one-time buyers too"
    ]
    return _curves(asked, counts, picture, rules, "without a second purchase")


def _curves(asked: Asked, counts: pd.DataFrame, picture: Path | None, rules: list[str], kept: str) -> Result:
    curve, summary, tests = survival_table(counts), survival_summary(counts, AGES), logrank_table(counts)
    ages = {f"survival_{age}d": f"{age} days" for age in AGES}
    shares = {name: (100 * summary[name]).map(percent, na_action="ignore") for name in ages}
    happened = "left" if kept == "still customers" else "bought again"
    columns = {"segment": asked.scope.segment or "customers of", "customers": "customers", "left": happened}
    columns |= {"median_days": "median days", "median_days_of_leavers": f"of those who {happened}"} | ages
    shown = show(summary.assign(**shares), columns)
    if len(tests):
        names = {"segment": asked.scope.segment or "", "customers": "customers", "statistic": "log-rank z"}
        shown += "\n\n" + show(tests, names | {"p_value": "p", "p_adjusted": "p adjusted"})
        rules = [*rules, "log-rank: each against all others; negative: later than the others"]
    if picture is not None:
        from pipeline.report.curves import standalone, survival_chart

        write_picture(
            standalone(survival_chart(curve, f"{asked.config.name}: {kept}", rules[0], kept)), picture
        )
    return asked.result(curve, shown, rules, {"rows": summary, "logrank": tests, "curve": curve})


def feedback(asked: Asked, table: str) -> Result:
    """What customers say, the trend of their scores, and who stopped answering."""
    tables = reported(asked.open())
    if table not in ("measures", "trend", "customers", "stopped"):
        raise ConfigError(f"--table {table!r} is unknown; use measures, trend, customers or stopped")
    if table == "trend":
        frame = trend_table(tables, asked.as_of, segment=asked.scope.segment)
        rule = "by least squares over all answers of a customer; steady: less than 0.1 points in 90 days"
        return asked.result(frame, show(frame, list(frame.columns)), [rule])
    if table == "customers":
        frame = customer_trends(tables, asked.as_of).order_by(["slope", "customer_id", "kind"]).execute()
        shown = show(frame.head(20), list(frame.columns))
        return asked.result(frame, shown, ["slope in points per 90 days, the steepest fall first; 20 shown"])
    if table == "stopped":
        here = customers_at(tables, asked.config.churn, utc_midnight(asked.as_of))
        frame = stopped_answering(tables, here)
        shown = show(frame.head(20), list(frame.columns))
        return asked.result(
            frame, shown, ["customers who used to answer and have left two or more requests since"]
        )
    frame = rate_tables.feedback(tables, asked.config, asked.as_of, asked.scope)
    columns = {
        name: name for name in ("period", "segment", "kind", "measure", "asked", "answered") if name in frame
    }
    columns |= {"answer_rate": "answer rate", "value": "value", "low": "95 % from", "high": "to"}
    if frame["reached"].notna().any():
        columns["reached"] = "at 40 %"
    rule = (
        "nps in points, csat and pmf in percent of the answers; --table trend, customers or stopped for more"
    )
    return asked.result(frame, show(frame, columns), [rule])


def forecast(asked: Asked) -> Result:
    """The newest forecast of the rate, and how past ones came out."""
    config, as_of = asked.config, asked.as_of
    folder = forecasts_folder(config)
    kept = recorded(folder)
    kept = kept[(kept["as_of"] <= as_of).to_numpy(bool)]
    if kept.empty:
        raise ConfigError(f"no forecast in {folder} up to {as_of}; `churn score` makes one every night")
    tables = reported(asked.open())
    newest = kept[kept["as_of"] == kept["as_of"].max()]
    past = track_record(folder, tables, config.churn, as_of, asked.scope.periods)
    open_ = check_forecasts(newest[(newest["end"] > as_of).to_numpy(bool)], tables, config.churn, as_of)
    frame = pd.concat([part for part in (past, open_) if len(part)] or [past], ignore_index=True)
    headers = {"as_of": "as of", "measure": "measure", "start": "from", "end": "to", "customers": "S"}
    headers |= {"expected_lost": "lost", "rate": "rate", "low": "95 % from", "high": "to ", "came": "came"}
    interval = {name: frame[name].map(percent) for name in ("low", "high")}
    shown = show(frame.assign(**interval), headers | {"error": "error", "inside": "inside"})
    known = frame["inside"].dropna()
    rules = [
        "rate: still customers at the end; window: not churned in the label window, as the model is trained",
        f"{int(known.sum())} of {len(known)} past forecasts held what came in their 95 % interval"
        if len(known)
        else "no forecast has come due yet",
    ]
    return asked.result(frame, shown, rules)
