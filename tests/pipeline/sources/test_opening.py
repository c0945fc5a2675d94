"""The door: text survives, times become UTC, and bad input is refused with every fault named."""

import datetime as dt

import ibis
import pandas as pd
import pytest
import yaml

from configs.errors import ConfigError, DataError, HistoryError
from pipeline.dataset.matrix import build_matrix, training_snapshots
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 6, 1)
HEAD = "customer_id,occurred_at,amount"


def lines(*rows):
    return "\n".join([*rows, ""])


def rows_of(config, role="transactions", as_of=AS_OF):
    """The role's rows as tuples, in the order of the columns asked for."""
    table = open_sources(config, as_of).tables[role]
    return sorted(tuple(r.values()) for r in table.to_pyarrow().to_pylist())


def faults(config, as_of=AS_OF):
    with pytest.raises(DataError) as caught:
        open_sources(config, as_of)
    assert caught.value.exit_code == 1
    return [str(f) for f in caught.value.faults]


def test_text_survives_but_for_blanks_around_it(tiny):
    ids = ["000123", "123", "۱۲۳", " a b ", 'say "hi"', "it's", "a,b", "né", "NULL", "1e5", "true"]
    quoted = ['"{}"'.format(i.replace('"', '""')) for i in ids]
    rows = lines("customer_id,occurred_at", *(f"{i},2024-01-01" for i in quoted))
    config = tiny(transactions=rows, settings={"transactions": {"null_values": []}})
    assert [i for i, *_ in rows_of(config)] == sorted(i.strip() for i in ids)


def test_ids_of_parquet(tiny):
    """Whole floats lose the '.0' that exports give them; text is left alone."""
    at = pd.to_datetime(["2024-01-01"] * 3)
    floats = tiny(transactions=pd.DataFrame({"customer_id": [17850.0, 12.5, 2.0**40], "occurred_at": at}))
    assert [i for i, *_ in rows_of(floats)] == ["1099511627776", "12.5", "17850"]
    whole = tiny(transactions=pd.DataFrame({"customer_id": [7, 8, 9], "occurred_at": at}))
    assert [i for i, *_ in rows_of(whole)] == ["7", "8", "9"]
    text = tiny(transactions=pd.DataFrame({"customer_id": ["007", "17850.0", "x"], "occurred_at": at}))
    assert [i for i, *_ in rows_of(text)] == ["007", "17850.0", "x"]


@pytest.mark.parametrize("ids", [["a", " b", "c\t", "\u00a0d\u200b", "né"], ["a", "b", "c", "d", "né"]])
def test_texts_of_parquet_are_trimmed_where_one_needs_it(tiny, ids):
    at = pd.to_datetime(["2024-01-01"] * len(ids))
    table = pd.DataFrame({"customer_id": ids, "occurred_at": at})
    config = tiny(transactions=table)
    assert [i for i, *_ in rows_of(config)] == ["a", "b", "c", "d", "né"]
    query = ibis.to_sql(open_sources(config, AS_OF).tables["transactions"])
    assert ("REGEXP_REPLACE" in query) is (ids[1] == " b")
    (fault,) = faults(tiny(transactions=pd.concat([table, table.assign(customer_id=" ")])))
    assert f"is empty in {len(ids)} of {2 * len(ids)} rows" in fault


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2024-01-01", "UTC", "2024-01-01 00:00"),
        ("2024-01-01 10:00", "Asia/Tehran", "2024-01-01 06:30"),
        ("2024-07-01 10:00", "Europe/Berlin", "2024-07-01 08:00"),
        ("2024-01-01", "America/New_York", "2024-01-01 05:00"),
        ("2024-01-01T10:00:00Z", "UTC", "2024-01-01 10:00"),
        ("2024-01-01T10:00:00+03:30", "UTC", "2024-01-01 06:30"),
        ("2024-01-01T10:00:00+03:30", "America/New_York", "2024-01-01 06:30"),
        ("2024-01-01 10:00:00-0500", "Asia/Tehran", "2024-01-01 15:00"),
        ("2024-01-01 10:00+02", "Asia/Tehran", "2024-01-01 08:00"),
        ("2024-01-01 10:00:00.5 Europe/Berlin", "Asia/Tehran", "2024-01-01 09:00:00.5"),
    ],
)
def test_times_become_utc(tiny, text, zone, utc):
    settings = {"transactions": {"time_zone": zone}}
    config = tiny(transactions=lines("customer_id,occurred_at", f"1,{text}"), settings=settings)
    assert rows_of(config, as_of=dt.date(2025, 1, 1))[0][1] == pd.Timestamp(utc)


