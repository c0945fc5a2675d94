"""Files elsewhere: an object store and a web server on loopback, and what is said when they are away."""

import datetime as dt
import functools
import http.server
import threading
import zipfile

import pytest

from configs.errors import DataError, TryAgainError
from configs.schema import Config
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.opening import open_sources
from pipeline.sources.places import (
    Copies,
    _told,
    copies_of,
    files_of,
    is_store,
    is_table,
    is_url,
    local_files,
)

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


def found(home, uri):
    """What the files of a source are called, and what they hold."""
    config, owner = config_of(home, uri), Copies  # any object that lives as long
    copies = copies_of(owner, {})
    files = files_of("transactions", config.sources.given["transactions"], config, copies)
    return [(file.shown, file.path.read_text(), file.sheet) for file in files]


def fault(home, uri):
    with pytest.raises(UnreadableError) as caught:
        found(home, uri)
    (one,) = caught.value.faults
    return one


@pytest.fixture
def days(tmp_path):
    (tmp_path / "days").mkdir()
    for name in ("2.csv", "1.CSV", "notes.md", ".hidden.zip", "3.csv.gz"):
        (tmp_path / "days" / name).write_text(name)
    (tmp_path / "days" / "older").mkdir()
    return tmp_path


def test_a_folder_is_all_its_tables_in_order(days):
    assert [shown for shown, _, _ in found(days, "days/")] == ["days/1.CSV", "days/2.csv", "days/3.csv.gz"]
    assert [file.name for file in local_files("days", days)] == ["1.CSV", "2.csv", "3.csv.gz"]


def test_a_glob_is_its_matches_by_their_names_and_one_match_by_the_pattern(days):
    assert found(days, "days/*.csv") == [("days/*.csv", "2.csv", None)]
    assert [shown for shown, _, _ in found(days, "days/*.*[sv]*")] == ["1.CSV", "2.csv", "3.csv.gz"][1:]


def test_several_uris_keep_their_order(days):
    assert [text for _, text, _ in found(days, ["days/2.csv", "days/1.CSV"])] == ["2.csv", "1.CSV"]


def test_a_file_that_is_not_there_is_told_with_those_beside_it(days):
    told = fault(days, "days/4.csv")
    assert told.where == "sources.transactions.uri"
    assert told.what == f"no file at {days / 'days' / '4.csv'}"
    assert "2.csv" in told.fix


def test_a_folder_without_a_table_tells_what_it_holds(tmp_path):
    (tmp_path / "days").mkdir()
    assert fault(tmp_path, "days").fix == "it holds no file"
    (tmp_path / "days" / "notes.md").write_text("")
    assert fault(tmp_path, "days").fix == "it holds notes.md"


def test_the_one_table_of_an_archive_is_read_and_what_a_mac_adds_is_not(tmp_path):
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("export/orders.csv", ORDERS)
        archive.writestr("__MACOSX/._orders.csv", "x")
    assert found(tmp_path, "orders.zip") == [("orders.zip (export/orders.csv)", ORDERS, None)]


def test_an_archive_of_several_is_not_guessed_at(tmp_path):
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, ORDERS)
    told = fault(tmp_path, "orders.zip")
    assert (told.where, told.what) == ("orders.zip", "holds 2 files: a.csv, b.csv")
    assert told.fix == "unpack it and name the folder, or zip one file"


@pytest.mark.parametrize("mark", ["[Content_Types].xml", "mimetype"])
def test_a_workbook_is_an_archive_that_stays(tmp_path, mark):
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
        archive.writestr(mark, "")
        archive.writestr("sheet.xml", "")
    config = config_of(tmp_path, "book.xlsx#Orders 2024")
    (file,) = files_of("transactions", config.sources.given["transactions"], config, Copies(config))
    assert (file.path, file.shown, file.sheet) == (tmp_path / "book.xlsx", "book.xlsx", "Orders 2024")


def test_a_sign_in_a_name_is_no_sheet(tmp_path):
    (tmp_path / "no#1.csv").write_text(ORDERS)
    assert found(tmp_path, "no#1.csv") == [("no#1.csv", ORDERS, None)]


def test_copies_have_a_folder_of_their_own_that_goes_with_its_owner():
    class Owner:
        pass

    owner, others = Owner(), {}
    copies = copies_of(owner, others)
    assert copies_of(owner, others) is copies
    one, two = copies.new(), copies.new(".parquet")
    assert (one.name, two.name) == ("1.csv", "2.parquet")
    assert one.parent == two.parent
    one.write_text("x")
    del owner, copies
    others.clear()
    assert not one.parent.exists()


@pytest.mark.parametrize(
    ("uri", "url", "store", "table"),
    [
        ("orders.csv", False, False, False),
        ("/srv/a#b.csv", False, False, False),
        ("s3://shop/orders.csv", True, True, False),
        ("abfss://c@a.dfs.core.windows.net/x", True, True, False),
        ("sqlite:///shop.db#orders", True, False, True),
        ("${SHOP}#orders", True, False, True),
        ("http:orders.csv", False, False, False),
    ],
)
def test_what_a_uri_names(uri, url, store, table):
    assert (is_url(uri), is_store(uri), is_table(uri)) == (url, store, table)


class Answered(Exception):  # noqa: N818 - as file systems name theirs
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (Answered(403, "no"), UnreadableError, "is not open to us: no"),
        (OSError("AWS Error ACCESS_DENIED"), UnreadableError, "give the keys by AWS_ACCESS_KEY_ID"),
        (Answered(404, "gone"), UnreadableError, "can't read s3://b/x: gone"),
        (ValueError("no such scheme"), UnreadableError, "look at the address"),
        (ImportError("no module"), UnreadableError, "can't read s3://b/x: no module"),
        (Answered(503, "busy"), TryAgainError, "does not answer: busy; see that it is up, then try again"),
        (OSError("timed out"), TryAgainError, "does not answer: timed out"),
        (OSError(), TryAgainError, "does not answer: OSError"),
    ],
)
def test_whether_to_mend_or_to_try_again_is_told_from_the_answer(error, kind, said):
    told = _told(error, "s3://b/x", "sources.usage.uri")
    assert type(told) is kind
    text = str(told) if kind is TryAgainError else str(told.faults[0])
    assert said in text
    assert text.startswith("sources.usage.uri: ")
