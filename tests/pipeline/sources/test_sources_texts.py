"""Text files as tables: whatever can't be read as it is is written anew, and rows that do not fit are named."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.sources import Source
from pipeline.sources.drivers import UnreadableError
from pipeline.sources.readers import connect_duckdb
from pipeline.sources.texts import likely_encoding, lines_counted, misfits, prepared, records, text_table

CELLS = st.text("ab,;|\t\"\n' 1.é", max_size=6)


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


def made(folder, content, *, aside=False, **settings_):
    file = folder / "x.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    count = iter(range(99))
    source = Source(uri="x.csv", **settings_)
    return prepared(
        file, "x.csv", "usage", source, ["id", "at"], lambda: folder / f"copy{next(count)}.csv", aside=aside
    )


def rows(duck, file):
    return [tuple(row.values()) for row in text_table(duck, [file]).to_pyarrow().to_pylist()]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(CELLS, CELLS), max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_what_a_writer_writes_is_read(tmp_path, duck, cells, end):
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("id", "at"), *cells])
    file = made(tmp_path, sink.getvalue())
    found = [tuple(cell or "" for cell in row) for row in rows(duck, file)]
    assert found == cells
    assert lines_counted([file]) == len(cells)


@pytest.mark.parametrize(
    ("content", "settings_"),
    [
        ("id,at\n1,Zoë\n", {}),
        ("\ufeffid,at\n1,Zoë\n", {}),
        ("id,at\n1,Zoë\n".encode("utf-16"), {}),
        ("id,at\n1,Zoë\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("id,at\r\n1,Zoë\n", {}),  # two kinds of line ends
        ("id,at\r1,Zoë\r", {}),
        ("id,at\n1,Zoë,\n", {}),  # a separator that ends the row
        ("id;at\n1;Zoë\n", {}),
        ("id::at\n1::Zoë\n", {"delimiter": "::"}),
    ],
    ids=str,
)
def test_the_same_rows_however_they_are_written(tmp_path, duck, content, settings_):
    file = made(tmp_path, content, **settings_)
    if isinstance(content, str) and content.endswith(",\n"):
        assert misfits(file, "usage") == []
    else:
        assert rows(duck, file) == [("1", "Zoë")]
    assert [fields for _, fields in records(file)] == [["1", "Zoë"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "id,at\n1,2\n3\n4,5,6\n",
            r"2 rows do not fit the header: line 3 has 1 fields, line 4 has 3 fields; 2 expected",
        ),
        ("id,at\n1,2\nThe end\n", "a line that is no row, such as a footer, is to be cut"),
        ('id,at\n1,"2\n3,4\n', 'a quote " that opens after line 1 is never closed'),
        ('id,at\n1,"2"x\n', 'goes on behind a closing quote "'),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path, content, says):
    (fault,) = misfits(made(tmp_path, content), "usage")
    assert says in str(fault)


def test_a_second_header_is_called_so(tmp_path):
    (fault,) = misfits(made(tmp_path, "id,at\n1,2\nid,at,paid\n1,2,3\n"), "usage")
    assert "line 3 is a second header: cut the file before it" in fault.fix


def test_many_rows_are_told_by_the_first(tmp_path):
    (fault,) = misfits(made(tmp_path, "id,at\n" + "1\n" * 9), "usage")
    assert fault.what.startswith("9 rows do not fit the header: line 2 has 1 fields")
    assert "line 6 has 1 fields, ...; 2 expected" in fault.what


def test_rows_that_do_not_fit_are_left_aside(tmp_path, duck):
    file = made(tmp_path, "id,at\n1,a\n2\n3,c\n", aside=True)
    assert rows(duck, file) == [("1", "a"), ("3", "c")]
    assert file.ragged == ((3, ["2"]),)


def test_text_that_can_not_be_parted_is_not_left_aside(tmp_path):
    with pytest.raises(UnreadableError, match="never closed"):
        made(tmp_path, 'id,at\n1,"a\n', aside=True)


def test_a_header_that_comes_again_is_no_row(tmp_path, duck):
    assert rows(duck, made(tmp_path, "id,at\n1,a\nid,at\n2,b\n")) == [("1", "a"), ("2", "b")]


def test_another_encoding_is_said_with_a_guess(tmp_path):
    with pytest.raises(UnreadableError, match=r"is not utf-16 text; set sources\.usage\.encoding"):
        made(tmp_path, "id,at\n1,é\n".encode("utf-16") + b"\x00", encoding="utf-16")
    (fault,) = misfits(made(tmp_path, "id,at\n1,2\n3,“é”\n".encode("cp1252")), "usage")
    assert (fault.what, "such as cp1252" in fault.fix) == ("line 3 is not utf-8 text", True)
    assert likely_encoding(b"a\x00b\x00") == "utf-16-le"
