"""Why customers say they left, coded to a short list, and which of it the company can act on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError, Fault
from features.definition import edge_index, spells
from pipeline.languages import N_
from pipeline.languages.said import Said, said
from pipeline.retention.definition.involuntary import PAYMENTS, with_unpaid
from pipeline.retention.definition.periods import Period
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import percent, show_table, within_a_line
from pipeline.retention.table import Question, Shown, Table

LABELS: dict[str, str] = {
    "closed_down": N_("died or closed down"),
    "left_market": N_("left the market"),
    "friend_or_free": N_("switched to a friend or a free provider"),
    "competitor": N_("won by a competitor"),
    "unhappy": N_("unhappy with product or service"),
    "nobody_cares": N_("felt that nobody cares"),
    "payment_failed": N_("a payment failed"),
    "other": N_("another reason"),
    "uncoded": N_("stated, but not in the config's list"),
    "not_stated": N_("no reason stated"),
}
CONTROLLABLE = frozenset({"competitor", "unhappy", "nobody_cares", "payment_failed"})
_UNKNOWN = frozenset({"other", "uncoded", "not_stated"})
INVOLUNTARY = "payment_failed"
DUNNING_DAYS = 30
# How billing systems say that they ended a contract since nobody paid.
BILLING = dict.fromkeys(
    ("payment failed", "not_paid", "nonpayment", "non_payment", "unpaid", "past_due"), INVOLUNTARY
)


def reason_table(
    tables: Mapping[str, ir.Table],
    periods: Sequence[Period],
    as_of: dt.date,
    *,
    codes: Mapping[str, str] | None = None,
    controllable: Collection[str] = CONTROLLABLE,
    not_churn_reasons: Collection[str] = (),
    segment: str | None = None,
    dunning_days: int = DUNNING_DAYS,
) -> pd.DataFrame:
    """Endings that count as churn, by period and coded reason.

    Parameters
    ----------
    tables
        With `customers`, or `contracts`, that have `ended_at` and `end_reason`; of contracts the ends of a customer's
        times without a gap count, with the reason of the contract that ended last.
    periods
        Consecutive periods, oldest first.
    as_of
        That midnight UTC is now; later endings are not known.
    codes
        Reason as stated to a code of `LABELS`; upper and lower case and outer blanks do not matter. The codes
        stand for themselves.
    controllable
        Codes that the company can act on; `other`, `uncoded` and `not_stated` are neither.
    not_churn_reasons
        Endings that do not count.
    segment
        A customer attribute.
    dunning_days
        Where no reason of `LABELS` is stated, an ending so soon after a payment that failed and was not paid since is
        involuntary: its code is `payment_failed`.

    Returns
    -------
    DataFrame
        `period`, `complete`, `segment`, `code`, `reason`, `controllable` (`yes`, `no`, `unknown`), `customers`, and
        `share` in percent of the endings of that period (and segment); the most frequent first.

    Raises
    ------
    ConfigError
        When the customers have no stated reasons, or a code is unknown.
    """
    base = tables.get("contracts", tables.get("customers"))
    if base is None or not {"ended_at", "end_reason"} <= set(base.columns):
        role = "contracts" if "contracts" in tables else "customers"
        raise ConfigError(f"reasons need sources.{role} with the columns ended_at and end_reason; map them")
    coding = _coding(codes or {}, controllable)
    customers = spells(tables) if "contracts" in tables else base
    ended = with_unpaid(_coded(customers, coding, not_churn_reasons), tables, dunning_days)
    code = ibis.ifelse(ended.unpaid & ended.code.isin(["not_stated", "uncoded"]), INVOLUNTARY, ended.code)
    now = dt.datetime.combine(as_of, dt.time())
    edges = [p.start for p in periods] + [min(periods[-1].end, now)]
    ended = ended.select("customer_id", number=edge_index(ended.ended_at, edges).cast("int64") - 1, code=code)
    ended = ended.filter((ended.number >= 0) & (ended.number < len(periods)))
    if segment is not None:
        ended = with_segment(ended, tables, segment)
    by = ["number", *(["segment"] if segment else [])]
    frame: pd.DataFrame = ended.group_by([*by, "code"]).aggregate(customers=ended.count()).execute()
    frame = frame.assign(
        period=frame["number"].map(dict(enumerate(p.label for p in periods))),
        complete=frame["number"].map(dict(enumerate(p.complete for p in periods))),
        reason=frame["code"].map(LABELS),
        controllable=[
            "unknown" if c in _UNKNOWN else "yes" if c in set(controllable) else "no" for c in frame["code"]
        ],
        share=100 * frame["customers"] / frame.groupby(by)["customers"].transform("sum"),
    )
    ordered = frame.sort_values([*by, "customers", "code"], ascending=[*[True] * len(by), False, True])
    names = ["period", "complete", *by[1:], "code", "reason", "controllable", "customers", "share"]
    return ordered[names].reset_index(drop=True)


def _coded(customers: ir.Table, coding: Mapping[str, str], not_churn_reasons: Collection[str]) -> ir.Table:
    """The endings that count as churn, with the `code` of the stated reason."""
    stated = customers.end_reason.strip().lower()
    code = ibis.cases(
        (stated.isnull() | (stated == ""), "not_stated"),
        *((stated == text, code) for text, code in coding.items()),
        else_="uncoded",
    )
    counts = customers.end_reason.fill_null("").notin(list(not_churn_reasons)) if not_churn_reasons else True
    return customers.mutate(code=code).filter(customers.ended_at.notnull() & counts)


def _coding(codes: Mapping[str, str], controllable: Collection[str]) -> dict[str, str]:
    wrong = sorted({*codes.values(), *controllable} - set(LABELS))
    if wrong:
        known = ", ".join(LABELS)
        raise ConfigError(
            "unknown reason codes",
            [Fault(f"reasons: {code}", "is no code", f"known: {known}") for code in wrong],
        )
    return (
        {code: code for code in LABELS}
        | BILLING
        | {text.strip().lower(): code for text, code in codes.items()}
    )


def of_question(question: Question) -> pd.DataFrame:
    """Stated reasons of endings, coded as the config says."""
    config, as_of, scope = question.config, question.as_of, question.scope
    return reason_table(
        question.tables,
        scope.until(as_of),
        as_of,
        codes=config.retention.reasons.codes,
        controllable=config.retention.reasons.controllable,
        not_churn_reasons=config.churn.not_churn_reasons,
        segment=scope.segment,
        dunning_days=config.retention.reasons.dunning_days + config.churn.grace_days,
    )


def show(question: Question) -> Shown:
    """The reasons that customers stated for leaving, coded and counted."""
    frame = of_question(question)
    figures = ["reason", "controllable", "customers", "share"]
    if "segment" in frame or frame.empty:
        text = show_table(
            frame, ["period", *(["segment"] if "segment" in frame else []), *figures], question.language
        )
    else:
        total = frame.groupby(["code", "reason", "controllable"], as_index=False)["customers"].sum()
        total = total.assign(share=100 * total["customers"] / total["customers"].sum())
        total = total.sort_values(["customers", "code"], ascending=[False, True])
        text = "\n\n".join(
            show_table(rows, columns, question.language)
            for rows, columns in ((total, figures), (frame, ["period", *figures]))
        )
    rules = [said("endings that count as churn; coded by {key} of the config", key="retention.reasons")]
    return Shown(frame, text, [*rules, *_involuntary(question, frame)])


def _involuntary(question: Question, frame: pd.DataFrame) -> list[Said]:
    """How many left since a payment failed, where failed payments or their reason are known."""
    unpaid = int(frame.loc[frame["code"] == INVOLUNTARY, "customers"].sum())
    if not unpaid and "failed_payments" not in question.tables:
        return []
    every, days = int(frame["customers"].sum()), question.config.retention.reasons.dunning_days
    return [
        said(
            "involuntary: {unpaid} of {every} ({share}) - a payment failed is the stated reason, or none is and one "
            "failed in the last {days} days and was not paid",
            unpaid=unpaid,
            every=every,
            share=within_a_line(percent, 100 * unpaid / max(every, 1), question.language),
            days=days,
        )
    ]


READS = {"failed_payments": PAYMENTS}
TABLE = Table(show, READS, nightly=of_question, needs=("customers.ended_at", "customers.end_reason"))
