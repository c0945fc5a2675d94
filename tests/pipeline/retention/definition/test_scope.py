"""Which periods a table is about."""

import datetime as dt

from configs.retention import Retention
from pipeline.retention.definition.scope import Scope


def test_what_is_given_stands_before_the_config():
    config = Retention(unit="quarter", periods=4, rolling=True)
    assert Scope.of(config).unit == "quarter"
    assert Scope.of(config, unit="week", rolling=False, periods=None) == Scope("week", 4, "UTC", 0)


def test_a_plain_scope_is_of_everybody_by_the_calendar():
    scope = Scope.of(Retention(rolling=True), segment="plan", running=True)
    assert scope.plain("quarter") == Scope("quarter", 12, "UTC", 0)
    assert scope.plain() == Scope("month", 12, "UTC", 0)


def test_the_last_complete_period_is_over():
    scope = Scope.of(Retention(), running=True)
    assert scope.last_complete(dt.date(2024, 7, 1)).label == "2024-06"
    assert scope.last_complete(dt.date(2024, 6, 30)).label == "2024-05"
