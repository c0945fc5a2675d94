"""Publishing: whole or not at all, and never two at once."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap

import pytest

from configs.errors import ChurnError, TryAgainError
from pipeline.publish import as_json, only_run, publish, write_atomic

DAY = dt.date(2026, 7, 1)


def fill(text):
    def write(folder):
        (folder / "outreach.csv").write_text(text)

    return write


def test_a_run_appears_whole_and_latest_points_to_it(tmp_path):
    folder = publish(tmp_path / "runs", DAY, tmp_path / "latest", fill("one"))
    assert folder == tmp_path / "runs" / "2026-07-01"
    assert (tmp_path / "latest" / "outreach.csv").read_text() == "one"
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["2026-07-01"]


def test_a_second_run_of_the_date_replaces_the_first(tmp_path):
    publish(tmp_path / "runs", DAY, tmp_path / "latest", fill("one"))
    publish(tmp_path / "runs", DAY, tmp_path / "latest", fill("two"))
    assert (tmp_path / "latest" / "outreach.csv").read_text() == "two"
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["2026-07-01"]


def test_when_writing_fails_yesterday_stays_whole(tmp_path):
    publish(tmp_path / "runs", DAY, tmp_path / "latest", fill("yesterday"))

    def breaks(folder):
        (folder / "outreach.csv").write_text("half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        publish(tmp_path / "runs", DAY, tmp_path / "latest", breaks)
    assert (tmp_path / "latest" / "outreach.csv").read_text() == "yesterday"
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["2026-07-01"]


def test_what_a_killed_run_left_is_cleaned_up(tmp_path):
    """Killed between the two renames: the old folder comes back before anything else happens."""
    runs = tmp_path / "runs"
    publish(runs, DAY, tmp_path / "latest", fill("yesterday"))
    (runs / "2026-07-01").rename(runs / ".2026-07-01.old")
    (runs / ".2026-07-01.new").mkdir()

    def breaks(folder):
        raise OSError("again")

    with pytest.raises(OSError, match="again"):
        publish(runs, DAY, tmp_path / "latest", breaks)
    assert (tmp_path / "latest" / "outreach.csv").read_text() == "yesterday"


def test_a_second_process_is_told_to_try_again(tmp_path):
    holder = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from pipeline.publish import only_run
        with only_run(Path({str(tmp_path)!r}), "score"):
            print("held", flush=True)
            sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    with pytest.raises(TryAgainError, match="another churn score is at work"), only_run(tmp_path, "score"):
        pass
    process.kill()
    process.wait()
    with only_run(tmp_path, "score"):  # the kernel dropped the lock of the killed process
        pass


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ChurnError, match="can't be made"), only_run(tmp_path / "file" / "runs", "score"):
        pass


def test_files_are_replaced_in_one_step(tmp_path):
    write_atomic(tmp_path / "new" / "a.txt", "one")
    write_atomic(tmp_path / "new" / "a.txt", b"two")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "two"


def test_json_keeps_letters_and_order():
    assert as_json({"b": DAY, "a": "سارا"}) == '{\n  "a": "سارا",\n  "b": "2026-07-01"\n}\n'
