"""The matrix equals the slow oracle, for every feature of the catalogue."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from features_data import STEP, T, company, opened
from features_slow import matrix

from features.matrix import declared
from pipeline.dataset.matrix import build_matrix

STEPS_BACK = [T - dt.timedelta(days=STEP * i) for i in range(4)]


@pytest.mark.parametrize("kind", ["non_contractual", "contractual"])
@pytest.mark.parametrize(
    ("seed", "windows", "snapshots"),
    [
        pytest.param(1, [30, 90], STEPS_BACK, marks=pytest.mark.slow),
        (2, [30, 90, 180, 360], [T]),
        (3, [5, 25, 100], [T, T - dt.timedelta(days=5), T - dt.timedelta(days=45)]),
        (4, [7, 30], [T, T - dt.timedelta(days=1)]),
        (5, [30], STEPS_BACK[::-1]),
        (6, [400], [T - dt.timedelta(days=360), T]),
    ],
)
def test_every_feature_equals_the_oracle(seed, windows, snapshots, kind):
    frames = company(seed)
    with opened(frames, kind, T, windows=windows) as (sources, config):
        found = build_matrix(sources, config, snapshots)
    active = config.churn.active_days if kind == "non_contractual" else None
    wanted = matrix(frames, snapshots, windows, STEP, active, low_score=4)

    frame = found.frame.set_index(["snapshot", "customer_id"])[[column.name for column in found.columns]]
    frame.index = frame.index.set_levels(frame.index.levels[0].astype("datetime64[us]"), level=0)
    want = pd.DataFrame.from_dict(wanted, orient="index")
    want = want.reindex(columns=frame.columns)
    want.index = pd.MultiIndex.from_tuples(
        [(t.as_unit("us"), c) for t, c in want.index], names=frame.index.names
    )
    want = want.sort_index()
    assert set(frame.columns) == set(next(iter(wanted.values())))
    assert len(want) > 0
    pd.testing.assert_frame_equal(
        frame.astype({"plan": "str"}), want.astype({"plan": "str"}), check_dtype=False, rtol=1e-5, atol=1e-5
    )


def test_the_company_has_every_feature_of_the_catalogue():
    """All but those of feedback without scores, which the company has, and those of `test_contracts_oracle`."""
    with opened(company(0), "contractual", T) as (sources, config):
        names = {c.name for c in build_matrix(sources, config, [T]).columns}
    missing = [
        f.name
        for f in declared()
        if "feedback.unscored" not in f.sources
        and not any(source.startswith("contract_") for source in f.sources)
        and not any(n == f.name or n.startswith(f"{f.name}_") for n in names)
    ]
    assert missing == []


def test_columns_are_float32_or_category():
    with opened(company(0), "contractual", T) as (sources, config):
        frame = build_matrix(sources, config, [T]).features
    assert {str(t) for t in frame.dtypes} == {"float32", "category"}
    assert not np.isinf(frame.select_dtypes("float32")).any(axis=None)
