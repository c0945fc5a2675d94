"""One customer out of one file: who has a similar id, or stands in another's text, stays byte for byte."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.csv_text import csv_text
from pipeline.forgetting.rows import out_of_calendar, out_of_csv, out_of_page, out_of_parquet
from pipeline.outreach.files import parquet_bytes


def event(summary):
    return (
        f"BEGIN:VEVENT\r\nUID:{hash(summary)}\r\nSUMMARY:{summary}\r\nDESCRIPTION:7\\, 0000\r\nEND:VEVENT\r\n"
    )


def test_lines_of_others_keep_their_bytes():
    text = '\ufeffwhy,customer_id\r\n"7, and ""7""\nmore",17\r\nx,7\r\n"7",77\r\n'
    content, count = out_of_csv(text.encode(), "7")
    assert (content.decode(), count) == (text.replace("x,7\r\n", ""), 1)
    assert out_of_csv(b"", "7") == (b"", 0)
    assert out_of_csv(text.encode(), "7", [0, 2])[0].decode() == "\ufeffwhy,customer_id\r\nx,7\r\n"


def test_a_short_id_takes_no_other_with_it():
    frame = pd.DataFrame({"customer_id": ["7", "17", None], "n": [7, 7, 7]})
    sink = io.BytesIO()
    frame.to_parquet(sink)
    content, places = out_of_parquet(sink.getvalue(), "7")
    assert places == [0]
    assert pq.read_table(io.BytesIO(content)).to_pydict() == {"customer_id": ["17", None], "n": [7, 7]}
    calendar = event("Call: 17") + event("Call: 7") + event("Contact 7") + event("7 purchases: a")
    kept, count = out_of_calendar(calendar.encode(), "7", ["Contact 7"])
    assert count == 2
    assert kept.decode() == event("Call: 17") + event("7 purchases: a")
    old = '<tr role="row"><th><bdi>17</bdi></th></tr><tr role="row"><th><bdi>7</bdi></th><td>a</td></tr>'
    assert out_of_page(old.encode(), "7") == (b'<tr role="row"><th><bdi>17</bdi></th></tr>', 1)


NAMES = st.text("a7,\"'\n<&;=", min_size=1, max_size=4)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=6), NAMES)
def test_of_a_table_whose_lines_hold_anything_the_customers_go_and_the_rest_is_as_it_was(rows, customer):
    frame = pd.DataFrame(rows, columns=["customer_id", "why"], dtype="str")
    content, count = out_of_csv(csv_text(frame).encode(), customer)
    others = frame[frame.customer_id != customer].reset_index(drop=True)
    assert count == len(frame) - len(others)
    assert content.decode() == csv_text(others)


def test_a_row_is_known_by_its_place_where_its_id_is_in_another_file():
    text = b"why,n\na,1\nb,2\nc,3\n"
    assert out_of_csv(text, "7", [1]) == (b"why,n\na,1\nc,3\n", 1)
    assert out_of_csv(text, "7") == (text, 0)  # no column of ids, and no places


def test_a_file_without_the_customer_keeps_its_bytes():
    content = parquet_bytes(pd.DataFrame({"customer_id": ["17"], "n": [7]}))
    assert out_of_parquet(content, "7") == (content, [])
    other = parquet_bytes(pd.DataFrame({"n": [7]}))
    assert out_of_parquet(other, "7") == (other, [])


def test_an_id_that_is_a_number_in_the_file_is_found():
    sink = io.BytesIO()
    pq.write_table(pa.table({"customer_id": [7, 17], "n": ["a", "b"]}), sink)
    content, places = out_of_parquet(sink.getvalue(), "7")
    assert (places, pq.read_table(io.BytesIO(content))["n"].to_pylist()) == ([0], ["b"])


def test_an_entry_of_a_calendar_is_told_by_its_whole_summary_also_where_the_line_is_folded():
    folded = "BEGIN:VEVENT\r\nSUMMARY:Call: a very long\r\n  name\r\nEND:VEVENT\r\n"
    escaped = "BEGIN:VEVENT\r\nSUMMARY:Call: Smith\\, Eva\r\nEND:VEVENT\r\n"
    plain = "BEGIN:VEVENT\r\nSUMMARY:Call: name\r\nEND:VEVENT\r\n"
    bare = "BEGIN:VEVENT\r\nDTSTART:20260701\r\nEND:VEVENT\r\n"
    whole = folded + escaped + plain + bare
    for customer, left in (
        ("a very long name", escaped + plain + bare),
        ("Smith, Eva", folded + plain + bare),
        ("name", folded + escaped + bare),
    ):
        kept, count = out_of_calendar(whole.encode(), customer, [])
        assert (kept.decode(), count) == (left, 1)
    assert out_of_calendar(whole.encode(), "long name", []) == (whole.encode(), 0)


@pytest.mark.parametrize("quoted", ["&#x27;", "&#39;"])
def test_an_id_with_signs_of_markup_is_found_however_they_were_written(quoted):
    row = f'<tbody data-customer="a&lt;b{quoted}c" id="x"><tr>why</tr></tbody>\n'
    other = '<tbody data-customer="a&lt;b" id="y"><tr>why</tr></tbody>'
    assert out_of_page((row + other).encode(), "a<b'c") == (other.encode(), 1)
    assert out_of_page(other.encode(), "a.b") == (other.encode(), 0)  # a point is no sign for anything


def test_a_row_of_a_page_goes_alone():
    rows = [f'<tr role="row"><td>why</td><td><bdi>{name}</bdi></td></tr>' for name in ("7", "17", "7")]
    assert out_of_page("".join(rows).encode(), "7") == (rows[1].encode(), 2)
