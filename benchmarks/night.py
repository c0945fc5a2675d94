"""What a whole night costs beside its features: `churn score` on the files of `benchmarks.features`.

    python -m benchmarks.night W2                  # as it is
    python -m benchmarks.night W2 --memory 3       # DuckDB held to 3 GB
    python -m benchmarks.night W2 --retention      # its retention tables alone, of made-up scores
    python -m benchmarks.night W2 --scores         # its probabilities alone, at all horizons
    python -m benchmarks.night W2 --warm           # its events a file a month: without engine.store, and with it

A champion is trained first when there is none, on 200,000 rows. Steps are told by the lines that `churn score`
writes at the end of each, and count from the line before; memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.features import SIZES, measure, prepared
from benchmarks.workload import AS_OF

TRAINING_ROWS = "200000"


def churn(*command: str, stderr: int | None = None, **environ: str) -> subprocess.Popen[str]:
    """Start the command line in a process of its own."""
    code = "from pipeline.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": ".", **environ},
    )


def cpu_of(pid: int) -> float:
    """CPU seconds of a process that runs, by Linux's count."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def night(config: Path, memory: float | None, **settings: str) -> float:
    """Run a night, print its steps with the seconds that each takes, and return all of them."""
    environ = settings if memory is None else {**settings, "CHURN__ENGINE__MEMORY_GB": str(memory)}
    begun = time.perf_counter()
    command = ["score", "--config", str(config), "--as-of", str(AS_OF), "--log-format", "json"]
    process = churn(*command, stderr=subprocess.PIPE, **environ)
    assert process.stderr is not None
    before = 0.0, 0.0
    for line in process.stderr:
        told = json.loads(line)
        if "stage" in told:
            now = time.perf_counter() - begun, cpu_of(process.pid)
            wall, cpu = (there - here for here, there in zip(before, now, strict=True))
            print(f"  {wall:7.1f} s {cpu:7.1f} CPU s  {told['message'].rpartition(',')[0] or told['stage']}")
            before = now
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    code = os.waitstatus_to_exitcode(status)
    print(f"churn score: {seconds:.1f} s, {cpu:.1f} CPU s, {peak:.2f} GB, exit code {code}", flush=True)
    return seconds


def by_month(folder: Path) -> Path:
    """The same events in a folder beside it, a file a month as if written long ago; and a config that reads them."""
    import duckdb

    out = folder.with_name(f"{folder.name}-months")
    if (out / "bench.yaml").exists():
        return out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    shutil.copy(folder / "customers.parquet", out)
    config = (folder / "bench.yaml").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        for role in ("purchases", "feedback", "contacts"):
            (out / role).mkdir()
            rows = connection.read_parquet(str(folder / f"{role}.parquet"))
            months = rows.project("strftime(occurred_at, '%Y-%m') as month, *")
            months.write_parquet(str(out / "parts"), partition_by=["month"])
            for file in (out / "parts").glob("*/*.parquet"):
                file.replace(place := out / role / f"{file.parent.name.removeprefix('month=')}.parquet")
                os.utime(place, (0, 0))
            shutil.rmtree(out / "parts")
            config = config.replace(f"{role}.parquet", role)
    (out / "bench.yaml").write_text(config, encoding="utf-8")
    return out


def shuffle(file: Path) -> None:
    """Write a file with its rows in another order: other bytes, from which the same follows."""
    import duckdb

    beside = file.with_suffix(".tmp")
    duckdb.read_parquet(str(file)).order("random()").write_parquet(str(beside))
    beside.replace(file)
    os.utime(file, (0, 0))


