"""A bounded part of `make faults`: some changes of each act fail; all of them do in tests.faults.sweep."""

import datetime as dt
import os
import shutil

import pytest

from configs.errors import ChurnError
from pipeline.commit import settle_nights
from pipeline.layout import layout_of
from pipeline.publish import file_digests
from pipeline.scoring.score import score
from tests.faults import acts, sweep
from tests.faults.conftest import YESTERDAY, shop
from tests.faults.sweep import KINDS, SIGNALS, contents, small_files, some


@pytest.fixture(scope="module")
def scoring(trained, tmp_path_factory):
    home = tmp_path_factory.mktemp("disturbed") / "home"
    shutil.copytree(trained, home, symlinks=True, ignore=shutil.ignore_patterns("mlartifacts"))
    return list(acts.nights(home))


@pytest.fixture(autouse=True, scope="module")
def drawn_once(tmp_path_factory):
    with sweep.drawn_once(tmp_path_factory.mktemp("drawn")):
        yield


@pytest.fixture
def mounts(tmp_path):
    if not sweep.can_mount(tmp_path):
        pytest.skip("only the superuser can make a file system that is full or read-only")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", [0, 1], ids=["next night", "correction"])
def test_a_disturbed_night_is_there_or_not(scoring, tmp_path, kind, which):
    found = sweep.sweep(scoring[which], tmp_path, kind, some)
    assert found.changes > 60
    assert found.before
    assert found.after


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_real_signal_leaves_a_night_or_none(scoring, tmp_path, kind):
    found = sweep.sweep(scoring[0], tmp_path, kind, lambda count: some(count)[::3])
    assert found.disturbed >= 3


@pytest.mark.parametrize("way", [sweep.full, sweep.read_only])
def test_a_real_file_system_without_room_or_right(mounts, scoring, tmp_path, way):
    found = way(scoring[0], tmp_path)
    assert found.before


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learned_is_there_or_not(trained, tmp_path, kind):
    from pipeline.layout import layout_of
    from tests.faults.conftest import shop

    found = sweep.sweep(sweep.outcomes(layout_of(shop(trained)).ledger), tmp_path, kind)
    assert found.disturbed == found.changes


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_disturbed_training_or_promotion_leaves_a_champion_that_works(tmp_path, kind):
    for act in acts.stores(tmp_path / "stores"):
        assert sweep.sweep(act, tmp_path / act.name, kind, some).disturbed


@pytest.mark.parametrize("size", [0, 500, 3_000, 20_000])
def test_a_full_disk_changes_nothing(scoring, tmp_path, size):
    act, home = scoring[0], tmp_path / "home"
    act.prepare(home)
    before = contents(home)
    with pytest.raises(ChurnError, match="nothing was published"), small_files(size):
        act.run(home)
    act.mend(home)
    assert contents(home) == before
    act.run(home)
    assert contents(home) != before


def test_a_correction_after_a_kill_still_says_that_the_list_changed(scoring, tmp_path):
    """Killed after the list was seen and before anybody was told."""
    act, home = scoring[1], tmp_path / "home"
    act.prepare(home)
    with sweep.disk(home) as seen:
        act.run(home)
    for _ in range(2):
        act.run(home)
        manifest = next(home.glob("runs/*/manifest.json")).read_text()
        assert "the ledger had another list for 2025-12-01" in manifest
    assert seen
    assert settle_nights(sweep.Layout(home, home / "runs", home)) == []


@pytest.mark.usefixtures("patient")
def test_a_night_of_rows_that_were_kept_has_the_same_bytes(home):
    """All of them kept, all of them read, and the store deleted."""
    config, day = shop(home, engine={"store": True}), YESTERDAY + dt.timedelta(1)
    os.utime(home / "transactions.parquet", (1.7e9, 1.7e9))
    nights, told = [], []
    for again in (True, False, True):
        score(config, day, None, dry_run=False, say=told.append)
        nights.append(file_digests(layout_of(config).runs / str(day)))
        if not again:
            shutil.rmtree(layout_of(config).store)
    first, warm, cold = nights
    assert first == warm == cold
    read = "engine.store: transactions: 1 of 1 files are read again, 1 of them not known as they are"
    kept = "engine.store: transactions: 0 of 1 files are read again"
    assert [line for line in told if "engine.store" in line] == [read, kept, read]
