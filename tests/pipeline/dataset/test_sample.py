"""A training draws whole customers, the same ones every time, before anything is computed for them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.dataset.sample import bounded
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 7, 1)
SNAPSHOTS = [dt.date(2024, 6, 1), dt.date(2024, 5, 1)]


@pytest.fixture
def shop(tiny):
    rng = np.random.default_rng(3)
    who = [f"c{i:03d}" for i in rng.integers(0, 400, 4_000)]
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 182 * 86_400, 4_000), unit="s")
    purchases = pd.DataFrame(
        {"customer_id": who, "occurred_at": at, "amount": rng.gamma(2, 20, 4_000).round(2)}
    )
    feedback = purchases.head(500).drop(columns="amount").assign(score=5.0)
    return lambda rows: tiny(
        transactions=purchases, feedback=feedback, sections={"model": {"max_training_rows": rows}}
    )


def test_the_rows_of_the_drawn_are_those_of_the_whole(shop):
    config, told = shop(200), []
    sources = open_sources(config, AS_OF)
    drawn = bounded(sources, config, SNAPSHOTS, told.append)
    assert told == ["a sample: 25.00% of 400 customers, within `model.max_training_rows`"]
    assert drawn.notes[-1:] == tuple(told)
    matrix, whole = build_matrix(drawn, config, SNAPSHOTS), build_matrix(sources, config, SNAPSHOTS)
    ids = matrix.frame["customer_id"].unique()
    assert 70 <= len(ids) <= 130
    chosen = whole.frame["customer_id"].isin(ids).to_numpy()
    pd.testing.assert_frame_equal(matrix.frame, whole.frame[chosen].reset_index(drop=True))
    labels = build_labels(drawn, config, matrix, AS_OF)
    np.testing.assert_array_equal(labels, build_labels(sources, config, whole, AS_OF)[chosen])
    again = bounded(open_sources(config, AS_OF), config, SNAPSHOTS, told.append)
    assert sorted(build_matrix(again, config, SNAPSHOTS).frame["customer_id"].unique()) == sorted(ids)


def test_what_fits_is_not_drawn(shop):
    config, told = shop(900), []
    sources = open_sources(config, AS_OF)
    assert bounded(sources, config, SNAPSHOTS, told.append) is sources
    assert told == []
