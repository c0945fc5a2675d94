"""What all rows together tell about how a column is written: zones that are mixed, currencies, three decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir

from configs.errors import Fault
from configs.sources import Source
from pipeline.sources.values import CellValue

_SUMMED = ("zoned", "bare", "pointed", "thousandths", "ends")


def writing_marks(values: Mapping[str, CellValue]) -> dict[str, Any]:
    """Columns for the marks of the values, such as `zoned_occurred_at`."""
    return {f"{mark}_{name}": e for name, value in values.items() for mark, e in value.marks.items()}


def counts_of(table: ir.Table, marks: list[str]) -> dict[str, Any]:
    """What is asked of the rows about each mark."""
    counts: dict[str, Any] = {}
    for mark in marks:
        if mark.split("_", 1)[0] in _SUMMED:
            counts[mark] = table[mark].sum()
        else:
            counts |= {f"first_{mark}": table[mark].min(), f"last_{mark}": table[mark].max()}
    return counts


def faults_of_writing(role: str, source: Source, found: Mapping[str, Any], names: list[str]) -> list[Fault]:
    """Faults of columns as a whole.

    Examples
    --------
    >>> from configs.sources import Source
    >>> marks = {"pointed_value": 3, "thousandths_value": 3}
    >>> for fault in faults_of_writing("usage", Source(uri="u.csv"), marks, ["value"]):
    ...     print(fault)
    u.csv, column value: all 3 numbers with a point have three digits behind it, so 1.250 may be 1250; write decimal: \
'.' (1.25) or, as it is meant, thousands: '.' (1250) beside sources.usage.uri
    """
    faults = []
    for name in names:
        where = f"{source.shown}, column {name}"
        zoned, bare = (found.get(f"{mark}_{name}") or 0 for mark in ("zoned", "bare"))
        if zoned and bare:
            what = f"{zoned} rows carry a time zone and {bare} do not"
            read = f"times without one are read in sources.{role}.time_zone ({source.time_zone})"
            faults.append(Fault(where, what, f"give all or none a zone; {read}"))
        pointed, thousandths = (found.get(f"{mark}_{name}") or 0 for mark in ("pointed", "thousandths"))
        if pointed and pointed == thousandths:
            what = f"all {pointed} numbers with a point have three digits behind it, so 1.250 may be 1250"
            step = "write decimal: '.' (1.25) or, as it is meant, thousands: '.' (1250)"
            faults.append(Fault(where, what, f"{step} beside sources.{role}.uri"))
        one, other = (found.get(f"{end}_currency_{name}") for end in ("first", "last"))
        if one != other:
            what = f"amounts are in more than one currency, such as {one!r} and {other!r}"
            step = f"convert them, or keep one with sources.{role}.where, such as starts_with: {one!r}"
            faults.append(Fault(where, what, step))
    return faults
