"""The tracking store is away, in every way there is: the list is published, and what was logged arrives later."""

import json
import shutil
import sqlite3
import threading
import time
from contextlib import contextmanager

import pytest

from configs.errors import ModelError, StoreError, TryAgainError
from models.tracking.session import spoken_to
from pipeline.scoring.score import score
from pipeline.tracking import tonight
from pipeline.tracking.champion import tracking_of
from pipeline.training.train import train
from tests.faults.conftest import YESTERDAY, dt, quiet, shop
from tests.models.tracking.test_session import HTML, Server

TONIGHT = YESTERDAY + dt.timedelta(1)


@contextmanager
def nobody(home):
    yield {"uri": "http://me:s3cret@127.0.0.1:9"}


def answering(*arguments, **given):
    @contextmanager
    def way(home):
        with Server(*arguments, **given) as uri:
            yield {"uri": uri}

    return way


@contextmanager
def missing(home):
    (home / "mlflow.db").rename(home / "elsewhere.db")
    try:
        yield {}
    finally:
        (home / "elsewhere.db").rename(home / "mlflow.db")


@contextmanager
def damaged(home):
    shutil.copy(home / "mlflow.db", home / "elsewhere.db")
    (home / "mlflow.db").write_bytes(b"no database" * 999)
    try:
        yield {}
    finally:
        (home / "elsewhere.db").rename(home / "mlflow.db")


@contextmanager
def locked(home):
    with sqlite3.connect(home / "mlflow.db") as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        other.execute("create table taken (x)")
        yield {}
        other.rollback()
    other.close()


WAYS = {
    "dead": nobody,
    "hanging": answering(200, hangs=True),
    "401": answering(401, HTML),
    "404": answering(404, HTML),
    "404 of the server": answering(404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}'),
    "500": answering(500, HTML),
    "a page": answering(200, HTML),
    "missing": missing,
    "damaged": damaged,
    "locked": locked,
}


def logged_nights(config):
    with spoken_to(tracking_of(config)) as client:
        found = client.get_experiment_by_name("shop nightly")
        return sorted(run.data.tags["as_of"] for run in client.search_runs([found.experiment_id]))


@pytest.mark.parametrize("way", WAYS)
def test_the_champion_that_scored_last_is_used_and_it_is_said(home, layout, way, monkeypatch):
    monkeypatch.setattr(tonight, "LOAD_SECONDS", 3.0)  # 14 in earnest
    kept = tonight.registry.unpacked_bundle(layout.champion.read_text(), "kept")
    with WAYS[way](home) as tracking:
        started, told = time.monotonic(), []
        config = shop(home, tracking=tracking)
        champion, look = tonight.champion_tonight(config, layout.champion, told.append)
        assert time.monotonic() - started < 20
    assert champion.digest == kept.digest
    assert len(look) == len(told) == 1
    assert "version 1, which scored last, was used" in look[0]
    assert "s3cret" not in str(look + tuple(told))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["dead", "missing"])
def test_the_list_is_published_and_logged_by_the_next_run(home, layout, way):
    with WAYS[way](home) as tracking:
        told = []
        result = score(shop(home, tracking=tracking), TONIGHT, None, dry_run=False, say=told.append)
    assert result.exit_code == 3
    assert "look: the tracking store" in result.text
    assert "version 1, which scored last, was used" in result.text
    assert (layout.latest / "outreach.csv").exists()
    assert layout.latest.resolve().name == str(TONIGHT)
    manifest = json.loads((layout.latest / "manifest.json").read_text())
    assert [w for w in manifest["warnings"] if w.startswith("the tracking store")]
    assert "s3cret" not in result.text + str(told) + (layout.latest / "report.html").read_text()
    assert [f.name for f in layout.unsent.iterdir()] == [f"{TONIGHT}.json"]
    assert logged_nights(shop(home)) == [str(YESTERDAY)]
    after = score(shop(home), TONIGHT + dt.timedelta(1), None, dry_run=False, say=quiet)
    assert after.exit_code == 0, after.text
    assert logged_nights(shop(home)) == [str(YESTERDAY + dt.timedelta(i)) for i in range(3)]
    assert not list(layout.unsent.iterdir())


