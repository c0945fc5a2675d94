"""How fast the feature matrix is made, and what others take for the same columns on the same files.

    python -m benchmarks.features W1      # 12 snapshots of 100,000 customers, peers beside
    python -m benchmarks.features W2      # one snapshot of 1,000,000 customers, the floor beside
    python -m benchmarks.features W3      # W2 with four times the events, the whole process within 4 GB

Every contender runs in a process of its own, one after the other; seconds are wall time after its imports, CPU
seconds those of all its threads, memory is the peak of the process. `floor` is one group-by of a source with count,
sum and max: nothing that reads the events is faster. `analyst SQL` is what a skilled analyst writes in DuckDB for the
purchase columns: conditional aggregates over events joined with the snapshots. The DuckDB and Polars plans group by
customer and period first. featuretools runs when its Python is given with --featuretools, and the Polars plan when its
Python is given with --polars. `benchmarks.features_chart` draws seconds against events and snapshots.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.workload import AS_OF, generate

WINDOWS = (30, 90, 180, 360)
SIZES = {
    "W1": (100_000, 5_000_000, 500_000, 1_000_000),
    "W2": (1_000_000, 50_000_000, 5_000_000, 10_000_000),
    "W3": (1_000_000, 200_000_000, 20_000_000, 40_000_000),
}
SAMPLE = 200


def snapshots(count: int) -> list[dt.date]:
    """The as-of dates, newest first."""
    return [AS_OF - dt.timedelta(days=30 * i) for i in range(count)]


def product(folder: Path, count: int, *, purchases_only: bool = False) -> tuple[int, int]:
    """This product: sources opened and checked, all features of all snapshots."""
    from configs.schema import load_config
    from pipeline.dataset.matrix import build_matrix
    from pipeline.sources.opening import open_sources

    config = load_config(folder / ("purchases.yaml" if purchases_only else "bench.yaml"), {})
    frame = build_matrix(open_sources(config, AS_OF), config, snapshots(count)).frame
    return frame.shape


def floor(folder: Path, sources: tuple[str, ...]) -> tuple[int, int]:
    """One group-by a source."""
    import duckdb

    measure = {"purchases": "sum(amount)", "feedback": "sum(score)", "contacts": "count(resolved_at)"}
    rows = 0
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        for source in sources:
            query = (
                f"create temp table {source} as select customer_id, count(*), {measure[source]}, max(occurred_at) "
                f"from read_parquet('{folder / source}.parquet') group by customer_id"
            )
            rows += connection.execute(query).fetchone()[0]
    return rows, 4


def analyst(folder: Path, count: int) -> tuple[int, int]:
    """The purchase columns by conditional aggregates over events joined with the snapshots."""
    import duckdb

    inside = "e.occurred_at >= s.t - interval {w} day"
    before = "e.occurred_at < s.t - interval {w} day and e.occurred_at >= s.t - interval {v} day"
    recency = "date_diff('second', max(e.occurred_at), s.t) / 86400.0"
    tenure = "date_diff('second', min(e.occurred_at), s.t) / 86400.0"
    gap = "date_diff('second', min(e.occurred_at), max(e.occurred_at)) / 86400.0 / nullif(count(*) - 1, 0)"
    columns = [
        "count(*) as n, sum(e.amount) as spend, avg(e.amount) as mean, max(e.amount) as largest",
        f"{recency} as recency_days, {tenure} as tenure_days, {gap} as gap",
        f"{recency} / nullif({gap}, 0) as recency_ratio, {recency} / nullif({tenure}, 0) as recency_share",
        f"count(*) * 365.25 / nullif({tenure}, 0) as rate, case when count(*) = 1 then {tenure} end as wait",
        f"count(distinct date_diff('day', e.occurred_at, s.t) // 30) / ceil({tenure} / 30) as regularity",
    ]
    for w in WINDOWS[:-1]:
        year_ago, season = before.format(w=360, v=360 + w), before.format(w=360 - w, v=360)
        columns += [f"count(*) filter ({year_ago}) as year_ago_{w}, count(*) filter ({season}) as season_{w}"]
    for w in WINDOWS:
        here, there = inside.format(w=w), before.format(w=w, v=2 * w)
        columns += [
            f"count(*) filter ({here}) as count_{w}, sum(e.amount) filter ({here}) as spend_{w}",
            f"count(*) filter ({here}) - count(*) filter ({there}) as change_{w}",
            f"sum(e.amount) filter ({here}) - sum(e.amount) filter ({there}) as spend_change_{w}",
            f"sum(pow(0.5, date_diff('second', e.occurred_at, s.t) / 86400.0 / {w})) as intensity_{w}",
        ]
    days = ", ".join(f"(timestamp '{day}')" for day in snapshots(count))
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        found = connection.execute(
            f"select e.customer_id, s.t, {', '.join(columns)} from read_parquet('{folder}/purchases.parquet') e "
            f"join (values {days}) s(t) on e.occurred_at < s.t group by e.customer_id, s.t "
            "having max(e.occurred_at) >= s.t - interval 180 day"
        ).to_arrow_table()
    return found.num_rows, found.num_columns


def duckdb_partials(folder: Path, count: int) -> tuple[int, int]:
    """The purchase columns by a DuckDB plan that groups by customer and period first."""
    from benchmarks.features_duckdb import duckdb_plan

    found = duckdb_plan(folder, count, WINDOWS)
    return found.num_rows, found.num_columns


def pandas_loop(folder: Path, count: int) -> tuple[int, int]:
    """The purchase columns by pandas, snapshot after snapshot."""
    import pandas as pd

    events = pd.read_parquet(folder / "purchases.parquet")
    frames = []
    for day in snapshots(count):
        t = pd.Timestamp(day)
        past = events[events.occurred_at < t]
        grouped = past.groupby("customer_id")
        frame = grouped.agg(n=("amount", "size"), first=("occurred_at", "min"), last=("occurred_at", "max"))
        frame[["spend", "mean", "largest"]] = grouped.amount.agg(["sum", "mean", "max"])
        for w in WINDOWS:
            now = (
                past[past.occurred_at >= t - pd.Timedelta(days=w)]
                .groupby("customer_id")
                .amount.agg(["size", "sum"])
            )
            late, early = t - pd.Timedelta(days=w), t - pd.Timedelta(days=2 * w)
            then = past[(past.occurred_at < late) & (past.occurred_at >= early)]
            then = then.groupby("customer_id").amount.agg(["size", "sum"])
            frame[[f"count_{w}", f"spend_{w}"]] = now
            frame[[f"change_{w}", f"spend_change_{w}"]] = now.sub(then, fill_value=0)
        frames.append(frame[frame["last"] >= t - pd.Timedelta(days=180)].assign(snapshot=t))
    whole = pd.concat(frames)
    return whole.shape


def featuretools(folder: Path, count: int) -> tuple[int, int]:
    """Deep feature synthesis with cutoff times, on the customers of a sample that it can finish."""
    import featuretools as ft
    import pandas as pd
    import pyarrow.parquet as pq

    ids = pq.read_table(folder / "customers.parquet", columns=["customer_id"])["customer_id"].to_pylist()[
        :SAMPLE
    ]
    events = pq.read_table(folder / "purchases.parquet", filters=[("customer_id", "in", ids)]).to_pandas()
    events["event"] = range(len(events))
    entities = ft.EntitySet("bench")
    entities.add_dataframe(
        dataframe_name="purchases", dataframe=events, index="event", time_index="occurred_at"
    )
    entities.add_dataframe(
        dataframe_name="customers", dataframe=pd.DataFrame({"customer_id": ids}), index="customer_id"
    )
    entities.add_relationship("customers", "customer_id", "purchases", "customer_id")
    cutoffs = pd.DataFrame(
        [(i, pd.Timestamp(d)) for d in snapshots(count) for i in ids], columns=["customer_id", "time"]
    )
    rows = 0
    columns = 0
    for window in WINDOWS:
        matrix, _ = ft.dfs(
            entityset=entities,
            target_dataframe_name="customers",
            cutoff_time=cutoffs,
            training_window=f"{window} days",
            agg_primitives=["count", "sum", "mean", "max", "time_since_last", "avg_time_between"],
            trans_primitives=[],
        )
        rows, columns = len(matrix), columns + matrix.shape[1]
    return rows, columns


def polars(folder: Path, count: int) -> tuple[int, int]:
    """The purchase columns by a Polars plan."""
    from benchmarks.features_polars import polars_plan

    return polars_plan(folder, count, WINDOWS).shape


CONTENDERS = {
    "product": product,
    "product, purchases only": lambda f, n: product(f, n, purchases_only=True),
    "floor": lambda f, n: floor(f, ("purchases", "feedback", "contacts")),
    "floor, purchases only": lambda f, n: floor(f, ("purchases",)),
    "analyst SQL, purchases only": analyst,
    "DuckDB plan, purchases only": duckdb_partials,
    "pandas loop, purchases only": pandas_loop,
    "Polars plan, purchases only": polars,
    "featuretools, purchases only": featuretools,
}


def one(name: str, folder: Path, count: int) -> None:
    """Run a contender and print its seconds, peak gigabytes, rows and columns as JSON."""
    import duckdb  # noqa: F401
    import pandas  # noqa: F401

    if name.startswith("product"):
        import pipeline.dataset.matrix  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    rows, columns = CONTENDERS[name](folder, count)
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "gigabytes": after.ru_maxrss / 1e6,
        "rows": rows,
        "columns": columns,
    }
    print(json.dumps(figures))


def measure(name: str, folder: Path, count: int, python: str = sys.executable) -> dict[str, float] | None:
    """Run a contender in a process of its own and print its line."""
    command = [
        python,
        "-m",
        "benchmarks.features",
        "--one",
        name,
        "--folder",
        str(folder),
        "--count",
        str(count),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."}
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        print(f"{name:32s} {count:2d} snapshots: failed: {last[0]}", flush=True)
        return None
    found = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{name:32s} {count:2d} snapshots {found['seconds']:9.2f} s {found['cpu']:8.2f} CPU s "
        f"{found['gigabytes']:6.2f} GB "
        f"{found['rows']:10,} rows {found['columns']:4d} columns "
        f"{1e6 * found['seconds'] / found['rows']:10.1f} us a row "
        f"{found['rows'] / found['seconds']:10,.0f} rows a second",
        flush=True,
    )
    return found


def prepared(workload: str, folder: Path, size: tuple[int, int, int, int] | None = None) -> Path:
    """The workload's files, made when they are not there yet; `size` is that of a workload of another name."""
    place = folder / workload
    if not (place / "bench.yaml").exists():
        print(f"make {workload} in {place}", flush=True)
        generate(place, *(size or SIZES[workload]))
    text = (place / "bench.yaml").read_text(encoding="utf-8")
    if workload == "W3":
        text += "engine: {memory_gb: 1.8}\n" if "engine:" not in text else ""
        (place / "bench.yaml").write_text(text, encoding="utf-8")
    head, _, rest = text.partition("  customers:\n")
    purchases = rest[rest.index("  transactions:") : rest.index("  feedback:")]
    (place / "purchases.yaml").write_text(head + purchases, encoding="utf-8")
    return place


