"""File and line of rows that are numbered through all files of a source."""

import pytest

from configs.sources import Source
from pipeline.sources.lines import Spot, in_fixed_width, in_parquet, in_texts
from pipeline.sources.texts import prepared

TEXTS = {
    "a.csv": 'Title\n\nid,at\n1,x\n\n"2\n2",y\n',  # rows end in lines 4 and 7
    "b.csv": "id,at\n3,x\nid,at\n4,y\n",  # a header that comes again
}


def files(folder, **options):
    found = []
    for number, (name, text) in enumerate(TEXTS.items()):
        (folder / name).write_text(text, encoding="utf-8")
        copies = iter(folder / f"copy{number}{i}.csv" for i in range(9))
        made = prepared(
            folder / name, name, "usage", Source(uri=name), ["id", "at"], lambda c=copies: next(c), **options
        )
        found.append(made)
    return found


def test_rows_are_named_by_the_line_in_which_they_end(tmp_path):
    found = in_texts(files(tmp_path), [1, 2, 3, 4, 9])
    assert found == {
        1: Spot("a.csv", 4, 1), 2: Spot("a.csv", 7, 2), 3: Spot("b.csv", 2, 1), 4: Spot("b.csv", 4, 2)
    }  # fmt: skip


def test_rows_that_are_left_aside_have_no_number(tmp_path):
    TEXTS["c.csv"] = "id,at\n1,x\n2\n3,z\n"
    try:
        found = in_texts(files(tmp_path, aside=True)[-1:], [1, 2])
    finally:
        del TEXTS["c.csv"]
    assert found == {1: Spot("c.csv", 2, 1), 2: Spot("c.csv", 4, 2)}


def test_no_rows_are_nowhere(tmp_path):
    assert in_texts(files(tmp_path), []) == {}


def test_lines_of_fixed_width_without_the_blank_ones(tmp_path):
    for name, text in (("a", "one\n\ntwo\n"), ("b", "\nthree\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = in_fixed_width([(tmp_path / "a", "a"), (tmp_path / "b", "b")], [2, 3])
    assert found == {2: Spot("a", 3, 2), 3: Spot("b", 2, 1)}


@pytest.mark.parametrize(("row", "file", "place"), [(1, "a", 1), (2, "a", 2), (3, "c", 1), (5, "c", 3)])
def test_rows_of_parquet_files_some_of_them_empty(row, file, place):
    assert in_parquet(["a", "b", "c"], [2, 2, 5], [row]) == {row: Spot(file, None, place)}
