"""What a simulated company writes down: the product's source tables as Parquet, and the config that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.policy_company import Company, Events, State, day_of

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "transactions": ("amount",),
    "cancellations": ("amount",),
    "feedback": ("score", "kind"),
    "contacts": ("channel", "direction", "agent", "topic", "resolved_at"),
    "usage": ("event",),
}


class Records:
    """A folder of tables, one file a role and week.

    Parameters
    ----------
    folder
        Gets `<role>/<week>.parquet`, `customers.parquet`, `playbook.yaml` and `config.yaml`.
    """

    def __init__(self, company: Company, folder: Path) -> None:
        self.company, self.folder = company, folder
        self.roles: set[str] = set()

    def note(self, week: int, events: Events) -> None:
        """Write what happened in a week."""
        for role, parts in events.items():
            tables = [self._table(role, part) for part in parts if len(part["who"])]
            if tables:
                (self.folder / role).mkdir(parents=True, exist_ok=True)
                pd.concat(tables).to_parquet(self.folder / role / f"{week:03}.parquet", index=False)
                self.roles.add(role)

    def _table(self, role: str, part: Events) -> pd.DataFrame:
        columns = {"customer_id": self.company.ids[part["who"]], "occurred_at": part["at"]}
        return pd.DataFrame(columns | {name: part[name] for name in COLUMNS[role]})

    def customers(self, state: State, week: int) -> None:
        """Write the customers who had come by a week; the end of those with a contract, too."""
        company = self.company
        come = np.flatnonzero(company.born < week)
        table = pd.DataFrame(
            {
                "customer_id": company.ids[come],
                "started_at": pd.to_datetime([day_of(int(s)) for s in company.started[come]]),
            }
            | {name: values[come] for name, values in company.columns.items()}
        )
        if company.kind == "contractual":
            left = state["left"][come]
            gone = (left >= 0) & (left < week)
            ends = pd.to_datetime(
                [day_of(int(w) + 1) if g else None for w, g in zip(left, gone, strict=True)]
            )
            table["ended_at"] = ends - pd.Timedelta(hours=1)
        self.folder.mkdir(parents=True, exist_ok=True)
        table.to_parquet(self.folder / "customers.parquet", index=False)

    def config(self, capacity: int, settings: Mapping[str, Any]) -> Path:
        """Write playbook and config, as a user of the product would; returns the config's path."""
        company = self.company
        actions = {
            name: {
                **action,
                "channel": company.means[name].channel,
                "cost": company.means[name].cost + company.means[name].discount,
            }
            for name, action in company.playbook().items()
        }
        (self.folder / "playbook.yaml").write_text(yaml.safe_dump({"actions": actions}, sort_keys=False))
        columns = {"customer_id": "customer_id", "started_at": "started_at"}
        if company.kind == "contractual":
            columns["ended_at"] = "ended_at"
        sources: dict[str, Any] = {
            "customers": {
                "uri": "customers.parquet",
                "columns": columns,
                "attributes": sorted(company.columns),
            }
        }
        for role in sorted(self.roles):
            names = ["customer_id", "occurred_at", *COLUMNS[role]]
            sources[role] = {"uri": f"{role}/*.parquet", "columns": {name: name for name in names}}
        if "feedback" in sources:
            sources["feedback"]["low_score"] = 6
        config = {
            "name": company.name,
            "margin": company.margin,
            **company.settings(),
            "sources": sources,
            "outreach": {"capacity": capacity, "playbook": "playbook.yaml"},
        }
        for section, values in settings.items():
            config[section] = {**config.get(section, {}), **values}
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path
