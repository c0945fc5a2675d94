"""The draft of a config from tables in their roles, before the data are read by it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from configs.errors import DataError, Fault
from configs.outreach import Outreach
from configs.roles import ROLES
from pipeline.outreach.permissions import permission_of
from pipeline.setup.columns import RolePart, told_afterwards
from pipeline.setup.company import kind_of, label_words, not_churn
from pipeline.setup.draft import Draft
from pipeline.setup.interview import Given, Interview
from pipeline.setup.table_words import role_by_name
from pipeline.setup.words import COMPLAINTS, rank, sounds_like_time
from pipeline.sources.names import words_of

_SHOWN = 12


def first_draft(
    parts: list[RolePart], unused: list[str], given: Given, interview: Interview, home: Path
) -> Draft:
    """The draft with every table that has a place in it.

    Raises
    ------
    DataError
        When nothing shows who has left.
    """
    kind = given.kind or kind_of(parts)
    churn: dict[str, Any] = {"kind": kind, "horizon_days": given.horizon_days or 30}
    draft = Draft(
        {"name": given.name or _name(parts, home), "churn": churn, "sources": {}}, left_out=list(unused)
    )
    contracts = any(part.role == "contracts" for part in parts)
    draft.remarks["name"] = "also the name of the experiment in MLflow"
    draft.remarks["churn.kind"] = KINDS[kind]
    if given.horizon_days:
        draft.remarks["churn.horizon_days"] = "as it was given"
    for part in sorted(parts, key=partial(_order, parts)):
        draft.take(_of_kind(part, kind, contracts=contracts))
        draft.remarks.setdefault(f"sources.{part.role}", REMARKS.get(part.role, ""))
        if kind == "contractual" and (good := not_churn(part)):
            churn["not_churn_reasons"] = good
            draft.remarks["churn.not_churn_reasons"] = "endings that do not count as churn"
        draft.doubts += part.unsettled
        if "churned" in part.columns and kind == "labelled":
            days = interview.settle(
                "days that the label speaks of", "30", "--horizon-days", _text(given.horizon_days)
            )
            churn["horizon_days"] = int(days) if days.isdigit() else 30
            draft.left_out += [
                f"attribute {column.name}: tells who has left, or why, as the label does"
                for column in told_afterwards(part.table, part.columns["churned"])
            ]
            if words := label_words(part, interview, given.churned_value):
                churn["churned_values"] = words
    for part in parts:
        if part.returned and "cancellations" not in draft.sources:
            draft.take(_refunds(part))
            draft.remarks["sources.cancellations"] = "the same rows that are refunds"
    if kind == "non_contractual" and "transactions" not in draft.sources:
        _activity(draft, parts, interview)
    order = [role for role in ROLES if role in draft.sources]
    draft.values["sources"] = {role: draft.sources[role] for role in order}
    _list_columns(draft)
    _complaints(draft, parts)
    _permissions_elsewhere(draft, parts)
    _currency(draft, parts)
    return draft


def _order(parts: list[RolePart], part: RolePart) -> tuple[Any, ...]:
    """Which of several tables of a role comes first: that of customers which knows starts and ends, then the one whose
    ids are called as those of the events, or that is called after customers; else the longer one.
    """
    ids = {words_of(str(one.columns.get("customer_id"))) for one in parts if one.role != "customers"}
    people = part.role == "customers"
    return (
        people and not {"started_at", "ended_at"} <= set(part.columns),
        people and words_of(str(part.columns.get("customer_id"))) not in ids,
        people and role_by_name(part.table.name) != "customers",
        -part.table.columns[0].rows,
    )


KEYS = ("name", "as_of", "currency", "churn", "snapshots", "sources", "outreach")


KINDS = {
    "contractual": "customers have a known end",
    "non_contractual": "nobody gives notice: who buys nothing in the horizon has churned",
    "labelled": "a table with a label and no dates: nothing can be checked in time order",
}


REMARKS = {
    "customers": "one row a customer",
    "transactions": "one row a purchase, or lines that transaction_id joins",
    "cancellations": "returns and refunds",
    "feedback": "surveys, ratings and complaints",
    "contacts": "contacts with our people",
    "usage": "any event of use",
    "failed_payments": "payments that failed",
    "contracts": "one row a contract",
    "consent": "who has said yes, by channel; nobody else is contacted by it",
    "opt_out": "who has said no, by channel",
}


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _of_kind(part: RolePart, kind: str, *, contracts: bool) -> RolePart:
    """The part without what its kind of churn has no use for."""
    if part.role != "customers":
        return part
    columns = dict(part.columns)
    if kind != "labelled":
        columns.pop("churned", None)
    if kind == "non_contractual" or contracts:
        columns.pop("ended_at", None)
        columns.pop("end_reason", None)
    if contracts:
        columns.pop("started_at", None)
    return replace(part, columns=columns)


def _refunds(part: RolePart) -> RolePart:
    """The rows of purchases that are refunds, in the role of cancellations."""
    wanted = ("customer_id", "occurred_at", "known_at", "transaction_id", "amount")
    columns = {name: rule for name, rule in part.columns.items() if name in wanted}
    returned = dict(part.returned or {})
    kept = [one for one in part.where if not ("none_of" in one and one["column"] == returned["column"])]
    return replace(part, role="cancellations", columns=columns, where=(*kept, returned))


def _activity(draft: Draft, parts: list[RolePart], interview: Interview) -> None:
    """Without purchases the table with the most rows stands for them: who is active is a customer."""
    events = [part for part in parts if part.role != "customers"]
    if not events:
        raise DataError(
            "nothing shows who has left: no purchases, no ends of contracts, no label",
            [*(_taken(part) for part in parts), *(_unused(line) for line in draft.left_out)],
        )
    most = max(events, key=lambda part: part.table.columns[0].rows)
    kept = {k: v for k, v in most.columns.items() if k in ("customer_id", "occurred_at", "known_at")}
    draft.take(replace(most, role="transactions", columns=kept))
    draft.remarks["sources.transactions"] = (
        f"no purchases were found: a row of {most.table.name} is taken for activity"
    )
    interview.doubt(
        f"no purchases were found: a row of {most.table.name} shows that a customer is there", "--role"
    )


def _taken(part: RolePart) -> Fault:
    """What was seen of a table that says nothing of when; and which column may be meant to."""
    names = ", ".join(column.name for column in part.table.columns[:_SHOWN])
    likely = next((c for c in part.table.columns if c.samples and sounds_like_time(c.name)), None)
    if likely is None:
        step = (
            "name a table with a time in each row, with columns of start and end, or with a column `churned` of yes "
            "and no"
        )
    else:
        step = (
            f"{likely.name!r} holds {likely.samples[0]!r}, which can't be told to be a date: write days in it, such as "
            "2024-01-31 for what is known at the end of that month"
        )
    return Fault(part.table.name, f"has no column of times and no label ({names})", step)


def _unused(line: str) -> Fault:
    where, _, what = line.partition(": ")
    return Fault(where, what, "name its role with --role")


def _name(parts: list[RolePart], home: Path) -> str:
    stem = parts[0].table.name if len(parts) == 1 else home.name
    plain = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:40]
    return plain if re.fullmatch(r"[a-z][a-z0-9_]*", plain) else "company"


def _list_columns(draft: Draft) -> None:
    """Facts that the list reads are named where it looks for them."""
    facts = draft.sources.get("customers", {}).get("facts", {})
    found: dict[str, dict[str, str]] = {}
    for fact in facts:
        key = next((key for key in ("consent", "opt_out") if fact.startswith(f"{key}_")), "columns")
        found.setdefault(key, {})[fact.removeprefix(f"{key}_")] = fact
        if key != "columns":
            draft.remarks[f"outreach.{key}"] = REMARKS[key]
    if found:
        draft.values["outreach"] = found
        draft.remarks["outreach"] = "the list"


def _complaints(draft: Draft, parts: list[RolePart]) -> None:
    """The words of other languages by which a contact is a complaint."""
    topics = [(part.table, part.columns.get("topic")) for part in parts if part.role == "contacts"]
    samples = [
        value for table, name in topics if isinstance(name, str) for value in table.column(name).samples
    ]
    found = sorted({word for word in COMPLAINTS if any(word in value.casefold() for value in samples)})
    if found:
        usual = Outreach().complaint_topics
        draft.values.setdefault("outreach", {})["complaint_topics"] = [*usual, *found]
        draft.remarks["outreach.complaint_topics"] = "text in the topic of a contact that is a complaint"


def _permissions_elsewhere(draft: Draft, parts: list[RolePart]) -> None:
    """Say so where only rows of events tell who may be contacted: the list asks columns of the customers."""
    if {"consent", "opt_out"} & draft.values.get("outreach", {}).keys():
        return
    for part in parts:
        names = [
            c.name for c in part.table.columns if permission_of(c.name) and c.kind not in ("empty", "time")
        ]
        if part.role != "customers" and names:
            draft.doubts.append(
                f"{names[0]!r} of {part.table.name} sounds as if it said who may be contacted, and is not asked: give "
                "a table with one row a customer that has it"
            )


def _currency(draft: Draft, parts: list[RolePart]) -> None:
    """The one currency that the amounts are in; several are a doubt, since their amounts are added up."""
    for part in parts:
        if "amount" not in part.columns or part.role not in draft.sources:
            continue
        named = (c for c in part.table.columns if rank(c.name, "currency") is not None and c.filled)
        column = next((c for c in named if all(re.fullmatch("[A-Za-z]{3}", v) for v in c.samples)), None)
        if column is None:
            continue
        codes = sorted({value.upper() for value in column.samples})
        if len(codes) == 1:
            draft.values.setdefault("currency", codes[0])
        else:
            draft.doubts.append(
                f"sources.{part.role}: amounts in {', '.join(codes)} are added up as they are; convert them, or write "
                f"where: [{{column: {column.name}, one_of: [{column.samples[0]}]}}]"
            )
