"""What all customers of a night tell together, asked of the rows that the cluster has scored and written.

Sums come here, and the rows of a stated number of customers; never those of all. The workers run `scored_parts`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import ConfigError
from configs.outreach import Outreach
from configs.schema import Churn
from models.prediction.scoring import probability
from models.statistics.credibility import PARTS, Portfolio, history_parts, means
from models.statistics.losses import EXACT_UP_TO, Losses
from pipeline.outreach.valuation import Valuation, kept, purchase_history, worth_one
from pipeline.retention.definition.periods import Unit
from pipeline.retention.forecast.expected import lost_in_period
from pipeline.scoring.horizons import DATES, LOST, Further

CHANCE = "churn_probability"
_KEPT = "kept_"
ORDER = ("value_at_risk", CHANCE, "customer_id")
SHARES = 1_000


def scored_columns(days: int | None, further: Further | None) -> tuple[str, ...]:
    """What `scored_parts` adds to the matrix."""
    return (CHANCE, *((*PARTS, _KEPT) if days else ()), *(further.names if further else ()))


def scored_parts(
    spec: Mapping[str, Any],
    texts: tuple[str, ...],
    days: int | None,
    further: Further | None,
    frame: pd.DataFrame,
) -> dict[str, Floats]:
    """On a worker: probability, other horizons, and what the value is made of, of the rows of a matrix.

    Parameters
    ----------
    spec, texts
        Of the model; the lines are those that every logged model runs.
    days
        The window of the spend; None where nobody is priced.
    further
        The other horizons; None without them.
    """
    found = probability(spec, _boosters(texts), frame) if len(frame) else np.zeros(0)
    made = {**history_parts(*purchase_history(frame, days)), _KEPT: kept(frame, days)} if days else {}
    if further is not None:
        none = dict.fromkeys(further.names, found)
        made |= further.numbers(frame, found) if len(frame) else none
    return {CHANCE: found, **made}


@lru_cache(maxsize=1)
def _boosters(texts: tuple[str, ...]) -> list[lgb.Booster]:
    return [lgb.Booster(model_str=text) for text in texts]


@dataclass(frozen=True)
class Crowd:
    """All customers of a night, on the cluster.

    Parameters
    ----------
    rows
        Spark's: the matrix with `churn_probability`, `value` and `value_at_risk`.
    customers, expected
        How many there are, and how many are expected to leave.
    worth
        How they are valued; the amounts are in `rows`.
    """

    rows: Any
    customers: int
    expected: float
    worth: Valuation

    @classmethod
    def read(cls, folder: Path, days: int | None, settings: Outreach, margin: float) -> Crowd:
        """Sum up what the workers have written.

        Raises
        ------
        ConfigError
            The customers are valued by a segment that is no column of the matrix.
        """
        from pyspark.sql import SparkSession
        from pyspark.sql import functions as sf

        rows = SparkSession.active().read.parquet(str(folder))
        found = rows.agg(sf.count("*").alias("n"), sf.sum(CHANCE).alias("sum")).first()
        valued, worth = _valued(rows, days, settings, margin, found["n"])
        valued = valued.withColumn("value_at_risk", sf.col(CHANCE) * sf.col("value"))
        return cls(valued, int(found["n"]), float(found["sum"] or 0.0), worth)

    def best(self, count: int) -> list[str]:
        """Ids of so many customers with the highest value at risk, the highest first."""
        return self._first(count, *self._order())["customer_id"].tolist()

    def at_risk(self, place: int) -> float | None:
        """The value at risk of the customer at a place, counted from 0; None when there are not so many."""
        first = self._first(place + 1, *self._order())["value_at_risk"]
        return float(first.iloc[place]) if len(first) > place else None

    def some(self, count: int) -> list[str]:
        """Ids of so many customers drawn by a hash of the id, the same ones every time."""
        from pyspark.sql import functions as sf

        return self._first(count, sf.xxhash64("customer_id"), sf.col("customer_id"))["customer_id"].tolist()

    def _order(self) -> list[Any]:
        from pyspark.sql import functions as sf

        return [sf.col(name).desc() if name != "customer_id" else sf.col(name) for name in ORDER]

    def _first(self, count: int, *order: Any) -> pd.DataFrame:
        # The keys alone first: each piece sends so many rows before they are merged.
        found: pd.DataFrame = self.rows.select(*ORDER).orderBy(*order).limit(count).toPandas()
        return found

    def of(self, ids: Collection[str]) -> pd.DataFrame:
        """The rows of these customers, in the order of their ids."""
        from pyspark.sql import functions as sf

        asked = self._table(ids)
        found: pd.DataFrame = self.rows.join(sf.broadcast(asked), "customer_id", "left_semi").toPandas()
        return found.sort_values("customer_id", ignore_index=True)

    def _table(self, ids: Collection[str]) -> Any:
        frame = pd.DataFrame({"customer_id": pd.Series(list(ids), dtype="object")})
        return self.rows.sparkSession.createDataFrame(frame, "customer_id string")

    def ranks(self, amount: Floats) -> Floats:
        """Share of all customers who are worth more than each amount, to a thousandth."""
        from pyspark.sql import functions as sf

        shares = [(k + 0.5) / SHARES for k in range(SHARES)]
        grid = self.rows.agg(sf.percentile_approx("value", shares, 10 * SHARES).alias("q")).first()["q"]
        return 1 - np.searchsorted(np.asarray(grid, np.float64), amount, side="right") / SHARES

    def losses(self, secure: Any, as_of: dt.date, churn: Churn, unit: Unit) -> tuple[Losses, Losses]:
        """How many are expected to be lost, in the label window and by the classic rate.

        Parameters
        ----------
        secure
            Spark's: `customer_id` of those whom the rate counts as kept whatever happens; None for nobody.
        """
        from pyspark.sql import functions as sf

        rows, even = self.rows, lost_in_period(sf.col(CHANCE), as_of, churn, unit)
        lost = sf.col(LOST) if LOST in rows.columns else even
        if secure is not None:
            rows = rows.join(secure.withColumn("safe_", sf.lit(True)), "customer_id", "left")
            lost = sf.when(sf.col("safe_"), sf.lit(0.0)).otherwise(lost)
        each = rows.select("customer_id", sf.col(CHANCE).alias("window"), lost.alias("period"))
        if self.customers <= EXACT_UP_TO:
            here = each.orderBy("customer_id").toPandas()
            return Losses.of(here["window"]), Losses.of(here["period"])
        sums = {f"{c}_sum": sf.sum(c) for c in ("window", "period")}
        sums |= {f"{c}_var": sf.sum(sf.col(c) * (1 - sf.col(c))) for c in ("window", "period")}
        found = each.agg(*(value.alias(name) for name, value in sums.items())).first()
        window, period = (
            Losses(self.customers, float(found[f"{c}_sum"]), float(found[f"{c}_var"]))
            for c in ("window", "period")
        )
        return window, period

    def _ahead(self, as_of: dt.date) -> list[Any]:
        """The columns of other horizons, days turned into dates."""
        from pyspark.sql import functions as sf

        def shown(name: str) -> Any:
            if name not in DATES:
                return sf.nanvl(name, sf.lit(None)).alias(name)
            days = sf.when(~sf.isnan(name), sf.col(name).cast("int"))
            return sf.date_add(sf.lit(as_of), days).alias(name)

        return [shown(n) for n in self.rows.columns if n in DATES or n.startswith(f"{CHANCE}_")]

    def scores(self, as_of: dt.date, listed: Collection[str]) -> Any:
        """Spark's: the published row of every customer, the highest value at risk first."""
        from pyspark.sql import functions as sf

        marked = self._table(listed).withColumn("listed", sf.lit(True))
        return (
            self.rows.join(sf.broadcast(marked), "customer_id", "left")
            .withColumn("listed", sf.coalesce("listed", sf.lit(False)))
            .withColumn("as_of", sf.lit(as_of))
            .select("customer_id", "as_of", CHANCE, "value", "value_at_risk", "listed", *self._ahead(as_of))
            .orderBy(*self._order())
        )


