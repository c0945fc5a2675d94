"""Which column of a table plays which part in its role."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configs.roles import ROLES
from pipeline.outreach.eligibility import ALLOWED, NO, REFUSED, YES
from pipeline.outreach.permissions import permission_of
from pipeline.setup.table_words import says_churned, speaks_of_leaving
from pipeline.setup.tables import GivenTable
from pipeline.setup.words import rank
from pipeline.sources.names import words_of
from pipeline.sources.profiles import Profile

FEW_VALUES = 30
MOST_ATTRIBUTES = 40
FEW_EMPTY = 0.7
WEAK_NAME = 4
_FEW_LABELS = 5


@dataclass(frozen=True)
class RolePart:
    """A table in its role.

    Parameters
    ----------
    columns
        Column of the role to the rule of the config: a name, or a mapping.
    attributes, facts
        Of the customers.
    where
        Conditions on the rows.
    settings
        What else the source needs.
    doubts
        What is not sure, each with the flag that settles it.
    unsettled
        What is not sure and no flag settles: a line of the config does.
    returned
        The condition of rows that `where` leaves out since they are refunds.
    """

    role: str
    table: GivenTable
    columns: Mapping[str, Any]
    attributes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    where: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    returned: Mapping[str, Any] | None = None


def ranked(
    table: GivenTable, concept: str, kinds: Collection[str] = (), used: Collection[str] = ()
) -> list[Profile]:
    """Columns whose names fit a concept, the best first; of equally good ones the one that stands first."""
    found = [(rank(c.name, concept), c) for c in table.columns if c.name not in used and c.kind != "empty"]
    fitting = [(r, c) for r, c in found if r is not None and (not kinds or c.kind in kinds)]
    return [column for _, column in sorted(fitting, key=lambda pair: pair[0])]


def time_columns(table: GivenTable) -> list[Profile]:
    """Columns that hold times: by their values, or numbers that fit a date and are named like one."""
    bare = "fields" in table.settings
    return [c for c in table.columns if c.kind == "time" or (c.formats and (bare or is_named_time(c.name)))]


def is_named_time(name: str) -> bool:
    """Whether a name says that the column holds times."""
    fits = [rank(name, concept) for concept in ("occurred_at", "started_at", "ended_at", "resolved_at")]
    return any(r is not None and r < 3 for r in fits) and not _is_id(name)


def _is_id(name: str) -> bool:
    ranks = [rank(name, concept) for concept in ("customer_id", "transaction_id")]
    return any(r is not None and r < WEAK_NAME for r in ranks)


def has_decimals(column: Profile) -> bool:
    """Whether a column's numbers have decimals, as amounts do and ids do not."""
    return column.kind == "number" and any("." in v or "," in v for v in column.samples)


def span_of(table: GivenTable, used: Collection[str]) -> dict[str, Profile]:
    """The columns of start and end, where the table has them."""
    times = {c.name for c in time_columns(table)}
    found: dict[str, Profile] = {}
    for concept in ("started_at", "ended_at"):
        fits = [
            c
            for c in ranked(table, concept)
            if c.name in times and c.name not in used and c not in found.values()
        ]
        # An end that nearly nobody has is still an end; a start has to be there.
        fits = [c for c in fits if concept == "ended_at" or c.empty_share < FEW_EMPTY]
        if concept == "ended_at" and len(fits) > 1:
            # What every row has was agreed; what came is empty where it has not come yet.
            fits = sorted(fits, key=lambda c: (rank(c.name, concept) or 0, not c.empty_share, c.empty_share))
        if fits:
            found[concept] = fits[0]
    return found


def rule_of(column: Profile, *, time: bool = False) -> Any:
    """The rule that reads a column: its name, with formats where its text needs them."""
    if not time or not column.formats:
        return column.name
    formats = list(column.formats[0])
    return {"column": column.name, "format": formats[0] if len(formats) == 1 else formats}


def writing_of(columns: Sequence[Profile]) -> dict[str, Any]:
    """Settings of the source by which its numbers and dates are read."""
    found: dict[str, Any] = {}
    for column in columns:
        if column.calendar != "gregorian":
            found["calendar"] = column.calendar
        for key in ("decimal", "thousands"):
            if getattr(column, key) is not None:
                found.setdefault(key, getattr(column, key))
    return found


def customers_part(table: GivenTable, who: Profile | None, doubts: list[str]) -> RolePart:
    """The table as one row a customer, with what is known at the start; without an id the row's number is it."""
    columns: dict[str, Any] = {"customer_id": {"row_number": True} if who is None else who.name}
    used = set() if who is None else {who.name}
    spans = span_of(table, used)
    if "started_at" not in spans and (left := [t for t in time_columns(table) if t not in spans.values()]):
        spans = {"started_at": left[0], **spans}
    for concept, column in spans.items():
        columns[concept] = rule_of(column, time=True)
        used.add(column.name)
    if "ended_at" in spans and (reasons := ranked(table, "end_reason", ("text",), used)):
        columns["end_reason"] = reasons[0].name
        used.add(reasons[0].name)
    label = label_of(table)
    if label is not None and not spans:
        columns["churned"] = label.name
    if label is not None:
        used.add(label.name)
    facts = _facts(table, used)
    used |= set(facts.values())
    doubts = [*doubts, *_unused_permissions(table, used)]
    if "churned" in columns:
        used |= {column.name for column in told_afterwards(table, columns["churned"])}
    attributes = [
        c for c in table.columns if c.name not in used and _is_attribute(c, labelled="churned" in columns)
    ]
    settings = writing_of([*spans.values(), *attributes])
    names = tuple(c.name for c in attributes[:MOST_ATTRIBUTES])
    return RolePart("customers", table, columns, names, facts, settings=settings, doubts=tuple(doubts))


