"""Time of the retention table at scale, out of core.

    python -m benchmarks.retention --customers 10000000 --months 36

Writes a company of contracts and one of purchases as Parquet, then reports the table of the last `months`
complete months with DuckDB held to `--memory` and `--threads`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from configs.schema import Churn
from models.statistics.survival import survival_table
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.audit import audit_table
from pipeline.retention.tables.cohorts import cohort_table
from pipeline.retention.tables.rate import retention_table
from pipeline.retention.tables.revenue import revenue_table
from pipeline.retention.tables.survival import lifetimes

AS_OF = dt.date(2024, 1, 1)
DAYS = 1_400


def write(folder: Path, customers: int, purchases: int) -> None:
    """Write both companies; each purchase follows the one before by a random gap."""
    connection = duckdb.connect()
    start = f"(timestamp '{AS_OF}' - interval {DAYS} day)"
    connection.execute(
        f"""copy (select 'c' || id as customer_id,
              {start} + to_seconds((hash(id) % ({DAYS} * 86400))::bigint) as started_at,
              case when hash(id, 1) % 3 = 0 then {start} + to_seconds((hash(id) % ({DAYS} * 86400)
                + hash(id, 2) % (({DAYS} * 86400) - hash(id) % ({DAYS} * 86400)))::bigint) end as ended_at,
              case when hash(id, 3) % 5 = 0 then 'completed' else 'price' end as end_reason,
              'region ' || hash(id, 4) % 4 as region
            from range({customers}) t(id)) to '{folder}/customers.parquet' (format parquet)"""
    )
    connection.execute(
        f"""copy (select 'c' || hash(n) % {customers} as customer_id,
              {start} + to_seconds((hash(n, 1) % ({DAYS} * 86400))::bigint) as occurred_at,
              (hash(n, 2) % 10000) / 100.0 as amount
            from range({purchases}) t(n)) to '{folder}/transactions.parquet' (format parquet)"""
    )


def measured(
    tables: dict[str, ibis.Table], months: int, *, everything: bool
) -> dict[str, Callable[[], pd.DataFrame]]:
    """Name to work: the retention table of both companies, and the other tables when wanted."""
    contracts = Churn(kind="contractual", horizon_days=30, not_churn_reasons=["completed"])
    shop = Churn(kind="non_contractual", horizon_days=30, active_days=180)
    chosen: dict[str, Callable[[], pd.DataFrame]] = {}
    for name, churn in (("contracts", contracts), ("purchases", shop)):
        for segment in (None, "region"):
            title = f"{name} by {segment}" if segment else name
            chosen[title] = partial(retention_table, tables, churn, AS_OF, periods=months, segment=segment)
    if everything:
        chosen["cohorts"] = partial(cohort_table, tables, shop, AS_OF, periods=months)
        chosen["revenue"] = partial(revenue_table, tables, AS_OF, periods=months)
        chosen["lifetimes"] = lambda: survival_table(lifetimes(tables, shop, AS_OF))
        chosen["audit"] = lambda: audit_table(tables, shop, periods_until(AS_OF, "month", 1)[0])
    return chosen


def main() -> None:
    """Parse, write, time, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=10_000_000)
    parser.add_argument("--purchases-each", type=int, default=6)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument(
        "--all", action="store_true", help="time cohorts, revenue, lifetimes and the audit, too"
    )
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, args.customers, args.customers * args.purchases_each)
        connection = ibis.duckdb.connect(
            threads=args.threads, memory_limit=args.memory, temp_directory=str(folder / "spill")
        )
        roles = ("customers", "transactions")
        tables = {
            role: connection.read_parquet(folder / f"{role}.parquet", table_name=role) for role in roles
        }
        for title, work in measured(tables, args.months, everything=args.all).items():
            begun = time.perf_counter()
            rows = len(work())
            print(f"{title:20} {time.perf_counter() - begun:6.1f} s  {rows} rows", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.1f} GB")


if __name__ == "__main__":
    main()
