import json

import pytest

from configs.errors import ModelError
from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, digest_of, fit_members
from models.tracking.bundle import champion_of, packed, unpacked_bundle
from tests.models.model_data import random_sample


@pytest.fixture(scope="module")
def champion():
    parts = fit_members(random_sample(), Settings(horizon_days=30, trees=5), seeds=1)
    model = FittedModel.assemble(parts, {"boosted": 0.6, "linear": 0.4}, UNCALIBRATED)
    files = {f"{part}/{name}": text for part in ("model", "holdout") for name, text in model.files().items()}
    files = {name: text.encode() for name, text in files.items()}
    files["metadata.json"] = '{"as_of": "2026-01-01", "what": "مشتری"}'.encode()
    return champion_of(files, 3, "run", digest_of(files))


def test_what_is_packed_scores_the_same(champion):
    text = packed(champion)
    back = unpacked_bundle(text, "kept")
    assert packed(back) == text
    assert (back.version, back.run_id, back.digest) == (3, "run", champion.digest)
    assert back.metadata == champion.metadata
    assert back.holdout.files() == champion.holdout.files()
    rows = random_sample().X
    assert (back.model.probability(rows) == champion.model.probability(rows)).all()


def test_every_change_is_noticed(champion):
    """Cut anywhere, or with another character in any of its files, it is refused and named."""
    text = packed(champion)
    for end in range(0, len(text) - 1, len(text) // 7):
        with pytest.raises(ModelError, match="kept: "):
            unpacked_bundle(text[:end], "kept")
    for name in champion.files:
        content = json.loads(text)
        content["files"][name] += " "
        with pytest.raises(ModelError, match="kept: was changed after it was kept"):
            unpacked_bundle(json.dumps(content), "kept")
    for key in json.loads(text):
        content = {k: v for k, v in json.loads(text).items() if k != key}
        with pytest.raises(ModelError, match="kept: not readable"):
            unpacked_bundle(json.dumps(content), "kept")
