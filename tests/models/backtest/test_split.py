import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.backtest.split import fold_at, origins
from models.prediction.sample import Sample

DAY = np.timedelta64(1, "D")


def at(days):
    dates = np.datetime64("2026-01-01") + DAY * np.array(days)
    return Sample(
        pd.DataFrame(index=range(len(days))),
        np.zeros(len(days)),
        np.arange(len(days)).astype(str),
        dates.astype("datetime64[D]"),
    )


def test_a_window_that_ends_at_the_test_snapshot_may_train_and_one_day_later_not():
    fold = fold_at(at([0, 29, 30, 60]), np.datetime64("2026-01-01") + 60 * DAY, 0, 30)
    assert fold.train_rows.tolist() == [0, 1, 2]
    assert fold.test_rows.tolist() == [3]
    assert fold_at(
        at([0, 29, 30, 60]), np.datetime64("2026-01-01") + 60 * DAY, 1, 30
    ).train_rows.tolist() == [0, 1]


@given(st.lists(st.integers(0, 400), min_size=2, max_size=40), st.integers(0, 30), st.integers(1, 120))
def test_no_label_window_of_a_training_row_reaches_the_test_snapshot(days, gap, horizon):
    sample = at(days)
    for test in origins(sample.snapshots, gap, horizon, 3):
        fold = fold_at(sample, test, gap, horizon)
        if fold is None:
            assert (sample.snapshot + (gap + horizon) * DAY > test).all()
            continue
        assert (sample.snapshot[fold.train_rows] + (gap + horizon) * DAY <= test).all()
        assert (sample.snapshot[fold.test_rows] == test).all()
        assert f"{len(fold.train_rows):,}" in str(fold)


def test_origins_start_with_the_newest_and_are_thinned_to_three_a_window():
    days = list(np.datetime64("2025-01-01") + DAY * 7 * np.arange(50))[::-1]
    chosen = origins(days, 0, 84, 2)
    assert chosen[0] == days[0]
    assert set(np.diff(chosen) / DAY) == {-28.0}
    assert len(chosen) == 2 + 3 + 3
