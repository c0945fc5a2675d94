"""Workbooks and JSON as rows of text that read back the same."""

import datetime as dt
import json

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.documents import as_cell, objects, workbook
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.places import Found


def book(folder, **sheets):
    with xlsxwriter.Workbook(folder / "book.xlsx", {"default_date_format": "yyyy-mm-dd"}) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return folder / "book.xlsx"


def test_the_header_is_the_row_that_has_most_of_the_columns(tmp_path):
    rows = [["Orders"], [], ["at", "id"], [dt.datetime(2024, 5, 1), 17850], [None, None], ["x", 1.5]]
    names, found = workbook(Found(book(tmp_path, May=rows), "book.xlsx"), "transactions", ["id", "at"])
    assert names[:2] == ["at", "id"]
    assert [row[:2] for row in found] == [["2024-05-01", "17850"], ["x", "1.5"]]


def test_of_several_sheets_one_is_named(tmp_path):
    path = book(tmp_path, May=[["id"], [1]], June=[["id"], [2]])
    _, rows = workbook(Found(path, "book.xlsx", "June"), "transactions", ["id"])
    assert list(rows) == [["2"]]
    for sheet, says in ((None, "has the sheets May, June; name one"), ("July", "and no 'July'")):
        with pytest.raises(UnreadableError, match=says):
            workbook(Found(path, "book.xlsx", sheet), "transactions", ["id"])


def test_an_empty_sheet_has_no_columns_and_a_damaged_book_is_told(tmp_path):
    names, rows = workbook(Found(book(tmp_path, May=[]), "book.xlsx"), "usage", ["id"])
    assert (names, list(rows)) == ([], [])
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(UnreadableError, match=r"can't read the workbook bad\.xlsx.*without a password"):
        workbook(Found(tmp_path / "bad.xlsx", "bad.xlsx"), "usage", ["id"])


@given(
    st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
def test_a_cell_reads_back_the_same(value):
    text = as_cell(value)
    if value is None:
        assert text == ""
    elif isinstance(value, bool):
        assert json.loads(text) is value
    elif isinstance(value, int | float):
        assert type(value)(text) == value
        assert not text.endswith(".0") or abs(value) >= 2**53
    else:
        assert text == value


def told(folder, content):
    file = folder / "x.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    names, rows = objects(Found(file, "x.json"), "utf-8", "usage")
    return names, list(rows)


@pytest.mark.parametrize(
    "content",
    [
        '{"id": 7, "a": [1]}\n\n{"id": "8", "b": null}\n',
        '[{"id": 7, "a": [1]}, {"id": "8", "b": null}]',
        '\ufeff  [{"id": 7, "a": [1]}, {"id": "8", "b": null}]',
    ],
)
def test_an_object_a_line_or_one_list(tmp_path, content):
    assert told(tmp_path, content) == (["id", "a", "b"], [["7", "[1]", ""], ["8", "", ""]])


def test_parts_of_an_object_within_an_object_are_columns(tmp_path):
    content = '{"id": 7, "who": {"id": 1, "at": {"city": "x"}}}\n{"id": 8, "who": null, "tags": [1]}\n'
    names, rows = told(tmp_path, content)
    assert names == ["id", "who.id", "who.at.city", "who", "tags"]
    assert rows == [["7", "1", "x", "", ""], ["8", "", "", "", "[1]"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"id": 7}\n{"id": ', "line 2 is no JSON"),
        ('{"id": 7}\n[1]\n', "value 2 is no JSON object"),
        ("[1, 2]", "value 1 is no JSON object"),
        ("[{", "is no JSON"),
        (b"\xff{", "is not utf-8-sig text; set sources.usage.encoding"),
    ],
)
def test_what_is_no_object_is_named(tmp_path, content, says):
    with pytest.raises(UnreadableError, match=says):
        told(tmp_path, content)
