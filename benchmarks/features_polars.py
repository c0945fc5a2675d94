"""The purchase columns by a Polars plan: partials of customer and period, one column a period, column arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.workload import AS_OF, DAYS

DAY = 86_400
LENGTH = 30


def polars_plan(folder: Path, count: int, windows: Sequence[int]) -> Any:
    """The frame of all snapshots, `customer_id`, `snapshot` and 38 columns."""
    import polars as pl

    end = int(pl.Series([AS_OF]).dt.epoch("s")[0])
    periods = DAYS // LENGTH
    at = pl.col("occurred_at").dt.epoch("s")
    wide = (
        pl.scan_parquet(folder / "purchases.parquet")
        .select("customer_id", "amount", at=at, period=((end - 1 - at) // (LENGTH * DAY)).cast(pl.Int32))
        .group_by("customer_id", "period")
        .agg(
            n=pl.len().cast(pl.Int64),
            spend=pl.sum("amount"),
            top=pl.max("amount"),
            first=pl.min("at"),
            last=pl.max("at"),
        )
        .collect()
        .pivot(on="period", on_columns=range(periods), values=["n", "spend", "top", "first", "last"])
    )

    def over(kind: str, low: int, high: int) -> Any:
        names = [f"{kind}_{p}" for p in range(low, min(high, periods))]
        return pl.sum_horizontal(names) if names else pl.lit(0)

    def columns(k: int) -> dict[str, Any]:
        t = end - k * LENGTH * DAY
        past = range(k, periods)
        n, spend = over("n", k, periods), over("spend", k, periods)
        last = pl.max_horizontal(f"last_{p}" for p in past)
        recency = (t - last) / DAY
        tenure = (t - pl.min_horizontal(f"first_{p}" for p in past)) / DAY
        gap = pl.when(n > 1).then((tenure - recency) / (n - 1))
        active = pl.sum_horizontal(pl.col(f"n_{p}").is_not_null() for p in past)
        found = {
            "n": n,
            "spend": spend,
            "mean": spend / n,
            "top": pl.max_horizontal(f"top_{p}" for p in past),
        }
        found |= {"recency_days": recency, "tenure_days": tenure, "gap": gap, "recency_ratio": recency / gap}
        found |= {"recency_share": recency / tenure, "rate": n * 365.25 / tenure}
        found |= {"wait": pl.when(n == 1).then(tenure), "regularity": active / (tenure / LENGTH).ceil()}
        for days in windows:
            w = days // LENGTH
            for kind, name in (("n", "count"), ("spend", "spend")):
                found[f"{name}_{days}"] = over(kind, k, k + w)
                found[f"{name}_change_{days}"] = over(kind, k, k + w) - over(kind, k + w, k + 2 * w)
            weights = [0.5 ** ((p - k) * LENGTH / days) for p in past]
            faded = [pl.col(f"n_{p}") * x for p, x in zip(past, weights, strict=True)]
            found[f"intensity_{days}"] = pl.sum_horizontal(faded)
            if days < 360:
                found[f"year_ago_{days}"] = over("n", k + 12, k + 12 + w)
                found[f"season_{days}"] = over("n", k + 12 - w, k + 12)
        return {name: e.cast(pl.Float32) for name, e in found.items()}

    frames = [
        wide.lazy()
        .select("customer_id", snapshot=pl.lit(k), **columns(k))
        .filter(pl.col("recency_days") <= 180)
        .collect()
        for k in range(count)
    ]
    return pl.concat(frames)
