"""Files elsewhere: an object store and a web server on loopback, and what is said when they are away."""

import datetime as dt
import functools
import http.server
import threading

import pytest

from configs.errors import DataError, TryAgainError
from configs.schema import Config
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2025, 1, 1)
ORDERS = "id,at,amount\n1,2024-01-05,10\n2,2024-01-06,20\n"
SECRET = "wJalrXUtnFEMI"  # noqa: S105


def config_of(home, uri):
    columns = {"customer_id": "id", "occurred_at": "at", "amount": "amount"}
    return Config.model_validate(
        {
            "name": "shop",
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {"transactions": {"uri": uri, "columns": columns}},
        }
    )


def read(home, uri):
    table = open_sources(config_of(home, uri), AS_OF).tables["transactions"]
    return sorted(zip(*(table[c].to_pyarrow().to_pylist() for c in ("customer_id", "amount")), strict=True))


@pytest.fixture(scope="module")
def store():
    """The address of an object store that holds a bucket with two days of orders."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="shop")
    head, one, two, _ = ORDERS.split("\n")
    client.put_object(Bucket="shop", Key="days/1.csv", Body=f"{head}\n{one}\n".encode())
    client.put_object(Bucket="shop", Key="days/2.csv", Body=f"{head}\n{two}\n".encode())
    yield address
    server.stop()


@pytest.fixture
def keys(monkeypatch, store):
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.mark.parametrize(
    "uri", ["s3://shop/days/*.csv", "s3://shop/days/", ["s3://shop/days/1.csv", "s3://shop/days/2.csv"]]
)
def test_an_object_store(tmp_path, keys, uri):
    assert read(tmp_path, uri) == [("1", 10.0), ("2", 20.0)]


@pytest.mark.parametrize("uri", ["s3://shop/none.csv", "s3://nowhere/days/*.csv"])
def test_what_the_store_does_not_have(tmp_path, keys, uri):
    with pytest.raises(DataError) as caught:
        read(tmp_path, uri)
    assert f"sources.transactions.uri: no file at {uri}" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.fixture
def site(tmp_path):
    """The address of a web server on a folder with the orders."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_web_server(tmp_path, site):
    assert read(tmp_path, f"{site}/orders.csv") == [("1", 10.0), ("2", 20.0)]
    with pytest.raises(DataError, match="no file at http"):
        read(tmp_path, f"{site}/none.csv")


def test_a_server_that_is_away(tmp_path):
    with pytest.raises(
        TryAgainError, match=r"does not answer: .*; see that it is up, then try again"
    ) as caught:
        read(tmp_path, f"http://me:{SECRET}@127.0.0.1:9/orders.csv")
    assert SECRET not in str(caught.value)
