"""Which failures of the tracking store pass by themselves, and that nobody waits for long."""

import os
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from configs.errors import StoreError, TryAgainError
from models.tracking import registry
from models.tracking.session import HASTE, mlflow_module, within
from models.tracking.store import sqlite_file
from tests.models.tracking.test_registry import RECORD, tracking_in, two_models

HTML = b"<html><body>Please sign in</body></html>"


@dataclass
class Server:
    """A server that answers everything in one way, or not at all."""

    status: int
    body: bytes = b"{}"
    hangs: bool = False

    def __enter__(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                if server.hangs:
                    released.wait(60)
                    return
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                self.wfile.write(server.body)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *arguments):
                pass

        self.released = released = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return f"http://me:s3cret@127.0.0.1:{self.http.server_address[1]}"

    def __exit__(self, *error):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.mark.parametrize(
    ("server", "error"),
    [
        (Server(401, HTML), StoreError),
        (Server(403, b'{"error_code": "PERMISSION_DENIED", "message": "no"}'), StoreError),
        (Server(404, HTML), StoreError),
        (Server(200, HTML), StoreError),
        (Server(500, HTML), TryAgainError),
        (Server(500, b'{"error_code": "INTERNAL_ERROR", "message": "no"}'), TryAgainError),
        (Server(503, HTML), TryAgainError),
        (Server(429, HTML), TryAgainError),
    ],
    ids=lambda value: f"{value.status} {value.body[:12]}" if isinstance(value, Server) else "",
)
def test_an_answer_tells_whether_to_wait_helps(tmp_path, server, error):
    with server as url:
        tracking = tracking_in(tmp_path)
        tracking = type(tracking)(url, tmp_path, "tiny", "tiny")
        with pytest.raises(error) as told:
            within(15, lambda: registry.load_champion(tracking), "champion")
    assert type(told.value) is error
    assert "s3cret" not in str(told.value)


def test_a_server_that_hangs_is_not_waited_for(tmp_path):
    with Server(200, hangs=True) as url:
        tracking = type(tracking_in(tmp_path))(url, tmp_path, "tiny", "tiny")
        started = time.monotonic()
        with pytest.raises(TryAgainError, match="champion: no answer within 1 seconds"):
            within(1, lambda: registry.load_champion(tracking), "champion")
        assert time.monotonic() - started < 5
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] != HASTE["MLFLOW_HTTP_REQUEST_TIMEOUT"]


def test_a_store_that_is_missing_is_not_made(tmp_path):
    tracking = tracking_in(tmp_path)
    with pytest.raises(StoreError, match="churn train"):
        registry.load_champion(tracking)
    assert not sqlite_file(tracking.uri).exists()


def test_a_file_that_is_no_store_is_no_empty_store(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="damaged"):
        registry.load_champion(tracking_in(tmp_path))


def test_mlflow_prints_no_address_of_a_run(monkeypatch, capsys):
    """To print it MLflow would ask the server, which is none."""
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "false")
    mlflow_module.cache_clear()
    client = mlflow_module().MlflowClient("http://me:s3cret@127.0.0.1:9")
    client._tracking_client._log_url("run")
    assert capsys.readouterr().out == ""


def test_what_a_training_says_of_itself_is_stored_without_passwords(tmp_path):
    uri = "postgresql://me:s3cret@host/shop?token=s3cret"
    record = replace(RECORD, description=f"from {uri}", params={"source": uri}, files={}, baselines={})
    tracking = tracking_in(tmp_path)
    models = two_models()
    registry.log_training(tracking, record, models[0], {"holdout": models[1]})
    found = [f for f in tmp_path.rglob("*") if f.is_file() and b"s3cret" in f.read_bytes()]
    assert not found
