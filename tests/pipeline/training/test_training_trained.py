"""What follows from a training: figures of its test snapshots, drivers, notes, and whether it waits for its place."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.spec import FeatureColumn
from models.backtest.compare import Verdict
from models.backtest.evaluate import measure, slices
from models.tracking.registry import Champion
from pipeline.training.trained import (
    DRIFT,
    EXPLAINED_ROWS,
    IDLE,
    behind_base_rate,
    by_source,
    newest_label,
    spend_of,
)


def champion(**metadata):
    return Champion(None, {}, {"as_of": "2025-11-01", **metadata}, 4, "run", "digest")


def test_each_contender_is_measured_on_each_test_snapshot_newest_first(trained):
    days = [tested.fold.test for tested in trained.training.tested]
    assert days == sorted(days, reverse=True)
    for tested, figures in zip(trained.training.tested, trained.tests, strict=True):
        assert set(figures) == set(tested.probability)
        spend = spend_of(trained.sample.X.iloc[tested.fold.test_rows])
        own = measure(tested.y, tested.probability["model"], trained.config.outreach.capacity, value=spend)
        assert figures["model"] == pytest.approx(own, nan_ok=True)


def test_figures_lie_in_their_intervals(trained):
    newest = trained.tests[0]["model"]
    for name, (low, high) in trained.intervals.items():
        assert low <= high
        assert low - 0.02 <= newest[name] <= high + 0.02 or np.isnan(newest[name])
    above, low, high = trained.above_base_rate
    assert low < above < high
    base = trained.tests[0]["base rate"]["log_loss"]
    assert above == pytest.approx(newest["log_loss"] - base)


def test_a_driver_is_the_sum_of_its_columns(trained):
    driver = {column.name: column.driver for column in trained.matrix.columns}
    assert set(trained.importance) == set(trained.report.used)
    for name, value in trained.drivers.items():
        mine = [size for column, size in trained.importance.items() if driver[column] == name]
        assert value == pytest.approx(sum(mine))
    assert list(trained.importance.values()) == sorted(trained.importance.values(), reverse=True)
    assert trained.idle == tuple(sorted(n for n, size in trained.importance.items() if size < IDLE))
    assert len(trained.sample) > 0 < EXPLAINED_ROWS


def test_the_worst_segment_is_the_first_of_the_slices(trained):
    newest = trained.training.tested[0]
    frame = trained.sample.X.iloc[newest.fold.test_rows]
    assert trained.worst == slices(frame, newest.y, newest.probability["model"])[0]
    assert trained.worst.name.startswith("plan=")
    few = replace(trained, sample=trained.sample.columns([n for n in trained.sample.X if n != "plan"]))
    assert few.worst is None


@pytest.mark.parametrize(
    ("promote", "nights", "there", "unfit", "waits"),
    [
        (True, 7, True, None, True),
        (True, 0, True, None, False),  # nobody asked for it
        (True, 7, False, None, False),  # there is none to stand beside
        (True, 7, True, "damaged", False),  # one that can't be used makes no lists
        (False, 7, True, None, False),
    ],
)
def test_a_proven_model_stands_beside_the_champion_first_where_the_config_says_so(
    trained, promote, nights, there, unfit, waits
):
    model = trained.config.model.model_copy(update={"canary_nights": nights})
    found = replace(
        trained,
        config=trained.config.model_copy(update={"model": model}),
        verdict=Verdict(promote, "why", unfit=unfit),
        champion=champion() if there else None,
    )
    assert found.waits is waits


def turned(trained, y=None, **probability):
    """The training with other outcomes, or another thing said, on its newest test snapshot."""
    newest, *older = trained.training.tested
    newest = replace(newest, y=newest.y if y is None else y, probability=newest.probability | probability)
    return replace(trained, training=replace(trained.training, tested=(newest, *older)))


def test_a_rate_that_moved_is_said_with_both_numbers(trained):
    newest = trained.training.tested[0]
    rows = len(newest.y)
    told = turned(trained, np.zeros(rows), model=np.full(rows, 0.4)).notes
    moved = f"the churn rate moved: 40.0% predicted at {newest.fold.test}, 0.0% came; "
    assert any(line == f"{moved}probabilities lag behind such a drift" for line in told)
    y = (np.arange(rows) < round(0.4 * rows)).astype(float)
    near = y.mean() + DRIFT / 2
    assert not any("moved" in line for line in turned(trained, y, model=np.full(rows, near)).notes)


def test_a_rate_that_chance_alone_explains_is_no_drift(trained):
    """Of few customers a tenth more or less is chance: four standard errors are asked for."""
    newest = trained.training.tested[0]
    rows = len(newest.y)
    y = (np.arange(rows) < rows // 2).astype(float)
    error = (0.25 / rows) ** 0.5
    inside, outside = (turned(trained, y, model=np.full(rows, y.mean() + k * error)) for k in (3.5, 4.5))
    assert not any("moved" in line for line in inside.notes)
    assert any("moved" in line for line in outside.notes)


def test_notes_tell_the_search_first_and_a_base_rate_that_is_better(trained):
    newest = trained.training.tested[0]
    wrong = np.where(newest.y > 0, 0.05, 0.95)
    told = replace(turned(trained, model=wrong), tuned=SimpleNamespace(note="tuned in 3 trials")).notes
    assert told[0] == "tuned in 3 trials"
    assert any(line.startswith("on the newest test snapshot the base rate is better: ") for line in told)
    assert not any("base rate is better" in line for line in trained.notes)


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ((-1e-9, -0.1, 0.1), ()),
        ((0.0, -0.1, 0.1), ("not proven",)),
        ((0.1, 0.01, 0.2), ("proven",)),
    ],
)
def test_a_base_rate_is_proven_better_where_its_interval_says_so(above, told):
    assert tuple(line.rsplit(", ", 1)[1] for line in behind_base_rate(*above)) == told


def test_the_model_is_called_by_its_members(trained):
    deployed = trained.training.deployed

    def weighted(**shares):
        members = [{"name": name.replace("_", " "), "weight": share} for name, share in shares.items()]
        model = replace(deployed, spec={**deployed.spec, "members": members})
        return replace(trained, training=replace(trained.training, deployed=model))

    one, two = weighted(large_trees=1.0), weighted(boosted=0.25, rfm=0.75)
    assert (one.kind, one.weights) == ("large trees", "large trees 1.00")
    assert (two.kind, two.weights) == ("blend", "boosted 0.25, rfm 0.75")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"plan": ["a", "b"]}, None),
        ({"spend_sum_30d": [5.0, 7.0], "spend_sum_90d": [9.0, -3.0]}, [9.0, 0.0]),
        ({"spend_sum_90d": [np.nan, 2.0], "spend_sum_ever": [4.0, 4.0]}, [0.0, 2.0]),
        ({"my_spend_sum_90d": [1.0, 2.0]}, None),
        ({"spend_sum_7d": pd.array([1, None], dtype="Int64")}, [1.0, 0.0]),
    ],
)
def test_value_is_the_spend_of_the_longest_window(columns, found):
    spent = spend_of(pd.DataFrame(columns))
    assert (spent is None) if found is None else spent.tolist() == found


def test_a_column_is_lost_with_each_source_that_it_needs():
    def column(name, source):
        return FeatureColumn(name, "", "", "", "", source, False)

    columns = [
        column("x", "usage.value"),
        column("y", "usage+customers.started_at"),
        column("z", "transactions"),
        column("twice", "contacts.inbound+contacts.agent"),
    ]
    assert by_source(columns, {"x", "y", "twice"}) == {
        "contacts": ["twice"],
        "customers": ["y"],
        "usage": ["x", "y"],
    }
    assert by_source(columns, set()) == {}


def test_the_newest_label_is_the_end_of_its_window(trained):
    last = max(trained.sample.snapshots)
    assert newest_label(trained.config, trained.sources, trained.sample) == str(
        last + np.timedelta64(30, "D")
    )
    churn = trained.config.churn.model_copy(update={"kind": "labelled"})
    undated = trained.config.model_copy(update={"churn": churn})
    digest = trained.sources.fingerprints["customers"]["digest"]
    assert newest_label(undated, trained.sources, trained.sample) == digest
