"""A night is committed at once: whatever fails or dies at whatever change, one of two states is there."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from configs.errors import ChurnError
from pipeline.commit import commit, let_go, newest, settle_nights
from pipeline.layout import Layout
from pipeline.publish import as_json
from tests.faults.shim import disk

DAY = dt.date(2026, 7, 1)
NEXT = DAY + dt.timedelta(1)


def home_in(folder):
    return Layout(folder, folder / "runs", folder)


@pytest.fixture
def home(tmp_path):
    return home_in(tmp_path)


def night(home, day, text):
    """Commit a night whose list and ledger hold the same text."""

    def write(folder):
        (folder / "outreach.csv").write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (folder / "manifest.json").write_text(as_json({"outreach.csv": digest}))

    def record(folder):
        place = folder / "ledger" / f"as_of={day}"
        place.mkdir(parents=True)
        (place / "part.parquet").write_text(text)
        (folder / "ledger" / "forecasts").mkdir()
        (folder / "ledger" / "forecasts" / f"{day}.parquet").write_text(text)

    return commit(home, day, write, record)


def state(home):
    """Date to what its list and its ledger say, and what `latest` shows."""
    found = {}
    for part in sorted(home.folder.glob("ledger/as_of=*/part.parquet")):
        found.setdefault(part.parent.name.removeprefix("as_of="), {})["ledger"] = part.read_text()
    for file in sorted(home.folder.glob("ledger/forecasts/*.parquet")):
        found.setdefault(file.stem, {})["forecast"] = file.read_text()
    for run in sorted(home.runs.glob("[0-9]*")):
        found.setdefault(run.name, {})["list"] = (run / "outreach.csv").read_text()
    return found, str(newest(home))


def whole(text):
    return dict.fromkeys(("ledger", "forecast", "list"), text)


def nothing_is_left(home):
    hidden = [p for p in home.folder.rglob(".*") if not p.name.endswith(".lock")]
    return not hidden


CASES = {
    "the first night": ([], (DAY, "one")),
    "the next night": ([(DAY, "one")], (NEXT, "two")),
    "a correction": ([(DAY, "one")], (DAY, "other")),
    "the same again": ([(DAY, "one")], (DAY, "one")),
    "a correction of an older night": ([(DAY, "one"), (NEXT, "two")], (DAY, "other")),
    "an older night": ([(NEXT, "two")], (DAY, "one")),
}


@pytest.mark.parametrize("kind", ["once", "from_then_on"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("swap", ["exchange", "two renames"])
def test_whatever_change_fails_the_night_is_there_or_not(tmp_path, monkeypatch, case, kind, swap):
    """For every change n: afterwards the old or the new state, and the next run ends in the new one."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
    if swap == "two renames":
        monkeypatch.setattr("pipeline.commit._exchanged", lambda one, other: False)
    before, (day, text) = CASES[case]

    def prepared(name):
        home = home_in(tmp_path / name)
        for at, content in before:
            night(home, at, content)
        return home

    clean = prepared("clean")
    old = state(clean) if before else ({}, "None")
    with disk(clean.folder) as seen:
        night(clean, day, text)
    new = state(clean)
    assert len(seen) > 15
    delivered = 0
    for n in range(len(seen)):
        home = prepared(str(n))
        with disk(home.folder, **{kind: n}):
            try:
                night(home, day, text)
                failed = False
            except ChurnError:
                failed = True
        if swap == "exchange":
            assert home.latest.exists() or not home.latest.is_symlink(), (n, seen[n])
        settle_nights(home)  # what the next run of any date begins with
        found = state(home)
        assert found in (old, new), (n, seen[n], found)
        if kind == "once":
            assert found == (old if failed else new), (n, seen[n])
        delivered += found == new
        assert nothing_is_left(home), (n, seen[n])
        night(home, day, text)
        assert state(home) == new
    assert delivered >= 1  # the last changes come after the delivery


