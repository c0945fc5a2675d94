"""How long customers waited, against a loop over days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.prediction.waits import Waits

EDGES = [0, 3, 5, 10]
DAY = st.integers(0, 12)


@given(st.lists(st.tuples(st.none() | DAY, st.booleans(), DAY), min_size=1, max_size=8))
def test_intervals_are_those_that_a_loop_finds(rows):
    rows = [(d if d is not None and d < f else None, e and d is not None and d < f, f) for d, e, f in rows]
    waits = Waits(
        np.array([np.nan if d is None else d for d, _, _ in rows], float),
        np.array([e for _, e, _ in rows]),
        np.array([f for _, _, f in rows], float),
    )
    survived, event = waits.intervals(EDGES)
    for (day, is_event, followed), found, happened in zip(rows, survived, event, strict=True):
        watched = [i for i, end in enumerate(EDGES[1:]) if end <= followed]
        outlasted = [i for i in watched if day is None or day >= EDGES[i + 1]]
        assert found == len(outlasted)
        assert happened == bool(is_event and len(outlasted) < len(watched))


WAITS = Waits(np.array([3.0, np.nan, 4.0]), np.array([True, False, False]), np.array([9.0, 9.0, 2.0]))


@pytest.mark.parametrize(
    ("days", "known", "waiting"),
    [
        (3, [True, True, False], [True, True, True]),
        (4, [True, True, False], [False, True, True]),
        (10, [False] * 3, [False, True, False]),
    ],
)
def test_who_is_known_at_so_many_days(days, known, waiting):
    found = WAITS.by(days)
    assert [side.tolist() for side in found] == [known, waiting]


def test_rows_and_what_was_known_earlier():
    one = WAITS.rows(np.array([2, 0]))
    np.testing.assert_array_equal(one.days, [4, 3])
    assert one.event.tolist() == [False, True]
    earlier = WAITS.known(np.array([1.0, 20.0, 1.0]))
    assert earlier.followed.tolist() == [1, 9, 1]
    assert earlier.days is WAITS.days
    nobody = Waits.unknown(2)
    assert np.isnan(nobody.days).all()
    assert nobody.intervals(EDGES)[0].tolist() == [0, 0]
