"""`churn retention` and its subcommands: the tables of a config, printed, written and with their rule told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from configs.errors import ConfigError
from configs.schema import Config
from pipeline.result import Result
from pipeline.retention import rate_tables
from pipeline.retention.cohorts import Measure, cohort_matrix
from pipeline.retention.goals import benchmark_table
from pipeline.retention.lost import audit_table
from pipeline.retention.mix import mix_table
from pipeline.retention.rate import retention_of
from pipeline.retention.rate_result import Asked, write_picture
from pipeline.retention.rate_text import points, show
from pipeline.retention.reported import reported

RATE_COLUMNS = {
    "period": "period",
    "segment": "segment",
    "S": "S",
    "N": "N",
    "returned": "returned",
    "E": "E",
    "lost": "lost",
    "not_churn": "no churn",
    "rate": "rate",
    "rate_low": "95 % from",
    "rate_high": "to",
    "churn_rate": "churn",
    "adjusted_rate": "adjusted",
}


def by_period(asked: Asked) -> Result:
    """The classic rate by period, and by segment when one is named."""
    frame = rate_tables.retention(reported(asked.open()), asked.config, asked.as_of, asked.scope)
    names = {
        name: header
        for name, header in RATE_COLUMNS.items()
        if name in frame and (name not in ("not_churn", "adjusted_rate") or frame["not_churn"].any())
    }
    rules = ["rate = (E - N) / S; N are the new and the returned"]
    if "adjusted_rate" in names:
        left_out = ", ".join(asked.config.churn.not_churn_reasons)
        rules.append(f"adjusted leaves out who left for a reason that is no churn ({left_out})")
    return asked.result(frame, show(frame, names), [*rules, definition(asked.config)])


def definition(config: Config) -> str:
    """Who is a customer, in a line."""
    if config.churn.kind == "contractual":
        return "a customer: the contract has started and not ended"
    return f"a customer: a purchase in the last {config.churn.active_days} days"


def segment_of(asked: Asked) -> str:
    """The segment asked for, or the first of the config."""
    segment = asked.scope.segment or next(iter(asked.config.retention.segments), None)
    if segment is None:
        raise ConfigError("give --segment, or list segments in the config's section retention")
    return segment


def mix(asked: Asked, before: str | None, after: str | None) -> Result:
    """Why the rate moved between two periods: other customers, or the same kinds kept differently."""
    newest = replace(asked.scope, periods=2, running=False).until(asked.as_of)
    pair = [
        asked.scope.named(text, asked.as_of) if text else usual
        for text, usual in zip((before, after), (newest[0], newest[-1]), strict=True)
    ]
    if pair[0].label == pair[1].label:
        raise ConfigError(f"both periods are {pair[0].label}; give two with --before and --after")
    segment = segment_of(asked)
    tables = reported(asked.open())
    rates = retention_of(tables, asked.config.churn, pair, asked.as_of, segment)
    frame = mix_table(rates, pair[0].label, pair[1].label)
    columns = {
        "segment": segment,
        "share_before": f"share {pair[0].label}",
        "share_after": f"share {pair[1].label}",
        "rate_before": f"rate {pair[0].label}",
        "rate_after": f"rate {pair[1].label}",
        "mix_effect": "mix effect",
        "rate_effect": "rate effect",
        "change": "change",
    }
    total = frame.iloc[-1]
    rule = (
        f"{points(total['change'])} points: {points(total['mix_effect'])} from other shares of customers, "
        f"{points(total['rate_effect'])} from the same kinds kept differently (Kitagawa)"
    )
    return asked.result(frame, show(frame, columns), [rule])


def cohorts(asked: Asked, measure: Measure, picture: Path | None) -> Result:
    """Who is left of those who started together, by age."""
    frame = rate_tables.cohorts(reported(asked.open()), asked.config, asked.as_of, asked.scope, measure)
    triangle = cohort_matrix(frame).reset_index()
    ages = [column for column in triangle.columns if isinstance(column, int)]
    shown = triangle.assign(
        **{f"age {a}": triangle[a].map("{:.1f}".format, na_action="ignore") for a in ages}
    )
    keys = [c for c in ("cohort", "segment", "size") if c in triangle]
    text = show(shown, {**{k: k for k in keys}, **{f"age {a}": str(a) for a in ages}})
    rule = {
        "customer": f"percent of those who started: still customers at the end of the k-th {asked.scope.unit} after",
        "purchase": f"percent of those who started: with a purchase in the k-th {asked.scope.unit} after",
    }[measure]
    if picture is not None:
        from pipeline.report.curves import cohort_chart, standalone

        if asked.scope.segment:
            raise ConfigError("--picture draws all cohorts of one kind; leave --segment out")
        title = f"{asked.config.name}: who is left of each {asked.scope.unit}'s new customers"
        write_picture(standalone(cohort_chart(frame, title, rule, asked.scope.unit)), picture)
    return asked.result(frame, text, [rule, definition(asked.config)])


def revenue(asked: Asked) -> Result:
    """Revenue of each period against the one before, customer by customer."""
    frame = rate_tables.revenue(reported(asked.open()), asked.as_of, asked.scope)
    columns = {
        "period": "period",
        **({"segment": "segment"} if "segment" in frame else {}),
        "base_revenue": "before",
        "lost_revenue": "lost",
        "contraction": "less",
        "expansion": "more",
        "won_revenue": "won",
        "revenue": "revenue",
        "gross_retention": "gross",
        "net_retention": "net",
        "repeat_share": "repeat",
    }
    rules = [
        "revenue = before - lost - less + more + won; gross = (before - lost - less) / before; net adds more",
        "repeat: share of the revenue from purchases after a customer's first",
    ]
    return asked.result(frame, show(frame, columns), rules)


def audit(asked: Asked, period: str | None, rows: int) -> Result:
    """What the customers lost in a period have in common, against those kept."""
    chosen = (
        asked.scope.named(period, asked.as_of)
        if period
        else rate_tables.last_complete(asked.as_of, asked.scope)
    )
    frame = audit_table(reported(asked.open()), asked.config.churn, chosen)
    columns = {
        "fact": "fact",
        "value": "value",
        "customers": "customers",
        "lost": "lost",
        "lost_share": "lost share",
        "risk_ratio": "risk ratio",
        "low": "95 % from",
        "high": "to",
        "p_adjusted": "p adjusted",
    }
    rules = [
        f"lost in {chosen.label}: each group against all others; p for {len(frame)} comparisons (Benjamini-Hochberg)",
        "a difference is no cause",
    ]
    if len(frame) > rows:
        rules.append(
            f"{len(frame) - rows} less certain rows are not shown; --rows N shows more, --out keeps all"
        )
    return asked.result(frame, show(frame.head(rows), columns), rules, {"period": chosen.label})


def reasons(asked: Asked) -> Result:
    """The reasons that customers stated, counted by period."""
    frame = rate_tables.reasons(reported(asked.open()), asked.config, asked.as_of, asked.scope)
    if "segment" in frame or frame.empty:
        columns = ["period", *(["segment"] if "segment" in frame else []), "reason"]
        shown = show(frame, [*columns, "controllable", "customers", "share"])
    else:
        total = frame.groupby(["code", "reason", "controllable"], as_index=False)["customers"].sum()
        total = total.assign(share=100 * total["customers"] / total["customers"].sum())
        total = total.sort_values(["customers", "code"], ascending=[False, True])
        shown = show(total, ["reason", "controllable", "customers", "share"])
        shown += "\n\n" + show(frame, ["period", "reason", "controllable", "customers", "share"])
    return asked.result(
        frame, shown, ["endings that count as churn; coded by retention.reasons of the config"]
    )


def goals(asked: Asked) -> Result:
    """The config's goals: reached or missed, by how much, since when."""
    frame = rate_tables.goals(reported(asked.open()), asked.config, asked.as_of, asked.scope)
    columns = ["metric", "unit", "wanted", "period", "value", "before", "status", "by", "since", "periods"]
    rule = "judged on the newest period that is over and fully on record; by: how far on the good side"
    return asked.result(frame, show(frame, columns), [rule])


