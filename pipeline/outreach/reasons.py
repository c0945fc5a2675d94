"""From contributions to sentences: why a customer is at risk, in words and numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.spec import FeatureColumn

COUNT = 3
NEARLY = 0.4
_FIELD = re.compile(r"{(\w+)")


@dataclass(frozen=True)
class Reason:
    """One reason of one customer.

    `push` is its share in the log-odds of churning; only pushes towards churning become reasons.
    """

    driver: str
    sentence: str
    push: float


def reasons_of(
    contributions: pd.DataFrame,
    rows: pd.DataFrame,
    typical: Mapping[str, Any],
    columns: Sequence[FeatureColumn],
) -> list[tuple[Reason, ...]]:
    """The strongest drivers of each row, actionable ones first.

    Parameters
    ----------
    contributions
        Shape (n, features): log-odds that each matrix column adds for each row.
    rows
        Shape (n, features): the same rows of the matrix.
    typical
        The median of each number over all customers at the snapshot, for comparison.
    columns
        The declarations of the matrix columns.

    Returns
    -------
    list of tuples
        Up to three for each row, of different drivers, only those that raise the risk. A number that is just the
        median explains nothing: another column speaks for its driver, or none.
    """
    declared = {column.name: column for column in columns}
    known = [name for name in contributions.columns if name in declared]
    speakers = [declared[name] for name in known]
    plain = [c for c, column in enumerate(speakers) if not column.reason]
    values = contributions[known].to_numpy()
    drivers = np.array([declared[name].driver for name in known])
    names = sorted(set(drivers))
    members = {driver: np.flatnonzero(drivers == driver) for driver in names}
    push = np.column_stack([values[:, members[driver]].sum(axis=1) for driver in names])
    helps = {d: any(declared[known[i]].actionable for i in members[d]) for d in names}
    result = []
    for i, record in enumerate(rows.to_dict("records")):
        silent = {c for c in plain if _usual(speakers[c], record, typical)}
        able = {d: [c for c in members[d] if c not in silent] for d in names}
        rising = [j for j in np.argsort(-push[i], kind="stable") if push[i, j] > 0 and able[names[j]]]
        chosen = sorted(rising[:COUNT], key=lambda j: not helps[names[j]])
        told = [(j, _spokesman(values[i], able[names[j]], speakers)) for j in chosen]
        result.append(
            tuple(
                Reason(names[j], _sentence(column, record, typical), float(push[i, j])) for j, column in told
            )
        )
    return result


def _spokesman(values: Any, members: Any, columns: Sequence[FeatureColumn]) -> FeatureColumn:
    """The column that speaks for a driver: the strongest, or one nearly as strong that has a sentence of its own."""
    strongest = max(members, key=lambda c: values[c])
    told = [c for c in members if columns[c].reason and values[c] >= NEARLY * values[strongest]]
    return columns[max(told, key=lambda c: values[c]) if told else strongest]


def _usual(column: FeatureColumn, record: Mapping[str, Any], typical: Mapping[str, Any]) -> bool:
    """Whether a column without a sentence of its own has a number that reads like the median."""
    value, usual = record[column.name], typical.get(column.name)
    if isinstance(value, str) or usual is None or _unknown(value) or _unknown(usual):
        return False
    return _number(value) == _number(usual)


def _sentence(column: FeatureColumn, record: Mapping[str, Any], typical: Mapping[str, Any]) -> str:
    """The column's own sentence, without the clauses whose numbers are unknown; else label and value."""
    value = record[column.name]
    if _unknown(value):
        return f"{column.label}: {column.null}"
    clauses = (column.reason or "").split("; ")
    told = [c for c in clauses if c and not any(_unknown(record.get(field)) for field in _FIELD.findall(c))]
    if told and told[0] == clauses[0]:
        return "; ".join(clause.format_map(record) for clause in told)
    if isinstance(value, str):
        return f"{column.label}: {value}"
    usual = typical.get(column.name)
    compared = "" if usual is None or _unknown(usual) else f" (median {_number(usual)})"
    return f"{column.label}: {_number(value)}{compared}"


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.2g}"
