"""A store that is prepared once for all tests of this folder: MLflow takes seconds to make one."""

import shutil

import pytest

from models.tracking import store
from models.tracking.session import spoken_to
from tests.models.tracking.stores import tracking_in


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The file of a store without runs or models."""
    home = tmp_path_factory.mktemp("prepared")
    with spoken_to(tracking_in(home)):
        return store.back_up(home / "mlflow.db", "prepared")


@pytest.fixture
def tracking(prepared, tmp_path):
    """A store of this test alone."""
    shutil.copy(prepared, tmp_path / "mlflow.db")
    return tracking_in(tmp_path)
