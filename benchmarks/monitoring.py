"""What the monitoring finds, and when, and how often it is wrong.

    python -m benchmarks.monitoring faults            # simulated faults of the demo: the first night that says each
    python -m benchmarks.monitoring quiet             # a year of nights of the demo, Online Retail and CDNOW
    python -m benchmarks.monitoring quiet --only cdnow

No model is trained: the nights are those of `churn score` without the list. A fault begins on a day, and the nights
after it are watched one by one until one says it. A quiet year watches the sources every night, and the features every
fourth week.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tasks import ROOT, config_of
from configs.errors import HistoryError
from configs.schema import Config, load_config
from pipeline.dataset.matrix import build_matrix, training_snapshots
from pipeline.demo import END, START, simulate
from pipeline.monitoring.history import DAYS, history_of
from pipeline.monitoring.matrix import drift_of
from pipeline.monitoring.rhythm import rhythm_of
from pipeline.monitoring.watch import Watched, kept_by_training, watched
from pipeline.result import table
from pipeline.sources.opening import open_sources

Frames = dict[str, pd.DataFrame]
Fault = Callable[[Frames, pd.Timestamp], Frames]
SEED, YEAR, MOST_NIGHTS = 7, 365, 21
ENDS = {"demo": dt.date(2026, 7, 1), "online_retail": dt.date(2011, 12, 10), "cdnow": dt.date(1998, 7, 1)}


def _newer(frame: pd.DataFrame, since: pd.Timestamp) -> pd.Series:
    return frame["occurred_at"] >= since


def _changed(role: str, column: str, change: Callable[[pd.Series], pd.Series]) -> Fault:
    """Other values in the newer rows; in all of them where rows have no time."""

    def fault(frames: Frames, since: pd.Timestamp) -> Frames:
        frame = frames[role]
        rows = _newer(frame, since) if "occurred_at" in frame else pd.Series(True, frame.index)
        return {**frames, role: frame.assign(**{column: frame[column].mask(rows, change(frame[column]))})}

    return fault


def _rows(role: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Fault:
    def fault(frames: Frames, since: pd.Timestamp) -> Frames:
        newer = _newer(frames[role], since)
        return {**frames, role: pd.concat([frames[role][~newer], change(frames[role][newer])])}

    return fault


def _half(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sample(frac=0.5, random_state=1)


def _whole(role: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Fault:
    return lambda frames, since: {**frames, role: change(frames[role])}


def _more_of_a_plan(frames: Frames, since: pd.Timestamp) -> Frames:
    """Five times as many customers of the dearest plan: a company that was bought."""
    mine = set(frames["customers"].loc[frames["customers"]["plan"] == "premium", "customer_id"])
    found = {}
    for role, frame in frames.items():
        theirs = frame[frame["customer_id"].isin(mine)]
        copies = [
            theirs.assign(
                **{
                    c: theirs[c].astype(str) + f"-{k}"
                    for c in ("customer_id", "transaction_id")
                    if c in theirs
                }
            )
            for k in range(4)
        ]
        found[role] = pd.concat([frame, *copies])
    return found


def _moved(times: tuple[str, ...], hours: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: rows.assign(**{c: rows[c] + pd.Timedelta(hours=hours) for c in times})


FAULTS: Mapping[str, tuple[str, Fault]] = {
    "a source stops for three weeks": ("contacts", _rows("contacts", lambda rows: rows.head(0))),
    "half of the rows": ("transactions", _rows("transactions", _half)),
    "half of the rows, of the whole file": ("usage", _whole("usage", _half)),
    "rows twice": ("usage", _rows("usage", lambda rows: pd.concat([rows, rows]))),
    "rows twice, of the whole file": ("feedback", _whole("feedback", lambda rows: pd.concat([rows, rows]))),
    "price x100": ("transactions.amount", _changed("transactions", "amount", lambda x: 100 * x)),
    "scores x10": ("feedback.score", _changed("feedback", "score", lambda x: 10 * x)),
    "a category renamed, in the rows": (
        "usage.event",
        _changed("usage", "event", lambda x: x.replace("login", "sign_in")),
    ),
    "a category renamed, in the customers": (
        "customers.plan",
        _changed("customers", "plan", lambda x: x.replace("basic", "Basic")),
    ),
    "a column all null": ("usage.value", _changed("usage", "value", lambda x: x * np.nan)),
    "ids that stop joining": ("contacts", _changed("contacts", "customer_id", lambda x: "crm-" + x)),
    "the clock five hours ahead": ("usage", _rows("usage", _moved(("occurred_at",), 5))),
    "another population": ("features", _more_of_a_plan),
    "a column gone": ("customers", _whole("customers", lambda f: f.rename(columns={"name": "title"}))),
}


def frames_of(folder: Path) -> Frames:
    """The demo's files by role, times as times."""
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".csv", ".parquet"):
            frame = pd.read_csv(file, dtype=str) if file.suffix == ".csv" else pd.read_parquet(file)
            for name in {"occurred_at", "known_at", "resolved_at", "started_at"} & set(frame.columns):
                frame[name] = pd.to_datetime(frame[name], format="ISO8601")
            if "score" in frame:
                frame["score"] = frame["score"].astype(float)
            found[file.stem] = frame
    return found


