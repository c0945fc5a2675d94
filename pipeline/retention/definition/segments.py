"""Segments: the value of a customer attribute, or the range that a number falls into."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from configs.errors import ConfigError


def with_segment(
    members: ir.Table, tables: Mapping[str, ir.Table], segment: str, bands: int = 4, max_values: int = 20
) -> ir.Table:
    """Add the text column `segment`: the value of a customer attribute, or its range.

    Numbers with more than `max_values` different values are cut at their quantiles into `bands` ranges.

    Raises
    ------
    ConfigError
        When the customers have no such attribute.
    """
    people = tables.get("customers")
    known = attributes(tables)
    if people is None or segment not in known:
        raise ConfigError(
            f"segment {segment!r} is no attribute of the customers; known: {', '.join(known) or 'none'}"
        )
    column = people[segment]
    if column.type().is_numeric():
        column = column.cast("float64")
        column = ibis.ifelse(column.isnan(), ibis.null("float64"), column)
        if people.aggregate(n=column.nunique()).execute().n.iloc[0] > max_values:
            column = in_ranges(people, column, bands)
    chosen = people.select(segment_id=people.customer_id, segment=column.cast("string"))
    joined = members.left_join(chosen, members.customer_id == chosen.segment_id)
    return joined.mutate(segment=joined.segment.fill_null("(none)")).drop("segment_id")


def attributes(tables: Mapping[str, ir.Table]) -> list[str]:
    """Names of the customer attributes, which can serve as segments."""
    fixed = {"customer_id", "started_at", "ended_at", "end_reason", "known_at"}
    return [] if "customers" not in tables else [c for c in tables["customers"].columns if c not in fixed]


def in_ranges(table: ir.Table, column: ir.NumericValue, bands: int) -> ir.StringValue:
    """A number as the text of its quantile range, ready to sort."""
    shares = [k / bands for k in range(1, bands)]
    cuts = table.aggregate(**{f"q{k}": column.quantile(share) for k, share in enumerate(shares)}).execute()
    # The last digits of an interpolated quantile differ by engine, and would move a customer to the next range.
    edges = sorted({float(f"{v:.9g}") for v in cuts.iloc[0].dropna()})
    texts = [f"{v:,.6g}" for v in edges]
    if not edges:
        return column.cast("string")
    branches = [(column < edges[0], f"1: below {texts[0]}")]
    for k in range(1, len(edges)):
        branches.append((column < edges[k], f"{k + 1}: {texts[k - 1]} to below {texts[k]}"))
    branches.append((column.notnull(), f"{len(edges) + 1}: {texts[-1]} and above"))
    return ibis.cases(*branches)
