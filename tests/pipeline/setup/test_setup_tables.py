"""The tables that a new user names: files with the same columns are one, and what can't be read is said."""

import sqlite3

import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from pipeline.setup.tables import tables_of
from pipeline.sources.readers import connect_duckdb

ORDERS = "customer_id,day,total\na,2024-01-01,1.5\nb,2024-01-02,2.5\n"


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Files by name are written to a folder, and what is named there is looked at."""
    monkeypatch.chdir(tmp_path)

    def looked(*named, **files):
        for name, content in files.items():
            file = tmp_path / name.replace("__", "/").replace("_csv", ".csv")
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)
        return tables_of(named, tmp_path, connect_duckdb(1))

    return looked


def test_a_file_is_a_table_with_its_columns(look):
    (table,), left_out = look("orders.csv", orders_csv=ORDERS)
    assert (table.name, table.uri, left_out) == ("orders", "orders.csv", [])
    assert [column.name for column in table.columns] == ["customer_id", "day", "total"]
    assert (table.column("day").kind, table.column("total").kind) == ("time", "number")
    assert table.column("customer_id").rows == 2


def test_files_with_the_same_columns_are_one_table_and_a_whole_folder_is_its_name(look):
    more = ORDERS.replace("a,", "c,")
    (table,), _ = look("years/", years__one_csv=ORDERS, years__two_csv=more)
    assert table.uri == "years/"
    assert table.column("customer_id").rows == 4
    (table,), _ = look("years/one.csv", "years/two.csv", years__three_csv=ORDERS)
    assert table.uri == ["years/one.csv", "years/two.csv"]


def test_files_whose_names_say_something_else_are_other_tables(look):
    found, _ = look("x/", x__invoices_csv=ORDERS, x__credit_notes_csv=ORDERS, x__opt_outs_csv=ORDERS)
    assert sorted(str(table.uri) for table in found) == [
        "x/credit_notes.csv",
        "x/invoices.csv",
        "x/opt_outs.csv",
    ]


def test_what_an_earlier_look_has_written_is_no_table(look):
    (table,), left_out = look(
        "orders.csv", "churn.schema.json", orders_csv=ORDERS, **{"churn.schema.json": "{"}
    )
    assert (table.name, left_out) == ("orders", [])


def test_sheets_of_the_same_columns_are_one_table(look, tmp_path):
    rows = pd.DataFrame({"customer_id": ["a", "b"], "day": ["2024-01-01", "2024-01-02"], "total": [1.5, 2.5]})
    with pd.ExcelWriter(tmp_path / "b.xlsx") as book:
        for year in ("2023", "2024"):
            rows.to_excel(book, sheet_name=year, index=False)
        rows[["customer_id"]].to_excel(book, sheet_name="people", index=False)
    found, _ = look("b.xlsx")
    assert [(table.uri, table.columns[0].rows) for table in found] == [
        (["b.xlsx#2023", "b.xlsx#2024"], 4),
        ("b.xlsx#people", 2),
    ]


def test_files_with_other_columns_are_other_tables(look):
    found, _ = look("*.csv", a_csv=ORDERS, b_csv="customer_id,plan\na,x\n")
    assert sorted(table.name for table in found) == ["a", "b"]


def test_all_tables_of_a_database(look, tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table people (id text, plan text)")
        database.execute("insert into people values ('a', 'x')")
        database.execute("create table visits (id text, day text)")
        database.execute("insert into visits values ('a', '2024-01-01'), ('b', '2024-01-02')")
    found, _ = look("sqlite:///shop.db")
    assert {table.name: table.columns[0].rows for table in found} == {"people": 1, "visits": 2}
    (one,), _ = look("sqlite:///shop.db#visits")
    assert one.uri == "sqlite:///shop.db#visits"


def test_each_sheet_of_a_workbook_is_a_table(look, tmp_path):
    with pd.ExcelWriter(tmp_path / "book.xlsx", engine="xlsxwriter") as book:
        pd.DataFrame({"id": ["a"], "plan": ["x"]}).to_excel(book, sheet_name="People", index=False)
        pd.DataFrame({"id": ["a"], "visits": [3]}).to_excel(book, sheet_name="Use", index=False)
    found, _ = look("book.xlsx")
    assert [(table.uri, table.name) for table in found] == [
        ("book.xlsx#People", "People"),
        ("book.xlsx#Use", "Use"),
    ]


def test_what_lies_in_a_folder_may_be_left_out_and_what_is_named_may_not(look):
    (table,), left_out = look("data/", data__orders_csv=ORDERS, data__empty_csv="id,x\n")
    assert table.name == "orders"
    assert left_out == ["data/empty.csv: has no rows"]
    with pytest.raises(DataError) as error:
        look("data/empty.csv", "data/orders.csv")
    assert [fault.where for fault in error.value.faults] == ["data/empty.csv"]


def test_a_file_without_a_header_is_refused_by_its_first_values(look):
    with pytest.raises(DataError, match="first row holds"):
        look("bare.csv", bare_csv="17,2024-01-05,9.5\n18,2024-01-06,1.5\n")


def test_nothing_named_is_said():
    with pytest.raises(ConfigError, match="name files, folders or tables"):
        tables_of([], None, None)


def test_a_table_with_a_column_a_month_says_what_is_needed(look):
    wide = "Customer,2024-01,2024-02,2024-03\na,1,2,3\n"
    with pytest.raises(DataError) as error:
        look("wide.csv", wide_csv=wide)
    (fault,) = error.value.faults
    assert fault.what == "has a column for each period, such as '2024-01', '2024-02', '2024-03'"
    assert fault.fix == "export one row a purchase: who, when, and how much"
