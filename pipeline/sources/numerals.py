"""Which attributes of a text file are numbers: the files do not say, and a model needs to know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import CustomerSource
from configs.sources import Source
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said, said_n
from pipeline.sources import amounts
from pipeline.sources.guessing import VALUES_SHOWN, advice, is_number
from pipeline.sources.values import cell

# A leading zero: 007 is a code, not seven.
_CODE = r"^[+-]?0[0-9]"
_MOSTLY = 0.8
_SAMPLES = 20


def with_numbers(
    source: Source, raw: ir.Table, keep_text: Collection[str] = ()
) -> tuple[ir.Table, list[Said], list[Fault]]:
    """Turn attributes whose values are numbers into float64; everything else stays as it is.

    Parameters
    ----------
    source
        Only the customers have attributes. Up to its `max_unreadable_share` of the values may be no numbers: those
        become empty.
    raw
        The file's rows, all text.
    keep_text
        Attributes that stay text, such as segments.

    Returns
    -------
    The rows; a note for each attribute that is a number but for some values; and a fault where numbers are written
    in another way than the config says.

    Examples
    --------
    >>> import ibis
    >>> source = CustomerSource.model_validate(
    ...     {"uri": "c.csv", "columns": {"customer_id": "id"}, "attributes": ["paid", "code"]})
    >>> raw = ibis.memtable({"id": ["1", "2"], "paid": ["29.85", " "], "code": ["007", "12"]})
    >>> [str(kind) for kind in with_numbers(source, raw)[0].schema().types]
    ['string', 'float64', 'string']
    """
    if not isinstance(source, CustomerSource):
        return raw, [], []
    asked = _asked(source, raw, keep_text)
    if not asked:
        return raw, [], []
    values = {c: _number(text, source) for c, text in asked.items()}
    counts: dict[str, Any] = {f"known_{i}": text.count() for i, text in enumerate(asked.values())}
    counts |= {f"fits_{i}": value.count() for i, value in enumerate(values.values())}
    counts |= {f"codes_{i}": text.re_search(_CODE).sum() for i, text in enumerate(asked.values())}
    found = raw.aggregate(**counts).to_pyarrow().to_pylist()[0]
    numbers, notes, faults = {}, list[Said](), list[Fault]()
    for i, (column, value) in enumerate(values.items()):
        known, fits = found[f"known_{i}"], found[f"fits_{i}"]
        if not known or found[f"codes_{i}"] or fits < _MOSTLY * known:
            continue
        if fits == known:
            numbers[column] = value
            continue
        bad = raw.filter(asked[column].notnull() & value.isnull())[column].name("value").as_table().distinct()
        samples = bad.order_by("value").limit(_SAMPLES).to_pyarrow()["value"].to_pylist()
        wrong = _wrong(source, column, known, fits, samples)
        if isinstance(wrong, Fault):
            faults.append(wrong)
            continue
        notes.append(wrong)
        if _few(source, known, fits):
            numbers[column] = value
    return (raw.mutate(**numbers) if numbers else raw), notes, faults


def _asked(source: CustomerSource, raw: ir.Table, keep_text: Collection[str]) -> dict[str, Any]:
    """Column of the file to its text, of the attributes that may be numbers."""
    other = {c for rule in vars(source.columns).values() if rule is not None for c in rule.inputs}
    return {
        rule.column: cell(raw, rule.column, "number", source)
        for name, rule in source.attributes.items()
        if rule.column is not None
        and rule.column in raw.columns
        and rule.column not in other
        and name not in keep_text
    }


def _few(source: CustomerSource, known: int, fits: int) -> bool:
    """Whether so few values are no numbers that they may count as empty."""
    return known - fits <= source.max_unreadable_share * known


def _wrong(source: CustomerSource, column: str, known: int, fits: int, samples: list[Any]) -> Said | Fault:
    """What is to be said of a column that is a number but for some values; a fault where those are numbers too."""
    what = said_n(
        "{n} of {known} values is no number, such as {values!r}",
        "{n} of {known} values are no numbers, such as {values!r}",
        known - fits,
        known=known,
        values=samples[:VALUES_SHOWN],
    )
    if all(is_number(sample) for sample in samples):
        return Fault(f"{source.shown}, column {column}", what, advice("", column, "number", samples))
    role = role_in_words("customers")
    if _few(source, known, fits):
        return said("{role}: {column}: {what}; they count as empty", role=role, column=column, what=what)
    return said(
        "{role}: {column}: {what}; it is taken for text. If it is a number, correct them or set "
        "`sources.customers.max_unreadable_share`",
        role=role,
        column=column,
        what=what,
    )


def _number(text: Any, source: Source) -> Any:
    value = amounts.number(text, source.decimal, source.thousands)
    return (value.isinf() | value.isnan()).ifelse(None, value)