def benchmarks(asked: Asked, industry: str | None) -> Result:
    """Figures that people quote, with source and year."""
    frame = benchmark_table(industry or asked.config.retention.industry)
    rule = "quoted context, dated as shown: neither a goal nor a promise, and seldom on your definition"
    return asked.result(frame, show(frame, list(frame.columns)), [rule])


def value(asked: Asked, more_points: float, margin: float | None) -> Result:
    """What a point of retention is worth in this company's own numbers."""
    config = asked.config
    share = config.margin if margin is None else margin
    found = rate_tables.worth(reported(asked.open()), config, asked.as_of, asked.scope, more_points, share)
    frame = pd.DataFrame(
        [
            {
                "points": found.points,
                "extra_customers": found.extra_customers,
                "extra_revenue": found.extra_revenue,
                "extra_margin": found.extra_margin,
            }
        ]
    )
    text = (
        f"{found.points:g} point{'s' * (found.points != 1)} more retention in every {asked.scope.unit} of a year: "
        f"{found.extra_customers:,.0f} more customers at its end, {found.extra_revenue:,.0f} more revenue, "
        f"{found.extra_margin:,.0f} of it left"
    )
    lines = [f"assumed: {line}" for line in found.assumptions]
    return asked.result(frame, text, lines, {"assumptions": list(found.assumptions)})
