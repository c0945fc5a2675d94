"""A store beside its artifacts, wherever both were moved: what is followed, what stays known, and the copy before."""

import sqlite3
from contextlib import closing

import pytest

from models.tracking.moved import artifacts_of, follow

TABLES = """
CREATE TABLE experiments (experiment_id TEXT, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT);
CREATE TABLE logged_models (model_id TEXT, artifact_location TEXT);
CREATE TABLE model_versions (version INTEGER, storage_location TEXT);
"""


def store_of(folder, artifacts, *, extra=()):
    """A store whose experiment 1 keeps its artifacts in a folder, and has a run, a model and a version."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(TABLES)
        rows = [("experiments", "1", artifacts)]
        rows += [
            ("runs", "r", f"{artifacts}/1/r/artifacts"),
            ("logged_models", "m", f"{artifacts}/1/models/m"),
        ]
        rows += [("model_versions", "1", f"{artifacts}/1/models/m/artifacts"), *extra]
        for table, key, place in rows:
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (key, place))
    return file


def places(file):
    """Table to the places that stand in it."""
    names = ("experiments", "runs", "logged_models", "model_versions")
    with closing(sqlite3.connect(file)) as connection:
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    return {name: {str(key): place for key, place in rows} for name, rows in found.items()}


def followed(folder):
    """What stands in a store that keeps its artifacts beside itself."""
    home = (folder / "mlartifacts").as_uri()
    return {
        "experiments": {"1": home},
        "runs": {"r": f"{home}/1/r/artifacts"},
        "logged_models": {"m": f"{home}/1/models/m"},
        "model_versions": {"1": f"{home}/1/models/m/artifacts"},
    }


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_store_that_was_moved_reads_and_writes_beside_itself(tmp_path, scheme):
    file = store_of(tmp_path / "new place", f"{scheme}/srv/old/mlartifacts")
    told = follow(file)
    assert told == (
        f"{file}: has moved, its artifacts are read from and written to {tmp_path / 'new place' / 'mlartifacts'} now"
    )
    assert places(file) == followed(tmp_path / "new place")
    assert follow(file) is None


def test_before_the_change_a_copy_is_kept(tmp_path):
    file = store_of(tmp_path, "/srv/old/mlartifacts")
    before = places(file)
    follow(file)
    assert places(tmp_path / "mlflow.db.moved.bak") == before


def test_a_store_where_it_was_is_left_alone(tmp_path):
    file = store_of(tmp_path, (tmp_path / "mlartifacts").as_uri())
    assert follow(file) is None
    assert not list(tmp_path.glob("*.bak"))


def test_a_link_to_the_home_is_no_move(tmp_path):
    file = store_of(tmp_path / "home", (tmp_path / "home" / "mlartifacts").as_uri())
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert follow(tmp_path / "link" / file.name) is None


def test_what_lies_only_where_the_store_was_stays_known_there(tmp_path):
    old = tmp_path / "old" / "mlartifacts"
    (old / "1" / "r" / "artifacts").mkdir(parents=True)
    file = store_of(tmp_path / "new", old.as_uri())
    follow(file)
    found = places(file)
    assert found["runs"] == {"r": f"{old.as_uri()}/1/r/artifacts"}
    assert found["experiments"] == followed(tmp_path / "new")["experiments"]
    assert found["logged_models"] == followed(tmp_path / "new")["logged_models"]


def test_what_was_copied_is_read_from_the_copy(tmp_path):
    old = tmp_path / "old" / "mlartifacts"
    for home in (old, tmp_path / "new" / "mlartifacts"):
        (home / "1" / "r" / "artifacts").mkdir(parents=True)
    file = store_of(tmp_path / "new", old.as_uri())
    follow(file)
    assert places(file) == followed(tmp_path / "new")


def test_artifacts_of_a_server_or_of_another_kind_stay(tmp_path):
    more = [
        ("experiments", "2", "s3://bucket/mlartifacts"),
        ("runs", "s", "s3://bucket/mlartifacts/2/s/artifacts"),
    ]
    more += [("experiments", "3", "/srv/old/elsewhere")]
    file = store_of(tmp_path, "/srv/old/mlartifacts", extra=more)
    follow(file)
    found = places(file)
    assert found["experiments"] == followed(tmp_path)["experiments"] | {
        "2": "s3://bucket/mlartifacts",
        "3": "/srv/old/elsewhere",
    }
    assert found["runs"]["s"] == "s3://bucket/mlartifacts/2/s/artifacts"


def test_what_is_no_store_is_left_to_whoever_opens_it(tmp_path):
    assert follow(tmp_path / "mlflow.db") is None
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 100)
    assert follow(tmp_path / "mlflow.db") is None
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    assert follow(empty) is None


def test_a_relative_path_is_that_of_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    assert artifacts_of(Path("mlflow.db")) == tmp_path / "mlartifacts"
