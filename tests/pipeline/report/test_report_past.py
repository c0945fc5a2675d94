"""The picture of past nights, read from its axes: chance stated beside the share that left, and the lift."""

import pytest
from matplotlib.figure import Figure

from pipeline.report import past

NAMES = ("stated", "left", "lift of the top tenth")


@pytest.fixture
def drawn(monkeypatch):
    figures, write = [], past.svg_of

    def keep(figure, label):
        figures.append(figure)
        return write(figure, label)

    monkeypatch.setattr(past, "svg_of", keep)
    return figures


def chart(nights, stated, left, lifts):
    formats = (lambda value: f"{value:g} %", lambda value: f"{value:g} x")
    return past.outcomes_chart(nights, (stated, left), lifts, formats, NAMES, "Past nights")


def test_what_was_stated_and_what_came_in_percent(drawn):
    text = chart(["Aug", "Sep"], [0.1, 0.25], [0.2, 0.1], [2.0, 3.2])
    assert isinstance(drawn[0], Figure)
    above, below = drawn[0].axes
    assert [list(line.get_ydata()) for line in above.lines] == [[10, 25], [20, 10]]
    assert above.get_ylim()[1] >= 25
    assert above.get_yticklabels()[0].get_text() == "0 %"
    assert list(below.lines[0].get_ydata()) == [2.0, 3.2]
    assert below.get_ylim() == (0, 4)  # round, and above the best lift
    assert list(below.lines[1].get_ydata()) == [1, 1]
    assert 'aria-label="Past nights"' in text


def test_a_lift_that_nobody_knows_leaves_a_hole_and_the_scale_as_it_is(drawn):
    chart(["Aug", "Sep"], [0.1, 0.2], [0.2, 0.1], [float("nan"), float("nan")])
    assert drawn[0].axes[1].get_ylim() == (0, 2)


@pytest.mark.parametrize(("count", "named"), [(1, [0]), (5, [0, 1, 2, 3, 4]), (11, [1, 4, 7, 10])])
def test_at_most_five_nights_are_named_the_newest_always(drawn, count, named):
    nights = [f"n{i}" for i in range(count)]
    chart(nights, [0.1] * count, [0.2] * count, [2.0] * count)
    below = drawn[0].axes[1]
    assert list(below.get_xticks()) == named
    assert [label.get_text() for label in below.get_xticklabels()] == [f"n{i}" for i in named]
