"""Rows that an effect takes, against simulation, and who was reached, against the plain definition."""

import numpy as np
import pytest

from models.effects.control_group import reached, rows_needed
from models.statistics.intervals import newcombe


@pytest.mark.parametrize(("rate", "effect", "share"), [(0.5, 0.07, 0.5), (0.8, 0.08, 0.3)])
def test_with_as_many_rows_the_effect_is_seen_four_times_in_five(rate, effect, share):
    rng, n = np.random.default_rng(5), rows_needed(rate, effect, share)
    control = round(share * n)
    listed, seen = n - control, 0
    for _ in range(600):
        kept, kept_0 = rng.binomial(listed, rate + effect / 2), rng.binomial(control, rate - effect / 2)
        seen += newcombe(kept, listed, kept_0, control)[0] > 0
    assert seen / 600 == pytest.approx(0.8, abs=0.05)


def test_half_and_half_takes_the_fewest_rows_and_half_the_effect_four_times_as_many():
    shares = [rows_needed(0.7, 0.05, share) for share in (0.1, 0.3, 0.5)]
    assert shares == sorted(shares, reverse=True)
    assert rows_needed(0.7, 0.025, 0.5) == pytest.approx(4 * shares[-1], abs=4)


def test_reached_agrees_with_the_plain_definition():
    rng = np.random.default_rng(7)
    who, start = rng.integers(0, 20, 300), rng.integers(100, 200, 300)
    contacted, on = rng.integers(0, 20, 60), rng.integers(90, 210, 60)
    plain = [
        any(c == w and s <= d < s + 14 for c, d in zip(contacted, on, strict=True))
        for w, s in zip(who, start, strict=True)
    ]
    assert reached(who, start, 14, contacted, on).tolist() == plain
    assert not reached(who, start, 14, contacted[:0], on[:0]).any()
