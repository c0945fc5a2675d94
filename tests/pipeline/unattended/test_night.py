"""A night with parts that fail in every way: what is run, in which order, with which exit code and which first line."""

import datetime as dt
import itertools
import json
import re

import pytest

from configs.errors import TryAgainError
from configs.schema import Config
from pipeline.layout import layout_of
from pipeline.publish import only_run
from pipeline.unattended import night as nights
from pipeline.unattended.part import LINES, WIDTH
from pipeline.unattended.process import Ended

SUNDAY = dt.date(2026, 6, 7)
WELL = {
    "check": {
        "passed": 2,
        "checks": [
            {"check": "tracking", "state": "ok", "lines": ["answers"]},
            {"check": "model", "state": "ok", "lines": ["ok"], "version": 1, "trained": "2026-06-05"},
        ],
    },
    "score": {
        "listed": 50,
        "folder": "runs/x",
        "look": [],
        "monitoring": {"checks": 9, "found": [], "lines": []},
    },
    "outcomes": {"nights": 0, "reason": "no list has matured"},
    "train": {"promoted": True, "version": 2, "reason": "proven better"},
}
CODES = (0, 1, 2, 3, 75)


def config_in(home, **nightly):
    return Config.model_validate(
        {
            "name": "shop",
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {
                "transactions": {"uri": "t.csv", "columns": {"customer_id": "c", "occurred_at": "o"}}
            },
            "nightly": nightly,
        }
    )


def runs(codes=None, values=None, seconds=1.0, megabytes=100.0):
    """A stand-in for the processes, and the list of those that were started."""
    started, codes, values = [], codes or {}, values or {}

    def run(name):
        started.append(name)
        code = codes.get(name, 0)
        if code in (0, 3):
            found = values.get(name, WELL[name])
        else:
            found = {"error": f"{name} is broken\n  - here", "exit_code": code}
        return Ended(code, found, "", seconds, megabytes)

    return run, started


def quiet(line):
    pass


@pytest.mark.parametrize("codes", list(itertools.product(CODES, repeat=2)), ids=str)
def test_the_worst_code_and_the_worst_line_first_whatever_the_parts_do(tmp_path, codes):
    by_part = dict(zip(("score", "train"), codes, strict=True))
    run, started = runs(by_part)
    result = nights.nightly(config_in(tmp_path), SUNDAY, run, quiet)
    assert started == ["check", "score", "outcomes", "train"]
    worst = min(codes, key=[1, 2, 75, 3, 0].index)
    assert result.exit_code == worst
    title, first, *_ = result.text.splitlines()
    assert ("the list is published" in title) == (by_part["score"] in (0, 3))
    if worst:
        word = {3: "look", 75: "later"}.get(worst, "failed")
        assert first.startswith(word)
        assert first.split()[1] == next(name for name in by_part if by_part[name] == worst)
    else:
        assert "all is well" in title
    noted = [json.loads(line) for line in layout_of(config_in(tmp_path)).nights.read_text().splitlines()]
    assert [n["exit_code"] for n in noted] == [worst]


def test_what_is_mailed_is_short(tmp_path):
    look = {**WELL["score"], "look": ["x" * 1_000] * 90}
    run, _ = runs({"score": 3}, {"score": look})
    lines = nights.nightly(config_in(tmp_path), SUNDAY, run, quiet).text.splitlines()
    assert len(lines) <= 1 + 5 * (LINES + 1)
    assert max(map(len, lines)) <= WIDTH + 20


def test_findings_are_told_once_and_make_a_training_due(tmp_path):
    found = {"checks": 9, "found": ["scores"], "lines": ["scores all: 0.4, expected 0 to 0.1"]}
    look = {**WELL["score"], "look": ["an opt-out was not heard", *found["lines"]], "monitoring": found}
    settings = {"train_on": [], "train_pause_days": 2}
    run, started = runs({"score": 3}, {"score": look})
    result = nights.nightly(config_in(tmp_path, **settings), SUNDAY, run, quiet)
    assert started[-1] == "train"
    assert "due: the monitoring found: scores" in result.text
    assert result.text.count("expected 0 to 0.1") == result.text.count("an opt-out was not heard") == 1


