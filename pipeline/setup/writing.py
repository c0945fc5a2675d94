"""The config as a file for a person: one key a line, a remark where a guess was made."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 110
_BLOCKS = ("columns", "churn", "sources", "outreach")


def yaml_with_remarks(values: Mapping[str, Any], remarks: Mapping[str, str], head: list[str]) -> str:
    """YAML with remarks.

    Parameters
    ----------
    remarks
        Dotted key to what stands behind it.
    head
        Lines of the remark at the top.

    Examples
    --------
    >>> values = {"name": "shop", "churn": {"kind": "labelled"}}
    >>> print(yaml_with_remarks(values, {"churn.kind": "a label"}, ["By hand."]))
    # By hand.
    <BLANKLINE>
    name: shop
    <BLANKLINE>
    churn:
      kind: labelled  # a label
    <BLANKLINE>
    """
    lines = [f"# {line}".rstrip() for line in head]
    for key, value in values.items():
        lines += [""] if isinstance(value, Mapping) or key == "name" else []
        lines += _lines(key, value, key, remarks, 0)
    return "\n".join(lines) + "\n"


def _lines(key: str, value: Any, place: str, remarks: Mapping[str, str], depth: int) -> list[str]:
    indent = "  " * depth
    remark = f"  # {remarks[place]}" if place in remarks else ""
    if isinstance(value, Mapping) and (key in _BLOCKS or re.fullmatch(r"sources\.\w+", place)):
        lines = [f"{indent}{key}:{remark}"]
        for name, inner in value.items():
            lines += _lines(name, inner, f"{place}.{name}", remarks, depth + 1)
        return lines
    if key == "where":
        return [f"{indent}where:{remark}", *(f"{indent}  - {scalar(one)}" for one in value)]
    line = f"{indent}{scalar(key)}: {scalar(value)}"
    if isinstance(value, list) and len(line) > _WIDTH:
        return [f"{indent}{key}:{remark}", *(f"{indent}  - {scalar(one)}" for one in value)]
    return [line + remark]


def scalar(value: Any) -> str:
    """A value on one line.

    Examples
    --------
    >>> scalar("%d/%m/%Y"), scalar(["a", "007"]), scalar({"column": "Paid (€)", "negate": True})
    ("'%d/%m/%Y'", "[a, '007']", '{column: Paid (€), negate: true}')
    """
    if isinstance(value, dt.date):
        return value.isoformat()
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=100_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