@pytest.mark.parametrize(
    ("text", "form", "zone", "utc"),
    [
        ("20240131", "%Y%m%d", "UTC", "2024-01-31 00:00"),
        ("31.01.2024 10:00", "%d.%m.%Y %H:%M", "Asia/Tehran", "2024-01-31 06:30"),
        ("10:00 31-01-2024", "%H:%M %d-%m-%Y", "Asia/Tehran", "2024-01-31 06:30"),
        ("2024-01-31 10:00 PM", "%Y-%m-%d %I:%M %p", "UTC", "2024-01-31 22:00"),
        ("2024-01-31 10:00+0330", "%Y-%m-%d %H:%M%z", "America/New_York", "2024-01-31 06:30"),
    ],
)
def test_times_of_a_given_form(tiny, text, form, zone, utc):
    columns = {"customer_id": "customer_id", "occurred_at": {"column": "occurred_at", "format": form}}
    config = tiny(
        transactions=lines("customer_id,occurred_at", f"1,{text}"),
        mapped={"transactions": columns},
        settings={"transactions": {"time_zone": zone}},
    )
    assert rows_of(config)[0][1] == pd.Timestamp(utc)


@pytest.mark.parametrize(("unit", "scale"), [("unix_s", 1), ("unix_ms", 1_000)])
def test_times_counted_since_1970(tiny, unit, scale):
    rule = {"column": "occurred_at", "format": unit}
    for rows in (
        f"customer_id,occurred_at\n1,{1_704_103_200 * scale}\n",
        pd.DataFrame({"customer_id": ["1"], "occurred_at": [1_704_103_200 * scale]}),
    ):
        config = tiny(
            mapped={"transactions": {"customer_id": "customer_id", "occurred_at": rule}}, transactions=rows
        )
        assert rows_of(config) == [("1", dt.datetime(2024, 1, 1, 10))]


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["1/31/2024 8:05", "2/1/2024 17:30"], "{column: 'occurred_at', format: '%m/%d/%Y %H:%M'}"),
        (["31.01.2024"], "{column: 'occurred_at', format: '%d.%m.%Y'}"),
        (
            ["1/2/2024"],
            "format: '%m/%d/%Y'} or, as it is meant, occurred_at: {column: 'occurred_at', format: '%d/",
        ),
        (["1704103200000"], "{column: 'occurred_at', format: 'unix_ms'}"),
        (["soon"], "correct it, or map the column's format"),
    ],
)
def test_a_time_of_another_form_is_answered_with_the_line_to_write(tiny, texts, line):
    rows = lines("customer_id,occurred_at", *(f"1,{text}" for text in texts))
    (fault,) = faults(tiny(transactions=rows))
    assert f"such as '{texts[0]}'" in fault
    assert line in fault


def test_times_of_parquet(tiny):
    zoned = pd.to_datetime(["2024-01-01 10:00"]).tz_localize("Asia/Tehran")
    config = tiny(transactions=pd.DataFrame({"customer_id": ["1"], "occurred_at": zoned}))
    assert rows_of(config)[0][1] == pd.Timestamp("2024-01-01 06:30")
    naive = pd.DataFrame({"customer_id": ["1"], "occurred_at": pd.to_datetime(["2024-01-01 10:00"])})
    config = tiny(transactions=naive, settings={"transactions": {"time_zone": "Asia/Tehran"}})
    assert rows_of(config)[0][1] == pd.Timestamp("2024-01-01 06:30")
    days = pd.DataFrame({"customer_id": ["1"], "occurred_at": [dt.date(2024, 1, 1)]})
    assert rows_of(tiny(transactions=days))[0][1] == pd.Timestamp("2024-01-01")


