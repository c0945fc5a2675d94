import datetime as dt
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from pipeline.languages.language import Language
from pipeline.outreach.workbook import workbook_bytes

AS_OF = dt.date(2026, 7, 1)
# What XML can't hold is no text of a cell.
TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cn"]), max_size=30)


def rows(content):
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_texts_come_back_as_they_were_and_none_is_a_formula(texts):
    texts = [*texts, "=1+1", "+49 30", "-5", "@x", "000123", "http://x.y", "mailto:a@b.c", "1e5", "{=A1}"]
    content = workbook_bytes(pd.DataFrame({"customer_id": texts}), AS_OF, Language("en"))
    assert [row[0] for row in rows(content)] == ["Customer", *texts]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "hyperlink" not in sheet


def test_numbers_and_days_are_numbers_and_days_and_what_is_unknown_is_empty():
    table = pd.DataFrame(
        {
            "churn_probability": [0.25, np.nan],
            "rank": [1, 2],
            "due_date": pd.to_datetime(["2026-07-04", None]),
            "message": ["Guten Tag\nÄnne", None],
        }
    )
    assert rows(workbook_bytes(table, AS_OF, Language("en")))[1:] == [
        [0.25, 1.0, dt.date(2026, 7, 4), "Guten Tag\nÄnne"],
        ["", 2.0, "", ""],
    ]


@pytest.mark.parametrize(("language", "right"), [("en", False), ("mr", False), ("fa", True)])
def test_the_header_stays_filters_are_on_and_the_sheet_runs_as_its_language_does(language, right):
    content = workbook_bytes(pd.DataFrame({"a": ["x"], "b": ["y"]}), AS_OF, Language(language))
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<autoFilter ref="A1:B2"/>' in sheet
    assert 'state="frozen"' in sheet
    assert ('rightToLeft="1"' in sheet) == right


def test_the_same_table_gives_the_same_bytes_and_an_empty_one_a_header():
    table = pd.DataFrame({"customer_id": pd.Series([], dtype="str"), "value": pd.Series([], dtype="float64")})
    content = workbook_bytes(table, AS_OF, Language("en"))
    assert content == workbook_bytes(table, AS_OF, Language("en"))
    assert rows(content) == [["Customer", "Value"]]
    assert workbook_bytes(pd.DataFrame(), AS_OF, Language("en"))[:2] == b"PK"
