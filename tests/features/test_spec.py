"""A declaration becomes columns; a change of it changes the catalogue's hash."""

import datetime as dt

import numpy as np
import pytest

from configs.base import Range
from features.panel import Stat
from features.snapshots import TimeAxis
from features.spec import catalogue_hash, columns_of, feature, needed_stats
from features.worse import Worse

AXIS = TimeAxis.of([dt.date(2024, 3, 1)], [30])


def declare(**given):
    @feature("usage", **{"unit": "visits", "driver": "usage", **given})
    def visits(at, *days):
        """Visits in the last {days} days.

        More that no report shows.
        """
        return at.usage.last(*days).count()

    return visits


def test_a_column_for_each_window_or_one():
    columns = columns_of([declare(windows=True, longest_days=90)], [30, 90, 365])
    assert [(c.name, c.label) for c, _ in columns] == [
        ("visits_30d", "Visits in the last 30 days"),
        ("visits_90d", "Visits in the last 90 days"),
    ]
    ((alone, _),) = columns_of([declare()], [30, 90])
    assert (alone.name, alone.label, alone.source) == ("visits", "Visits in the last {days} days", "usage")


def test_the_window_stands_in_the_reason_too():
    worse = Worse(range=Range(below=1), says="{visits_{days}d:visit} in {days} days")
    ((column, _),) = columns_of([declare(windows=True, worse=worse)], [30])
    assert column.worse.says == "{visits_30d:visit} in 30 days"


def test_each_column_s_function_has_its_own_window():
    class Window:
        def last(self, days):
            self.days = days
            return self

        def count(self):
            return self.days

    class At:
        usage = Window()

    assert [function(At) for _, function in columns_of([declare(windows=True)], [30, 90])] == [30, 90]


def test_a_feature_without_a_label_is_refused():
    def nameless(at):
        return at.usage.count()

    with pytest.raises(TypeError, match="feature nameless needs a docstring: its first line is the label"):
        feature("usage", unit="", driver="usage")(nameless)


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "days"},
        {"driver": "silence"},
        {"null": "unknown"},
        {"actionable": False},
        {"worse": Worse(range=Range(below=1), says="rarely there")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_changes_with_the_declaration(change):
    before, after = ([c for c, _ in columns_of([declare(**given)], [30])] for given in ({}, change))
    assert catalogue_hash(before) != catalogue_hash(after)


def test_the_hash_changes_with_the_order_and_a_user_s_code_and_with_nothing_else():
    columns = [c for c, _ in columns_of([declare(windows=True)], [30, 90])]
    assert catalogue_hash(columns) == catalogue_hash(list(columns))
    assert catalogue_hash(columns) != catalogue_hash(columns[::-1])
    assert catalogue_hash(columns) != catalogue_hash(columns, ["def visits(): ..."])
    assert len(catalogue_hash(columns)) == 16


def test_which_statistics_are_needed_is_found_on_nobody():
    functions = [
        lambda at: at.usage.last(30).sum("value") / at.usage.count(where="x"),
        lambda at: np.where(at.usage.mean_gap() > 1, at.feedback.last_value("score"), 0),
        lambda at: at.t - at.started_at,
    ]
    needed = needed_stats(functions, ["usage", "feedback", "contacts"], AXIS)
    assert needed["usage"] == {
        Stat("sum", "value"), Stat("count", "", "x"), Stat("count"), Stat("first_at"), Stat("last_at")
    }  # fmt: skip
    assert needed["feedback"] == {Stat("last", "score"), Stat("last_at", "score")}
    assert needed["contacts"] == set()
