"""PostgreSQL and SQLite: the same matrix as from files, the group-by in the database, and no password anywhere."""

import datetime as dt
import os
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import postgres_server
import pytest

from configs.schema import load_config
from pipeline import demo
from pipeline.dataset import build_matrix
from pipeline.labelling import build_labels
from pipeline.sources import open_sources

ROOT = Path(__file__).parents[2]
AS_OF = dt.date(2026, 7, 1)
SNAPSHOTS = [dt.date(2026, 7, 1), dt.date(2026, 4, 2), dt.date(2026, 1, 2)]
KINDS = {"non_contractual": "demo", "contractual": "demo_contractual"}
TIMES = ("started_at", "ended_at", "occurred_at", "known_at", "resolved_at")


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL; skips with a reason without one, fails where it is required."""
    if not postgres_server.programs():
        reason = "no PostgreSQL: `uv sync` brings one, or install Debian's package postgresql"
        if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres_server.running() as found:
        yield found


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", postgres_server.PASSWORD)


def frames_of(folder):
    """The files of a simulated company, times as times."""
    found = {}
    for file in folder.iterdir():
        if file.suffix in (".csv", ".parquet"):
            frame = pd.read_csv(file, dtype=str) if file.suffix == ".csv" else pd.read_parquet(file)
            for name in set(TIMES) & set(frame.columns):
                frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
            if "score" in frame:
                frame["score"] = frame["score"].astype(float)
            found[file.stem] = frame
    return found


def to_postgres(server, schema, frames):
    types = {"M": "timestamp", "f": "double precision", "i": "bigint"}
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {schema} cascade; create schema {schema}")
        for name, frame in frames.items():
            columns = ", ".join(f'"{c}" {types.get(frame[c].dtype.kind, "text")}' for c in frame)
            cursor.execute(f"create table {schema}.{name} ({columns})")
            with cursor.copy(f"copy {schema}.{name} from stdin") as copy:
                for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
                    copy.write_row(row)


def to_sqlite(file, frames):
    with sqlite3.connect(file) as connection:
        for name, frame in frames.items():
            text = {c: frame[c].dt.strftime("%Y-%m-%d %H:%M:%S.%f") for c in set(TIMES) & set(frame.columns)}
            frame.assign(**text)[list(frame.columns)].to_sql(name, connection, index=False)
    connection.close()


@pytest.fixture(scope="session", params=KINDS)
def company(request, tmp_path_factory, server):
    """A small company three times: as files, in PostgreSQL, in SQLite; and the config of each."""
    folder = tmp_path_factory.mktemp(request.param)
    demo.simulate(folder, request.param, 150, demo.START, demo.END, seed=7)
    frames = frames_of(folder)
    schema = f"shop_{request.param}"
    to_postgres(server, schema, frames)
    to_sqlite(folder / "shop.db", frames)

    def config(where):
        file = ROOT / "configs" / f"{KINDS[request.param]}.yaml"
        environ = {}
        for role, source in load_config(file, environ={}).sources.given.items():
            uri = where(role) if callable(where) else where
            uris = {
                "files": f"{folder}/{source.uri.rpartition('/')[2]}",
                "postgres": f"{server.url()}#{schema}.{role}",
                "sqlite": f"sqlite:///{folder}/shop.db#{role}",
            }
            environ[f"CHURN__SOURCES__{role.upper()}__URI"] = uris[uri]
        return load_config(file, environ=environ)

    return config


def matrix_and_labels(config):
    sources = open_sources(config, AS_OF)
    matrix = build_matrix(sources, config, SNAPSHOTS)
    return matrix.frame, build_labels(sources, config, matrix, AS_OF)


def mixed(role):
    return {"customers": "files", "transactions": "postgres", "contacts": "sqlite"}.get(role, "postgres")


@pytest.mark.parametrize("where", ["postgres", "sqlite", mixed])
def test_the_matrix_and_the_labels_equal_those_of_the_files(company, where):
    expected, labels = matrix_and_labels(company("files"))
    found, found_labels = matrix_and_labels(company(where))
    assert len(expected) > 100
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found_labels, labels)
    assert np.isfinite(labels).any()
