"""What a check found, as a line, as a row, and as the config judges it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.monitoring import CHECKS, Monitoring
from pipeline.languages.language import Language
from pipeline.languages.said import Said, spoken
from pipeline.monitoring.checks import (
    FINE,
    IGNORED,
    LOOK,
    OPEN,
    STOP,
    Check,
    frame_of,
    judged_by_band,
    not_judged,
    ruled,
)


def check(name="volume", place="contacts", verdict=LOOK, **more):
    return Check(name, place, verdict=verdict, **more)


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            Check("volume", "contacts", 12.0, 60, 140.25, Said("rows"), LOOK, Said("ask")),
            "volume contacts: 12 rows, expected 60 to 140.2; ask",
        ),
        (Check("nulls", "usage", 0.123456, unit=Said("empty")), "nulls usage: 0.1235 empty"),
        (not_judged("scores", "all", Said("too few")), "scores all: too few"),
    ],
)
def test_a_check_in_a_line(made, line):
    assert str(made) == line


def test_a_line_is_told_in_the_reader_s_language():
    told = spoken(check(found=12.0, unit=Said("x")).line, Language("fa"))
    assert "contacts" not in told
    assert "volume" not in told
    assert "۱۲" in told


@given(st.floats(0, 5))
def test_a_person_looks_at_what_lies_outside_its_band(beyond):
    made = judged_by_band("volume", "x", 1.0, 0.0, 2.0, Said("rows"), Said("ask"), beyond)
    assert made.outside == (beyond > 1)
    assert (made.advice == "ask") == (beyond > 1)
    assert not_judged("volume", "x", Said("why")).outside is False


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({}, LOOK),
        ({"ignore": ["volume"]}, IGNORED),
        ({"ignore": ["volume contacts"]}, IGNORED),
        ({"ignore": ["volume con*"]}, IGNORED),
        ({"ignore": ["volume usage", "values"]}, LOOK),
        ({"ignore": ["VOLUME"]}, LOOK),
        ({"stop_when": ["volume"]}, STOP),
        ({"stop_when": ["volume"], "ignore": ["volume"]}, IGNORED),  # what is ignored stops nothing
        ({"stop_when": ["values"]}, LOOK),
    ],
)
def test_the_config_ignores_and_stops(settings, verdict):
    (found,) = ruled([check()], Monitoring(**settings))
    assert found.verdict == verdict


@pytest.mark.parametrize("verdict", [FINE, OPEN])
def test_what_is_as_expected_neither_stops_nor_is_ignored(verdict):
    settings = Monitoring(stop_when=["volume"], ignore=["volume"])
    assert ruled([check(verdict=verdict)], settings)[0].verdict == verdict


@given(
    st.lists(
        st.builds(check, st.sampled_from(CHECKS), st.sampled_from("ab"), st.sampled_from([FINE, LOOK, OPEN]))
    )
)
def test_what_to_look_at_comes_first_and_nothing_is_lost(checks):
    found = ruled(checks, Monitoring())
    assert sorted(map(str, found)) == sorted(map(str, checks))
    keys = [(not c.outside, CHECKS.index(c.name), c.place) for c in found]
    assert keys == sorted(keys)


def test_the_table_of_a_night():
    table = frame_of([check(found=1234567.0, low=0.0000001, high=0.123456), check(verdict=OPEN)])
    assert list(table.columns) == [
        "check", "place", "verdict", "found", "expected_low", "expected_high", "unit", "advice"
    ]  # fmt: skip
    assert table.loc[0, ["found", "expected_low", "expected_high"]].tolist() == [1235000.0, 0.0, 0.1235]
    assert table.loc[1, ["found", "expected_low"]].isna().all()
    assert frame_of([]).empty
