"""How long a training with the default configuration takes, and whether the time to go is true while it runs.

    python -m benchmarks.training

The known sets, a generated table of 50,000 rows and 57 columns, and a generated company of 16,000 customers at twelve
snapshots. Seconds are those of `churn train` from the sources to a promoted model in a new tracking store, without the
start of Python. `to go` has, for each step of the backtest that ends three seconds before the last one or more, what
was said of the time to go as a share of what it was.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tasks import TASKS, config_of
from benchmarks.workload import AS_OF, generate
from configs.schema import Config, load_config
from pipeline.progress import progress_line
from pipeline.training import train as training

GENERATED = {"table": dt.date(2026, 1, 1), "company": AS_OF}
ROWS, NUMBERS, COUNTS, TEXTS = 50_000, 25, 12, 20
COMPANY = (16_000, 320_000, 80_000, 160_000)
SHORTEST_SECONDS = 3.0


def wide_table(folder: Path, seed: int = 7) -> Path:
    """Write a table of 57 columns, a fifth of which tell something, and its config."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {f"number_{i}": np.log(rng.lognormal(1, 1, ROWS).round(2) + 0.01) for i in range(NUMBERS)}
        | {f"count_{i}": rng.poisson(3, ROWS) for i in range(COUNTS)}
        | {
            f"text_{i}": rng.choice(list("abcdefgh"), ROWS, p=[0.4, 0.2, *[0.1] * 2, *[0.05] * 4])
            for i in range(TEXTS)
        }
    )
    z = (
        -1
        + 0.4 * X["number_0"]
        - 0.5 * (X["text_1"] == "b") * (X["number_2"] > 1)
        + 0.6 * (X["text_0"] == "c")
    )
    z += 0.5 * (X["count_0"] > 4) * (X["count_1"] < 2) + 0.03 * X.filter(like="number").sum(axis=1)
    attributes = list(X)
    X["churned"] = rng.random(ROWS) < 1 / (1 + np.exp(-z))
    X["customer_id"] = np.arange(ROWS).astype(str)
    X.to_parquet(folder / "table.parquet")
    file = folder / "table.yaml"
    file.write_text(
        f"name: table\nas_of: {GENERATED['table']}\nchurn: {{kind: labelled, horizon_days: 30}}\n"
        "sources: {customers: {uri: table.parquet, columns: {customer_id: customer_id, churned: churned}, "
        f"attributes: [{', '.join(attributes)}]}}}}\n",
        encoding="utf-8",
    )
    return file


def prepared(name: str, folder: Path) -> tuple[Config, dt.date]:
    """The config and the as-of date of a task; its outputs go into the folder."""
    if name == "table":
        config = load_config(wide_table(folder), {})
    elif name == "company":
        generate(folder, *COMPANY)
        config = load_config(folder / "bench.yaml", {})
    else:
        config = config_of(name)
    return config.model_copy(update={"home": folder}), (TASKS | GENERATED)[name]


def measured(name: str) -> None:
    """Train once and print what it took."""
    said: list[tuple[float, float]] = []

    def noting(
        items: Iterable[Any], what: str, total: int, *, plan: Callable[[], Sequence[float]] | None = None
    ) -> Iterator[Any]:
        begun = time.perf_counter()
        for done, item in enumerate(items, start=1):
            yield item
            seconds = time.perf_counter() - begun
            line = progress_line(done, total, "steps", 1, seconds, plan)
            said.append((seconds, float(re.findall(r"(\d+) s to go", line)[0])))

    training.progress = noting
    with tempfile.TemporaryDirectory() as folder:
        config, day = prepared(name, Path(folder))
        wall, cpu = time.perf_counter(), time.process_time()
        result = training.train(config, day)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    shares = [go / (said[-1][0] - at) for at, go in said if said[-1][0] - at >= SHORTEST_SECONDS]
    true = ", ".join(f"{share:.2f}" for share in shares) or "too short"
    print(f"{wall:6.1f} s  {cpu:6.1f} CPU s  to go {true}\n    {result.text.splitlines()[0]}", flush=True)


def main() -> None:
    """Train on each task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = [*TASKS, *GENERATED]
    parser.add_argument("--tasks", nargs="+", default=tasks, choices=tasks)
    for name in parser.parse_args().tasks:
        sys.stdout.write(f"{name:16}")
        measured(name)


if __name__ == "__main__":
    main()
