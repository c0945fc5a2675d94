"""The customers of all roles, each once: who has rows where, and whether ids differ in their form only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import yaml
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.schema import Config
from configs.sources import Column
from features.dialects import engine_of
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said
from pipeline.sources.contracts import SAMPLES
from pipeline.sources.databases import arrow
from pipeline.sources.parts import Parts
from pipeline.sources.values import TIDYINGS, tidied

# What exports write where the id of a guest would stand, in small letters. A customer of that name with so many times
# the usual number of rows, and so large a share of all, is nobody.
NOBODY = frozenset(
    {"0", "-1", "00", "000", "999", "9999", "99999", "999999", "9999999", "-99", "-999", "-", "?", "x"}
)
NOBODY |= {"none", "null", "nan", "n/a", "na", "not set", "(not set)", "undefined", "unknown", "unbekannt"}
NOBODY |= {"guest", "gast", "anonymous", "anonym", "anon", "nobody", "deleted", "default", "test", "dummy"}
NOBODY |= {
    "walk-in",
    "walk in",
    "walkin",
    "walk-in customer",
    "cash",
    "cash customer",
    "laufkunde",
    "laufkundschaft",
}
NOBODY |= {"barverkauf", "مهمان", "ناشناس"}
# What stands where the id of a customer would in a row that sums up the others; one such row doubles all that was paid.
_SUMS = (
    "total, totals, grand total, sub total, subtotal, sub-total, sum, total:, grand total:, "
    "summe, gesamt, gesamtsumme, zwischensumme, insgesamt, total général, total general, totale, "
    "جمع, جمع کل, مجموع, कुल, कुल योग, योग, एकूण, बेरीज"
)
SUM_WORDS = frozenset(_SUMS.split(", "))
_TIMES, _SHARE, _FEWEST = 10, 0.01, 20
_ROUNDED = r"^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$"


@dataclass(frozen=True, eq=False)
class Ids(Mapping[str, ir.Table]):
    """The customers of all roles, and of each role: its customers, each once, with the number of their `rows_`.

    Parameters
    ----------
    table
        `customer_id`, and a column a role: the number of the customer's rows, null without any. On the local DuckDB
        or on Spark.
    roles
        The roles.
    counts
        What one pass over the customers counted: `Ids.asked` has the names.
    """

    table: ir.Table
    roles: tuple[str, ...]
    counts: Mapping[str, int]

    @classmethod
    def of(
        cls,
        connection: Backend,
        tables: Mapping[str, ir.Table],
        compared: Mapping[str, Sequence[str]],
        parts: Mapping[str, Parts] | None = None,
    ) -> Ids:
        """The customers of the roles' tables.

        Parameters
        ----------
        compared
            Role to those that it is compared with.
        parts
            Role to the parts of its files, where something is kept of them.
        """
        given = parts or {}
        own = [_of_role(connection, role, tables, given.get(role)) for role in tables]
        query = own[0]
        if len(own) > 1:
            every = ibis.union(*own, distinct=False)
            query = every.group_by("customer_id").agg(**{role: every[role].sum() for role in tables})
        if query.get_backend() is connection:
            query = connection.create_table("ids", query, temp=True, overwrite=True)
        found = cls(query, tuple(tables), {})
        counted = arrow(query.aggregate(**found.asked(compared))).to_pylist()[0]
        return cls(query, tuple(tables), {name: int(n or 0) for name, n in counted.items()})

    def __getitem__(self, role: str) -> ir.Table:
        """The customers of a role."""
        if role not in self.roles:
            raise KeyError(role)
        there = self.table.filter(self.table[role].notnull())
        return there.select("customer_id", rows_=there[role])

    def __iter__(self) -> Iterator[str]:
        return iter(self.roles)

    def __len__(self) -> int:
        return len(self.roles)

    def of_any(self, roles: Sequence[str]) -> ir.Table:
        """The customers of some roles together: the column `customer_id`, each once."""
        there = self._met([role for role in roles if role in self.roles])
        return self.table.filter(there).select("customer_id")

    def unmet(self, role: str, others: Sequence[str]) -> ir.Table:
        """The customers of a role whom the others don't have."""
        return self.table.filter(self.table[role].notnull() & ~self._met(others)).select("customer_id")

    def _met(self, others: Sequence[str]) -> Any:
        return ibis.or_(*(self.table[other].notnull() for other in others))

    def asked(self, compared: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """What is counted of a role: `rows`, `customers`, `rounded`, `changed_...`, `nobody`, `sums`; who is `met`."""
        text = self.table.customer_id
        forms = {"rounded": ibis.ifelse(text.contains("+"), text.re_search(_ROUNDED), False)}
        nobody = text.lower().isin(sorted(NOBODY))
        summed = text.lower().isin(sorted(SUM_WORDS))
        forms |= {f"changed_{name}": _tidy(text, name) != text for name in TIDYINGS}
        # Who is told from all others by small letters alone is told from them by capital letters too.
        forms["changed_back"] = text.lower().upper() != text
        found: dict[str, Any] = {}
        for role in self.roles:
            rows = self.table[role]
            found |= {f"{role} rows": rows.sum(), f"{role} customers": rows.count()}
            found |= {f"{role} {name}": form.sum(where=rows.notnull()) for name, form in forms.items()}
            found[f"{role} nobody"] = rows.max(where=nobody)
            found[f"{role} sums"] = rows.max(where=summed)
        for role, others in compared.items():
            rows, met = self.table[role], self._met(others)
            found |= {f"{role} rows met": rows.sum(where=met), f"{role} customers met": rows.count(where=met)}
        return found


def _of_role(connection: Backend, role: str, tables: Mapping[str, ir.Table], parts: Parts | None) -> ir.Table:
    """The customers of a role with the number of their rows in its column, null in those of the others."""
    table = tables[role]
    query = table.group_by("customer_id").agg(**{role: table.count()})
    if parts is not None:
        query = parts.customers(table, role)
    elif query.get_backend() is not connection and engine_of(query) != "pyspark":
        query = connection.create_table(f"{role}_ids", arrow(query), temp=True, overwrite=True)
    others = {name: query[role] if name == role else ibis.null("int64") for name in tables}
    return query.select("customer_id", **others)


def _tidy(text: Any, name: str) -> Any:
    return tidied(text, Column(column="x", tidy=[name]))


def shortened(ids: Ids, config: Config) -> list[Fault]:
    """Ids that a spreadsheet has written as rounded numbers: their last digits are lost, and customers share one."""
    faults = []
    for role, source in config.sources.given.items():
        count = ids.counts[f"{role} rounded"]
        if count:
            some = ids[role].filter(lambda t: t.customer_id.re_search(_ROUNDED))
            samples = arrow(some.order_by("customer_id").limit(SAMPLES))["customer_id"].to_pylist()
            what = f"{count:,} ids were shortened by a spreadsheet, such as {', '.join(map(repr, samples))}"
            step = "their last digits are lost, so that customers may share one: export the column as text"
            faults.append(Fault(f"{source.shown}, column customer_id", what, step))
    return faults


def are_too_many(most: int, rows: int, customers: int) -> bool:
    """Whether so many of the rows are too many for one of so many customers.

    Examples
    --------
    >>> are_too_many(400, 490, 31), are_too_many(8, 98, 31), are_too_many(400, 402, 3)
    (True, False, False)
    """
    return customers >= _FEWEST and most > max(_TIMES * (rows - most) / (customers - 1), _SHARE * rows)


def nobodies(ids: Ids, config: Config) -> list[Said]:
    """What a person should look at: a word that stands for guests, with all their rows, or for the sum of all rows."""
    looks = []
    for role, source in config.sources.given.items():
        rule, most = source.mapped["customer_id"], ids.counts[f"{role} nobody"]
        rows, customers = ids.counts[f"{role} rows"], ids.counts[f"{role} customers"]
        words = NOBODY if are_too_many(most, rows, customers) else frozenset[str]()
        if ids.counts[f"{role} sums"]:
            most, words = ids.counts[f"{role} sums"], SUM_WORDS
        if not words or "tidy" in rule.model_fields_set or rule.column is None:
            continue
        own = ids[role]
        found = own.filter(own.customer_id.lower().isin(sorted(words)), own.rows_ == most)
        name = arrow(found.order_by("customer_id").limit(1))["customer_id"][0].as_py()
        condition = yaml.safe_dump(
            {"column": rule.column, "none_of": [name]}, default_flow_style=True, width=10_000
        )
        looks.append(
            said(
                "{role}: {name!r} has {n} of {rows} rows; if it stands for nobody add `{condition}` to "
                "`sources.{key}.where`, if it is a customer write `{apart}`",
                role=role_in_words(role),
                name=name,
                n=most,
                rows=rows,
                condition=condition.strip(),
                key=role,
                apart=line(role, rule, tidy=[]),
            )
        )
    return looks


def twins(ids: Ids, config: Config) -> list[Said]:
    """What a person should look at: ids of a role that differ in case, zeros or blanks only."""
    looks = []
    for role, source in config.sources.given.items():
        rule = source.mapped["customer_id"]
        tried = [] if "tidy" in rule.model_fields_set else _may_join(ids, role)
        if not tried:
            continue
        own = ids[role]
        other = {name: _tidy(own.customer_id, name) for name in tried}
        different = arrow(own.aggregate(**{name: e.nunique() for name, e in other.items()})).to_pylist()[0]
        names = [name for name in tried if different[name] < ids.counts[f"{role} customers"]]
        if names:
            pairs = [pair for name in names for pair in _twin(own.mutate(tidy_=other[name]))]
            looks.append(
                said(
                    "{role}: customers whose ids differ in their form only, such as {samples!r}; if they are the same "
                    "write `{same}`, if not `{apart}`",
                    role=role_in_words(role),
                    samples=pairs,
                    same=line(role, rule, tidy=names),
                    apart=line(role, rule, tidy=[]),
                )
            )
    return looks


def _may_join(ids: Ids, role: str) -> list[str]:
    """The tidyings that may make one of two ids: those that change some, and that can't be taken back from all."""
    changing = [name for name in TIDYINGS if ids.counts[f"{role} changed_{name}"]]
    return [name for name in changing if name != "lower" or ids.counts[f"{role} changed_back"]]


def _twin(ids: ir.Table) -> tuple[str, ...]:
    pairs = ids.group_by("tidy_").agg(n=ids.count(), one=ids.customer_id.min(), other=ids.customer_id.max())
    found = arrow(pairs.filter(pairs.n > 1).order_by("tidy_").limit(1)).to_pylist()[0]
    return found["one"], found["other"]


def shown(ids: Sequence[str]) -> str:
    """Ids as messages show them."""
    return ", ".join(map(repr, ids))


def line(role: str, rule: Column, **change: Any) -> str:
    """The line of the config that maps the customer's id in this way.

    Examples
    --------
    >>> line("contacts", Column(column="Customer"), without_prefix="cus_")
    'sources.contacts.columns.customer_id: {column: Customer, without_prefix: cus_}'
    """
    values = {**rule.model_dump(exclude_unset=True, exclude_none=True), **change}
    told = yaml.safe_dump(values, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return f"sources.{role}.columns.customer_id: {told.strip()}"
