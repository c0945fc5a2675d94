"""The rate, the matrix and the labels agree on who is a customer and who churned."""

import datetime as dt

import numpy as np
import pytest

from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.retention.membership import customers_at
from pipeline.retention.rate_forecast import window_rate
from pipeline.sources.opening import open_sources


@pytest.mark.slow
@pytest.mark.parametrize("name", ["online_retail", "cdnow", "open_university"])
def test_rate_matrix_and_labels_agree(shipped, name):
    config = shipped(name)
    sources = open_sources(config, config.as_of)
    for back in (100, 101, 250):
        snapshot = config.as_of - dt.timedelta(days=back)
        matrix = build_matrix(sources, config, [snapshot])
        moment = dt.datetime.combine(snapshot, dt.time())
        here = customers_at(sources.tables, config.churn, moment).customer_id.execute()
        assert sorted(matrix.frame["customer_id"]) == sorted(here)
        labels = build_labels(sources, config, matrix, config.as_of)
        known, churned = window_rate(sources.tables, config.churn, snapshot)
        assert (int(np.isfinite(labels).sum()), int((labels == 1).sum())) == (known, churned)
        assert known > 0
