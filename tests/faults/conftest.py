"""One small shop, trained once and scored for one night; every test gets a copy of its home."""

import datetime as dt
import shutil

import pytest

from pipeline.layout import layout_of
from pipeline.scoring.score import score
from pipeline.training.train import train
from tests.pipeline.training.test_train import purchases, shop_of

YESTERDAY = dt.date(2025, 12, 1)


def quiet(line):
    pass


def shop(home, **sections):
    return shop_of(home, "shop", **sections)


def prepared_shop(home):
    """Train and score it once."""
    home.mkdir(parents=True, exist_ok=True)
    purchases(120).to_parquet(home / "transactions.parquet")
    config = shop(home)
    train(config, YESTERDAY)
    score(config, YESTERDAY, None, dry_run=False, say=quiet)
    return home


@pytest.fixture(scope="module")
def patient():
    """A busy machine is no tracking store that is away, which a night would say."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOAD_SECONDS", "SEND_SECONDS"):
            patch.setattr(f"pipeline.tracking.tonight.{name}", 300.0)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    return prepared_shop(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def home(trained, tmp_path):
    """A copy of the trained home; models are read where they were written."""
    place = tmp_path / "home"
    shutil.copytree(trained, place, symlinks=True, ignore=shutil.ignore_patterns("mlartifacts"))
    return place


@pytest.fixture
def layout(home):
    return layout_of(shop(home))