def written(frames: Frames, folder: Path, home: Path = ROOT) -> Config:
    """The demo's config on these frames, as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = {}
    for role, frame in frames.items():
        frame.reset_index(drop=True).to_parquet(folder / f"{role}.parquet")
        environ[f"CHURN__SOURCES__{role.upper()}__URI"] = str(folder / f"{role}.parquet")
    return load_config(home / "configs" / "demo.yaml", environ)


def said(scores_of: pd.DataFrame) -> np.ndarray:
    """A stand-in for a model: a probability from the days since the last purchase."""
    return np.asarray(1 / (1 + np.exp(-(scores_of["recency_days"].to_numpy(np.float64) - 60) / 30)))


def trained(config: Config, as_of: dt.date) -> dict[str, object]:
    """The metadata of a champion, as far as nights read them."""
    sources = open_sources(config, as_of)
    matrix = build_matrix(sources, config, training_snapshots(config, sources, as_of))
    snapshot = matrix.frame["snapshot"].to_numpy().astype("datetime64[D]")
    newest = np.unique(snapshot)[-config.model.test_snapshots :]
    tested = [(day, said(matrix.frame[snapshot == day])) for day in newest]
    kept = kept_by_training(sources, config, as_of, matrix.features, snapshot, tested)
    return {"as_of": as_of.isoformat(), "monitoring": kept}


def night(
    config: Config,
    as_of: dt.date,
    metadata: dict[str, object],
    record: Path,
    features: pd.DataFrame | None = None,
) -> Watched:
    """What a night's monitoring finds; with the features of another night where they are given, which saves time."""
    sources = open_sources(config, as_of)
    if features is None:
        features = build_matrix(sources, config, [as_of]).features
    return watched(sources, config, as_of, metadata, features, said(features), record)


def faults(customers: int, only: str | None) -> None:
    """Print the table of simulated faults."""
    since = END - dt.timedelta(days=MOST_NIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        simulate(place / "demo", "non_contractual", customers, START, END, seed=SEED)
        frames = frames_of(place / "demo")
        metadata = trained(written(frames, place / "as_is"), since)
        rows = []
        for name, (where, fault) in FAULTS.items():
            if only and only not in name:
                continue
            config = written(fault(frames, pd.Timestamp(since)), place / "changed")
            rows.append([name, where, *first(config, since, metadata, place / "ledger", where)])
            print(f"{name}: {rows[-1][2]}", flush=True)
    print()
    print(table(["fault", "where", "night", "other", "what is said"], rows))


def first(config: Config, since: dt.date, metadata: dict[str, object], record: Path, where: str) -> list[str]:
    """The first night that names the place of a fault, how much else it says, and its words."""
    for k in range(1, MOST_NIGHTS + 1):
        day = since + dt.timedelta(days=k)
        if k % 7 == 1:
            features = build_matrix(open_sources(config, day), config, [day]).features
        found = night(config, day, metadata, record, features).outside
        mine = [c for c in found if c.place.split()[0].rstrip(":").startswith(where) or c.name == where]
        if mine:
            return [str(k), str(len(found) - len(mine)), str(mine[0])[:150]]
    return ["never", "", ""]


def quiet(only: str | None) -> None:
    """Print the false alarms of a year of nights."""
    for name, end in ENDS.items():
        if only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                alarms, checks = year(_config(name, Path(folder)), end)
            print(f"{name}: {YEAR} nights, {checks:,} checks, {len(alarms)} false alarms", flush=True)
            for day, words in alarms:
                print(f"  {day} {words}")


def _config(name: str, folder: Path) -> Config:
    if name != "demo":
        return config_of(name)
    simulate(folder / "demo", "non_contractual", 2_000, START, END, seed=SEED)
    return written(frames_of(folder / "demo"), folder / "files")


def year(
    config: Config, end: dt.date, nights: int = YEAR, every: int = 1
) -> tuple[list[tuple[dt.date, str]], int]:
    """False alarms of the sources each night, and of the features each fourth week, and the number of checks."""
    sources = open_sources(config, end)
    past = [
        history_of(role, rows, end, sources.attributes if role == "customers" else (), days=DAYS + YEAR)
        for role, rows in sources.tables.items()
    ]
    alarms, checks = [], 0
    for k in range(0, nights, every):
        day = end - dt.timedelta(days=k)
        for history in past:
            seen = history.between(day - dt.timedelta(days=DAYS), day) if history is not None else None
            if seen is not None and seen.rows.any():
                found = rhythm_of(seen, day, config.monitoring)
                checks += len(found)
                alarms += [(day, str(check)) for check in found if check.outside]
    for k in range(0, nights, 28):
        day = end - dt.timedelta(days=k)
        found = _features(config, day)
        checks += len(found)
        alarms += [(day, str(check)) for check in found if check.outside]
    return sorted(alarms), checks


def _features(config: Config, day: dt.date) -> list:
    """Drift of features and scores of a night whose model is a week old; nothing where too little was known then."""
    try:
        kept = trained(config, day - dt.timedelta(days=7))["monitoring"]
    except HistoryError:
        return []
    features = build_matrix(open_sources(config, day), config, [day]).features
    return list(drift_of(features, said(features), kept, config.monitoring.width))


def main() -> None:
    """Measure."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["faults", "quiet"])
    parser.add_argument("--only", help="a fault, or a data set")
    parser.add_argument("--customers", type=int, default=2_000, help="of the simulated company")
    given = parser.parse_args()
    if given.what == "faults":
        faults(given.customers, given.only)
    else:
        quiet(given.only)


if __name__ == "__main__":
    main()
