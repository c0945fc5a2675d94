"""What is disturbed: a small shop's nights, its trainings, what it learned, and a promotion."""

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd

from models.tracking import registry, store
from models.tracking.session import spoken_to
from pipeline.layout import layout_of
from tests.faults import sweep
from tests.faults.conftest import YESTERDAY, prepared_shop, shop
from tests.models.tracking.test_registry import RECORD, tracking_in, two_models


def nights(home: Path):
    """The next night, and a correction of the one that is there."""
    purchases = home / "transactions.parquet"
    yield sweep.scoring(*sweep.night_of(shop(home), YESTERDAY + dt.timedelta(1)))
    rows = pd.read_parquet(purchases)
    rows.iloc[: len(rows) - 40].to_parquet(purchases)
    yield sweep.scoring(*sweep.night_of(shop(home), YESTERDAY))


def stores(place: Path):
    """A training and a promotion."""
    empty, two, models = place / "empty", place / "two", two_models()
    tracking = tracking_in(empty)
    with spoken_to(tracking):
        pass
    store.back_up(empty / "mlflow.db", "x").rename(place / "fresh.db")
    shutil.rmtree(empty)
    for home in (empty, two):
        home.mkdir()
        shutil.copy(place / "fresh.db", home / "mlflow.db")
    yield sweep.training(empty, tracking, RECORD, models)
    other = tracking_in(two)
    for model in models:
        registry.log_training(other, RECORD, model, {"holdout": model})
    registry.make_champion(other, 1, "first")
    yield sweep.promotion(two, other)


def all_acts(place: Path):
    """Every act, the cheap ones first."""
    home = prepared_shop(place / "shop")
    yield sweep.outcomes(layout_of(shop(home)).ledger)
    yield from nights(home)
    yield from stores(place / "stores")
