"""How long it takes from the first to the second purchase."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis.expr.types as ir
import pandas as pd

from configs.errors import ConfigError
from pipeline.languages import N_
from pipeline.languages.said import said
from pipeline.retention.table import Question, Shown, Table
from pipeline.retention.tables.survival import counted, curves, until


def second_purchases(
    tables: Mapping[str, ir.Table], as_of: dt.date, segment: str | None = None
) -> pd.DataFrame:
    """Customers by whole days from the first to the second purchase; `left` is False for those still without.

    Purchases at the same instant are one. The shape is that of `survival.lifetimes`, so that the same curve can be
    drawn.
    """
    if "transactions" not in tables:
        raise ConfigError("the time to the second purchase needs sources.transactions; map it")
    bought = tables["transactions"]
    first = bought.group_by("customer_id").aggregate(first_at=bought.occurred_at.min())
    later = bought.inner_join(first, "customer_id").filter(lambda t: t.occurred_at > t.first_at)
    second = later.group_by("customer_id").aggregate(ended_at=later.occurred_at.min())
    spells = first.left_join(second, "customer_id").select("customer_id", "first_at", "ended_at")
    return counted(until(spells, spells.ended_at, spells.ended_at.notnull(), as_of), tables, segment)


def show(question: Question) -> Shown:
    """How long it takes from the first to the second purchase."""
    counts = second_purchases(question.tables, question.as_of, question.scope.segment)
    rules = [
        said(
            "share without a second purchase so many days after the first; median over all, one-time buyers too"
        )
    ]
    return curves(
        question,
        counts,
        rules,
        "without a second purchase",
        N_("bought again"),
        N_("of those who bought again"),
    )


TABLE = Table(show, span=False, picture=True)
