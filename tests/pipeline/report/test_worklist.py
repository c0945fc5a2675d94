"""The list as people work through it: columns, choices, the small drawing, goals and groups in words."""

import datetime as dt
import re

import pytest

from pipeline.languages.language import Language
from pipeline.report.view import ListRow
from pipeline.report.worklist import (
    EDGE,
    HEIGHT,
    MOST_VALUES,
    WIDTH,
    choices_of,
    goal_in_words,
    group_name,
    spark,
    worklist_columns,
)

ENGLISH = Language("en")


def row(number=1, **more):
    return ListRow(number, str(number), 0.5, 10.0, ("Late",), **more)


def keys(rows, **known):
    return [key for key, _ in worklist_columns(rows, ENGLISH, **known)]


def test_a_column_is_there_when_one_row_has_something_to_show():
    rows = [row(1), row(2, channel="email", due="5 Jan")]
    assert keys(rows, valued=True, gains=True) == [
        "rank",
        "customer",
        "chance",
        "value",
        "gain",
        "channel",
        "due",
    ]
    assert keys([row()], valued=False, gains=False) == ["rank", "customer", "chance"]


def test_headers_are_in_the_language():
    english = dict(worklist_columns([row()], ENGLISH, valued=True, gains=False))
    persian = dict(worklist_columns([row()], Language("fa"), valued=True, gains=False))
    assert english["chance"] == "Chance of leaving"
    assert set(persian) == set(english)
    assert not set(persian.values()) & set(english.values())


def test_choices_are_the_values_that_are_there_once_each_in_order():
    rows = [
        row(1, owner="Eva", channel="phone", segments=(("plan", "pro"), ("city", "x"))),
        row(2, owner="Ann", segments=(("plan", "free"), ("city", "x"))),
        row(3, owner="Eva", segments=(("plan", "pro"),)),
    ]
    found = choices_of(rows)
    assert (found["owner"], found["channel"], found["action"]) == (["Ann", "Eva"], ["phone"], [])
    assert found["segments"] == [("plan", ["free", "pro"])]  # one city is no choice


@pytest.mark.parametrize(("values", "is_choice"), [(MOST_VALUES, True), (MOST_VALUES + 1, False)])
def test_an_attribute_with_very_many_values_is_no_choice(values, is_choice):
    rows = [row(i, segments=(("street", f"s{i}"),)) for i in range(values)]
    assert bool(choices_of(rows)["segments"]) == is_choice


def test_the_drawing_has_a_point_a_night_within_its_edges():
    nights = [(dt.date(2026, 6, day), chance) for day, chance in ((1, 0.0), (8, 0.5), (15, 1.0))]
    drawn = spark(nights, ENGLISH)
    points = [tuple(map(float, p.split(","))) for p in re.search(r'points="([^"]+)"', drawn)[1].split()]
    assert points == [(EDGE, HEIGHT - EDGE), (WIDTH / 2, HEIGHT / 2), (WIDTH - EDGE, EDGE)]
    assert f'cy="{EDGE}"' in drawn
    assert "on 1 Jun 2026" in drawn
    assert "on 15 Jun 2026" in drawn


def test_a_single_night_is_a_point():
    assert f'points="{EDGE},22"' in spark([(dt.date(2026, 6, 1), 0.5)], ENGLISH)


def test_goals_that_nobody_knows_stay_as_they_are():
    assert goal_in_words(ENGLISH, "at most 3") == "at most 3"
    assert goal_in_words(ENGLISH, "down every month") == "down every month"
    assert goal_in_words(ENGLISH, "as good as gold") == "as good as gold"


def test_only_our_own_ranges_of_numbers_are_put_in_words():
    assert group_name(ENGLISH, "12: 1.5 to below 3") == "1.5 to below 3"
    assert group_name(ENGLISH, "below 12") == "below 12"
    assert group_name(ENGLISH, "at 1: below 12") == "at 1: below 12"
    assert group_name(Language("fa"), "1: below 12") != group_name(ENGLISH, "1: below 12")
