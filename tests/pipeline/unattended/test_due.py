"""When a training is due: a year of nights, told by a rule that is written down in another way."""

import datetime as dt

import pytest

from configs.nightly import WEEKDAYS, Nightly
from pipeline.unattended.due import due

FIRST = dt.date(2026, 1, 1)
YEAR = [FIRST + dt.timedelta(days=n) for n in range(365)]


def trainings(settings, nights, found=lambda day: ()):
    """Days on which a training is due, when each of them goes well."""
    trained, days = FIRST, []
    for day in nights:
        if due(settings, day, trained, found(day)):
            trained = day
            days.append(day)
    return days


@pytest.mark.parametrize("weekday", range(7))
def test_a_weekday_is_once_a_week_and_a_missed_one_is_made_up_for(weekday):
    settings = Nightly(train_on=WEEKDAYS[weekday], train_after_days=None)
    expected = [day for day in YEAR[1:] if day.weekday() == weekday]
    assert trainings(settings, YEAR) == expected
    off = set(expected[3:5])  # the machine is off
    made_up = trainings(settings, [day for day in YEAR if day not in off])
    assert sorted(off)[-1] + dt.timedelta(days=1) in made_up
    assert len(made_up) in (len(expected) - 1, len(expected))


def test_a_finding_counts_once_the_last_training_is_old_enough():
    settings = Nightly(train_on=[], train_after_days=None, train_when=["scores"], train_pause_days=10)
    assert trainings(settings, YEAR, lambda day: ("scores", "volume")) == YEAR[10::10]
    assert not trainings(settings, YEAR, lambda day: ("volume",))


def test_age_alone():
    settings = Nightly(train_on=[], train_after_days=30)
    assert trainings(settings, YEAR) == YEAR[30::30]
    assert not trainings(Nightly(train_on=[], train_after_days=None), YEAR)


def test_none_is_due_twice_a_night_or_before_the_last_one_and_one_when_none_is_known():
    everything = Nightly(train_on=list(WEEKDAYS), train_when=["scores"], train_pause_days=1)
    assert due(everything, FIRST, FIRST, ["scores"]) is None
    assert due(everything, FIRST, FIRST + dt.timedelta(days=3), ["scores"]) is None
    assert due(everything, FIRST, None, []) == "no training is known"
