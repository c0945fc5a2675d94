"""The purchase columns by a DuckDB plan: partials of customer and period, and sums of them for each snapshot.

The columns are those of `benchmarks.features_polars`, by the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.workload import AS_OF

DAY = 86_400
LENGTH = 30


def duckdb_plan(folder: Path, count: int, windows: Sequence[int]) -> pa.Table:
    """The rows of all snapshots: `customer_id`, `snapshot` counted back from the newest, and 38 columns."""
    import duckdb

    t = f"(timestamp '{AS_OF}' - to_days({LENGTH} * k::int))"

    def over(what: str, low: int, high: int) -> str:
        return f"coalesce(sum({what}) filter (period >= k + {low} and period < k + {high}), 0)"

    columns = [
        "sum(n) as n, sum(spend) as spend, sum(spend) / sum(n) as mean, max(top) as top",
        f"date_diff('second', max(last), {t}) / {DAY}.0 as recency_days",
        f"date_diff('second', min(first), {t}) / {DAY}.0 as tenure_days, count(*) as active",
    ]
    for days in windows:
        w = days // LENGTH
        for what, name in (("n", "count"), ("spend", "spend")):
            columns.append(f"{over(what, 0, w)} as {name}_{days}")
            columns.append(f"{over(what, 0, w)} - {over(what, w, 2 * w)} as {name}_change_{days}")
        columns.append(f"sum(n * pow(0.5, (period - k) * {LENGTH} / {days}.0)) as intensity_{days}")
        if days < 360:
            columns.append(
                f"{over('n', 12, 12 + w)} as year_ago_{days}, {over('n', 12 - w, 12)} as season_{days}"
            )
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        connection.execute(
            "create temp table partials as select customer_id, "
            f"date_diff('second', occurred_at, timestamp '{AS_OF}' - interval 1 second) // {LENGTH * DAY} as period, "
            "count(*) as n, sum(amount) as spend, max(amount) as top, min(occurred_at) as first, "
            f"max(occurred_at) as last from read_parquet('{folder}/purchases.parquet') group by 1, 2"
        )
        return connection.sql(
            f"with sums as (select customer_id, k as snapshot, {', '.join(columns)} from partials "
            f"join range({count}) s(k) on period >= k group by 1, 2 having recency_days <= 180), "
            "gaps as (select *, (tenure_days - recency_days) / nullif(n - 1, 0) as gap from sums) "
            "select * exclude (active), recency_days / nullif(gap, 0) as recency_ratio, "
            "recency_days / nullif(tenure_days, 0) as recency_share, n * 365.25 / nullif(tenure_days, 0) as rate, "
            "case when n = 1 then tenure_days end as wait, "
            f"active / ceil(tenure_days / {LENGTH}) as regularity from gaps"
        ).to_arrow_table()