def test_mixed_zones_are_refused(tiny):
    config = tiny(transactions=lines(HEAD, "1,2024-01-01T10:00Z,5", "2,2024-01-02 10:00,5", "3,2024-01-03,5"))
    assert faults(config) == [
        "transactions.csv, column occurred_at: 1 rows carry a time zone and 2 do not; give all or none a zone; "
        "times without one are read in sources.transactions.time_zone (UTC)"
    ]


def test_lines_of_one_purchase_are_joined(tiny):
    config = tiny(
        transactions=lines(
            "customer_id,occurred_at,transaction_id,amount",
            "1,2024-01-02 10:05,A,-3",
            "1,2024-01-02 10:00,A,10.5",
            "1,2024-01-02 10:00,B,1",
            "2,2024-01-02 10:00,A,2",
        )
    )
    at = dt.datetime(2024, 1, 2, 10)
    assert [(r[0], r[1], r[2]) for r in rows_of(config)] == [("1", at, 1.0), ("1", at, 7.5), ("2", at, 2.0)]


def test_a_purchase_without_its_number_is_refused(tiny):
    text = lines("customer_id,occurred_at,transaction_id", "1,2024-01-02,A", "1,2024-01-03,", "1,2024-02-03,")
    assert faults(tiny(transactions=text)) == [
        "transactions.csv, column transaction_id: is empty in 2 of 3 rows (data row 2, 3); "
        "fill it in, or leave such rows out by sources.transactions.where: [{column: 'transaction_id', is_null: false}]"
    ]


def test_columns_made_of_others(tiny):
    columns = {
        "customer_id": {"join": ["shop", "number"]},
        "occurred_at": "day",
        "amount": {"product": ["quantity", "price"], "negate": True},
    }
    config = tiny(
        transactions=lines("shop,number,day,quantity,price", "A,007,2024-01-01,-2,1.5"),
        mapped={"transactions": columns},
    )
    assert [(r[0], r[2]) for r in rows_of(config)] == [("A-007", 3.0)]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"equals": "a"}, ["1"]),
        ({"not_equals": "a"}, ["2", "3", "4"]),
        ({"one_of": ["a", 5]}, ["1", "2"]),
        ({"none_of": ["a", "6.5"]}, ["2", "4"]),
        ({"equals": 5}, ["2"]),
        ({"equals": 6.5}, ["3"]),
        ({"starts_with": "6"}, ["3"]),
        ({"not_starts_with": "6"}, ["1", "2", "4"]),
        ({"above": 5}, ["3"]),
        ({"below": 6}, ["2"]),
        ({"is_null": True}, ["4"]),
        ({"is_null": False}, ["1", "2", "3"]),
    ],
)
def test_rows_that_count(tiny, where, left):
    day = "2024-01-01"
    config = tiny(
        transactions=lines(
            "customer_id,occurred_at,k", f"1,{day},a", f"2,{day},5", f"3,{day},6.5", f"4,{day},"
        ),
        mapped={"transactions": {"customer_id": "customer_id", "occurred_at": "occurred_at"}},
        settings={"transactions": {"where": [{"column": "k", **where}]}},
    )
    assert [i for i, *_ in rows_of(config)] == left


def test_repeated_lines_are_dropped_when_asked(tiny):
    text = lines(HEAD, "1,2024-01-01,5", "1,2024-01-01,5", "1,2024-01-01,6")
    assert len(rows_of(tiny(transactions=text))) == 3
    assert len(rows_of(tiny(transactions=text, settings={"transactions": {"distinct": True}}))) == 2


def test_globs_read_many_files_and_match_columns_by_name(tiny, tmp_path):
    config = tiny(transactions=lines(HEAD, "1,2024-01-01,5"), settings={"transactions": {"uri": "tr*.csv"}})
    (tmp_path / "trb.csv").write_text(lines("amount,customer_id,occurred_at", "7,02,2024-01-02"))
    assert [(r[0], r[2]) for r in rows_of(config)] == [("02", 7.0), ("1", 5.0)]


