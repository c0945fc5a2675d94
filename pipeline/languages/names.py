"""What the keys of our tables are called when a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.said import Said

_OUTCOMES = {
    "done": N_("done"),
    "not_reached": N_("not reached"),
    "promised": N_("promised"),
    "reason": N_("reason given"),
    "do_not_contact": N_("asked not to be contacted"),
}
METRICS = {
    "rate": N_("retention rate"),
    "adjusted_rate": N_("retention rate without endings that are no churn"),
    "engagement": N_("events a customer"),
    "lifetime_value": N_("lifetime value"),
    "customer_value": N_("revenue a customer"),
    "nps": N_("NPS"),
    "csat": N_("satisfaction"),
    "gross_retention": N_("gross revenue retention"),
    "net_retention": N_("net revenue retention"),
    "repeat_share": N_("share of repeat purchases"),
}
SURVEYS = {"nps": N_("NPS"), "csat": N_("satisfied"), "pmf": N_("very disappointed without it")}
FACTS = {
    "mean_score": N_("mean survey score"),
    "tenure_days": N_("days as a customer"),
    "days_since_purchase": N_("days since the last purchase"),
    "purchases": N_("purchases"),
    "spend": N_("spend"),
    "contacts": N_("contacts"),
    "unpaid_payments": N_("unpaid payments"),
}
CONTENDERS = {
    "model": N_("this model"),
    "recency rule": N_("recency rule"),
    "base rate": N_("base rate"),
}
_ROLES = {
    "customers": N_("customers"),
    "contracts": N_("contracts"),
    "transactions": N_("purchases"),
    "cancellations": N_("cancellations"),
    "feedback": N_("feedback"),
    "contacts": N_("contacts"),
    "usage": N_("usage"),
    "failed_payments": N_("failed payments"),
}
CHANNELS = {
    "phone": N_("phone"),
    "email": N_("email"),
    "meeting": N_("meeting"),
    "chat": N_("chat"),
    "post": N_("post"),
    "sms": N_("text message"),
}
FINDINGS = {
    "freshness": N_("Freshness and volume"),
    "drift": N_("Drift of data and features"),
    "model": N_("Scores and model"),
    "rows": N_("Rows, ids and columns"),
}
_CHECKS = {
    "silence": N_("silence"),
    "volume": N_("volume"),
    "rows_per_customer": N_("rows per customer"),
    "hours": N_("hours of the day"),
    "values": N_("size of the values"),
    "nulls": N_("empty cells"),
    "categories": N_("mix of values"),
    "columns": N_("columns"),
    "ids": N_("customer ids"),
    "left_out": N_("rows left out"),
    "past": N_("past of the source"),
    "features": N_("features"),
    "scores": N_("scores"),
    "health": N_("health of the numbers"),
    "model_age": N_("age of the model"),
    "outcome": N_("what came true"),
}
_WEEKDAYS = {
    "monday": N_("Monday"),
    "tuesday": N_("Tuesday"),
    "wednesday": N_("Wednesday"),
    "thursday": N_("Thursday"),
    "friday": N_("Friday"),
    "saturday": N_("Saturday"),
    "sunday": N_("Sunday"),
}
TEAMS = {
    "account manager": N_("account manager"),
    "senior": N_("senior person"),
    "service": N_("service team"),
    "marketing": N_("marketing team"),
}
UNITS = {"week": N_("week"), "month": N_("month"), "quarter": N_("quarter"), "year": N_("year")}
# Headers of the list as a workbook; the CSV files keep the keys, which programs read.
_COLUMNS = {
    "rank": N_("Rank"),
    "block": N_("Part of the list"),
    "customer_id": N_("Customer"),
    "churn_probability": N_("Chance of leaving"),
    "value": N_("Value"),
    "value_at_risk": N_("Value at risk"),
    "expected_gain": N_("Expected gain"),
    "reason_1": N_("First reason"),
    "reason_2": N_("Second reason"),
    "reason_3": N_("Third reason"),
    "action": N_("Key of the action"),
    "title": N_("What to do"),
    "channel": N_("Channel"),
    "owner": N_("Owner"),
    "message": N_("Message"),
    "last_contact": N_("Last contact"),
    "contact_gap_days": N_("Days since then"),
    "due_date": N_("Due"),
}
_GROUPS: Mapping[str, Mapping[str, str]] = {
    "outcomes": _OUTCOMES,
    "metrics": METRICS,
    "surveys": SURVEYS,
    "facts": FACTS,
    "contenders": CONTENDERS,
    "roles": _ROLES,
    "channels": CHANNELS,
    "findings": FINDINGS,
    "checks": _CHECKS,
    "weekdays": _WEEKDAYS,
    "teams": TEAMS,
    "units": UNITS,
    "columns": _COLUMNS,
}


def in_words(group: str, key: str) -> Said:
    """A key within a line: itself in English, as the config has it, and elsewhere its word.

    Examples
    --------
    >>> print(in_words("weekdays", "sunday"))
    sunday
    """
    text = _GROUPS[group].get(key)
    return Said(key) if text is None else Said(key, (text,))


def role_in_words(role: str) -> Said:
    """A role of the sources within a line."""
    return in_words("roles", role)


def name(language: Language, group: str, key: str) -> str:
    """The word for one of ours, such as a role of the sources; another's comes back as it is.

    Examples
    --------
    >>> name(Language("en"), "roles", "transactions"), name(Language("fa"), "channels", "fax")
    ('purchases', 'fax')
    """
    text = _GROUPS[group].get(key)
    return key if text is None else language.word(text)
