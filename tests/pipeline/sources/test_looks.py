"""A look at a text file: its separator, quotes and header, and how many rows it has."""

import codecs
import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sources.looks import dialect_of, encoding_of, head_of, look_at, opened

CELLS = st.text("ab,;|\t\"\n' 1.é", max_size=6)


@pytest.mark.parametrize(
    ("text", "separator", "skipped", "names"),
    [
        ("id,at\n1,2", ",", 0, ("id", "at")),
        ("id;at\n1,5;2", ";", 0, ("id", "at")),
        ("id\tat\n1\t2", "\t", 0, ("id", "at")),
        ("id|at|x\n1|2|3", "|", 0, ("id", "at", "x")),
        ("Orders; of May\n\nid; at\n1;2", ";", 2, ("id", "at")),
        ("\ufeffid,at\n1,2", ",", 0, ("id", "at")),
        ('"id","at"\n1,2', ",", 0, ("id", "at")),
        ("'id','at'\n'a','b'", ",", 0, ("id", "at")),
        ("id,,at,ID\n1,2,3,4", ",", 0, ("id_1", "column_2", "at", "ID_4")),
        ("id,at\nid,at\n1,2", ",", 0, ("id", "at")),  # a header that comes again is no later header
        ("x\n1", ",", 0, ("x",)),
    ],
)
def test_the_header_is_the_record_that_names_what_is_wanted(text, separator, skipped, names):
    found = dialect_of(text, ["id", "at"])
    assert (found.separator, found.skipped, found.names) == (separator, skipped, names)


def test_the_separator_of_the_config_is_taken():
    found = dialect_of("id::at\n1::2\n", ["id", "at"], "::")
    assert (found.separator, found.names) == ("::", ("id", "at"))


@pytest.mark.parametrize(
    ("text", "quote", "escape"),
    [
        ('id,at\n"a ""b""",1', '"', '"'),
        ('id,at\n"a \\"b\\" c",1', '"', "\\"),
        ('id,at\n"a\\",1', '"', '"'),  # a backslash before the end of a field is one
        ("'id','at'\n1,2", "'", "'"),
    ],
)
def test_how_a_quote_stands_within_quotes(text, quote, escape):
    found = dialect_of(text, ["id", "at"])
    assert (found.quote, found.escape) == (quote, escape)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12), last=st.booleans())
def test_rows_are_counted_as_a_reader_counts_them(tmp_path, rows, last):
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "at"], *rows])
    text = sink.getvalue() if last else sink.getvalue().removesuffix("\n")
    file = tmp_path / "t.csv"
    file.write_bytes(text.encode())
    look = look_at(file, dialect_of('"id","at"\n', ["id", "at"]))
    assert look.rows == len(rows)


@pytest.mark.parametrize(
    ("data", "rows", "headers", "even"),
    [
        (b"id,at\n1,2\n3,4\n", 2, 0, True),
        (b"id,at\n1,2\n3,4", 2, 0, True),
        (b"id,at\r\n1,2\r\n3,4\r\n", 2, 0, True),
        (b"id,at\r\n1,2\n3,4\r\n", 2, 0, False),
        (b"id,at\n1,2\nid,at\n3,4\n", 3, 1, True),
        (b"id,at\r\n1,2\r\nid,at\r\n", 2, 1, True),
        (b'id,at\n"1\n2",3\n', 1, 0, True),
        (b"id,at\n", 0, 0, True),
    ],
)
def test_a_look_at_a_whole_file(tmp_path, data, rows, headers, even):
    file = tmp_path / "t.csv"
    file.write_bytes(data)
    look = look_at(file, dialect_of("id,at\n", ["id"]))
    assert (look.rows, look.headers, look.even) == (rows, headers, even)


def test_lines_before_the_header_are_no_rows(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(b"Orders of May\n\nid,at\n1,2\n")
    look = look_at(file, dialect_of("Orders of May\n\nid,at\n1,2\n", ["id", "at"]))
    assert (look.dialect.skipped, look.rows) == (2, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_a_mark_tells_the_encoding(encoding):
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    head = marks.get(encoding, b"") + "Zoë".encode(encoding)
    assert head.decode(encoding_of(head, "cp1252")).endswith("Zoë")


def test_a_packed_file_is_unpacked_by_what_is_in_it(tmp_path):
    file = tmp_path / "t.csv"  # whatever its name says
    file.write_bytes(gzip.compress(b"id,at\n1,2\n", mtime=0))
    assert head_of(file) == b"id,at\n1,2\n"
    with opened(file) as stream:
        assert stream.readline() == b"id,at\n"
    assert look_at(file, dialect_of("id,at\n", ["id"])).rows == 1