def _valued(
    rows: Any, days: int | None, settings: Outreach, margin: float, customers: int
) -> tuple[Any, Valuation]:
    """The rows with `value`, and how it was found."""
    from pyspark.sql import functions as sf

    if days is None:
        return rows.withColumn("value", sf.lit(1.0)), worth_one(0, settings)
    chosen, own, weight = settings.value, sf.col("own_"), sf.col("weight_")
    scale = settings.value_days * margin
    said: dict[str, Any] = {"days": settings.value_days, "margin": margin}
    if chosen.method == "own":
        valued = rows.withColumn("value", own * scale)
        said |= {"method": "own", "history_window_days": days}
        return valued, Valuation(np.zeros(0), _typical(valued), True, said, ())
    segment = sf.lit("")
    if chosen.segment is not None:
        if chosen.segment not in rows.columns:
            raise ConfigError(
                f"outreach.value.segment: {chosen.segment!r} is no attribute of sources.customers; on a cluster it is "
                "taken from the matrix: add it to the attributes"
            )
        segment = sf.coalesce(sf.col(chosen.segment).cast("string"), sf.lit("nan"))
    rows = rows.withColumn("segment_", segment)
    sums = {
        "squares": sf.sum("squares_"),
        "freedom": sf.sum("freedom_"),
        "weight": sf.sum(weight),
        "weight_2": sf.sum(weight * weight),
        "own": sf.sum(weight * own),
        "own_2": sf.sum(weight * own * own),
        "exposed": sf.sum((weight > 0).cast("double")),
    }
    portfolio = Portfolio.of(_by_segment(rows, sums))
    trust = portfolio.credibility(weight)
    found = _by_segment(
        rows,
        {
            "trust": sf.sum(trust),
            "trusted": sf.sum(trust * own),
            "weight": sf.sum(weight),
            "own": sf.sum(weight * own),
        },
    )
    total = float(found["trust"].sum())
    above, below = ("trusted", "trust") if total > 0 else ("own", "weight")
    middle = means(found[above].to_numpy(np.float64), found[below].to_numpy(np.float64))
    told = rows.sparkSession.createDataFrame(found[["segment_"]].assign(mean_=middle))
    rows = rows.join(sf.broadcast(told), "segment_")
    said |= portfolio.parameters(len(found), total / max(customers, 1))
    valued = rows.withColumn("value", (trust * own + (1 - trust) * sf.col("mean_") * sf.col(_KEPT)) * scale)
    said |= {"history_window_days": days}
    return valued, Valuation(np.zeros(0), _typical(valued), True, said, ())


def _typical(rows: Any) -> float:
    """Median of the positive values, to a ten-thousandth of the customers; 1 when there are none."""
    from pyspark.sql import functions as sf

    positive = rows.filter(sf.col("value") > 0)
    found = positive.agg(sf.percentile_approx("value", 0.5, 10 * SHARES).alias("median")).first()["median"]
    return 1.0 if found is None else float(found)


def _by_segment(rows: Any, sums: Mapping[str, Any]) -> pd.DataFrame:
    found = rows.groupBy("segment_").agg(*(value.alias(name) for name, value in sums.items()))
    frame: pd.DataFrame = found.orderBy("segment_").toPandas()
    return frame
