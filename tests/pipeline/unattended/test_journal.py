"""The journal of nights: damaged lines are left out, old nights forgotten, and a slow part is told."""

import datetime as dt

import pytest

from pipeline.unattended import journal
from pipeline.unattended.journal import add, last_training, read_journal, slower
from pipeline.unattended.part import NightPart

NIGHT = dt.date(2024, 6, 1)


def part(name="score", code=0, seconds=10.0, megabytes=100.0):
    return NightPart(name, code, (), None, seconds, megabytes)


def test_a_night_is_a_line_and_parts_that_did_not_run_are_none(tmp_path):
    file = tmp_path / "nights.jsonl"
    add(file, NIGHT, [part(seconds=1.26, megabytes=99.6), part("train", seconds=0)], 3)
    assert read_journal(file) == [
        {
            "as_of": "2024-06-01",
            "exit_code": 3,
            "parts": {"score": {"exit_code": 0, "seconds": 1.3, "megabytes": 100}},
        }
    ]


def test_old_nights_are_forgotten_the_newest_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "_KEPT", 3)
    for day in range(5):
        add(tmp_path / "n.jsonl", NIGHT + dt.timedelta(days=day), [part()], 0)
    assert [n["as_of"] for n in read_journal(tmp_path / "n.jsonl")] == [
        "2024-06-03",
        "2024-06-04",
        "2024-06-05",
    ]


NO_NIGHTS = (
    '{"as_of": "2024-0',
    "[1]",
    "null",
    '{"as_of": "someday", "parts": {}}',
    '{"as_of": "2024-06-02"}',
    '{"as_of": "2024-06-02", "parts": []}',
)


@pytest.mark.parametrize("line", NO_NIGHTS)
def test_a_line_that_is_none_is_left_out(tmp_path, line):
    file = tmp_path / "nights.jsonl"
    add(file, NIGHT, [part()], 0)
    file.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    assert [n["as_of"] for n in read_journal(file)] == ["2024-06-01"]
    add(file, NIGHT + dt.timedelta(days=1), [part()], 0)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_without_a_file_there_was_no_night(tmp_path):
    assert read_journal(tmp_path / "nights.jsonl") == []
    assert last_training([]) is None


def nights(*codes):
    return [
        {"as_of": f"2024-06-0{i}", "parts": {} if code is None else {"train": {"exit_code": code}}}
        for i, code in enumerate(codes, 1)
    ]


@pytest.mark.parametrize(
    ("codes", "day"),
    [((0, 1), "2024-06-01"), ((0, 3), "2024-06-02"), ((1, 75), None), ((0, None, 1), "2024-06-01")],
)
def test_a_training_counts_when_it_went_to_its_end(codes, day):
    assert last_training(nights(*codes)) == (dt.date.fromisoformat(day) if day else None)


def before(seconds, megabytes, code=0):
    score = {"exit_code": code, "seconds": seconds, "megabytes": megabytes}
    return [{"parts": {"score": score}}]


@pytest.mark.parametrize(
    ("now", "then", "told"),
    [
        ((181, 100), (60, 100), ["score took 181 s, 3.0 times as long as the last time, 60 s"]),
        ((180, 100), (60, 100), []),
        ((29, 100), (1, 100), []),  # quick, whatever it was before
        ((31, 100), (1, 100), ["score took 31 s, 31.0 times as long as the last time, 1 s"]),
        ((60, 1201), (60, 400), ["score took 1,201 MB, 3.0 times as much as the last time, 400 MB"]),
        ((60, 299), (60, 10), []),
    ],
)
def test_a_part_that_took_much_longer_or_more_is_told(now, then, told):
    assert slower(part(seconds=now[0], megabytes=now[1]), before(*then), 3.0) == told


def test_only_nights_that_went_well_are_compared():
    slow = part(seconds=999)
    assert slower(slow, before(10, 10, code=1), 3.0) == []
    assert slower(part(seconds=999, code=1), before(10, 10), 3.0) == []
    assert slower(slow, [*before(900, 100), *before(10, 100, code=75)], 3.0) == []
