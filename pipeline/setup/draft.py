"""The config as it comes about: plain values, a remark for a key, and the faults of the data followed up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from configs.errors import Fault
from configs.sources import Source
from pipeline.setup.columns import RolePart
from pipeline.setup.words import rank

_LINE = re.compile(
    r"(?:write |and |or, )((?:sources\.[\w.]+|decimal|thousands|calendar|\w+_at): (?:\{.*?\}|'.'|\w+))"
)
_MEANT = " or, as it is meant, "


@dataclass
class Draft:
    """A config that is being written.

    Parameters
    ----------
    values
        As in the YAML file.
    remarks
        Dotted key to the remark behind it.
    left_out
        Tables that take no part, and why.
    doubts
        What was taken for sure without being it.
    """

    values: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def sources(self) -> dict[str, Any]:
        """Role to the values of its source."""
        return self.values["sources"]

    def take(self, part: RolePart) -> None:
        """Add a table in its role; the first table of a role stays."""
        if part.role in self.sources:
            self.left_out.append(
                f"{part.table.name}: a second table of {part.role}; --role TABLE=none leaves the other out"
            )
            return
        source: dict[str, Any] = {"uri": part.table.uri, **part.table.settings, **part.settings}
        source["columns"] = dict(part.columns)
        if part.where:
            source["where"] = [dict(one) for one in part.where]
        if part.attributes:
            source["attributes"] = list(part.attributes)
        if part.facts:
            source["facts"] = dict(part.facts)
        self.sources[part.role] = source

    def drop(self, role: str, why: str) -> None:
        """Leave a role out."""
        source = self.sources.pop(role)
        shown = source["uri"] if isinstance(source["uri"], str) else source["uri"][0]
        self.left_out.append(f"{role} from {shown}: {why}")

    def follow(self, fault: Fault) -> bool:
        """Change what a fault of the data advises; whether anything was changed."""
        roles = [role for role, source in self.sources.items() if _speaks_of(fault, role, source)]
        followed = [self._follow(role, fault) for role in roles]
        return any(followed)

    def _follow(self, role: str, fault: Fault) -> bool:
        source = self.sources[role]
        column = fault.where.rpartition(", column ")[2]
        if fault.what.startswith("none of its"):
            if self.apply(role, fault.fix):
                return True
            self.drop(role, fault.what)
            return True
        if (
            "repeat an id" in fault.what
            and role == "customers"
            and self.values["churn"]["kind"] == "non_contractual"
        ):
            self.drop(role, fault.what)
            return True
        if fault.what.startswith("is negative") and role == "transactions" and column == "amount":
            return self._part_returns()
        if fault.what.startswith("is empty") and column in source["columns"]:
            inputs = _inputs(source["columns"][column])
            where = source.setdefault("where", [])
            new = [{"column": name, "is_null": False} for name in inputs]
            new = [one for one in new if one not in where]
            where += new
            return bool(new)
        return self.apply(role, fault.fix)

    def apply(self, role: str, advice: str) -> bool:
        """Write the line that an advice gives; of two that could be meant the first."""
        if not advice.startswith("write "):
            return False
        lines = _LINE.findall(advice.partition(_MEANT)[0])
        if not lines:
            return False
        before = yaml.safe_dump(self.values)
        for line in lines:
            ((key, value),) = yaml.safe_load(line).items()
            place = key.split(".") if key.startswith("sources.") else ["sources", role, key]
            if place[-1].endswith("_at") and len(place) == 3:
                place.insert(2, "columns")
            target = self.values
            for name in place[:-1]:
                target = target.get(name, {})
            target[place[-1]] = value
        if _MEANT in advice:
            self.doubts.append(
                f"sources.{role}: took {lines[0]}, {advice.partition(_MEANT)[2].strip()} would be the other"
            )
        return yaml.safe_dump(self.values) != before

    def _part_returns(self) -> bool:
        """Purchases with a negative sum are returns: read below 0 for the role of cancellations."""
        source = self.sources["transactions"]
        rule = source["columns"].get("amount")
        inputs = _inputs(rule)
        if not inputs or any("above" in one for one in source.get("where", [])):
            return False
        sign = inputs[0]
        negated = {"column": rule, "negate": True} if isinstance(rule, str) else {**rule, "negate": True}
        # A status such as `refunded` is what makes a return; guests and payments are none.
        kept = [
            one
            for one in source.get("where", [])
            if "none_of" not in one or rank(one["column"], "status") is None
        ]
        returns = {key: value for key, value in source.items() if key not in ("columns", "where")}
        wanted = ("customer_id", "occurred_at", "known_at", "transaction_id")
        returns["columns"] = {k: v for k, v in source["columns"].items() if k in wanted} | {"amount": negated}
        returns["where"] = [*kept, {"column": sign, "below": 0}]
        source["where"] = [*source.get("where", []), {"column": sign, "above": 0}]
        if "cancellations" not in self.sources:
            self.sources["cancellations"] = returns
            self.remarks["sources.cancellations"] = (
                f"the same rows where {sign} is below 0: returns and refunds"
            )
        return True


def _speaks_of(fault: Fault, role: str, source: dict[str, Any]) -> bool:
    if fault.where.startswith("sources."):
        return fault.where.split(".")[1] == role
    shown = Source(uri=source["uri"]).shown
    return fault.where == shown or fault.where.startswith(f"{shown}, ")


def _inputs(rule: Any) -> list[str]:
    if isinstance(rule, str):
        return [rule]
    if not isinstance(rule, dict):
        return []
    return [rule["column"]] if "column" in rule else list(rule.get("product") or rule.get("join") or [])


def settled(
    draft: Draft, attempt: Callable[[], Any], faults_of: Callable[[Exception], Sequence[Fault]]
) -> Any:
    """Try until the data are read or nothing more can be followed.

    Returns
    -------
    What the attempt returns, or None where faults are left: the check will tell them.
    """
    for _ in range(12):
        try:
            return attempt()
        except Exception as error:
            faults = faults_of(error)
            followed = [draft.follow(fault) for fault in faults]
            if not any(followed):
                return None
    return None
