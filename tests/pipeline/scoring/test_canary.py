"""A challenger beside the champion: when it takes the place, and when a person is asked."""

import datetime as dt
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, fit_members
from models.tracking import registry
from models.tracking.session import spoken_to
from pipeline.scoring import canary
from tests.models.model_data import random_sample
from tests.models.tracking.test_registry import RECORD, Settings, store, tracking_in

FIRST = dt.date(2026, 1, 5)


def quiet(line):
    pass


@pytest.fixture(scope="module")
def sample():
    return random_sample()


@pytest.fixture(scope="module")
def ready(tmp_path_factory, sample):
    """A store with a champion, version 1, and a version 2 that is like it."""
    home = tmp_path_factory.mktemp("ready")
    tracking = tracking_in(home)
    parts = fit_members(sample, Settings(horizon_days=30, trees=10), seeds=2)
    for share in (0.5, 0.6):
        weights = {"boosted": share, "linear": 0.8 - share, "bg/nbd": 0.2}
        model = FittedModel.assemble(parts, weights, UNCALIBRATED)
        registry.log_training(tracking, RECORD, model, {"holdout": model})
    registry.make_champion(tracking, 1, "first")
    store.back_up(home / "mlflow.db", "x")
    return home


@pytest.fixture
def tracking(ready, tmp_path):
    shutil.copy(ready / "mlflow.db.x.bak", tmp_path / "mlflow.db")
    tracking = tracking_in(tmp_path)
    registry.make_challenger(tracking, 2, "proven better")
    return tracking


def nights(tracking, sample, days, wanted=3, champion=None):
    """Score on these days; what a person should look at, of each."""
    champion = champion or registry.load_version(tracking, 1)
    return [
        canary.beside(
            tracking,
            tracking.home / "canary.json",
            champion,
            sample.X,
            as_of=FIRST + dt.timedelta(days=day),
            nights=wanted,
            listed=20,
            say=quiet,
        )
        for day in days
    ]


@pytest.mark.slow
def test_it_takes_the_place_after_so_many_different_nights(tracking, sample):
    assert nights(tracking, sample, [0, 0, 0, 1, 1]) == [()] * 5
    assert registry.champion_version(tracking) == 1
    assert nights(tracking, sample, [2]) == [()]
    assert registry.champion_version(tracking) == 2
    assert registry.load_challenger(tracking) is None
    with spoken_to(tracking) as client:
        told = client.get_model_version("tiny", "2").tags["promotion_reason"]
    assert told == "proven better; 3 nights beside version 1 without a doubt"
    kept = json.loads((tracking.home / "canary.json").read_text())
    assert sorted(kept["nights"]) == [str(FIRST + dt.timedelta(days=n)) for n in range(3)]


@pytest.mark.slow
def test_a_doubt_keeps_the_champion_and_a_person_is_asked(tracking, sample, monkeypatch):
    champion = registry.load_version(tracking, 1)
    low = replace(champion, model=Scaled(champion.model, 0.3))
    assert nights(tracking, sample, [0]) == [()]
    (look,) = nights(tracking, sample, [1], champion=low)[0]
    assert "version 2, which waits for the place of version 1: it expects" in look
    assert nights(tracking, sample, [2, 3])[0]  # the doubt of a night stays until that night is scored anew
    assert registry.champion_version(tracking) == 1
    assert nights(tracking, sample, [1]) == [()]
    assert registry.champion_version(tracking) == 2


class Scaled:
    def __init__(self, model, factor):
        self.model, self.factor = model, factor

    def probability(self, frame):
        return self.model.probability(frame) * self.factor


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (lambda p: p, None),
        (lambda p: p * 0.9, None),
        (lambda p: p / 2, "expects"),
        (lambda p: np.minimum(p * 3, 1), "expects"),
        (lambda p: p[::-1], "another order"),
        (lambda p: np.where(p > p.mean(), p, np.nan), "no probability"),
    ],
)
def test_what_speaks_against_it(theirs, said):
    mine = np.linspace(0.01, 0.6, 200)
    found = canary.doubt(canary.side_by_side(mine, theirs(mine), 20))
    assert (found is None) == (said is None)
    assert said is None or said in found


def test_columns_that_the_data_lack_and_a_store_that_is_away_are_told(tracking, sample):
    some = replace(sample, X=sample.X.iloc[:, :1])
    (look,) = nights(tracking, some, [0])[0]
    assert "could not score beside it" in look
    away = replace(tracking, uri="http://127.0.0.1:9")
    champion = registry.load_version(tracking, 1)
    assert "could not score beside it" in nights(away, sample, [0], champion=champion)[0][0]


def test_without_one_that_waits_nothing_is_said_or_written(tracking, sample):
    registry.make_champion(tracking, 2, "by hand")
    assert nights(tracking, sample, [0]) == [()]
    assert not (tracking.home / "canary.json").exists()