def test_a_night_that_was_never_seen_is_taken_back_by_the_next_one_of_another_date(home):
    with disk(home.folder) as seen:
        night(home, DAY, "one")
    at = 1 + next(n for n, (what, path) in enumerate(seen) if what == "os.symlink")
    with disk(home.folder, from_then_on=at), pytest.raises(ChurnError, match="nothing was published"):
        night(home, NEXT, "two")
    assert (home.runs / str(NEXT)).exists()  # renamed, but `latest` does not show it
    night(home, NEXT + dt.timedelta(1), "three")
    assert state(home) == ({str(DAY): whole("one"), "2026-07-03": whole("three")}, "2026-07-03")


def test_latest_never_moves_to_an_older_date(home):
    night(home, NEXT, "two")
    night(home, DAY, "one")
    assert state(home) == ({str(DAY): whole("one"), str(NEXT): whole("two")}, str(NEXT))


def test_latest_that_shows_nothing_is_mended(home):
    import shutil

    night(home, DAY, "one")
    night(home, NEXT, "two")
    shutil.rmtree(home.runs / str(NEXT))
    settle_nights(home)
    assert newest(home) == DAY
    shutil.rmtree(home.runs / str(DAY))
    settle_nights(home)
    assert not home.latest.is_symlink()


def test_what_others_left_goes_and_what_is_not_ours_stays(home):
    night(home, DAY, "one")
    dead, alive = 2**22 - 1, 1
    for name in (f"ledger/.effect.json.{dead}.tmp", f"ledger/.effect.json.{alive}.tmp", "ledger/notes.tmp"):
        (home.folder / name).write_text("x")
    (home.runs / ".2019-01-01.new").mkdir()
    (home.runs / ".2019-01-02.record").mkdir()
    (home.runs / ".git").mkdir()
    assert settle_nights(home) == []
    left = {str(p.relative_to(home.folder)) for p in home.folder.rglob("*") if ".tmp" in p.name}
    assert left == {"ledger/.effect.json.1.tmp", "ledger/notes.tmp"}
    assert sorted(p.name for p in home.runs.iterdir()) == [".git", "2026-07-01"]


def test_a_failing_writer_is_the_callers_error_and_changes_nothing(home):
    night(home, DAY, "one")
    before = state(home)

    def breaks(folder):
        (folder / "outreach.csv").write_text("half")
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        commit(home, DAY, breaks)
    assert state(home) == before
    assert nothing_is_left(home)


def test_nights_that_are_too_old_are_deleted_and_the_ledger_stays(home):
    for age in (31, 30, 29, 0):
        night(home, DAY - dt.timedelta(age), f"{age} days old")
    before, _ = state(home)
    assert let_go(home, DAY, None) == []
    assert let_go(home, DAY, 29) == [DAY - dt.timedelta(31), DAY - dt.timedelta(30)]
    after, shown = state(home)
    assert shown == str(DAY)
    assert [day for day in after if "list" in after[day]] == [str(DAY - dt.timedelta(29)), str(DAY)]
    assert {day: told["ledger"] for day, told in after.items()} == {
        day: told["ledger"] for day, told in before.items()
    }
    assert let_go(home, DAY, 29) == []


def test_a_night_that_is_made_again_deletes_none_that_is_newer(home):
    for day in (DAY, NEXT):
        night(home, day, str(day))
    assert let_go(home, DAY - dt.timedelta(400), 1) == []
    assert newest(home) == NEXT


def test_half_of_an_old_night_is_never_found(home):
    for day in (DAY, NEXT):
        night(home, day, str(day))
    with disk(home.folder) as seen:
        let_go(home, NEXT, 0)
    assert [what for what, _ in seen] == ["os.rename", "os.rmdir"]
    for failing in range(len(seen)):
        night(home, DAY, str(DAY))
        with disk(home.folder, once=failing):
            let_go(home, NEXT, 0)
        found, _ = state(home)
        assert found[str(DAY)].get("list") in (None, str(DAY))
        settle_nights(home)
        assert not list(home.runs.glob(f".{DAY}.*"))
        assert state(home)[0][str(DAY)].get("list") == found[str(DAY)].get("list")
