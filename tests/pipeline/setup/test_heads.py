"""The columns of a file before it is read, by which files and sheets are told to be one table."""

import gzip
import json

import pandas as pd
import pytest

from pipeline.setup.heads import heads_of, known_names

ROWS = pd.DataFrame(
    {"Customer ID": ["a", "b"], "Order Date": ["2024-01-01", "2024-01-02"], "Total": [1.5, 2.5]}
)
NAMES = ("Customer ID", "Order Date", "Total")


def written(folder, ending):
    file = folder / f"x{ending}"
    text = ROWS.to_csv(index=False)
    if ending == ".parquet":
        ROWS.to_parquet(file)
    elif ending == ".xlsx":
        ROWS.to_excel(file, index=False)
    elif ending.startswith(".json"):
        ROWS.to_json(file, orient="records", lines=ending == ".jsonl")
    else:
        file.write_bytes(gzip.compress(text.encode(), mtime=0) if ending.endswith(".gz") else text.encode())
    return file


@pytest.mark.parametrize("ending", [".csv", ".txt", ".csv.gz", ".parquet", ".xlsx", ".json", ".jsonl"])
def test_every_format_tells_its_columns(tmp_path, ending):
    assert heads_of(written(tmp_path, ending)) == [("", NAMES)]


def test_sheets_have_their_names_and_a_header_may_stand_below_a_title(tmp_path):
    with pd.ExcelWriter(tmp_path / "b.xlsx") as book:
        for year in (2023, 2024):
            pd.DataFrame([["Sales of the year"]]).to_excel(
                book, sheet_name=str(year), index=False, header=False
            )
            ROWS.to_excel(book, sheet_name=str(year), index=False, startrow=3)
        pd.DataFrame([["nothing"]]).to_excel(book, sheet_name="notes", index=False, header=False)
    file = tmp_path / "b.xlsx"
    assert heads_of(file) == [("2023", NAMES), ("2024", NAMES), ("notes", f"{file}#notes")]
    assert known_names(file, "2024") == ["Customer ID", "Total"]


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx", "x.parquet", "x.json", "x.bin"])
def test_what_can_not_be_told_is_a_table_of_its_own(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"")
    assert heads_of(file) == [("", str(file))]


def test_parts_of_objects_are_columns(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"id": 1, "customer": {"id": 7}}) + "\n" + "{")
    assert heads_of(file) == [("", ("customer.id", "id"))]
