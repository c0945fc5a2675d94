"""Labels on a cluster: what `pipeline.dataset.labelling` gives, joined to the matrix where it is. Never for scoring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from configs.schema import Churn, Config
from features.labels import window_of
from features.snapshots import newest_mature
from pipeline.sources.opening import Sources


def with_labels(
    rows: Any, sources: Sources, config: Config, snapshots: Sequence[dt.date], as_of: dt.date
) -> Any:
    """The rows of a matrix with `churned`: 1 churned, 0 kept, null where not mature at `as_of` or censored.

    Parameters
    ----------
    rows
        A Spark DataFrame with `customer_id` and `snapshot`.
    snapshots
        Those of the rows.
    """
    from pyspark.sql import functions as sf

    last = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days)
    mature = [day for day in snapshots if day <= last]
    if not mature:
        return rows.withColumn("churned", sf.lit(None).cast("tinyint"))
    how = _silent if config.churn.kind == "non_contractual" else _ended
    found, label = how(rows, sources, config.churn, mature)
    told = sf.when(sf.col("snapshot").isin(mature), label).cast("tinyint")
    return found.withColumn("churned", told).select(*rows.columns, "churned")


def _silent(rows: Any, sources: Sources, churn: Churn, mature: Sequence[dt.date]) -> tuple[Any, Any]:
    """Non-contractual: who bought in the label window, whenever it became known."""
    from pyspark.sql import functions as sf

    bought = _table(rows, sources.tables["transactions"].select("customer_id", "occurred_at"))
    inside = []
    for day in mature:
        start, end = (
            sf.lit(edge).cast("timestamp") for edge in window_of(day, churn.gap_days, churn.horizon_days)
        )
        at = sf.col("occurred_at").cast("timestamp")
        inside.append(sf.when((at >= start) & (at < end), sf.lit(day)))
    days = sf.explode(sf.array_compact(sf.array(*inside))).alias("snapshot")
    back = bought.select("customer_id", days).distinct().withColumn("back_", sf.lit(1))
    return rows.join(back, ["customer_id", "snapshot"], "left"), sf.when(
        sf.col("back_").isNull(), 1
    ).otherwise(0)


def _ended(rows: Any, sources: Sources, churn: Churn, mature: Sequence[dt.date]) -> tuple[Any, Any]:
    """Contractual: an ending that counts, as `features.labels.ended` says."""
    from pyspark.sql import functions as sf

    customers = sources.tables["customers"]
    reasons = churn.not_churn_reasons
    table = _table(rows, customers.select("customer_id", "ended_at", *(["end_reason"] if reasons else [])))
    excused = sf.coalesce(sf.col("end_reason").isin(reasons), sf.lit(False)) if reasons else sf.lit(False)
    ends = table.select(
        "customer_id", sf.col("ended_at").cast("timestamp").alias("end_"), excused.alias("excused_")
    )
    start = sf.date_add("snapshot", churn.gap_days)
    end = sf.date_add("snapshot", churn.gap_days + churn.horizon_days)
    left = sf.coalesce(sf.col("end_") < end.cast("timestamp"), sf.lit(False))
    unknown = (sf.col("end_") < start.cast("timestamp")) | sf.col("excused_")
    label = sf.when(~left, 0).when(unknown, sf.lit(None)).otherwise(1)
    return rows.join(ends, "customer_id", "left"), label


def _table(rows: Any, table: Any) -> Any:
    return rows.sparkSession.sql(table.get_backend().compile(table))