def test_fixed_width(tiny, tmp_path):
    (tmp_path / "t.txt").write_bytes(b" 00004 19970101  2   29.33\r\n 00021 19970112 12  100.50\r\n")
    config = tiny(
        transactions=HEAD,
        mapped={
            "transactions": {
                "customer_id": "id",
                "occurred_at": {"column": "date", "format": "%Y%m%d"},
                "amount": "dollars",
            }
        },
        settings={
            "transactions": {
                "uri": "t.txt",
                "format": "fixed_width",
                "fields": {"id": [2, 6], "date": [8, 15], "cds": [17, 18], "dollars": [20, 26]},
            }
        },
    )
    assert [(r[0], r[1].day, r[2]) for r in rows_of(config)] == [("00004", 1, 29.33), ("00021", 12, 100.5)]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(tiny):
    text = "\ufeffcustomer_id,occurred_at,amount\r\n1,2024-01-01,5\r\n"
    config = tiny(transactions=text, mapped={"transactions": {n: n for n in HEAD.split(",")}})
    assert [(r[0], r[2]) for r in rows_of(config)] == [("1", 5.0)]


def test_a_decimal_comma(tiny):
    rows = lines("customer_id;occurred_at;amount", "1;2024-01-01;1.234,5", "2;2024-01-02;,05")
    mapped = {"transactions": {name: name for name in HEAD.split(",")}}
    (fault,) = faults(tiny(transactions=rows, mapped=mapped))
    assert "amount: is not a number in 2 of 2 rows" in fault
    assert "such as ',05', '1.234,5'; write decimal: ',' beside the source's uri" in fault
    config = tiny(transactions=rows, mapped=mapped, settings={"transactions": {"decimal": ","}})
    assert [amount for _, _, amount in rows_of(config)] == [1234.5, 0.05]


def test_text_of_another_encoding(tiny):
    rows = lines("customer_id,occurred_at", "Zoë,2024-01-01").encode("latin-1")
    (fault,) = faults(tiny(transactions=rows))
    says = "transactions.csv: line 2 is not utf-8 text; set sources.transactions.encoding, such as latin-1"
    assert says in fault
    config = tiny(transactions=rows, settings={"transactions": {"encoding": "latin-1"}})
    assert [who for who, _ in rows_of(config)] == ["Zoë"]


def test_fixed_width_of_another_encoding(tiny):
    rows = "Zoë 2024-01-01\n".encode("latin-1")
    settings = {"format": "fixed_width", "fields": {"id": [1, 3], "day": [5, 14]}, "encoding": "latin-1"}
    mapped = {"transactions": {"customer_id": "id", "occurred_at": "day"}}
    config = tiny(transactions=rows, mapped=mapped, settings={"transactions": settings})
    assert [who for who, _ in rows_of(config)] == ["Zoë"]


def test_tabs_and_semicolons_are_found_out(tiny):
    config = tiny(
        transactions=lines("customer_id;occurred_at;amount", "1;2024-01-01;5", "2;2024-01-02;6"),
        mapped={"transactions": {n: n for n in HEAD.split(",")}},
    )
    assert [r[2] for r in rows_of(config)] == [5.0, 6.0]


def test_rows_from_as_of_on_are_ignored_and_counted(tiny):
    text = lines(
        "customer_id,occurred_at,known_at",
        "1,2024-05-31 23:59:59.9,2024-05-31 23:59:59.9",
        "2,2024-06-01,2024-06-01",
        "3,2024-05-01,2024-06-01",
        "4,2024-05-01,",
    )
    sources = open_sources(tiny(transactions=text), AS_OF)
    assert sorted(sources.tables["transactions"].customer_id.to_pyarrow().to_pylist()) == ["1", "4"]
    assert sources.notes == ("transactions: 2 of 4 rows lie at or after 2024-06-01 and are ignored",)
    refused = tiny(transactions=text, settings={"transactions": {"max_future_share": 0.4}})
    assert faults(refused) == [
        "transactions.csv: 2 of 4 rows lie at or after 2024-06-01, more than sources.transactions.max_future_share "
        "allows; check the clock of the export, or --as-of"
    ]


