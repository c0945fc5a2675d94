"""What came of the parts of a night: the worst first, in a few lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.languages.language import Language
from pipeline.languages.said import said
from pipeline.unattended.part import (
    LINES,
    WIDTH,
    NightPart,
    cut_line,
    headline_of_night,
    shown_parts,
    worst_code,
    worst_first,
)

CODES = (0, 1, 2, 3, 75)


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        ((0, 3), 3),
        ((3, 75), 75),
        ((75, 2), 2),
        ((2, 1), 1),
        ((0, 0), 0),
        ((), 0),
        ((3, -9), -9),
        ((75, 137), 137),
    ],
)
def test_one_code_for_all_and_an_unknown_one_is_a_failure(codes, worst):
    assert worst_code([NightPart("x", code, ()) for code in codes]) == worst


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(CODES), max_size=8))
def test_parts_of_one_code_stay_in_their_order(codes):
    parts = [NightPart(str(i), code, ()) for i, code in enumerate(codes)]
    found = worst_first(parts)
    assert sorted(p.name for p in found) == sorted(p.name for p in parts)
    for code in CODES:
        names = [int(p.name) for p in found if p.code == code]
        assert names == sorted(names)


STATES = {0: "ok", 3: "look", 75: "later", 2: "failed", 1: "failed", 137: "failed", -9: "failed"}


@pytest.mark.parametrize(("code", "state"), STATES.items())
def test_a_code_in_a_word(code, state):
    assert NightPart("score", code, ()).state == state


def test_the_headline_names_what_is_not_well():
    parts = [
        NightPart("score", 75, ()),
        NightPart("monitor", 3, ()),
        NightPart("train", 137, ()),
        NightPart("x", 0, ()),
    ]
    assert headline_of_night(parts) == "train failed, score: try again later, monitor: look"
    assert headline_of_night([NightPart("score", 0, ())]) == "all is well"


def test_many_lines_are_a_few_and_long_ones_are_cut():
    lines = tuple(said("line {n}", n=n) for n in range(LINES + 2))
    shown = shown_parts([NightPart("score", 0, lines)], Language("en")).splitlines()
    assert len(shown) == LINES + 1
    assert shown[-1].strip() == "and 2 more lines"
    assert len(cut_line("x" * 999)) == WIDTH
    assert cut_line("x" * WIDTH) == "x" * WIDTH


def test_parts_are_told_in_the_reader_s_language():
    shown = shown_parts([NightPart("score", 1, (said("all is well"),))], Language("fa"))
    assert "failed" not in shown
    assert "all is well" not in shown


def test_values_for_machines():
    told = NightPart("score", 3, (said("look"),), seconds=1.26, megabytes=9.6).as_values
    assert told == {
        "part": "score", "state": "look", "exit_code": 3, "lines": ["look"], "seconds": 1.3, "megabytes": 10
    }  # fmt: skip
