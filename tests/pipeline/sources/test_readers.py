"""From files to a raw table: the format by what a file holds, and every file with the same columns."""

import gc
import gzip
import os
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline.sources.drivers import UnreadableError
from pipeline.sources.readers import connect_duckdb, read_source

CSV = "id,at\n1,a\n2,b\n"


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


@pytest.fixture
def read(duck, tiny, tmp_path):
    def from_files(uri, mapped=("id", "at"), **settings):
        config = tiny(
            transactions="customer_id,occurred_at\n1,2024-01-01\n",
            usage="id,at\n1,2\n",
            mapped={"usage": dict(zip(("customer_id", "occurred_at"), mapped, strict=True))},
            settings={"usage": {"uri": uri, **settings}},
        )
        return read_source(duck, {}, "usage", config.sources.usage, config)

    return from_files


def rows(raw):
    return sorted(tuple(row.values()) for row in raw.table.to_pyarrow().to_pylist())


TWO = [("1", "a"), ("2", "b")]


def test_parts_of_structures_in_parquet_are_columns(read, tmp_path):
    who = [{"id": "1", "at": {"city": "x"}}, {"id": "2", "at": None}, None]
    pd.DataFrame({"who": who, "at": ["a", "b", "c"], "tags": [[1], [], None]}).to_parquet(
        tmp_path / "x.parquet"
    )
    raw = read("x.parquet", mapped=("who.id", "at"))
    assert raw.table.columns == ("who.id", "who.at.city", "at", "tags")
    found = raw.table.select("who.id", "who.at.city", "at").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in found] == [("1", "x", "a"), ("2", None, "b"), (None, None, "c")]
    with pytest.raises(UnreadableError, match="no column 'who'"):
        read("x.parquet", mapped=("who", "at"))


@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
def test_text_under_the_name_of_a_workbook_is_text(read, tmp_path, code):
    (tmp_path / "x.xls").write_text(CSV.replace(",", "\t"), encoding=code)
    assert rows(read("x.xls")) == TWO
    (tmp_path / "y.xls").write_text("<table><tr><td>1</td></tr></table>")
    with pytest.raises(UnreadableError, match="is a web page"):
        read("y.xls")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", CSV.encode()),
        ("x.txt", CSV.encode()),
        ("x.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("x.gz", gzip.compress(b'{"id": 1, "at": "a"}\n{"id": 2, "at": "b"}\n', mtime=0)),
        ("x.csv", b'{"id": 1, "at": "a"}\n{"id": 2, "at": "b"}\n'),  # whatever its name says
        ("x.jsonl", b'{"id": 1, "at": "a"}\n{"id": 2, "at": "b"}\n'),
    ],
    ids=str,
)
def test_a_file_is_what_it_holds(read, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    raw = read(name)
    assert rows(raw) == TWO
    assert (raw.rows, raw.files) == (2, 1)
    assert raw.place is None


def test_parquet_keeps_its_types_and_knows_its_rows(read, tmp_path):
    pd.DataFrame({"id": [1, 2], "at": ["a", "b"]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"at": ["c"], "id": [3]}).to_parquet(tmp_path / "2.parquet")
    raw = read("*.parquet")
    assert rows(raw) == [(1, "a"), (2, "b"), (3, "c")]
    assert (raw.rows, raw.files) == (3, 2)
    assert raw.place([3]) == ["2.parquet data row 1"]


def test_text_under_any_ending_is_read(read, tmp_path):
    (tmp_path / "x.asc").write_bytes(b"id;at\n1;a\n")
    assert rows(read("x.asc")) == [("1", "a")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", b"", "x.csv: is empty; check the export"),
        ("x.csv", b"<!DOCTYPE html><html>", "is a web page, not a table; the download needs a login"),
        ("x.pdf", b"%PDF-1.7", "is a PDF, not a table"),
        ("x.dat", b"id at", r"the ending of x\.dat tells no format; set it to csv, json"),
        (
            "x.db",
            b"SQLite format 3\0",
            r"is a database, not a table; name its tables: sqlite:///.*x\.db#TABLE",
        ),
        ("x.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:20], r"can't read x\.csv\.gz"),
        ("x.parquet", b"PAR1 nonsense", "the file is damaged; export it again"),
        ("x.csv", b"id,when\n1,2\n", "no column 'at' in x.csv"),
    ],
    ids=str,
)
def test_what_is_no_table_is_said(read, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableError, match=says):
        read(name)


def test_files_of_several_formats_do_not_mix_with_parquet(read, tmp_path):
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    pd.DataFrame({"id": [1], "at": ["a"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UnreadableError, match=r"a\.csv is csv among Parquet files; name files of one format"):
        read(["a.csv", "b.parquet"])


def test_text_files_written_differently_are_one_table_of_what_they_share(read, tmp_path):
    (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "b.csv").write_text("at;note;id\nc;x;3\n", encoding="utf-8")
    raw = read(["a.csv", "b.csv"])
    assert rows(raw) == [*TWO, ("3", "c")]
    assert raw.place([3, 1]) == ["a.csv line 2", "b.csv line 2"]


def test_fixed_width_by_characters_from_one(read, tmp_path):
    (tmp_path / "x.txt").write_text("  1a \n\n  2b \n", encoding="utf-8")
    raw = read("x.txt", format="fixed_width", fields={"id": [1, 3], "at": [4, 5]})
    assert (rows(raw), raw.rows) == (TWO, 2)


def test_titles_and_repeated_headers_stand_beside_the_rows(read, tmp_path):
    (tmp_path / "x.csv").write_text("Usage\n\nid,at\n1,a\nid,at\n2,b\n", encoding="utf-8")
    raw = read("x.csv")
    assert (rows(raw), raw.rows, raw.beside, raw.recount()) == (TWO, 2, 3, 2)


def test_an_error_of_the_reader_names_the_rows(read, tmp_path):
    (tmp_path / "x.csv").write_text("id,at\n1,a\n2\n", encoding="utf-8")
    raw = read("x.csv")
    with pytest.raises(UnreadableError, match="line 3 has 1 fields"), raw.reading():
        raw.table.to_pyarrow()


def test_the_memory_of_the_engine_is_bounded_and_it_thinks_in_utc():
    duck = connect_duckdb(1, 0.5)
    limit, zone = (
        duck.con.execute(f"select current_setting('{name}')").fetchone()[0]
        for name in ("memory_limit", "TimeZone")
    )
    assert (limit, zone) == ("476.8 MiB", "UTC")


def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux what the process holds")
def test_what_a_dropped_table_took_goes_back_to_the_machine():
    gc.collect()  # a DuckDB that ends takes the setting back from all others of the process
    duck = connect_duckdb(1)
    duck.raw_sql("create temp table many as select range::varchar || 'abcdefghijkl' as a from range(6000000)")
    held = megabytes()
    duck.raw_sql("drop table many")
    until = time.monotonic() + 60
    while megabytes() > held - 80 and time.monotonic() < until:
        time.sleep(0.1)
    assert megabytes() < held - 80
