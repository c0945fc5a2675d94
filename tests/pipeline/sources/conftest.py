"""Real database servers, which start when a test first asks for them."""

import os

import mariadb_server
import postgres_server
import pytest


def _without(reason):
    if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL; skips with a reason without one, fails where it is required."""
    if not postgres_server.programs():
        _without("no PostgreSQL: `uv sync` brings one, or install Debian's package postgresql")
    with postgres_server.running() as found:
        yield found


@pytest.fixture(scope="session")
def maria():
    """A running MariaDB; skips with a reason without one, fails where it is required."""
    if mariadb_server.program() is None:
        _without("no MariaDB: install Debian's package mariadb-server-core")
    with mariadb_server.running() as found:
        yield found
