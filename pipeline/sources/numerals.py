"""Which attributes of a text file are numbers: the files do not say, and a model needs to know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ibis.expr.types as ir

from configs.roles import CustomerSource
from configs.sources import Source
from pipeline.sources.parsing import with_point

# No leading zero: 007 is a code, not seven.
_NUMBER = r"^[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$"
_EMPTY = ("", "na", "n/a", "nan", "null")


def with_numbers(source: Source, raw: ir.Table, keep_text: Collection[str] = ()) -> ir.Table:
    """Turn attributes whose values are all numbers into float64; everything else stays as it is.

    Parameters
    ----------
    source
        Only the customers have attributes.
    raw
        The file's rows, all text.
    keep_text
        Attributes that stay text, such as segments.

    Examples
    --------
    >>> import ibis
    >>> source = CustomerSource.model_validate(
    ...     {"uri": "c.csv", "columns": {"customer_id": "id"}, "attributes": ["paid", "code"]})
    >>> raw = ibis.memtable({"id": ["1", "2"], "paid": ["29.85", " "], "code": ["007", "12"]})
    >>> [str(kind) for kind in with_numbers(source, raw).schema().types]
    ['string', 'float64', 'string']
    """
    if not isinstance(source, CustomerSource):
        return raw
    other = {c for rule in vars(source.columns).values() if rule is not None for c in rule.inputs}
    asked: dict[str, Any] = {
        rule.column: with_point(raw[rule.column].strip(), source.decimal)
        for name, rule in source.attributes.items()
        if rule.column is not None
        and rule.column in raw.columns
        and rule.column not in other
        and name not in keep_text
    }
    if not asked:
        return raw
    known = {column: text.nullif("") for column, text in asked.items()}
    values = {c: text.lower().isin(_EMPTY).ifelse(None, text) for c, text in known.items()}
    found = (
        raw.aggregate(
            **{f"known_{i}": v.count() for i, v in enumerate(values.values())},
            **{f"fits_{i}": v.re_search(_NUMBER).sum() for i, v in enumerate(values.values())},
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    numbers = {
        c: v.try_cast("float64")
        for i, (c, v) in enumerate(values.items())
        if found[f"known_{i}"] and found[f"fits_{i}"] == found[f"known_{i}"]
    }
    return raw.mutate(**numbers) if numbers else raw