def warm(config: Path, memory: float | None) -> None:
    """A night without a store, one that fills it, and one that reads it and has a month's purchases in other order."""
    from configs.schema import load_config
    from pipeline.layout import layout_of
    from pipeline.publish import file_digests

    store = layout_of(load_config(config, {})).store
    run = layout_of(load_config(config, {})).runs / str(AS_OF)
    shutil.rmtree(store, ignore_errors=True)
    found = {}
    for name, kept in (("without a store", "false"), ("an empty store", "true"), ("a full store", "true")):
        print(name, flush=True)
        if name == "a full store":
            shuffle(max(config.parent.glob("purchases/*.parquet")))
        night(config, memory, CHURN__ENGINE__STORE=kept)
        found[name] = file_digests(run)
    differ = [
        name for name, digest in found["an empty store"].items() if found["a full store"][name] != digest
    ]
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / 1e9
    read = sum(path.stat().st_size for path in config.parent.glob("*/*.parquet")) / 1e9
    print(
        f"store {size:.1f} GB of {read:.1f} GB of files; files of the night that differ: {differ or 'none'}"
    )


def retention_alone(config_file: Path) -> None:
    """Make the retention tables of a night after its features, of random scores, and print what they take."""
    import numpy as np

    from configs.schema import load_config
    from pipeline.dataset.matrix import matrix_and_rows
    from pipeline.scoring.night_rates import night_rates
    from pipeline.scoring.score_table import ScoreTable
    from pipeline.sources.opening import open_sources

    config = load_config(config_file, {})
    sources = open_sources(config, AS_OF)
    matrix, rows = matrix_and_rows(sources, config, [AS_OF])
    ids = matrix.frame["customer_id"]
    scores = ScoreTable.of(ids, np.random.default_rng(1).random(len(ids)), {})
    with tempfile.TemporaryDirectory() as kept:
        begun, cpu = time.perf_counter(), time.process_time()
        made = night_rates(sources, config, AS_OF, scores, Path(kept), rows=rows)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{len(made.tables)} retention tables: {seconds:.1f} s, {cpu:.1f} CPU s")


def scores_alone(config_file: Path) -> None:
    """Score the customers of a night at all horizons, and print what it takes."""
    from configs.schema import load_config
    from models.tracking.registry import load_champion
    from pipeline.dataset.matrix import build_matrix
    from pipeline.scoring.horizons import Further
    from pipeline.sources.opening import open_sources
    from pipeline.tracking.champion import tracking_of

    config = load_config(config_file, {})
    champion, threads = load_champion(tracking_of(config)), config.model.threads
    features = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).features
    begun, cpu = time.perf_counter(), time.process_time()
    probability = champion.model.probability(features, threads)
    further = Further.of(champion, config, AS_OF)
    numbers = {} if further is None else further.numbers(features, probability, threads)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{1 + len(numbers)} numbers of {len(features):,} customers: {seconds:.1f} s, {cpu:.1f} CPU s")


def main() -> None:
    """Measure a night."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", choices=SIZES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "churn-benchmark")
    parser.add_argument("--memory", type=float, help="limit of DuckDB in gigabytes")
    parser.add_argument("--retention", action="store_true", help="the retention tables alone")
    parser.add_argument("--warm", action="store_true", help="nights without and with engine.store")
    parser.add_argument("--scores", action="store_true", help="the probabilities alone")
    given = parser.parse_args()
    folder = prepared(given.workload, given.folder)
    if given.warm:
        folder = by_month(folder)
    config = folder / "bench.yaml"
    if given.retention:
        retention_alone(config)
        return
    if not (folder / "mlflow.db").exists():
        print("train a champion", flush=True)
        training = churn(
            "train",
            "--config",
            str(config),
            "--as-of",
            str(AS_OF),
            CHURN__MODEL__MAX_TRAINING_ROWS=TRAINING_ROWS,
        )
        if training.wait() not in (0, 3):
            raise SystemExit(f"churn train: exit code {training.returncode}")
    if given.scores:
        scores_alone(config)
        return
    if given.warm:
        warm(config, given.memory)
        return
    features = measure("product", folder, 1)
    seconds = night(config, given.memory)
    if features is not None:
        print(f"{seconds / features['seconds']:.1f} times the features")


if __name__ == "__main__":
    main()