def main() -> None:
    """Measure a workload."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", nargs="?", choices=SIZES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "churn-benchmark")
    parser.add_argument("--featuretools", help="Python of an environment that has featuretools")
    parser.add_argument("--polars", help="Python of an environment that has Polars, DuckDB and pandas")
    parser.add_argument("--one", choices=CONTENDERS)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5, help="pairs of floor and product on W2")
    given = parser.parse_args()
    if given.one:
        one(given.one, given.folder, given.count)
        return
    folder = prepared(given.workload, given.folder)
    if given.workload == "W1":
        for name, count in (("product", 12), ("product", 1), ("product, purchases only", 12)):
            measure(name, folder, count)
        measure("floor, purchases only", folder, 12)
        measure("analyst SQL, purchases only", folder, 12)
        measure("DuckDB plan, purchases only", folder, 12)
        measure("pandas loop, purchases only", folder, 12)
        measure("Polars plan, purchases only", folder, 12, given.polars or sys.executable)
        measure("featuretools, purchases only", folder, 12, given.featuretools or sys.executable)
    elif given.workload == "W2":
        pairs = [(measure("floor", folder, 1), measure("product", folder, 1)) for _ in range(given.runs)]
        times = [
            after["seconds"] / before["seconds"]
            for before, after in pairs
            if before is not None and after is not None
        ]
        print(
            f"product / floor: {', '.join(f'{t:.1f}' for t in times)}; median {statistics.median(times):.1f}"
        )
        for name in ("product, purchases only", "floor, purchases only"):
            measure(name, folder, 1)
    else:
        measure("product", folder, 1)


if __name__ == "__main__":
    main()
