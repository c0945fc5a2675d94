"""Lines on standard error are whole, whatever writes them, and say which run they belong to."""

import datetime as dt
import json
import logging
import subprocess
import sys
import threading
from contextlib import redirect_stderr
from io import StringIO

import pytest

from pipeline import log
from pipeline.log import Line, belongs_to, logged_stage, run_id, speaking, tell
from pipeline.progress import progress

DAY = dt.date(2026, 7, 1)
THREADS, LINES = 8, 200


def spoken(form, work):
    """What work writes to standard error while a command speaks."""
    with redirect_stderr(StringIO()) as out, speaking(form, "score"):
        work()
    return out.getvalue().splitlines()


def of_many_threads():
    belongs_to("demo-1")
    words = ["short", "long " * 400]
    work = [
        threading.Thread(target=lambda n=n: [tell(f"{n} {i} {words[n % 2]}") for i in range(LINES)])
        for n in range(THREADS)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


@pytest.mark.parametrize("form", log.FORMATS)
def test_lines_of_threads_never_collide(form):
    lines = spoken(form, of_many_threads)
    told = [
        json.loads(line)["message"] if form == "json" else line.removeprefix("[demo-1] ") for line in lines
    ]
    seen = sorted((int(n), int(i)) for n, i, *_ in (line.split() for line in told))
    assert seen == [(n, i) for n in range(THREADS) for i in range(LINES)]
    assert all(line.count("[demo-1]") == (form == "text") for line in lines)


def speaks_in_every_way():
    tell("before any config is read")
    belongs_to(run_id("demo", "abc", DAY))
    with logged_stage("features", tell) as counted:
        counted("at a date", customers=2_000)
    with pytest.raises(ValueError, match="no"), logged_stage("list", tell):
        raise ValueError("no")
    tell("churn: 2 faults\n  - one\n  - \x1b[2J two at http://me:secret@host", "error")


def test_every_line_is_an_object_with_its_run():
    found = [json.loads(line) for line in spoken("json", speaks_in_every_way)]
    assert [one["run_id"] for one in found] == [None, *[run_id("demo", "abc", DAY)] * 3]
    assert [one["level"] for one in found] == ["info", "info", "info", "error"]
    assert {one["command"] for one in found} == {"score"}
    features, broken = found[1], found[2]
    assert (features["stage"], features["customers"]) == ("features", 2_000)
    assert 0 <= features["seconds"] < 1
    assert broken["message"].startswith("list: broken off after 0.0 s")
    assert "secret" not in str(found)
    assert "\x1b" not in found[3]["message"]
    assert all(dt.datetime.fromisoformat(one["time"]).tzinfo for one in found)


def test_in_text_every_line_has_the_mark_of_its_run():
    first, *others = spoken("text", speaks_in_every_way)
    assert first == "before any config is read"
    assert len(others) == 5
    assert all(line.startswith(f"[{run_id('demo', 'abc', DAY)}] ") for line in others)


def writes_past_the_log():
    logging.StreamHandler().handle(logging.makeLogRecord({"msg": "a library warns"}))
    print("a library prints", file=sys.stderr)
    sys.stderr.write("no end of line")


def test_what_libraries_write_becomes_lines_too():
    found = [json.loads(line) for line in spoken("json", writes_past_the_log)]
    messages = [one["message"] for one in found]
    assert any("a library warns" in line for line in messages)
    assert messages[-2:] == ["a library prints", "no end of line"]
    assert {one["level"] for one in found} == {"other"}


def test_hushed_libraries_hush_no_line_of_ours():
    def work():
        with redirect_stderr(StringIO()):
            tell("ours")
            print("theirs", file=sys.stderr)

    assert spoken("text", work) == ["ours"]


def test_progress_is_a_line_of_the_same_kind(monkeypatch):
    monkeypatch.setattr("pipeline.progress.EVERY_SECONDS", 0.0)
    lines = spoken("json", lambda: list(progress("abc", "features", 3)))
    assert [json.loads(line)["message"].split(",")[0] for line in lines] == [
        "features: 1 of 3 steps",
        "features: 2 of 3 steps",
    ]


def test_the_id_follows_from_config_and_date():
    ids = {run_id(n, d, day) for n in ("a", "b") for d in ("x", "y") for day in (DAY, dt.date(2026, 7, 2))}
    assert len(ids) == 8
    assert run_id("a", "x", DAY) == run_id("a", "x", DAY)


def test_values_of_a_line_do_not_reach_text():
    assert spoken("text", lambda: tell(Line("rows: 3", rows=3))) == ["rows: 3"]


def test_an_error_of_a_command_is_a_line_of_json(tmp_path):
    command = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    done = subprocess.run(
        [*command, "score", "--config", str(tmp_path / "none.yaml"), "--log-format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"].startswith("churn: ")
    assert json.loads(line)["level"] == "error"
