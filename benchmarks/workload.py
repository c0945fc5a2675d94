"""Make the files of the feature benchmarks: a seeded company of any size, events in random order.

python -m benchmarks.workload DIR --customers 100000 --purchases 5000000 --feedback 500000 --contacts 1000000
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

AS_OF = dt.date(2026, 1, 1)
DAYS = 1_080
CHUNK = 5_000_000

CONFIG = """\
name: bench
as_of: 2026-01-01
churn: {kind: non_contractual, active_days: 180, horizon_days: 60}
snapshots: {step_days: 30, max_count: 12}
sources:
  customers:
    uri: customers.parquet
    columns: {customer_id: customer_id, started_at: started_at}
    attributes: [plan, region]
  transactions:
    uri: purchases.parquet
    columns: {customer_id: customer_id, occurred_at: occurred_at, amount: amount}
  feedback:
    uri: feedback.parquet
    low_score: 6
    columns: {customer_id: customer_id, occurred_at: occurred_at, score: score}
  contacts:
    uri: contacts.parquet
    columns:
      {customer_id: customer_id, occurred_at: occurred_at, channel: channel, direction: direction,
       agent: agent, topic: topic, resolved_at: resolved_at}
"""


def _ids(numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise("C", pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 8, "0"), "")


def _words(rng: np.random.Generator, words: list[str], n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(rng.integers(0, len(words), n, dtype=np.int8)), words
    ).dictionary_decode()


def _moments(rng: np.random.Generator, n: int) -> np.ndarray:
    end = np.datetime64(AS_OF, "us")
    return end - rng.integers(1, DAYS * 86_400, n).astype("timedelta64[s]")


def _write(path: Path, rows: int, make) -> None:
    writer = None
    for start in range(0, rows, CHUNK):
        table = pa.table(make(min(CHUNK, rows - start)))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1_000_000)
    assert writer is not None
    writer.close()


def generate(
    folder: Path, customers: int, purchases: int, feedback: int, contacts: int, seed: int = 7
) -> None:
    """Write customers, purchases, feedback and contacts, and `bench.yaml`, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    share = rng.gamma(1.5, 1.0, customers)
    bounds = np.cumsum(share) / share.sum()

    def who(n: int) -> pa.Array:
        return _ids(np.minimum(np.searchsorted(bounds, rng.random(n)), customers - 1))

    def purchase(n: int) -> dict[str, object]:
        return {
            "customer_id": who(n),
            "occurred_at": _moments(rng, n),
            "amount": rng.gamma(2.0, 20.0, n).round(2),
        }

    def answer(n: int) -> dict[str, object]:
        score = pa.array(rng.integers(0, 11, n).astype(np.float64), mask=rng.random(n) < 0.4)
        return {"customer_id": who(n), "occurred_at": _moments(rng, n), "score": score}

    def contact(n: int) -> dict[str, object]:
        at = _moments(rng, n)
        solved = pa.array(
            at + rng.integers(3_600, 20 * 86_400, n).astype("timedelta64[s]"), mask=rng.random(n) < 0.3
        )
        return {
            "customer_id": who(n),
            "occurred_at": at,
            "channel": _words(rng, ["phone", "mail", "chat"], n),
            "direction": _words(rng, ["inbound", "outbound"], n),
            "agent": _words(rng, [f"agent {i:02d}" for i in range(40)], n),
            "topic": _words(rng, ["review", "complaint", "how-to", "billing"], n),
            "resolved_at": solved,
        }

    started = (
        np.datetime64(AS_OF, "us")
        - np.timedelta64(DAYS, "D")
        + rng.integers(0, 300, customers).astype("timedelta64[D]")
    )
    people = {
        "customer_id": _ids(np.arange(customers)),
        "started_at": started,
        "plan": _words(rng, ["basic", "plus", "pro"], customers),
        "region": _words(rng, ["north", "south", "east", "west"], customers),
    }
    pq.write_table(pa.table(people), folder / "customers.parquet")
    _write(folder / "purchases.parquet", purchases, purchase)
    _write(folder / "feedback.parquet", feedback, answer)
    _write(folder / "contacts.parquet", contacts, contact)
    (folder / "bench.yaml").write_text(CONFIG, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name, default in (
        ("customers", 100_000),
        ("purchases", 5_000_000),
        ("feedback", 500_000),
        ("contacts", 1_000_000),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    generate(given.folder, given.customers, given.purchases, given.feedback, given.contacts)
