import pytest

from tests.pipeline.shop import maker


@pytest.fixture
def shop(tiny):
    return maker(tiny)
