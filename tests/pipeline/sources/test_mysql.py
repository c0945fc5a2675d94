"""MariaDB: rows come as they are, whatever the server thinks of case, blanks, zones and times beyond 2038."""

import datetime as dt
import socket
import traceback

import ibis
import pytest
from postgres_server import SESAME

from configs.errors import DataError, TryAgainError
from configs.schema import Config
from pipeline.sources import connections, contracts
from pipeline.sources.databases import GROUPING
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2026, 7, 1)
COLUMNS = {"customer_id": "customer_id", "occurred_at": "occurred_at", "amount": "amount"}


def shop(uri, columns=COLUMNS, role="transactions", **settings):
    churn = {"kind": "non_contractual", "horizon_days": 30, "active_days": 90}
    sources = {"transactions": {"uri": uri, "columns": columns, **settings}}
    return Config.model_validate({"name": "shop", "churn": churn, "sources": sources})


@pytest.fixture
def orders(maria):
    """Make the table `orders` with these rows, and the config of a company that reads it."""

    def make(*rows, declared="occurred_at datetime(6), amount decimal(12, 2)", **given):
        maria.run(
            f"create or replace table orders (customer_id varchar(20), {declared}, `a note` text)",
            ("insert into orders values (%s, %s, %s, 'x')", list(rows)),
        )
        return shop(f"{maria.url()}#orders", **given)

    return make


def rows_of(config, column="occurred_at"):
    table = open_sources(config, AS_OF).tables["transactions"]
    return sorted((row["customer_id"], row[column]) for row in table.to_pyarrow().to_pylist())


def refused(config):
    with pytest.raises(DataError) as error:
        open_sources(config, AS_OF)
    told = "".join(traceback.format_exception(error.value))
    assert SESAME not in told
    return str(error.value)


def test_customers_that_the_server_takes_for_one_are_several(orders):
    ids = "a", "A", "ä", "ß", "ss", "ي", "ی"
    config = orders(*((one, f"2024-01-0{day}", day) for day, one in enumerate(ids, 1)))
    sources = open_sources(config, AS_OF)
    table = sources.tables["transactions"]
    assert table.customer_id.nunique().execute() == len(ids)
    assert table.get_backend() is sources.connection


@pytest.mark.parametrize(
    ("declared", "zone", "expected"),
    [
        # A time without zone is the company's; 02:30 came twice that night, and the later reading is as good.
        ("occurred_at datetime(6)", "America/New_York", "2040-03-01 05:00:00.250"),
        ("occurred_at datetime(6)", "UTC", "2040-03-01 00:00:00.250"),
        ("occurred_at date", "Asia/Kathmandu", "2040-02-29 18:15:00"),
        ("occurred_at varchar(40)", "America/New_York", "2040-03-01 05:00:00.250"),
    ],
)
def test_times_are_read_in_the_zone_of_the_config(orders, declared, zone, expected):
    config = orders(("1", "2040-03-01 00:00:00.25", 1), declared=f"{declared}, amount double", time_zone=zone)
    found = open_sources(config, dt.date(2041, 1, 1)).tables["transactions"].occurred_at.to_pyarrow()
    assert found.to_pylist() == [dt.datetime.fromisoformat(expected)]


def test_a_timestamp_is_a_moment_wherever_the_server_stands(orders, maria):
    config = orders(("1", "2024-01-01 10:00:00", 1), declared="occurred_at timestamp, amount double")
    # The server's clocks are nine and a half hours ahead of UTC.
    assert rows_of(config) == [("1", dt.datetime(2024, 1, 1, 0, 30))]
    assert rows_of(shop(f"{maria.url()}#orders", time_zone="America/New_York")) == rows_of(config)


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("bit(1)", b"\x01", 1.0),
        ("bit(8)", b"\xff", 255.0),
        ("year", 2024, 2024.0),
        ("tinyint(1)", 1, 1.0),
        ("tinyint unsigned", 255, 255.0),
        ("smallint unsigned", 65_535, 65_535.0),
        ("bigint unsigned", 2**64 - 1, float(2**64 - 1)),
        ("decimal(12, 2)", "12.34", 12.34),
        ("float", 1.5, 1.5),
        ("varchar(20)", "1e3", 1_000.0),
        ("enum('7', '8')", "8", 8.0),
    ],
)
def test_numbers_of_every_type(orders, declared, value, expected):
    config = orders(
        ("1", "2024-01-01", value),
        ("2", "2024-01-01", None),
        declared=f"occurred_at datetime, amount {declared}",
    )
    assert rows_of(config, "amount") == [("1", expected), ("2", None)]


