"""One table of scores, a row for each customer of a night, and all that is asked of everybody.

The rows are in memory, or in the files that a cluster's workers have written. Value, order, sums and the published rows
are the same expressions for both; DuckDB works through them, and a stated number of customers comes here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.arrays import Floats, Ints
from configs.schema import Churn
from features.dialects import duckdb_hash
from models.statistics.credibility import PARTS, Batch, Portfolio
from models.statistics.losses import Losses
from pipeline.retention.definition.periods import Unit
from pipeline.retention.forecast.expected import lost_in_period
from pipeline.scoring.horizons import LOST, horizon_columns

CHANCE = "churn_probability"
NOT_RETURNED = "kept_"
SEGMENT = "segment_"
ROWS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class ScoreTable:
    """Every customer of a night.

    Parameters
    ----------
    rows
        `customer_id`, `churn_probability`, the other horizons where there are some, and `value` once it is known.
    """

    rows: ir.Table

    @classmethod
    def of(cls, customers: Sequence[str], probability: Floats, numbers: Mapping[str, Floats]) -> ScoreTable:
        """The table of customers who were scored here; `numbers` are those of `Further`."""
        columns = {"customer_id": pa.array(customers, pa.string()), CHANCE: probability, **numbers}
        return cls(ibis.memtable(pa.table(columns)))

    def count(self) -> int:
        """How many customers there are."""
        return int(self.rows.count().to_pyarrow().as_py())

    def expected(self) -> float:
        """How many are expected to leave."""
        return float(
            sum(batch[CHANCE].to_numpy().sum() for batch in batches(self.rows.select("customer_id", CHANCE)))
        )

    def with_values(self, customers: Sequence[str], amount: Floats) -> ScoreTable:
        """The table with `value`, of customers in another order."""
        known = ibis.memtable(pa.table({"customer_id": pa.array(customers, pa.string()), "value": amount}))
        return ScoreTable(self.rows.inner_join(known, "customer_id"))

    def first(self, count: int) -> ir.Table:
        """`customer_id` of so many customers with the highest value at risk."""
        return self._ordered().limit(count).select("customer_id")

    def at_risk(self, place: int) -> float | None:
        """The value at risk of the customer at a place, counted from 0; None when there are not so many."""
        found = self._ordered().limit(1, offset=place).value_at_risk.to_pyarrow()
        return float(found[0].as_py()) if len(found) else None

    def some(self, count: int) -> ir.Table:
        """`customer_id` of so many customers drawn by a hash of the id, the same ones every time."""
        ids = self.rows.select("customer_id", hash_=duckdb_hash(self.rows.customer_id))
        return ids.order_by("hash_", "customer_id").limit(count).select("customer_id")

    def ranks(self) -> ir.Table:
        """The rows with `rank_`, the share of all customers who are worth more."""
        above = ibis.rank().over(ibis.window(order_by=ibis.desc("value")))
        return self.rows.mutate(rank_=above / self.count())

    def typical(self) -> float:
        """Median of the positive values; 1 when there are none."""
        positive = self.rows.filter(self.rows.value > 0)
        count = int(positive.count().to_pyarrow().as_py())
        middle = positive.order_by("value").limit(2 - count % 2, offset=max(count - 1, 0) // 2)
        return float(np.mean(middle.value.to_pyarrow().to_pylist())) if count else 1.0

    def losses(
        self, safe: ir.Table | None, as_of: dt.date, churn: Churn, unit: Unit
    ) -> tuple[Losses, Losses]:
        """How many are expected to be lost, in the label window and by the classic rate.

        Parameters
        ----------
        safe
            `customer_id` of those whom the rate counts as kept whatever happens; None for nobody.
        """
        rows = self.rows
        kept = ibis.literal(False) if safe is None else rows.customer_id.isin(safe.customer_id)
        within = rows[LOST] if LOST in rows.columns else ibis.null("float64")
        window, period = [], []
        for batch in batches(rows.select("customer_id", CHANCE, lost_=within, safe_=kept)):
            chance = batch[CHANCE].to_numpy()
            even = lost_in_period(chance, as_of, churn, unit)
            lost = batch["lost_"].to_numpy() if LOST in rows.columns else even
            window.append(Losses.of(chance))
            period.append(Losses.of(np.where(batch["safe_"].to_numpy(), 0.0, lost)))
        return Losses.together(window), Losses.together(period)

    def write(self, path: Path, as_of: dt.date, listed: Collection[str]) -> None:
        """Write the published row of every customer, the highest value at risk first."""
        rows = self._at_risk()
        marked = rows.customer_id.isin(ibis.memtable({"customer_id": list(listed)}, schema=_IDS).customer_id)
        columns = {
            "as_of": ibis.literal(as_of, "date"),
            **{name: rows[name] for name in (CHANCE, "value", "value_at_risk")},
            "listed": marked,
            **horizon_columns(rows, as_of),
        }
        published = rows.select("customer_id", **columns)
        schema = published.schema().to_pyarrow().set(0, pa.field("customer_id", pa.large_string()))
        with pq.ParquetWriter(path, schema) as file:
            for batch in batches(published, _ORDER):
                file.write_table(batch.cast(schema))

    def _at_risk(self) -> ir.Table:
        return self.rows.mutate(value_at_risk=self.rows[CHANCE] * self.rows.value)

    def _ordered(self) -> ir.Table:
        return self._at_risk().order_by(_ORDER)


_IDS = {"customer_id": "string"}
_ORDER = [ibis.desc("value_at_risk"), ibis.desc(CHANCE), ibis.asc("customer_id")]


def batches(rows: ir.Table, order: Sequence[ir.Value] = ()) -> Iterator[pa.Table]:
    """The rows in an order, by default of the customers' ids, in pieces of `ROWS_AT_ONCE` and a rest."""
    # Ibis 12 asks DuckDB 2 for batches by a name that is gone, and only a table knows where memtables are.
    backend: Any = rows.get_backend()
    name = ibis.util.gen_name("batches")
    backend.create_table(name, rows.order_by(list(order) or ["customer_id"]), temp=True)
    try:
        waiting = pa.Table.from_batches([], rows.schema().to_pyarrow())
        for batch in backend.con.table(name).to_arrow_reader(ROWS_AT_ONCE):
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(waiting.schema)])
            while len(waiting) >= ROWS_AT_ONCE:
                yield waiting.slice(0, ROWS_AT_ONCE).combine_chunks()
                waiting = waiting.slice(ROWS_AT_ONCE)
        if len(waiting):
            yield waiting.combine_chunks()
    finally:
        backend.drop_table(name)


def portfolio_of(rows: ir.Table) -> tuple[Portfolio, ir.Table]:
    """The portfolio of customers with `PARTS` and `SEGMENT`, and the rows with the `middle_` of each one's segment."""
    names = sorted(rows.select(SEGMENT).distinct()[SEGMENT].to_pyarrow().to_pylist())

    def parts() -> Iterator[Batch]:
        for batch in batches(rows.select("customer_id", SEGMENT, *PARTS)):
            number: Ints = pc.index_in(batch[SEGMENT], pa.array(names, pa.string())).to_numpy()
            yield number, {name: batch[name].to_numpy() for name in PARTS}

    portfolio = Portfolio.of(parts, len(names))
    middle = ibis.memtable(pa.table({SEGMENT: pa.array(names, pa.string()), "middle_": portfolio.middle}))
    return portfolio, rows.inner_join(middle, SEGMENT)
