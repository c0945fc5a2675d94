"""Labels on a cluster: what `pipeline.dataset.labelling` gives, joined to the matrix where it is. Never for scoring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis

from configs.schema import Config
from features.labels import labelled, mature_of, window_outcomes
from pipeline.sources.opening import Sources

MATRIX = "churn_matrix"


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

    mature = mature_of(snapshots, config.churn, as_of)
    if not mature:
        return rows.withColumn("churned", sf.lit(None).cast("tinyint"))
    found = window_outcomes(sources.tables, config.churn, mature)
    rows.createOrReplaceTempView(MATRIX)
    backend = found.get_backend()
    matrix = backend.table(MATRIX)
    number = ibis.cases(*((matrix.snapshot == ibis.literal(day), k) for k, day in enumerate(mature)))
    churned = labelled(matrix.mutate(snapshot_number=number), found, config.churn)
    return rows.sparkSession.sql(backend.compile(churned.drop("snapshot_number")))
