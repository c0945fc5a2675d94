"""Many nights in a row as cron would run them: what each takes in seconds, memory and disk, and whether it grows.

    python -m benchmarks.nights --customers 1000000 --nights 30
    python -m benchmarks.nights --customers 1000000 --nights 30 --command nightly

A company without contracts gets one more file of purchases and one more of contacts a day. Each night is a process of
its own: `churn score`, or the whole `churn nightly` with its parts. Memory is the peak of the largest process, as the
system counts it. So that a night is cheap there are few events a customer, and a small model.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.unattended.process import Ended, run_process

FIRST = dt.date(2026, 3, 1)
HISTORY, PIECE = 420, 30
CONFIG = """\
name: nights
churn: {{kind: non_contractual, active_days: 360, horizon_days: 60}}
snapshots: {{step_days: 30, max_count: 6}}
model: {{max_training_rows: {training_rows}, trees: 60, seeds: 1, horizons_days: []}}
retention: {{periods: 3, goals: []}}
outreach: {{candidates: 1000}}
nightly: {{train_on: [], train_after_days: null, train_when: []}}
sources:
  customers:
    uri: customers.parquet
    columns: {{customer_id: id, started_at: since}}
    attributes: [plan]
  transactions:
    uri: purchases/*.parquet
    columns: {{customer_id: id, occurred_at: at, amount: amount}}
  contacts:
    uri: contacts/*.parquet
    columns: {{customer_id: id, occurred_at: at, channel: channel, direction: direction, topic: topic}}
"""
HOURS, TRIES = 4 * 3_600.0, 6


class Company:
    """Customers with rhythms of their own; its days are drawn by their dates, so that a day is always the same."""

    def __init__(self, folder: Path, customers: int, purchases: float, contacts: float) -> None:
        self.folder, self.customers = folder, customers
        self.a_day = {"purchases": purchases * customers / 365, "contacts": contacts * customers / 365}
        share = np.random.default_rng(7).gamma(4.0, 1.0, customers)
        self.bounds = np.cumsum(share) / share.sum()
        self.ids = np.char.add("C", np.char.zfill(np.arange(customers).astype(str), 8))

    def begin(self, training_rows: int) -> None:
        """Write the customers, the days before the first night and the config."""
        since = np.datetime64(FIRST, "s") - np.timedelta64(HISTORY * 86_400, "s")
        rng = np.random.default_rng(8)
        plan = np.array(["basic", "plus", "pro"])[rng.integers(0, 3, self.customers)]
        at = since + rng.integers(0, HISTORY // 2, self.customers) * 86_400
        frame = pd.DataFrame({"id": self.ids, "since": at, "plan": plan})
        frame.to_parquet(self.folder / "customers.parquet", index=False)
        for back in range(HISTORY, 0, -PIECE):
            self.add(FIRST - dt.timedelta(back), PIECE)
        (self.folder / "nights.yaml").write_text(CONFIG.format(training_rows=training_rows), encoding="utf-8")

    def add(self, first: dt.date, days: int = 1) -> None:
        """Write what happens on some days."""
        for name, a_day in self.a_day.items():
            rng = np.random.default_rng([first.toordinal(), len(name)])
            count = rng.poisson(a_day * days)
            who = np.minimum(np.searchsorted(self.bounds, rng.random(count)), self.customers - 1)
            at = np.datetime64(first, "s") + rng.integers(0, days * 86_400, count).astype("timedelta64[s]")
            rows = {"id": self.ids[who], "at": at, **_more(name, rng, count)}
            (self.folder / name).mkdir(exist_ok=True)
            pq.write_table(pa.table(rows), self.folder / name / f"{first}.parquet")


def _more(name: str, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    if name == "purchases":
        return {"amount": rng.gamma(2.0, 20.0, count).round(2)}
    words = {
        "channel": ["phone", "mail"],
        "direction": ["inbound", "outbound"],
        "topic": ["review", "complaint"],
    }
    return {key: np.array(some)[rng.integers(0, 2, count)] for key, some in words.items()}


def ran(command: str, folder: Path, as_of: dt.date) -> Ended:
    """Run a command to its end, again where it asks for that; one that fails ends the benchmark."""
    options = ["--config", str(folder / "nights.yaml"), "--as-of", str(as_of)]
    for _ in range(TRIES):
        ended = run_process([command, *options], quiet=True, seconds=HOURS)
        if ended.code != 75:
            break
        print(f"{command} of {as_of} tries again: {ended.said}", flush=True)
    if ended.code not in (0, 3):
        raise SystemExit(f"{command} of {as_of}: exit code {ended.code}\n{ended.values}\n{ended.said}")
    return ended


def night(command: str, folder: Path, as_of: dt.date) -> dict[str, object]:
    """Run one; what it took, and what the journal says of its parts."""
    ended = ran(command, folder, as_of)
    journal = folder / "data" / "nights" / "nights.jsonl"
    parts = json.loads(journal.read_text("utf-8").splitlines()[-1])["parts"] if command == "nightly" else {}
    return {
        "night": str(as_of),
        "code": ended.code,
        "seconds": ended.seconds,
        **{name: part["seconds"] for name, part in parts.items()},
        "peak MB": ended.megabytes,
        "disk MB": sum(file.stat().st_size for file in home_of(folder)) / 1e6,
    }


def home_of(folder: Path) -> list[Path]:
    """Every file that churn has written: data, tracking store and its artifacts."""
    written = [folder / "data", folder / "mlartifacts"]
    files = [
        file for place in written for file in place.rglob("*") if file.is_file() and not file.is_symlink()
    ]
    return [*files, *folder.glob("mlflow.db*")]


def trend(values: list[float]) -> str:
    """How much the last third is above the first, by their medians."""
    third = max(1, len(values) // 3)
    early, late = np.median(values[:third]), np.median(values[-third:])
    return f"{early:,.0f} to {late:,.0f} ({late / early - 1:+.1%})"


COLUMNS = ("night", "code", "seconds", "check", "score", "outcomes", "peak MB", "disk MB")


def main() -> None:
    """Make the company, and run its nights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--command", choices=("score", "nightly"), default="score")
    parser.add_argument("--purchases", type=float, default=4.0, help="of a customer in a year")
    parser.add_argument("--contacts", type=float, default=0.3, help="of a customer in a year")
    parser.add_argument("--training-rows", type=int, default=20_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="churn-nights-"))
    try:
        company = Company(folder, given.customers, given.purchases, given.contacts)
        company.begin(given.training_rows)
        trained = ran("train", folder, FIRST)
        print(f"train: {trained.seconds:.0f} s, {trained.megabytes:,.0f} MB")
        print(" ".join(f"{name:>10}" for name in COLUMNS), flush=True)
        rows = []
        for number in range(given.nights):
            rows.append(night(given.command, folder, FIRST + dt.timedelta(number)))
            print(" ".join(f"{_shown(rows[-1].get(name, '')):>10}" for name in COLUMNS), flush=True)
            company.add(FIRST + dt.timedelta(number))
        for name in ("seconds", "peak MB"):
            print(f"{name}, first third of the nights against the last: {trend([r[name] for r in rows])}")
        print(f"disk a night: {(rows[-1]['disk MB'] - rows[0]['disk MB']) / max(1, len(rows) - 1):,.1f} MB")
    finally:
        shutil.rmtree(folder)


def _shown(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
