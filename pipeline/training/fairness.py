"""How a new model serves the groups of the attributes that `model.protected` names, on the newest test snapshot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.schema import Config
from models.backtest.tested import Tested
from models.statistics.fairness import Group, by_group
from pipeline.result import table
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

MOST_GROUPS, PARTS = 12, 4
UNKNOWN, OTHERS = "unknown", "others"


def fairness_of(config: Config, sources: Sources, tested: Tested) -> tuple[Group, ...]:
    """Figures of each group of each protected attribute; empty where none is named."""
    names, customers = config.model.protected, sources.tables.get("customers")
    if not names or customers is None:
        return ()
    rows = arrow(customers.select("customer_id", *names)).to_pandas().astype({"customer_id": "str"})
    known = rows.drop_duplicates("customer_id").set_index("customer_id").reindex(tested.customer)
    y, p = tested.y, tested.probability["model"]
    return tuple(
        replace(one, name=f"{name}={one.name}")
        for name in names
        for one in by_group(y, p, groups_of(known[name]), weight=tested.weight)
    )


def groups_of(values: pd.Series) -> NDArray[np.str_]:
    """To which group each value belongs: many numbers are cut into four parts, rare values stand together.

    Examples
    --------
    >>> groups_of(pd.Series(["f", "m", None])).tolist()
    ['f', 'm', 'unknown']
    >>> sorted(set(groups_of(pd.Series(range(100))).tolist()))
    ['0 to 24', '25 to 49', '50 to 74', '75 to 99']
    """
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numbers and values.nunique() > MOST_GROUPS:
        parts = pd.qcut(values.astype("float64"), PARTS, labels=False, duplicates="drop")
        edges = values.astype("float64").groupby(parts).agg(["min", "max"])
        names = {part: f"{row['min']:g} to {row['max']:g}" for part, row in edges.iterrows()}
        text = parts.map(names)
    else:
        text = values.astype("object").where(values.notna()).map(str, na_action="ignore")
        common = text.value_counts().index[:MOST_GROUPS]
        text = text.where(text.isna() | text.isin(common), OTHERS)
    return text.astype("object").where(text.notna(), UNKNOWN).to_numpy(dtype=np.str_)


def fairness_lines(groups: Sequence[Group]) -> list[str]:
    """The table of the groups; nothing without any."""
    if not groups:
        return []
    header = ["group", "rows", "churned", "predicted", "in the top tenth", "of its churners there", "lift"]
    return ["", table(header, [_row(one) for one in groups])]


def fairness_values(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The figures for machines; null where there is none."""
    return [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in {**asdict(one), "lift": one.lift}.items()
        }
        for one in groups
    ]


def fairness_looks(groups: Sequence[Group]) -> list[str]:
    """What a person should look at before such a model makes lists."""
    return [f"fairness: {line}" for one in groups for line in one.looks]


def _row(one: Group) -> list[str]:
    shares = (one.churned, one.predicted, one.in_top, one.found)
    return [one.name, f"{one.rows:,}", *(f"{share:.1%}" for share in shares), f"{one.lift:.2f}"]
