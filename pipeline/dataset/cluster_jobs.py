"""What runs on the cluster: the matrix and the scores, written there as Parquet; and the sample that training takes."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa

from configs.schema import Config
from features.tables import derived
from models.classifier import FittedModel
from models.scoring import probability
from pipeline.dataset import cluster
from pipeline.dataset.matrix import LISTING
from pipeline.dataset.plan import Plan
from pipeline.sources.databases import arrow, asking
from pipeline.sources.digests import hash_of_spark
from pipeline.sources.opening import Sources

_BUCKETS = 1_000_000


def is_on_cluster(sources: Sources) -> bool:
    """Whether the sources are Spark's."""
    return any(table.get_backend().name == "pyspark" for table in sources.tables.values())


def write_matrix(sources: Sources, config: Config, snapshots: Sequence[dt.date], out: str | Path) -> Plan:
    """Write `customer_id`, `snapshot` and the features of every customer, as a folder of Parquet files.

    Parameters
    ----------
    out
        A path or URI that the workers can write to.
    """
    plan = Plan.of(config, snapshots, derived(sources.tables), sources.attributes)
    types = {name: "double" if kind else "string" for name, kind in _numeric(sources).items()}
    columns = {c.name: types.get(c.name, "float") for c in plan.catalogue}
    schema = ", ".join(
        f"`{n}` {k}" for n, k in {"customer_id": "string", "snapshot": "date", **columns}.items()
    )
    _write(_frame(sources, config, plan, partial(matrix_rows, columns), schema), out)
    return plan


def write_scores(
    sources: Sources, config: Config, as_of: dt.date, model: FittedModel, out: str | Path
) -> Plan:
    """Write `customer_id`, `as_of`, `churn_probability` and `value` of every customer, as a folder of Parquet files.

    Parameters
    ----------
    out
        A path or URI that the workers can write to.

    Raises
    ------
    ModelError
        The matrix lacks a column that the model reads.
    """
    plan = Plan.of(config, [as_of], derived(sources.tables), sources.attributes)
    model.check_columns([*(c.name for c in plan.catalogue), LISTING.name])
    spend = f"spend_sum_{config.outreach.value_days}d"
    finish = partial(scored_rows, dict(model.spec), model.texts, as_of, spend)
    schema = "customer_id string, as_of date, churn_probability double, value double"
    _write(_frame(sources, config, plan, finish, schema), out)
    return plan


def matrix_rows(columns: Mapping[str, str], frame: pd.DataFrame) -> pa.Table:
    """Rows of a matrix as Arrow; `columns` gives Spark's type of each."""
    kinds = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    arrays = {
        name: pa.array(_plain(frame[name], kind), kinds[kind], from_pandas=True)
        for name, kind in columns.items()
    }
    ids = pa.array(frame["customer_id"], pa.string())
    days = pa.array(frame["snapshot"].to_numpy().astype("datetime64[D]"))
    return pa.table({"customer_id": ids, "snapshot": days, **arrays})


def _plain(column: pd.Series[Any], kind: str) -> Any:
    return column.astype(object) if kind == "string" else column.to_numpy(np.float64, na_value=np.nan)


def scored_rows(
    spec: Mapping[str, Any], texts: tuple[str, ...], as_of: dt.date, spend: str, frame: pd.DataFrame
) -> pa.Table:
    """Probabilities of a matrix's rows, by the lines that every logged model runs."""
    # Nobody's outcome is changed by the list that is about to be made.
    told = frame.assign(**{LISTING.name: 0.0})
    found = probability(spec, _boosters(texts), told) if len(frame) else np.zeros(0)
    value = frame[spend].astype(np.float64) if spend in frame else pd.Series(1.0, frame.index)
    return pa.table(
        {
            "customer_id": pa.array(frame["customer_id"], pa.string()),
            "as_of": pa.array([as_of] * len(frame), pa.date32()),
            "churn_probability": pa.array(found, pa.float64()),
            "value": pa.array(value, pa.float64(), from_pandas=True),
        }
    )


@lru_cache(maxsize=1)
def _boosters(texts: tuple[str, ...]) -> list[lgb.Booster]:
    return [lgb.Booster(model_str=text) for text in texts]


def bounded(
    sources: Sources, config: Config, snapshots: Sequence[dt.date], say: Callable[[str], None]
) -> Sources:
    """The sources of so many customers that their matrix stays within `model.max_training_rows`.

    Of a cluster only: customers are drawn there by a hash of their id, the same ones every time. Sources of other
    engines are given back as they are.
    """
    if not is_on_cluster(sources):
        return sources
    base = sources.tables["transactions" if config.churn.kind == "non_contractual" else "customers"]
    people = arrow(base.aggregate(n=base.customer_id.nunique()))["n"][0].as_py()
    share = min(1.0, config.model.max_training_rows / max(people * len(snapshots), 1))
    if share == 1.0:
        return sources
    say(f"train on {share:.2%} of {people:,} customers, within model.max_training_rows")
    return replace(sources, tables={role: _drawn(table, share) for role, table in sources.tables.items()})


def _drawn(table: ir.Table, share: float) -> ir.Table:
    bucket = ((hash_of_spark(table.customer_id) % _BUCKETS) + _BUCKETS) % _BUCKETS
    return table.filter(bucket < int(share * _BUCKETS))


def _numeric(sources: Sources) -> dict[str, bool]:
    """Attribute -> whether it is a number."""
    if "customers" not in sources.tables:
        return {}
    kinds = sources.tables["customers"].schema()
    return {name: kinds[name].is_numeric() for name in sources.attributes}


def _frame(sources: Sources, config: Config, plan: Plan, finish: cluster.Finish, schema: str) -> Any:
    backend = next(iter(sources.tables.values())).get_backend()
    return cluster.frame(backend, sources.tables, plan, sources.event_rows, config, finish, schema)


def _write(frame: Any, out: str | Path) -> None:
    """Write a folder; on a local file system it appears when it is complete."""
    with asking():
        if "://" in str(out):
            frame.write.mode("overwrite").parquet(str(out))
            return
        unfinished = Path(f"{out}.unfinished")
        frame.write.mode("overwrite").parquet(str(unfinished))
        shutil.rmtree(out, ignore_errors=True)
        unfinished.rename(out)
