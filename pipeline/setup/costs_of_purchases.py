"""Which column of a table of purchases says what one costs: by its name, else by its values, and never twice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.setup.columns import has_decimals, is_named_time, ranked
from pipeline.setup.tables import GivenTable
from pipeline.setup.words import is_other, rank
from pipeline.sources.names import words_of
from pipeline.sources.profiles import FROM_DATABASES, Profile

_SHOWN = 5
_FEWEST_ORDERS = 5
_HALF = 0.5
_WHOLE = r"(?:^| )(?:orders?|invoices?|grand|basket|cart|total|totals|sum|gesamt\w*|summe)(?: |$)"
_CENTS = r"(?:^| )(?:cents?|pence|paise|minor)(?: |$)"


@dataclass(frozen=True)
class Cost:
    """How the amount is read.

    Parameters
    ----------
    rule
        Of the config; None where no column tells.
    read
        The columns that it is read from.
    where
        Conditions on the rows.
    unsettled
        What a person should look at.
    """

    rule: Any = None
    read: tuple[Profile, ...] = ()
    where: tuple[dict[str, Any], ...] = ()
    unsettled: tuple[str, ...] = field(default=())


def cost_of(table: GivenTable, number: str | None, used: Collection[str], *, needed: bool) -> Cost:
    """The amount of a table: a column of its own, else quantity times unit price, else what its values tell.

    A sum of the whole order that stands on each of its lines would count once a line, and gives way to another column.

    Parameters
    ----------
    number
        The column that joins the lines of one purchase.
    used
        Columns that play another part.
    needed
        Whether a missing amount is worth a remark.
    """
    known = list(_known(table, used))
    repeated = [] if number is None else [cost for cost in known if _is_of_the_order(table, number, cost)]
    once = [cost for cost in known if cost not in repeated]
    if once:
        found = once[0]
        lines = [] if number is None else _first_lines(table, number, found.read)
        return Cost(found.rule, found.read, tuple(lines))
    if repeated:
        name = repeated[0].read[0].name
        told = f"{name!r} of {table.name} is the same on all lines of an order, which are added up"
        if re.search(_WHOLE, words_of(name)):
            step = "it seems to be the sum of the order and is left out; map an amount of the line"
            return Cost(unsettled=(f"{told}: {step}",))
        return Cost(repeated[0].rule, repeated[0].read, unsettled=(f"{told}: is it the sum of the order?",))
    return _by_values(table, used) if needed else Cost()


def _known(table: GivenTable, used: Collection[str]) -> Iterator[Cost]:
    """What names tell, the best first."""
    fits = ranked(table, "amount", ("number",), used)
    units, prices = (ranked(table, concept, ("number",), used) for concept in ("quantity", "unit_price"))
    price = next((c for c in prices if c not in units), None)
    for column in fits:
        if not (units and price is column):
            yield Cost(_rule(column), (column,))
    if units and price is not None:
        yield Cost({"product": [units[0].name, price.name]}, (units[0], price))
    decimals = [c for c in table.columns if c.name not in used and has_decimals(c)]
    if not fits and table.settings.get("fields") and decimals:
        yield Cost(decimals[-1].name, (decimals[-1],))


def _rule(column: Profile) -> Any:
    whole = not has_decimals(column)
    return {"column": column.name, "scale": 0.01} if whole and _in_cents(column) else column.name


def _in_cents(column: Profile) -> bool:
    return re.search(_CENTS, words_of(column.name)) is not None


def _is_of_the_order(table: GivenTable, number: str, cost: Cost) -> bool:
    """Whether one column has the same value on all lines of each order, lines that are equal as a whole aside."""
    lines = table.column(number)
    if len(cost.read) != 1 or lines.different == lines.filled or cost.read[0].empty_share > 0:
        return False
    rows = table.rows.limit(FROM_DATABASES).distinct()
    orders = rows.group_by(number).agg(lines_=rows.count(), values_=rows[cost.read[0].name].nunique())
    several = orders.filter(orders.lines_ > 1)
    found = several.aggregate(n=several.count(), most=several.values_.max()).to_pyarrow().to_pylist()[0]
    return found["n"] >= _FEWEST_ORDERS and found["most"] == 1


def _first_lines(table: GivenTable, number: str, read: Collection[Profile]) -> list[dict[str, Any]]:
    """The condition for the lines of an order that have its sum, where the other lines have none."""
    lines, (amount, *more) = table.column(number), read
    if not more and amount.filled == lines.different < lines.rows:
        return [{"column": amount.name, "is_null": False}]
    return []


def _by_values(table: GivenTable, used: Collection[str]) -> Cost:
    """A column that is called an amount whatever its values, else the only one that may be; else a remark."""
    named = [c for c in ranked(table, "amount", ("text",), used) if _has_digits(c)]
    if named:
        return Cost(
            named[0].name, (named[0],)
        )  # what can't be read of it becomes a fault that names the values
    left = [c for c in table.columns if c.name not in used and _may_be_amount(c)]
    likely = [c for c in left if has_decimals(c) or _in_cents(c)]
    if len(likely) == 1:
        told = f"takes {likely[0].name!r} of {table.name} for what a purchase costs"
        return Cost(_rule(likely[0]), (likely[0],), unsettled=(told,))
    if not left:
        return Cost()
    names = ", ".join(repr(c.name) for c in left[:_SHOWN])
    told = (
        f"no column of {table.name} is known to say what a purchase costs ({names}): all purchases count alike; "
        "name it in sources.transactions.columns: {amount: COLUMN}"
    )
    return Cost(unsettled=(told,))


def _has_digits(column: Profile) -> bool:
    return sum(any(map(str.isdigit, value)) for value in column.samples) > _HALF * len(column.samples)


def _may_be_amount(column: Profile) -> bool:
    """Whether a column of an unknown name holds numbers that may be sums: no ids, dates, units or taxes."""
    others = ("customer_id", "transaction_id", "row_number", "points", "quantity", "score", "value")
    if column.kind != "number" or column.different < 2 or is_named_time(column.name):
        return False
    return not is_other("amount", column.name) and all(rank(column.name, name) is None for name in others)
