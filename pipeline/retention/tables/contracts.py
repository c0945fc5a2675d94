"""What became of contracts: started, ended, upgraded, downgraded, paused, and trials that converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError
from features.contracts import conversions
from features.definition import edge_index
from features.tables import derived
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.definition.periods import Period
from pipeline.retention.definition.segments import with_segment
from pipeline.retention.rendering import show_table
from pipeline.retention.table import Question, Shown, Table

_COUNTS = {
    "started": N_("started"),
    "ended": N_("ended"),
    "upgrades": N_("upgrades"),
    "downgrades": N_("downgrades"),
    "paused": N_("paused"),
    "trials": N_("trials"),
    "converted": N_("converted"),
}


def contract_table(
    tables: Mapping[str, ir.Table], periods: Sequence[Period], segment: str | None = None
) -> pd.DataFrame:
    """What happened to contracts in each period; the rules are those of `features.contracts`.

    Parameters
    ----------
    tables
        With `contracts`.
    periods
        Consecutive periods, oldest first.
    segment
        A customer attribute.

    Returns
    -------
    DataFrame
        One row a period (and segment): `period`, `complete`, `segment`, then contracts that `started` to run and
        `ended`, `upgrades` and `downgrades`, contracts that were `paused`, `trials` that began, and customers whose
        first contract `converted` a trial. A count that no column tells is missing.

    Raises
    ------
    ConfigError
        When no contracts are mapped.
    """
    if "contracts" not in tables:
        raise ConfigError("contracts need sources.contracts, one row a contract; map it")
    edges = [p.start for p in periods] + [periods[-1].end]
    parts = []
    for name, events in _events(tables).items():
        placed = events.select("customer_id", number=edge_index(events.occurred_at, edges).cast("int64") - 1)
        placed = placed.filter((placed.number >= 0) & (placed.number < len(periods)))
        if segment is not None:
            placed = with_segment(placed, tables, segment)
        by = ["number", *(["segment"] if segment else [])]
        parts.append(placed.group_by(by).aggregate(events=placed.count()).execute().assign(kind=name))
    every = pd.concat(parts, ignore_index=True)
    rows = pd.MultiIndex.from_product(
        [range(len(periods)), *([sorted(every["segment"].unique())] if segment else [])],
        names=["number", *(["segment"] if segment else [])],
    )
    counts = every.pivot_table(index=rows.names, columns="kind", values="events", aggfunc="sum")
    counts = counts.reindex(index=rows if segment else rows.get_level_values(0), columns=[*_events(tables)])
    frame = counts.fillna(0).astype("int64").rename_axis(columns=None).reset_index()
    labels, complete = ([getattr(p, name) for p in periods] for name in ("label", "complete"))
    frame.insert(0, "period", [labels[n] for n in frame["number"]])
    frame.insert(1, "complete", [complete[n] for n in frame["number"]])
    return frame.drop(columns="number")


def _events(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """Each count's events, of those that the columns tell."""
    found = derived({"contracts": tables["contracts"]})
    events = {"started": found["contract_starts"], "ended": found["contract_ends"]}
    if "contract_changes" in found:
        changes = found["contract_changes"]
        events |= {
            "upgrades": changes.filter(changes.change > 0),
            "downgrades": changes.filter(changes.change < 0),
        }
    if "contract_pauses" in found:
        events["paused"] = found["contract_pauses"]
    if "contract_trials" in found:
        events |= {"trials": found["contract_trials"], "converted": conversions(tables["contracts"])}
    return events


def of_question(question: Question) -> pd.DataFrame:
    """The contracts of the question's periods."""
    scope = question.scope
    return contract_table(question.tables, scope.until(question.as_of), scope.segment)


def show(question: Question) -> Shown:
    """What became of contracts: started, ended, upgraded, downgraded, paused, tried."""
    frame = of_question(question)
    named = {name: header for name, header in _COUNTS.items() if name in frame}
    columns = {"period": N_("period"), **({"segment": N_("segment")} if "segment" in frame else {}), **named}
    rules = [
        said(
            "upgrade, downgrade: the sum of a customer's running contracts rose or fell from one day to the next"
        )
    ]
    if "converted" in frame:
        rules.append(said("converted: customers whose first contract followed a trial, whenever that began"))
    return Shown(frame, show_table(frame, columns, question.language), rules)


TABLE = Table(
    show,
    {"contracts": frozenset({"level", "tried", "paused_at", "resumed_at"})},
    nightly=of_question,
    needs=("contracts",),
)