def test_the_summary_is_in_the_language_of_the_config_and_its_values_are_english(tmp_path):
    line, words = "an opt-out was not heard", "خواست مشتری شنیده نشد"
    score = {**WELL["score"], "look": [line], "in_words": {line: words}}
    run, _ = runs({"score": 3, "outcomes": 75}, {"score": score})
    config = config_in(tmp_path).model_copy(update={"language": "fa"})
    result = nights.nightly(config, SUNDAY, run, quiet)
    assert words in result.text
    # Names of commands and of versions, and what an error said.
    names = {
        "churn",
        "shop",
        "check",
        "score",
        "monitor",
        "outcomes",
        "train",
        "is",
        "broken",
        "here",
        "proven",
        "better",
    }
    folder = WELL["score"]["folder"]
    assert set(re.findall("[A-Za-z]+", result.text.replace(folder, ""))) <= names
    assert [part["lines"][0] for part in result.values["parts"] if part["part"] == "score"] == [line]


@pytest.mark.parametrize(
    ("model", "tracking"),
    [
        ({"state": "ok", "lines": ["no champion yet"]}, {"state": "ok"}),
        ({"state": "fault", "lines": ["another definition"], "version": 3}, {"state": "ok"}),
        ({"state": "not reached", "lines": []}, {"state": "fault", "unfit": True}),
    ],
)
def test_without_a_champion_the_training_comes_first(tmp_path, model, tracking):
    checks = [{"check": "model", **model}, {"check": "tracking", "lines": ["x"], **tracking}]
    run, started = runs(values={"check": {"passed": 0, "checks": checks}})
    nights.nightly(config_in(tmp_path), SUNDAY, run, quiet)
    assert started == ["check", "train", "score", "outcomes"]


def test_with_the_store_away_the_journal_knows_the_last_training(tmp_path):
    checks = [
        {"check": "model", "state": "not reached", "lines": []},
        {"check": "tracking", "state": "later", "lines": []},
    ]
    away = {"check": {"passed": 0, "checks": checks}}
    run, started = runs(values=away)
    for day in range(3):
        nights.nightly(config_in(tmp_path), SUNDAY + dt.timedelta(days=day), run, quiet)
    assert [started.count(name) for name in ("score", "train")] == [3, 1]


def test_a_part_that_takes_far_more_than_the_last_time_is_told(tmp_path):
    config, told = config_in(tmp_path), []
    for seconds, megabytes in [(50, 400), (140, 1_100), (500, 1_200), (500, 9_000), (500, 9_000)]:
        run, _ = runs(seconds=float(seconds), megabytes=float(megabytes))
        told.append(nights.nightly(config, SUNDAY - dt.timedelta(days=1), run, quiet).text)
    assert ["pace" in text for text in told] == [False, False, True, True, False]
    assert "score took 500 s, 3.6 times as long as the last time, 140 s" in told[2]
    assert "score took 9,000 MB, 7.5 times as much as the last time, 1,200 MB" in told[3]


def test_what_never_ends_or_dies_has_failed_and_the_rest_goes_on(tmp_path):
    fates = {
        "check": Ended(-9, None, "", 3.0, 4_000.0),
        "score": Ended(0, None, "Fatal: gone\nhere", 3.0, 1.0),
        "outcomes": Ended(143, {"error": "stopped"}, "", 99.0, 1.0, late=True),
    }
    fates["train"] = Ended(0, WELL["train"], "", 1.0, 1.0)
    result = nights.nightly(config_in(tmp_path), SUNDAY, fates.get, quiet)
    assert result.exit_code == 1
    assert "was ended by signal 9, at 4,000 MB: the memory may have been too small" in result.text
    assert "gave no result" in result.text
    assert "took longer than `nightly.max_hours` allows, and was ended after 99 s" in result.text


def test_a_training_at_night_searches_sizes_unless_the_config_says_how_much(tmp_path):
    config = config_in(tmp_path)
    assert nights.search_options(config) == ("--tune", "20")
    for trials in (0, 5):
        told = config.model.model_copy(update={"tune_trials": trials})
        assert nights.search_options(config.model_copy(update={"model": told})) == ()


def test_two_at_once_are_one(tmp_path):
    config, (run, started) = config_in(tmp_path), runs()
    with (
        only_run(layout_of(config).folder, "nightly"),
        pytest.raises(TryAgainError, match="another churn nightly"),
    ):
        nights.nightly(config, SUNDAY, run, quiet)
    assert not started
