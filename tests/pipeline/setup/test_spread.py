"""Day first or month first, told by how the days lie; the interview asks where nothing tells."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.setup.interview import MOST_QUESTIONS, Interview
from pipeline.setup.spread import by_spread
from pipeline.sources.profiles import Profile

BOTH = (("%m/%d/%Y",), ("%d/%m/%Y",))


def column(days, fmt, formats=BOTH):
    return Profile("at", "time", 9, 9, 9, samples=tuple(d.strftime(fmt) for d in days), formats=formats)


@given(
    st.dates(dt.date(2001, 1, 1), dt.date(2030, 12, 1)).map(lambda d: d.replace(day=1)),
    st.sampled_from([fmt for (fmt,) in BOTH]),
)
def test_the_first_days_of_a_month_tell_the_way_they_are_written(first, fmt):
    days = [first + dt.timedelta(days=i) for i in range(10)]
    assert by_spread(column(days, fmt)) == (fmt,)


@pytest.mark.parametrize(
    "days",
    [
        [dt.date(2024, m, m) for m in range(1, 12)],  # the same either way
        [dt.date(2024, 1, 2), dt.date(2024, 1, 3)],  # too few
        [],
    ],
)
def test_what_is_as_likely_is_left_to_a_person(days):
    assert by_spread(column(days, "%d/%m/%Y")) is None


def test_one_reading_leaves_nothing_to_tell():
    assert by_spread(column([dt.date(2024, 1, day) for day in (1, 2, 3, 4)], "%d/%m/%Y", BOTH[:1])) is None


def test_a_person_is_asked_a_few_times_and_then_the_guess_is_taken_and_said():
    asked = []

    def ask(what, guess):
        asked.append(what)
        return "" if what == "q0" else f" {what}! "

    interview = Interview(ask)
    answers = [interview.settle(f"q{i}", "guess", f"--q{i}", None) for i in range(MOST_QUESTIONS + 1)]
    assert answers == ["guess", "q1!", "q2!", "guess"]
    assert asked == ["q0", "q1", "q2"]
    assert interview.doubts == ["q3: took guess; --q3 says otherwise"]
    assert interview.settle("q4", "guess", "--q4", "given") == "given"
