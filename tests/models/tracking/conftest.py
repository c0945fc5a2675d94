import shutil

import pytest

from tests.models.tracking.stores import tracking_in


@pytest.fixture
def tracking(prepared, tmp_path):
    """A store of this test alone."""
    shutil.copy(prepared, tmp_path / "mlflow.db")
    return tracking_in(tmp_path)
