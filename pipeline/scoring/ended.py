"""Customers whose contract has ended lately: nobody can keep them, and some can be won back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.playbook import Playbook
from configs.schema import Config
from features.definition import counts_as_churn, customers_at, spells
from features.matrix import Matrix
from pipeline.dataset.cluster_jobs import is_on_cluster
from pipeline.dataset.matrix import build_matrix
from pipeline.languages import N_
from pipeline.languages.said import Said, said
from pipeline.outreach.reasons import Reason
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

# The newest endings are the likeliest to come back, and the block that they compete for is short.
_MOST = 2_000
_SAYS = N_("the contract ended {since:day} ago")


@dataclass(frozen=True)
class LatelyEnded:
    """Whose contract has ended lately.

    Parameters
    ----------
    matrix
        Their features, as if the contract had gone on.
    reasons
        That it has ended; one for each row.
    """

    matrix: Matrix
    reasons: tuple[Reason, ...]


def ended_lately(
    sources: Sources, config: Config, playbook: Playbook, as_of: dt.date
) -> tuple[LatelyEnded | None, tuple[Said, ...]]:
    """Those who were lost within `outreach.win_back_days`, and what is to be said of it.

    None where an ending is no matter of contracts, where no action of the playbook is for those who have left, and on
    a cluster, which is said.
    """
    settings = config.outreach
    wanted = any(action.audience == "left" for action in playbook.actions.values())
    if config.churn.kind != "contractual" or not (wanted and settings.win_back_capacity):
        return None, ()
    if not settings.win_back_days:
        return None, ()
    if is_on_cluster(sources):
        return None, (said("on a cluster nobody whose contract has ended is on the list to be won back"),)
    tonight = dt.datetime.combine(as_of, dt.time())
    since = tonight - dt.timedelta(days=settings.win_back_days)
    found = arrow(_who(sources.tables, config, since, tonight)).to_pandas()
    if found.empty:
        return None, ()
    ids = found["customer_id"].tolist()
    tables = {
        role: table.filter(table.customer_id.isin(ids)) for role, table in _going_on(sources.tables).items()
    }
    matrix = build_matrix(replace(sources, tables=tables, share=0.0), config, [as_of])
    ended = found.set_index("customer_id")["ended_at"].reindex(matrix.frame["customer_id"])
    # Somebody with several contracts is lost when the days of grace are over, and the sentence tells of the ending.
    grace = config.churn.grace_days if "contracts" in sources.tables else 0
    days = (pd.Timestamp(tonight) - ended).dt.days + grace
    reasons = tuple(
        Reason("ended", f"the contract ended {_days(n)} ago", 0.0, _SAYS, {"since": n}) for n in days
    )
    return LatelyEnded(matrix, reasons), ()


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number or 'no'} days"


def _who(
    tables: Mapping[str, ir.Table], config: Config, since: dt.datetime, tonight: dt.datetime
) -> ir.Table:
    """`customer_id` and `ended_at` of the newest endings of those who are no customers any more."""
    begun = spells(tables)
    recent = begun.filter(begun.ended_at >= ibis.literal(since), counts_as_churn(begun, config.churn))
    gone = recent.anti_join(customers_at(tables, config.churn, tonight), "customer_id")
    last = gone.group_by("customer_id").aggregate(ended_at=gone.ended_at.max())
    return last.order_by(ibis.desc("ended_at"), "customer_id").limit(_MOST)


def _going_on(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """The tables with the last ending of everybody taken back, so that a matrix has a row of those who have left."""
    role = "contracts" if "contracts" in tables else "customers"
    rows = tables[role]
    last = rows.ended_at.max().over(ibis.window(group_by="customer_id"))
    open_again = ibis.ifelse(rows.ended_at == last, ibis.null(rows.ended_at.type()), rows.ended_at)
    return {**tables, role: rows.mutate(ended_at=open_again)}