@pytest.mark.parametrize("declared", ["time", "json", "char(10)", "text character set latin1"])
def test_texts_of_every_type(orders, declared):
    value = {"time": "10:30:00", "json": '{"a": 1}'}.get(declared, "Müller")
    columns = COLUMNS | {"amount": {"constant": 1.0}, "customer_id": "amount"}
    config = orders(
        ("1", "2024-01-01", value), declared=f"occurred_at datetime, amount {declared}", columns=columns
    )
    assert rows_of(config, "amount") == [(value, 1.0)]


def test_a_date_of_zeros_is_none_and_half_a_date_is_a_fault(orders, maria):
    orders(("1", "2024-01-01", 1), ("2", "2024-01-02", 2))
    config = shop(f"{maria.url()}#orders", COLUMNS | {"known_at": "later"})
    late = "set statement sql_mode='' for update orders set later = '{}' where customer_id = '2'"
    maria.run("alter table orders add later datetime default '2024-02-01'", late.format("0000-00-00"))
    assert rows_of(config, "known_at") == [("1", dt.datetime(2024, 2, 1)), ("2", dt.datetime(2024, 1, 2))]
    maria.run(late.format("2024-02-00"))
    assert "'2024-02-00 00:00:00' is no date" in refused(config)


def test_only_the_columns_of_the_config_travel_and_nothing_is_written(orders, maria):
    config = orders(("1", "2024-01-01", 1))
    before = len(maria.statements())
    open_sources(config, AS_OF)
    asked = maria.statements()[before:]
    selects = [text for text in asked if text.upper().startswith("SELECT")]
    assert len(selects) == 1
    assert "a note" not in selects[0]
    assert {text.split()[0].upper() for text in asked} <= {"SET", "SELECT", "DESCRIBE"}
    backend = connections.connected(None, {}, f"{maria.url()}", "here", config)
    with pytest.raises(Exception, match="READ ONLY transaction"):
        backend.raw_sql("delete from orders")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("{url}#order", "did you mean 'orders'?"),
        ("{url}s#orders", "check user, database and password"),
        ("{other}#orders", "check user, database and password"),
        ("mysql://churn@127.0.0.1#orders", "it names no database"),
        ("{url}?charset=latin1#orders", "not charset"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_without_its_password(orders, maria, monkeypatch, url, says):
    orders(("1", "2024-01-01", 1))
    monkeypatch.setattr(connections.time, "sleep", lambda seconds: pytest.fail("waited"))
    assert says in refused(shop(url.format(url=maria.url(), other=maria.url(SESAME + "!"))))


def test_a_column_that_is_missing_or_unreadable_is_a_fault_without_row_numbers(orders, maria):
    orders(("1", "2024-01-01", "x"), ("2", "2024-01-01", "7"), declared="occurred_at datetime, amount text")
    columns = COLUMNS | {"amount": "amuont"}
    assert "no column 'amuont'" in refused(shop(f"{maria.url()}#orders", columns))
    assert "column amount: is not a number in 1 of 2 rows (customer '1')" in refused(
        shop(f"{maria.url()}#orders")
    )


def test_a_server_that_is_away_is_tried_again_later(monkeypatch):
    pauses = []
    monkeypatch.setattr(connections.time, "sleep", pauses.append)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        uri = f"mysql://me:s3cret@127.0.0.1:{nobody.getsockname()[1]}/shop#orders"
        with pytest.raises(TryAgainError, match="is away") as error:
            open_sources(shop(uri), AS_OF)
    assert "s3cret" not in str(error.value)
    assert pauses == list(connections.PAUSES)


@pytest.mark.parametrize("dialect", ["mysql", "snowflake", "bigquery", "mssql", "oracle", "trino", "athena"])
def test_what_a_database_is_asked_for_is_a_plain_select(dialect):
    """Nothing in it depends on how a database reads texts, times or numbers."""
    schema = {
        "customer_id": "string",
        "occurred_at": "timestamp('UTC')",
        "amount": "decimal(12, 2)",
        "a": "int",
    }
    source = shop("mysql://host/shop#orders", time_zone="America/New_York").sources.transactions
    asked = ibis.table(schema, name="orders").select(*contracts.columns_named(source))
    text = str(ibis.to_sql(asked, dialect=dialect)).translate(str.maketrans("`[]", '"""'))
    assert dialect not in GROUPING
    assert " ".join(text.replace(" AS ", " ").split()) == (
        'SELECT "t0"."customer_id", "t0"."occurred_at", "t0"."amount" FROM "orders" "t0"'
    )
