"""Contracts as billing systems export them: each counts once, what does not fit is said, and the customers follow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import yaml
from ibis.backends.duckdb import Backend

from configs.roles import ContractColumns, ContractSource, CustomerSource, RoleSource
from configs.schema import Config
from features.contracts import OVER, PAUSED, people
from features.dialects import engine_of
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said
from pipeline.sources.databases import arrow


def each_once(
    connection: Backend, source: ContractSource, rows: ir.Table, count: int
) -> tuple[ir.Table, int, tuple[Said, ...]]:
    """The contracts on the local DuckDB or on Spark, equal rows with the same id once.

    Returns
    -------
    The contracts; how many rows are too many; and what a person should look at.
    """
    rows = here(connection, "contracts", rows)
    surplus = 0
    if "contract_id" in rows.columns:
        rows = rows.distinct()
        surplus = count - int(arrow(rows.aggregate(n=rows.count()))["n"][0].as_py())
    return rows, surplus, _odd(source, rows)


def here(connection: Backend, role: str, rows: ir.Table) -> ir.Table:
    """Rows of a database on the local DuckDB, where contracts and customers are joined; other rows as they are."""
    if rows.get_backend() is connection or engine_of(rows) == "pyspark":
        return rows
    return connection.create_table(f"{role}_brought", arrow(rows), temp=True)


def _odd(source: ContractSource, rows: ir.Table) -> tuple[Said, ...]:
    """What the columns say against each other."""
    conditions: dict[str, tuple[Any, Said]] = {
        "backwards": (
            rows.ended_at < rows.started_at,
            said("end before they start, and never count; correct `started_at` or `ended_at`"),
        )
    }
    if "status" in rows.columns:
        status = rows.status.lower().fill_null("")
        conditions["over"] = (
            status.isin(OVER) & rows.ended_at.isnull(),
            said(
                "are over by their status, have no `ended_at` and count as running; map the column that has their end"
            ),
        )
    if "status" in rows.columns and "paused_at" not in rows.columns:
        conditions["paused"] = (
            status.isin(PAUSED) & rows.ended_at.isnull(),
            said(
                "are paused by their status, nobody knows since when, and count as running; map `paused_at`"
            ),
        )
    if source.plans:
        known = [name.lower() for name in source.plans]
        conditions["plan"] = (
            rows.plan.lower().fill_null("").notin(known),
            said(
                "have a plan that `sources.contracts.plans` does not name, and that counts as the smallest; it names "
                "{plans}",
                plans=list(source.plans),
            ),
        )
    found = arrow(rows.aggregate(**{name: condition.sum() for name, (condition, _) in conditions.items()}))
    counts = found.to_pylist()[0]
    told = {name: says for name, (_, says) in conditions.items() if counts[name]}
    role = role_in_words("contracts")
    return tuple(
        said("{role}: {n} rows {what}", role=role, n=counts[name], what=says) for name, says in told.items()
    )


def with_people(
    connection: Backend, tables: Mapping[str, ir.Table], config: Config, as_of: dt.date
) -> Mapping[str, ir.Table]:
    """The tables with the customers that follow from contracts: since when, until when, why they left.

    Somebody without a contract that ever ran has no start.
    """
    if config.churn.kind != "contractual" or config.sources.contracts is None:
        return tables
    found = people(tables["contracts"], dt.datetime.combine(as_of, dt.time()))
    known = tables.get("customers")
    if known is not None:
        both = known.left_join(found, "customer_id")
        found = both.select(*known.columns, *(name for name in found.columns if name != "customer_id"))
    if found.get_backend() is connection:
        found = connection.create_table("customers_by_contract", found, temp=True, overwrite=True)
    return {**tables, "customers": found}


def one_row_each(role: str, source: RoleSource[Any], config: Config) -> str:
    """What to do about ids that come again.

    Examples
    --------
    >>> from configs.roles import Roles
    >>> columns = {"customer_id": "Customer ID", "started_at": "Start", "ended_at": "End"}
    >>> given = Roles.model_validate({"customers": {"uri": "subs.csv", "columns": columns, "attributes": ["plan"]}})
    >>> config = Config.model_validate({
    ...     "name": "saas", "churn": {"kind": "contractual", "horizon_days": 30}, "sources": given})
    >>> print(one_row_each("customers", given.customers, config))
    one row a customer: write sources.customers.latest_by: COLUMN, a column of times, for the newest of them to count, \
choose them by sources.customers.where, or rename them; or, where a row is a contract, write sources.contracts: \
{uri: subs.csv, columns: {customer_id: Customer ID, started_at: Start, ended_at: End, plan: plan}} \
in place of sources.customers
    """
    if role == "contracts":
        return (
            "one row a contract: leave the other rows out with sources.contracts.where, or leave contract_id out where "
            "each row stands for itself"
        )
    told = (
        "one row a customer: write sources.customers.latest_by: COLUMN, a column of times, for the newest of them to "
        "count, choose them by sources.customers.where, or rename them"
    )
    columns = source.columns
    if not isinstance(source, CustomerSource) or columns.started_at is None or columns.ended_at is None:
        return told
    more = {name: rule for name, rule in source.attributes.items() if name.lower() in _PLAIN}
    named = {name: rule for name, rule in source.mapped.items() if name in ContractColumns.model_fields}
    named |= {name.lower(): rule for name, rule in more.items()}
    written = source.model_dump(exclude_unset=True, exclude={"columns", "attributes", "facts"}, mode="json")
    written["columns"] = {
        name: rule.column or rule.model_dump(exclude_unset=True)
        if rule.model_fields_set == {"column"}
        else rule.model_dump(exclude_unset=True)
        for name, rule in named.items()
    }
    line = yaml.safe_dump(written, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    segments = [name for name in config.retention.segments if name in source.attributes]
    without = f", without retention.segments: {segments} or with first_plan there" if segments else ""
    return (
        f"{told}; or, where a row is a contract, write sources.contracts: {line.strip()} in place of "
        f"sources.customers{without}"
    )


_PLAIN = ("plan", "amount", "status", "trial")