def label_of(table: GivenTable) -> Profile | None:
    """The column that says who has churned: two words or 0 and 1; or a few words, one of which says it.

    Without one, and without times, a column that says who has stayed.
    """
    found = ranked(table, "churned", ("text", "flag", "number"))
    kept = [c for c in ranked(table, "kept", ("text", "flag", "number")) if c.different == 2]
    if not found and kept and not time_columns(table):
        return kept[0]
    return next(
        (
            c
            for c in found
            if c.different == 2
            or words_of(c.name) == "churn"
            or (c.different <= _FEW_LABELS and len([v for v in c.samples if says_churned(v)]) == 1)
        ),
        None,
    )


def told_afterwards(table: GivenTable, label: str) -> list[Profile]:
    """Columns beside a label that say who has left in other words, or why: nobody knows them before.

    Parameters
    ----------
    label
        Name of the column that is the label.
    """
    return [c for c in table.columns if c.name != label and c.kind != "empty" and speaks_of_leaving(c.name)]


def _is_attribute(column: Profile, *, labelled: bool) -> bool:
    if column.kind in ("empty", "time") or (_is_id(column.name) and column.kind != "flag"):
        return False
    if column.is_unique and rank(column.name, "row_number") is not None:
        return False
    if column.kind in ("flag", "number"):
        return column.kind == "flag" or labelled or not column.is_unique
    return column.different <= FEW_VALUES or column.different * 2 < column.filled


def _facts(table: GivenTable, used: Collection[str]) -> dict[str, str]:
    """What only the list needs: fact to column."""
    found: dict[str, str] = {}
    for concept in ("do_not_contact", "owner", "name"):
        names = ranked(table, concept, ("text", "flag", "number"), {*used, *found.values()})
        if names:
            found[concept] = names[0].name
    for column in table.columns:
        rule = permission_of(column.name)
        if rule is not None and column.name not in {*used, *found.values()} and _says_yes_or_no(column):
            found.setdefault("_".join(rule), column.name)
    return found


def _unused_permissions(table: GivenTable, used: Collection[str]) -> list[str]:
    """Columns that sound like a permission and can't be taken for one: the list would not ask them."""
    found = [
        (c, permission_of(c.name))
        for c in table.columns
        if c.name not in used and c.kind not in ("empty", "time")
    ]
    return [
        f"{column.name!r} of {table.name} sounds as if it said who may be contacted, in words such as "
        f"{', '.join(map(repr, column.samples[:2]))}, and is not asked: outreach.{rule[0]} is where it belongs"
        for column, rule in found
        if rule is not None
    ]


def _says_yes_or_no(column: Profile) -> bool:
    return (
        column.filled > 0
        and {value.strip().casefold() for value in column.samples} <= YES | NO | ALLOWED | REFUSED
    )


def one_by_one_part(table: GivenTable, who: Profile, doubts: list[str]) -> RolePart:
    """Each contract as a customer of its own."""
    own = next((c for c in ranked(table, "contract_id") if c.is_unique and c.filled == c.rows), None)
    if own is None or who.is_unique:
        return customers_part(table, who, doubts)
    return customers_part(table, own, [*doubts, f"takes each {own.name!r} of {table.name} for a customer"])


def contracts_part(table: GivenTable, who: Profile, doubts: list[str]) -> RolePart:
    """The table as one row a contract, several a customer."""
    columns: dict[str, Any] = {"customer_id": who.name}
    used = {who.name}
    read = []
    for concept, column in span_of(table, used).items():
        columns[concept] = rule_of(column, time=True)
        used.add(column.name)
        read.append(column)
    for name, concept, kinds in _OF_CONTRACTS:
        allowed = ROLES["contracts"].columns
        fits = [c for c in ranked(table, concept, kinds, used) if name in allowed]
        fits = [
            c
            for c in fits
            if not allowed[name].one_of or set(map(str.lower, c.samples)) <= set(allowed[name].one_of)
        ]
        if fits:
            columns[name] = rule_of(fits[0], time=fits[0].kind == "time")
            used.add(fits[0].name)
            read.append(fits[0])
    return RolePart("contracts", table, columns, settings=writing_of(read), doubts=tuple(doubts))


_OF_CONTRACTS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("contract_id", "contract_id", ("text", "number")),
    ("end_reason", "end_reason", ("text",)),
    ("trial", "trial", ("flag", "text")),
    ("trial_ends_at", "trial_ends_at", ("time",)),
    ("amount", "contract_amount", ("number",)),
    ("plan", "plan", ("text",)),
    ("status", "status", ("text",)),
)
