"""Files in one step, and never two runs at once."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import textwrap

import pytest

from configs.errors import ChurnError, TryAgainError
from pipeline import publish
from pipeline.publish import PACKAGES, as_json, code_digest, only_run, point, write_atomic

DAY = dt.date(2026, 7, 1)


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


def test_any_file_of_the_code_counts_but_none_that_python_makes(tmp_path, monkeypatch):
    for package in PACKAGES:
        (tmp_path / package / "room").mkdir(parents=True)
        (tmp_path / package / "room" / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(publish, "__file__", str(tmp_path / "pipeline" / "publish.py"))

    def digest():
        code_digest.cache_clear()
        return code_digest()

    before = digest()
    (tmp_path / "models" / "room" / "a.pyc").write_bytes(b"made")
    assert digest() == before
    (tmp_path / "configs" / "room" / "a.yaml").write_text("y: 1\n")
    with_yaml = digest()
    assert with_yaml != before
    (tmp_path / "configs" / "room" / "a.yaml").rename(tmp_path / "configs" / "room" / "b.yaml")
    assert digest() != with_yaml  # the name of a file is part of it
    shutil.rmtree(tmp_path / "configs" / "room")
    (tmp_path / "configs" / "room").mkdir()
    (tmp_path / "configs" / "room" / "a.py").write_text("x = 1\n")
    assert digest() == before
    code_digest.cache_clear()


def test_a_folder_in_the_place_of_a_link_is_said_and_stays(tmp_path):
    (tmp_path / "latest").mkdir()
    (tmp_path / "runs").mkdir()
    with pytest.raises(ChurnError, match="latest is a folder, where a link to the newest night belongs"):
        point(tmp_path / "latest", tmp_path / "runs")
    assert (tmp_path / "latest").is_dir()
    (tmp_path / "latest").rmdir()
    point(tmp_path / "latest", tmp_path / "runs")
    assert (tmp_path / "latest").resolve() == tmp_path / "runs"