def test_the_same_list_as_with_the_store(home, layout):
    """By the same champion; only what is said of the store differs."""
    lists = []
    for sections in ({}, {"tracking": {"uri": "http://127.0.0.1:9"}}):
        score(shop(home, **sections), TONIGHT, None, dry_run=False, say=quiet)
        lists.append(
            {f.name: f.read_bytes() for f in layout.latest.iterdir() if f.suffix in (".csv", ".parquet")}
        )
    assert lists[0] == lists[1]


@pytest.mark.slow
def test_the_store_goes_away_between_the_champion_and_the_log(home, layout, monkeypatch):
    config = shop(home)

    def away(*arguments, **given):
        raise TryAgainError("tracking store does not answer: gone")

    with monkeypatch.context() as patch:
        patch.setattr(tonight.registry, "log_scoring", away)
        result = score(config, TONIGHT, None, dry_run=False, say=quiet)
    assert result.exit_code == 3
    assert "what the night logged is not in the tracking store yet, the next run sends it" in result.text
    assert [f.name for f in layout.unsent.iterdir()] == [f"{TONIGHT}.json"]
    assert score(config, TONIGHT, None, dry_run=False, say=quiet).exit_code == 0
    score(config, TONIGHT, None, dry_run=False, say=quiet)
    assert logged_nights(config) == [str(YESTERDAY), str(TONIGHT)]  # a date once, however often it is scored


def test_without_a_kept_model_the_error_stays(home, layout):
    layout.champion.unlink()
    with pytest.raises(TryAgainError, match="does not answer"):
        score(shop(home, tracking={"uri": "http://127.0.0.1:9"}), TONIGHT, None, dry_run=False, say=quiet)
    with missing(home), pytest.raises(StoreError, match="churn train"):
        score(shop(home), TONIGHT, None, dry_run=False, say=quiet)


def test_without_a_kept_model_a_slow_store_is_waited_for(home, layout, monkeypatch):
    monkeypatch.setattr(tonight, "LOAD_SECONDS", 1e-6)
    look = tonight.champion_tonight(shop(home), layout.champion, quiet)[1]
    assert "does not answer" in look[0]
    layout.champion.unlink()
    assert tonight.champion_tonight(shop(home), layout.champion, quiet)[1] == ()


def test_a_kept_model_that_was_changed_is_refused(home, layout):
    text = layout.champion.read_text()
    layout.champion.write_text(text.replace('"version": 1', '"version": 1 ').replace("tree", "eert", 1))
    with pytest.raises(ModelError, match=r"champion\.json: was changed after it was kept"):
        score(shop(home, tracking={"uri": "http://127.0.0.1:9"}), TONIGHT, None, dry_run=False, say=quiet)
    assert layout.latest.resolve().name == str(YESTERDAY)


def test_a_training_whose_store_refuses_ends_before_it_works(home, layout):
    before = {f: f.read_bytes() for f in home.rglob("*") if f.is_file()}
    with Server(401, HTML) as uri, pytest.raises(StoreError, match="401"):
        train(shop(home, tracking={"uri": uri}), TONIGHT)
    after = {f: f.read_bytes() for f in home.rglob("*") if f.is_file() and f.name != ".tracking.lock"}
    assert {f: c for f, c in before.items() if f.name != ".tracking.lock"} == after


def test_no_thread_of_a_store_that_hangs_keeps_the_process_alive(home, layout, monkeypatch):
    monkeypatch.setattr(tonight, "LOAD_SECONDS", 0.5)
    with Server(200, hangs=True) as uri:
        before = set(
            threading.enumerate()
        )  # other tests of this process may have left some that wait for work
        tonight.champion_tonight(shop(home, tracking={"uri": uri}), layout.champion, quiet)
        begun = set(threading.enumerate()) - before
        assert begun
        assert all(thread.daemon for thread in begun)
