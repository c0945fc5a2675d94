"""`churn ui`: the MLflow pages of a config, and what its store no longer needs."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from configs.base import redacted
from configs.errors import TryAgainError
from configs.schema import Config
from models.tracking import registry
from pipeline.result import Result
from pipeline.tracking.champion import tracking_of

_ENDS_WITHIN = 5.0


def serve(config: Config, port: int, say: Callable[[str], None]) -> int:
    """Serve the MLflow pages on this machine until interrupted; returns the server's exit code.

    Raises
    ------
    TryAgainError
        When the port is taken.
    """
    tracking = tracking_of(config)
    registry.check_store(tracking)
    if tracking.uri.startswith(("http://", "https://")):
        say(f"the tracking server is at {redacted(tracking.uri)}")
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise TryAgainError(f"port {port} is taken; give another one with --port") from error
    say(f"compare the models at {registry.comparison_url(tracking, f'http://127.0.0.1:{port}')}")
    say("stop with Ctrl-C")
    # Without jobs and extra workers the server takes a quarter of the memory and half of the start.
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_BACKEND_STORE_URI": tracking.uri,
    }
    options = ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    # In a group of its own, since the server has children; the address of the store may hold a password.
    with subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", *options], env=environment, start_new_session=True
    ) as server:
        try:
            return server.wait()
        finally:
            _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(_ENDS_WITHIN)


def clean(config: Config, as_of: dt.date) -> Result:
    """Delete nightly runs that are older than `tracking.keep_days`."""
    oldest = as_of - dt.timedelta(days=config.tracking.keep_days)
    count = registry.clean_nightly(tracking_of(config), oldest)
    return Result(
        f"deleted {count} nightly runs of dates before {oldest}", {"deleted": count, "before": str(oldest)}
    )
