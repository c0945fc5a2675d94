"""A training in one file: what comes out is what went in, and nothing that was damaged is taken."""

import json
import math
from dataclasses import replace

import pytest

from configs.errors import ModelError
from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, fit_members
from models.tracking.exchange import TrainingRecord
from models.tracking.parcel import Parcel, packed_training, unpacked_training
from tests.models.model_data import random_sample

RECORD = TrainingRecord(
    run_name="24-03-01 shop",
    description="postgresql://eva:secret@db/shop was read",
    params={"seed": "7"},
    metrics={"auc": 0.75, "ece": math.nan},
    tags={"verdict": "promoted"},
    headline=["auc"],
    steps={"backtest/auc": [(0, 1_700_000_000_000, 0.7), (1, 1_700_086_400_000, 0.72)]},
    baselines={"recency rule": {"auc": 0.6}},
    datasets={},
    files={"overview.html": "<p>سلام</p>".encode(), "a/b.png": bytes(range(256))},
    metadata={"labels_until": "2024-03-01"},
    trials=[({"leaves": 8}, 0.41)],
)


@pytest.fixture(scope="module")
def parcel():
    parts = fit_members(random_sample(), Settings(horizon_days=30, trees=3), seeds=1)
    fitted = FittedModel.assemble(parts, {"boosted": 0.6, "linear": 0.4}, UNCALIBRATED)
    return Parcel(RECORD, {"model": fitted}, promote=True, reason="better", against=3, canary=True)


def test_what_comes_out_is_what_went_in(parcel):
    found = unpacked_training(packed_training(parcel), "kept.json")
    assert (found.promote, found.reason, found.against, found.canary) == (True, "better", 3, True)
    assert found.record == replace(
        RECORD, metrics={"auc": 0.75}, description=found.record.description
    )  # what is not finite has no place in JSON
    rows = random_sample().X
    assert (found.models["model"].probability(rows) == parcel.models["model"].probability(rows)).all()


def test_the_same_parcel_gives_the_same_bytes_and_no_password(parcel):
    text = packed_training(parcel)
    assert packed_training(parcel) == text
    assert "secret" not in text
    assert packed_training(unpacked_training(text, "kept.json")) == text


def test_every_change_is_noticed(parcel):
    outside = json.loads(packed_training(parcel))
    inside = json.loads(outside["training"])
    changed = [outside | {"sha256": "0" * 64}]
    changed += [outside | {"training": json.dumps(inside | {key: None})} for key in inside]
    changed += [{key: outside[key]} for key in outside]
    for content in changed:
        with pytest.raises(ModelError, match=r"kept\.json: not readable as a training .* delete it"):
            unpacked_training(json.dumps(content), "kept.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "0", "training": "{}"}', "null"])
def test_what_is_no_parcel_is_refused_by_name(text):
    with pytest.raises(ModelError, match=r"kept\.json"):
        unpacked_training(text, "kept.json")
