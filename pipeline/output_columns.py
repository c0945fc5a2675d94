"""What the columns of a published night mean: the one place that says so; a test compares it with a night."""

from __future__ import annotations

from collections.abc import Mapping

from configs.reference import MADE

_PERIOD = {"period": "month, week, quarter or year", "start": "first day", "end": "day after the last"}
_INTERVAL = {"rate_low": "95 % interval of the rate, lower end", "rate_high": "upper end"}
_FULL = "whether the history before the period is known"
_RATE = {
    **_PERIOD,
    "S": "customers at the start",
    "N": "new and returned ones in it",
    "E": "customers at the end",
    "kept": "of S, still there at the end",
    "lost": "of S, not there at the end",
    "not_churn": "of the lost, for a reason that does not count as churn",
    "new": "of N, for the first time",
    "returned": "of N, had left before",
    "came_and_went": "came and left within the period: in none of S, N and E",
    "rate": "(E - N) / S x 100",
    **_INTERVAL,
    "churn_rate": "100 less the rate",
    "adjusted_rate": "the rate without those lost for a reason that does not count",
    "complete": "whether the period is over",
    "full_history": _FULL,
}
OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "outreach.csv": {
        "rank": "place on the list, 1 is the first to contact",
        "block": "which part of the list: the main one, or those to be won back",
        "customer_id": "who",
        "churn_probability": "chance of leaving within the horizon",
        "value": "margin of `outreach.value_days` days",
        "value_at_risk": "value times the chance of leaving",
        "expected_gain": "what the contact is expected to save, less its cost",
        "reason_1": "why, the strongest reason first",
        "reason_2": "the second reason",
        "reason_3": "the third reason",
        "action": "key of the action in the playbook",
        "title": "what the action is called",
        "channel": "how to reach the customer",
        "owner": "who does it",
        "message": "what to say",
        "last_contact": "day of the last contact",
        "contact_gap_days": "days since then",
        "due_date": "the contact is due until then",
    },
    "suppressed.csv": {
        "customer_id": "who is not on the list",
        "rules": "every rule that applied",
    },
    "contact_calendar.csv": {
        "customer_id": "who is due for a contact, the longest overdue first",
        "owner": "who is responsible",
        "last_contact": "day of the last contact",
        "usual_gap_days": "the customer's usual days between contacts, the agreed ones where they are unknown",
        "next_due": "day on which the next contact is due",
        "overdue_days": "days since then; negative while it is to come",
    },
    "retention.csv": _RATE,
    "retention_by_segment.csv": {"attribute": "attribute of the customers", "segment": "its value", **_RATE},
    "retention_revenue.csv": {
        **_PERIOD,
        "revenue": "of the period",
        "base_revenue": "of the period before",
        "lost_revenue": "base of those who paid nothing this time",
        "contraction": "what the others paid less",
        "expansion": "what the others paid more",
        "won_revenue": "from those who paid nothing the time before",
        "repeat_revenue": "of purchases after a customer's first",
        "buyers": "customers who bought",
        "repeat_buyers": "those of them who had bought before",
        "gross_retention": "base less lost and contraction, of the base, in %",
        "net_retention": "the same with expansion",
        "repeat_share": "repeat revenue of the revenue, in %",
        "full_history": _FULL,
    },
    "retention_cohorts.csv": {
        "cohort": "customers who started in the same period",
        "started": "first day of that period",
        "size": "customers in it",
        "age": "periods since then",
        "customers": "those who are still there",
        "rate": "of the size, in %",
        **_INTERVAL,
    },
    "retention_survival.csv": {
        "segment": "value of the attribute, empty for all",
        "days": "since the start",
        "at_risk": "customers who are followed so long",
        "left": "those who leave on that day",
        "survival": "share who stay longer (Kaplan and Meier 1958)",
        "low": "95 % interval, lower end",
        "high": "upper end",
    },
    "retention_forecast.csv": {
        "as_of": "the night of the forecast",
        "start": "first day of the period",
        "end": "day after the last",
        "customers": "at the start",
        "expected_lost": "sum of their chances of leaving",
        "rate": "the forecast, in %",
        "low": "95 % interval, lower end",
        "high": "upper end",
        "chance": "standard deviation of the rate by chance alone, in points",
        "measure": "what is forecast: losses within the window, or the rate of a period",
        "known": "customers of whom the outcome is known",
        "came": "what came, in %",
        "error": "what came less the forecast, in points",
        "inside": "whether it lies in the interval",
    },
    "retention_feedback.csv": {
        "period": "month, week, quarter or year",
        "complete": "whether the period is over",
        "kind": "which survey",
        "measure": "what is made of the answers",
        "asked": "times that somebody was asked",
        "answered": "answers",
        "customers": "different customers who were asked",
        "answer_rate": "answers of those asked, in %",
        "mean_score": "of the answers",
        "value": "of the measure",
        "low": "95 % interval, lower end",
        "high": "upper end",
        "reached": "of pmf: whether the value is at the 40 % line",
    },
    "retention_goals.csv": {
        "metric": "figure of the goal",
        "unit": "length of a period",
        "wanted": "what the goal asks for",
        "period": "the last complete one",
        "value": "in it",
        "before": "in the one before",
        "status": "reached, missed, or unknown without a value",
        "by": "how far on the good side; negative: short of it",
        "since": "first period of the unbroken run with this status",
        "periods": "length of that run",
    },
    "retention_audit.csv": {
        "fact": "what is compared, such as a segment or a kind of contact",
        "value": "its value",
        "customers": "with it",
        "lost": "of them",
        "lost_share": "in %",
        "others": "customers without it",
        "others_lost": "of them",
        "risk_ratio": "of the two shares",
        "low": "95 % interval of the ratio, lower end",
        "high": "upper end",
        "p_value": "of no difference",
        "p_adjusted": "the same for many comparisons",
        "period": "which one",
    },
    "monitoring.csv": {
        "check": "which check",
        "place": "source, column or feature that it looks at",
        "found": "what was found",
        "expected_low": "lowest value that the own past expects",
        "expected_high": "highest value that it expects",
        "unit": "of the three",
        "verdict": "whether it fits",
        "advice": "what to look at",
    },
    "scores.parquet": {
        "customer_id": "every customer at the as-of date",
        "as_of": "that date",
        "churn_probability": "chance of leaving within the horizon",
        "value": "margin of `outreach.value_days` days",
        "value_at_risk": "value times the chance of leaving",
        "listed": "whether the customer is on the list",
    },
}


def as_markdown() -> str:
    """The page of the documentation."""
    lines = ["# Columns of a published night", "", MADE]
    for file, columns in OUTPUTS.items():
        lines += ["", f"## {file}", "", "| column | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in columns.items()]
    return "\n".join([*lines, ""])