def test_endings_from_as_of_on_are_not_known_yet(tiny):
    text = lines(
        "customer_id,started_at,ended_at,end_reason",
        "1,2024-01-01,2024-05-31 23:59:59,left",
        "2,2024-01-01,2024-06-01,left",
        "3,2024-01-01,9999-12-31 23:59:59.999,left",
        "4,2024-06-01,,",
    )
    found = rows_of(tiny(kind="contractual", customers=text), "customers")
    assert [(r[0], r[3]) for r in found] == [("1", "left"), ("2", None), ("3", None)]


def test_all_faults_of_all_sources_at_once(tiny):
    config = tiny(
        transactions=lines(
            HEAD,
            "1,2024-01-01,5",
            "1,yesterday,5",
            "2,2024-02-30,x",
            ",2024-01-01,1",
            "3,2024-01-01,-4",
            "3,,inf",
        ),
        feedback=lines("customer_id,occurred_at,scor", "1,2024-01-01,5"),
        contacts=lines("customer_id,occurred_at,direction", "1,2024-01-01,sideways", "1,2024-01-01,Inbound"),
        customers=lines(
            "customer_id,started_at", "1,2024-01-01", "1,2024-01-02", "7,0001-01-01", ",2024-01-01"
        ),
        usage=lines("customer_id,occurred_at"),
        mapped={"feedback": {"customer_id": "customer_id", "occurred_at": "occurred_at", "score": "score"}},
    )

    def fill(role, column):
        return f"fill it in, or leave such rows out by sources.{role}.where: [{{column: '{column}', is_null: false}}]"

    assert sorted(faults(config)) == sorted(
        [
            "customers.csv, column started_at: is not a date or time of the years 1900 to 9999 in 1 of 4 rows "
            "(data row 3), such as '0001-01-01'; correct it, or map the column's format",
            "customers.csv, column customer_id: is empty in 1 of 4 rows (data row 4); "
            + fill("customers", "customer_id"),
            "customers.csv, column customer_id: 1 rows repeat an id, such as '1', and differ in started_at; one row "
            "a customer: write sources.customers.latest_by: COLUMN, a column of times, for the newest of them to "
            "count, choose them by sources.customers.where, or rename them",
            "transactions.csv, column customer_id: is empty in 1 of 6 rows (data row 4); "
            + fill("transactions", "customer_id"),
            "transactions.csv, column occurred_at: is not a date or time of the years 1900 to 9999 in 2 of 6 rows "
            "(data row 2, 3), such as '2024-02-30', 'yesterday'; correct it, or map the column's format",
            "transactions.csv, column occurred_at: is empty in 1 of 6 rows (data row 6); "
            + fill("transactions", "occurred_at"),
            "transactions.csv, column amount: is not a number in 1 of 6 rows (data row 3), such as 'x'; correct it",
            "transactions.csv, column amount: is negative in 1 of 6 rows (customer '3'); leave returns out with "
            "sources.transactions.where, or give them to sources.cancellations",
            "transactions.csv, column amount: is infinite or not a number in 1 of 6 rows (customer '3'); correct it",
            "sources.feedback.columns.score: no column 'score' in feedback.csv; did you mean 'scor'?",
            "contacts.csv, column direction: is none of inbound, outbound in 1 of 2 rows (data row 1), such as "
            "'sideways'; write sources.contacts.columns.direction: {column: direction, rename: {sideways: '...'}} "
            "with inbound or outbound for each ...",
            "usage.csv: has no rows; check the file and the conditions in 'where'",
        ]
    )


