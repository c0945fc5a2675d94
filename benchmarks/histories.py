"""Random histories of nights: what is read with `engine.store` is what is read without it.

    python -m benchmarks.histories 1000

Between two nights of a small company files are added, corrected, shortened, renamed, copied and removed, rows come
late, settings change, and what is kept breaks. Each night is read by both configs; their fingerprints, notes, looks,
ids, divided rows and features must be equal, or the errors. What happened how often is printed, and what was read
again after it; Ctrl-C ends after the history that it meets.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import ChurnError
from configs.schema import Config
from pipeline.dataset import shards
from pipeline.dataset.matrix import matrix_and_rows
from pipeline.layout import layout_of
from pipeline.sources import known_files
from pipeline.sources.databases import arrow
from pipeline.sources.opening import open_sources

BEGIN = dt.date(2024, 6, 1)
# So few rows a shard, and parts of two files or three, that a small company is like a large one.
SMALL = ((shards, "ROWS_A_SHARD", 60), (known_files, "_SHARE", 0.45))
_NIGHTS = 4
_AGO = 90


@dataclass
class Company:
    """A small company: tables in files, and the settings of its config.

    Parameters
    ----------
    happened
        Since the night before: how often what changed, how many rows came late, and whether the night is an error.
    read, kept
        Files of a night with the store that were read again, and how many were not.
    """

    folder: Path
    rng: np.random.Generator
    as_of: dt.date = BEGIN
    settings: dict[str, Any] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)
    read: int = 0
    kept: int = 0

    def config(self, *, store: bool) -> Config:
        """Its config, with or without the store."""
        named = {"customer_id": "customer_id", "occurred_at": "occurred_at", "known_at": "known_at"}
        people = {"customer_id": "customer_id", "started_at": "started_at"}
        contacts = {"channel": "channel", "direction": "direction", "resolved_at": "resolved_at"}
        return Config.model_validate(
            {
                "name": "company",
                "home": self.folder,
                "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 60},
                "sources": {
                    "customers": {"uri": "customers.parquet", "columns": people},
                    "transactions": {
                        "uri": "transactions",
                        "columns": {**named, "amount": "amount"},
                        "max_future_share": 1.0,
                        **self.settings,
                    },
                    "contacts": {
                        "uri": "contacts",
                        "columns": {**named, **contacts},
                        "max_future_share": 1.0,
                    },
                },
                "features": {"windows_days": [30]},
                "model": {"threads": 1},
                "engine": {"store": store},
            }
        )

    def files(self) -> list[Path]:
        """The files of its events."""
        return sorted([*self.folder.glob("transactions/*"), *self.folder.glob("contacts/*")])

    def one(self) -> Path:
        """One of them."""
        return self.files()[self.rng.integers(len(self.files()))]

    def rows(self, role: str, count: int, ago: int) -> pd.DataFrame:
        """Rows of so many days up to a few hours after the as-of date, some known later."""
        rng, end = self.rng, np.datetime64(self.as_of, "us")
        day = np.timedelta64(86_400, "s")
        at = end - (rng.random(count) * ago * 86_400).astype("timedelta64[s]")
        late = rng.random(count) < 0.1
        self.happened.update({"late rows": int(late.sum())} if late.any() else {})
        known = np.where(late, end - (rng.random(count) * 86_400).astype("timedelta64[s]"), at)
        ids = [f"c{number:02d}" for number in rng.integers(0, 40, count)]
        table = pd.DataFrame({"customer_id": ids, "occurred_at": at, "known_at": np.maximum(known, at)})
        if role == "transactions":
            return table.assign(amount=rng.gamma(2.0, 20.0, count).round(2))
        solved = pd.Series(at + (rng.random(count) * 3 * day).astype("timedelta64[s]"))
        return table.assign(
            channel=rng.choice(["phone", "mail"], count),
            direction=rng.choice(["inbound", "outbound"], count),
            resolved_at=solved.where((solved < end) | (rng.random(count) < 0.05)),
        )

    def write(self, path: Path, table: pd.DataFrame) -> None:
        """Write a file; most are of an earlier day."""
        content = pa.Table.from_pandas(table, preserve_index=False)
        filled = [one.with_nullable(bool(table[one.name].isna().any())) for one in content.schema]
        pq.write_table(content.cast(pa.schema(filled)), path)
        if self.rng.random() < 0.9:
            os.utime(path, (1.7e9, 1.7e9))

    def begin(self) -> None:
        """Write its first files."""
        people = pd.DataFrame({"customer_id": [f"c{number:02d}" for number in range(40)]})
        people["started_at"] = np.datetime64(self.as_of, "us") - np.timedelta64(200, "D")
        people.to_parquet(self.folder / "customers.parquet", index=False)
        for role in ("transactions", "contacts"):
            (self.folder / role).mkdir()
            for number in range(self.rng.integers(2, 5)):
                self.write(self.folder / role / f"{number}.parquet", self.rows(role, 50, _AGO))


def add(company: Company) -> None:
    """The files of a day; sometimes some of its rows lie at or after the as-of date."""
    for role in ("transactions", "contacts"):
        rows = company.rows(role, 12, 2)
        if company.rng.random() < 0.2:
            rows[["occurred_at", "known_at"]] += pd.Timedelta(hours=20)
        company.write(company.folder / role / f"day{company.rng.integers(1_000_000)}.parquet", rows)


def correct(company: Company) -> None:
    """One cell of a file is another."""
    path = company.one()
    table = pd.read_parquet(path)
    column = company.rng.choice([c for c in table if c != "resolved_at"])
    table.loc[0, column] = table[column].iloc[-1]
    company.write(path, table)


def shorten(company: Company) -> None:
    """Rows of a customer are deleted from a file."""
    path = company.one()
    table = pd.read_parquet(path)
    company.write(path, table[table["customer_id"] != table["customer_id"].iloc[0]])


def shuffle(company: Company) -> None:
    """The rows of a file stand in another order."""
    path = company.one()
    company.write(path, pd.read_parquet(path).sample(frac=1.0, random_state=1))


def rename(company: Company) -> None:
    """A file has another name."""
    path = company.one()
    path.rename(path.with_name(f"moved{company.rng.integers(1_000_000)}.parquet"))


def copy(company: Company) -> None:
    """A file stands there twice: its rows count twice."""
    path = company.one()
    path.with_name(f"copy{company.rng.integers(1_000_000)}.parquet").write_bytes(path.read_bytes())


def remove(company: Company) -> None:
    """A file is gone."""
    path = company.one()
    if len(list(path.parent.iterdir())) > 1:
        path.unlink()


def blank(company: Company) -> None:
    """An id has a blank at its end, so that all texts of the source are trimmed."""
    path = company.one()
    table = pd.read_parquet(path)
    company.write(path, table.assign(customer_id=table["customer_id"] + " "))


def spoil(company: Company) -> None:
    """A value that breaks the contract of the role."""
    path = company.one()
    table = pd.read_parquet(path)
    table.loc[0, "customer_id"] = None
    company.write(path, table)


def other_settings(company: Company) -> None:
    """Other rows of the purchases count, or their times are of another zone."""
    choices: list[dict[str, Any]] = [
        {},
        {"where": [{"column": "amount", "above": 20.0}]},
        {"time_zone": "Asia/Tehran"},
        {"columns": {"customer_id": "customer_id", "occurred_at": "occurred_at"}},
    ]
    company.settings = choices[company.rng.integers(len(choices))]


def damage(company: Company) -> None:
    """A file of the store is cut, has another byte, or is gone."""
    kept = sorted(path for path in layout_of(company.config(store=True)).store.rglob("*") if path.is_file())
    for path in kept:
        content = bytearray(path.read_bytes())
        match company.rng.integers(6):
            case 0:
                path.write_bytes(content[: company.rng.integers(len(content))])
            case 1:
                content[company.rng.integers(len(content))] ^= 1 << company.rng.integers(8)
                path.write_bytes(content)
            case 2:
                path.unlink()


def earlier(company: Company) -> None:
    """The next night is one of the past."""
    company.as_of -= dt.timedelta(int(company.rng.integers(2, 20)))


CHANGES: tuple[Callable[[Company], None], ...] = (
    *(add, add, add, correct, shorten, shuffle, rename, copy, remove, blank, spoil),
    *(other_settings, damage, earlier),
)


def state(config: Config, as_of: dt.date, company: Company) -> dict[str, Any]:
    """All that a night reads, in plain values that do not depend on the order of rows; or the error."""
    try:
        sources = open_sources(config, as_of)
        matrix, rows = matrix_and_rows(sources, config, [as_of])
    except ChurnError as error:
        company.happened["error"] = 1
        return {"error": str(error)}
    for line in sources.reread:
        again, total, *_ = (int(word) for word in [*line.split(), "0", "0"] if word.isdigit())
        company.read, company.kept = company.read + again, company.kept + total - again
    found = {
        "fingerprints": sources.fingerprints,
        "notes": list(map(str, sources.notes)),
        "looks": list(map(str, sources.look)),
        "ids": in_order(arrow(sources.ids.table).to_pandas()),
        "counts": dict(sources.ids.counts),
        "features": matrix.frame.to_csv(index=False),
    }
    for role, table in ({} if rows is None else rows.tables).items():
        numbers = table["customer_id"].combine_chunks()
        named = table.set_column(
            table.column_names.index("customer_id"), "customer_id", rows.ids.combine_chunks().take(numbers)
        )
        found[f"rows of {role}"] = in_order(named.to_pandas())
    return found


def in_order(table: pd.DataFrame) -> str:
    """The rows of a table as text, sorted."""
    return "\n".join(sorted(table.to_csv(index=False, header=False).splitlines()))


def live(folder: Path, seed: int) -> Iterator[tuple[Counter[str], int, int]]:
    """Live through one history: of each night what happened before it, files that were read again, and files not.

    Raises
    ------
    AssertionError
        When a night reads another thing with the store than without it.
    """
    company = Company(folder, np.random.default_rng(seed))
    company.begin()
    for night in range(_NIGHTS):
        changes = company.rng.choice(len(CHANGES), size=company.rng.integers(0, 3)) if night else ()
        for change in changes:
            CHANGES[change](company)
            company.happened[CHANGES[change].__name__] += 1
        if night and not len(changes):
            company.happened["nothing"] = 1
        warm = state(company.config(store=True), company.as_of, company)
        cold = state(company.config(store=False), company.as_of, company)
        for name in {*warm, *cold}:
            told = f"history {seed}, night {night} after {dict(company.happened)}: {name}"
            assert warm.get(name) == cold.get(name), told
        yield company.happened, company.read, company.kept
        company.happened, company.read, company.kept = Counter(), 0, 0
        company.as_of += dt.timedelta(1)


def main() -> None:
    """Live through histories, and print what they came to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("histories", type=int)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first")
    given = parser.parse_args()
    for module, name, value in SMALL:
        setattr(module, name, value)
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
    begun, lived = time.process_time(), 0
    times, read, kept = Counter[str](), Counter[str](), Counter[str]()
    while lived < given.histories and not stopped:
        with tempfile.TemporaryDirectory() as folder:
            for happened, again, saved in live(Path(folder), given.first + lived):
                times += happened
                for name in {"all nights", *happened}:
                    read[name], kept[name] = read[name] + again, kept[name] + saved
        lived += 1
    seconds = time.process_time() - begun
    print(
        f"{lived} histories of {_NIGHTS} nights, each as without a store: {read['all nights']} files read, "
        f"{kept['all nights']} not read again; {seconds:.0f} CPU s"
    )
    print(f"\n{'before a night':<16}{'times':>8}{'files read':>12}{'not again':>12}")
    for name in sorted(times):
        print(f"{name.replace('_', ' '):<16}{times[name]:>8}{read[name]:>12}{kept[name]:>12}")


if __name__ == "__main__":
    main()
