"""Who is still a customer in fact."""

import numpy as np
import pandas as pd
import pytest

from models.prediction import still_there


@pytest.fixture(scope="module")
def lived():
    """Customers with a rhythm of their own, of whom some have left in silence."""
    rng, n = np.random.default_rng(0), 6_000
    gap, count = rng.uniform(5, 60, n), rng.integers(2, 30, n)
    gone = rng.random(n) < 0.4
    silence = np.where(gone, rng.uniform(0, 400, n), rng.exponential(gap))
    frame = pd.DataFrame(
        {
            "recency_days": silence,
            "purchase_count_ever": count.astype(float),
            "purchase_tenure_days": gap * (count - 1) + silence,
        }
    )
    return frame, (~gone) * 1.0


def test_it_is_calibrated_on_who_came_back(lived):
    frame, back = lived
    half = np.arange(len(frame)) % 2 == 0
    found = still_there.chance(still_there.fit_still_there(frame[half], back[half], 300), frame[~half])
    for part in np.array_split(np.argsort(found), 5):
        assert found[part].mean() == pytest.approx(back[~half][part].mean(), abs=0.07)


def test_the_same_silence_means_more_in_a_fast_rhythm(lived):
    frame, back = lived
    spec = still_there.fit_still_there(frame, back, 300)
    two = pd.DataFrame(
        {
            "recency_days": [60.0, 60.0],
            "purchase_count_ever": [20.0, 20.0],
            "purchase_tenure_days": [19 * 7.0 + 60, 19 * 50.0 + 60],
        }
    )
    fast, slow = still_there.chance(spec, two)
    assert fast < slow - 0.2


def test_too_few_rows_or_all_the_same_teach_nothing(lived):
    frame, back = lived
    assert still_there.fit_still_there(frame[:50], back[:50], 300) is None
    assert still_there.fit_still_there(frame, np.ones(len(frame)), 300) is None


def test_unknown_numbers_give_a_chance(lived):
    frame, back = lived
    spec = still_there.fit_still_there(frame, back, 300)
    found = still_there.chance(spec, pd.DataFrame({name: [np.nan] for name in still_there.NEEDED}))
    assert 0 <= found[0] <= 1