def test_words_of_another_language_are_given_a_meaning(tiny):
    contacts = lines("customer_id,occurred_at,richtung", "1,2024-01-02,Ausgehend", "1,2024-01-03,Eingehend")
    mapped = {
        "contacts": {"customer_id": "customer_id", "occurred_at": "occurred_at", "direction": "richtung"}
    }
    bought = lines(HEAD, "1,2024-01-01,5")
    (fault,) = faults(tiny(transactions=bought, contacts=contacts, mapped=mapped))
    line = fault.split("write sources.contacts.columns.direction: ")[1].split(" with inbound or outbound")[0]
    direction = yaml.safe_load(line)
    assert direction == {"column": "richtung", "rename": {"Ausgehend": "...", "Eingehend": "..."}}
    direction["rename"] = {"Ausgehend": "outbound", "Eingehend": "inbound"}
    mapped["contacts"]["direction"] = direction
    table = open_sources(tiny(transactions=bought, contacts=contacts, mapped=mapped), AS_OF).tables[
        "contacts"
    ]
    assert table.order_by("occurred_at").direction.to_pyarrow().to_pylist() == ["outbound", "inbound"]


def test_a_column_of_many_words_is_no_direction(tiny):
    contacts = lines("customer_id,occurred_at,direction", *(f"1,2024-01-02,note {i}" for i in range(20)))
    (fault,) = faults(tiny(transactions=lines(HEAD, "1,2024-01-01,5"), contacts=contacts))
    assert fault.endswith("such as 'note 0', 'note 1', 'note 10'")


def test_at_most_five_rows_are_named(tiny):
    text = lines(HEAD, *(f"{i},never,1" for i in range(9)), "9,2024-01-01,1")
    assert "in 9 of 10 rows (data row 1, 2, 3, 4, 5, ...)" in faults(tiny(transactions=text))[0]


@pytest.mark.parametrize(
    "text", ["24-01-01", "infinity", "2024-01-01 10:00 PM", "01/02/2024", "epoch", "1899-12-30"]
)
def test_a_time_that_could_be_misread_is_refused(tiny, text):
    assert "occurred_at: is not a date or time" in faults(tiny(transactions=lines(HEAD, f"1,{text},1")))[0]


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("1,5", None),
        ("12 coins", "is not a number"),
        ("inf", "is infinite or not a number"),
        ("-inf", "is negative"),
    ],
)
def test_amounts(tiny, amount, says):
    config = tiny(transactions=lines(HEAD, f'1,2024-01-01,"{amount}"'))
    assert (says or "is not a number") in faults(config)[0]


def test_a_missing_file_names_the_nearest_that_are_there(tiny, tmp_path):
    config = tiny(
        transactions=lines(HEAD, "1,2024-01-01,1"), settings={"transactions": {"uri": "transaction.csv"}}
    )
    for name in (".tracking.lock", "mlflow.db", "mlflow.db-wal", *"abcdef"):
        (tmp_path / name).touch()
    (found,) = faults(config)
    told = f"sources.transactions.uri: no file at {tmp_path / 'transaction.csv'}; in that folder: transactions.csv, "
    assert found.startswith(told)
    assert not {".tracking.lock", "mlflow.db", "mlflow.db-wal"} & set(found.split("; ")[1].split(", "))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.parquet", b"no parquet", "can't read t.parquet"),
        ("t.csv", b"", "t.csv: is empty"),
        ("t.csv", "customer_id,occurred_at\nZoë,2024-01-01\n".encode("latin-1"), "not utf-8 text"),
        ("t.csv", b"customer_id,occurred_at\n", "t.csv: has no rows"),
        ("t.xyz", b"customer_id occurred_at\n1 2024-01-01\n", "tells no format"),
    ],
)
def test_unreadable_files(tiny, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    found = faults(tiny(transactions="customer_id,occurred_at", settings={"transactions": {"uri": name}}))
    assert len(found) == 1
    assert says in found[0]


def test_a_row_with_too_many_cells_is_refused(tiny):
    rows = [f"{i},2024-01-01,1" for i in range(50)]
    found = faults(tiny(transactions=lines(HEAD, *rows, "9,2024-01-01,1,2,3", *rows)))
    assert "transactions" in found[0]


def test_nothing_before_as_of(tiny):
    config = tiny(transactions=lines(HEAD, "1,2024-01-01,1"))
    assert faults(config, dt.date(2023, 1, 1)) == [
        "transactions.csv: has no row before 2023-01-01; choose a later --as-of"
    ]


def test_too_little_history(tiny):
    config = tiny(transactions=lines(HEAD, "1,2024-03-01,1"))
    sources = open_sources(config, AS_OF)
    with pytest.raises(
        HistoryError, match="from 2024-03-01 to 2024-06-01 is too short for one mature snapshot"
    ):
        training_snapshots(config, sources, AS_OF)


def test_columns_that_are_not_mapped_are_absent(tiny):
    tables = open_sources(tiny(transactions=lines("customer_id,occurred_at", "1,2024-01-01")), AS_OF).tables
    assert list(tables) == ["transactions"]
    assert set(tables["transactions"].columns) == {"customer_id", "occurred_at"}


def test_fingerprints_do_not_depend_on_the_order_of_rows(tiny):
    rows = [f"{i},2024-01-{i:02d},1.{i}" for i in range(1, 20)]
    prints = [
        open_sources(tiny(transactions=lines(HEAD, *r)), AS_OF).fingerprints for r in (rows, rows[::-1])
    ]
    other = open_sources(tiny(transactions=lines(HEAD, *rows[1:])), AS_OF).fingerprints
    assert prints[0] == prints[1] != other
    assert prints[0]["transactions"]["rows"] == 19
    assert prints[0]["transactions"]["first"] == "2024-01-01 00:00:00"


def test_the_configs_words_say_what_a_complaint_is(tiny):
    """The words of outreach.complaint_topics hold for features too, and what we sent ourselves is no complaint."""
    contacts = lines(
        "customer_id,occurred_at,direction,topic",
        "a,2024-05-01,inbound,Beschwerde über Lieferung",
        "b,2024-05-01,outbound,beschwerde",
        "c,2024-05-01,inbound,complaint",
        "d,2024-05-01,,BESCHWERDE",
    )
    config = tiny(
        transactions=lines(HEAD, *(f"{i},2024-05-01,5" for i in "abcd")),
        contacts=contacts,
        sections={"outreach": {"complaint_topics": ["beschwerde"]}},
    )
    frame = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).frame
    assert frame["complaint_count_90d"].tolist() == [1, 0, 0, 1]


def test_feedback_without_scores_is_feedback_that_was_given(tiny):
    """Written complaints need no score: they count as given, and nobody has been asked in vain."""
    config = tiny(
        transactions=lines(HEAD, "a,2024-05-01,5", "b,2024-05-01,5"),
        feedback=lines("customer_id,occurred_at,kind", "a,2024-05-10,late", "a,2024-05-22,rude"),
    )
    frame = build_matrix(open_sources(config, AS_OF), config, [AS_OF]).frame
    assert [c for c in frame if c.startswith("feedback")] == [
        "feedback_given_count_30d",
        "feedback_given_count_90d",
        "feedback_given_gap_days",
    ]
    assert frame["feedback_given_count_30d"].tolist() == [2, 0]
    assert frame["feedback_given_gap_days"].iloc[0] == 10


def test_an_attribute_with_the_name_of_a_feature_is_refused_with_the_line_to_write(tiny):
    def config(attributes):
        return tiny(
            transactions=lines(HEAD, "a,2024-05-01,5"),
            customers=lines("customer_id,n", "a,x"),
            mapped={"customers": {"customer_id": "customer_id"}},
            settings={"customers": {"attributes": attributes}},
        )

    wrong = config({"purchase_count_90d": "n"})
    with pytest.raises(ConfigError) as caught:
        build_matrix(open_sources(wrong, AS_OF), wrong, [AS_OF])
    assert [str(fault) for fault in caught.value.faults] == [
        "sources.customers.attributes.purchase_count_90d: the name is taken by a feature; "
        "write customer_purchase_count_90d: n instead, or leave it out"
    ]
    right = config({"customer_purchase_count_90d": "n"})
    frame = build_matrix(open_sources(right, AS_OF), right, [AS_OF]).frame
    assert frame["customer_purchase_count_90d"].tolist() == ["x"]
