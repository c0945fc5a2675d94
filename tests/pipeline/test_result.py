"""What a command hands back: its table, its lines to look at, and nothing that a terminal would act upon."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages.language import Language
from pipeline.languages.said import said
from pipeline.result import LOOK, Result, as_line, table, visible


def test_a_line_that_is_added_later_is_told_in_the_language_and_kept_in_english():
    line = said("see the export")
    found = Result("x", {"look": ["a"], "in_words": {"a": "b"}}).with_look([line], Language("fa"))
    assert found.text == "x\nبررسی کنید: خروجی را بررسی کنید"
    assert found.values == {"look": ["a", line], "in_words": {"a": "b", line: "خروجی را بررسی کنید"}}
    assert found.exit_code == LOOK


def test_without_a_reader_the_line_stands_as_it_is():
    assert Result("x", {}).with_look(["y"]) == Result("x\nlook: y", {"look": ["y"]}, LOOK)


def test_numbers_of_every_language_are_aligned_right():
    assert table(["a", "b"], [["x", "۱٬۲۳۴٫۵"], ["y", "۵٪"]]).splitlines()[2] == "y       ۵٪"


def test_nothing_to_look_at_changes_nothing():
    result = Result("x", {"rows": 1})
    assert result.with_look([]) is result


def test_a_failure_stays_a_failure_whatever_there_is_to_look_at():
    assert Result("x", {}, 1).with_look(["y"]).exit_code == 1


def test_looking_twice_tells_both_in_their_order():
    found = Result("x", {}).with_look(["one"]).with_look(["two"])
    assert found.text == "x\nlook: one\nlook: two"
    assert found.values["look"] == ["one", "two"]
    assert "in_words" not in found.values


@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_table_has_a_line_a_row_whatever_its_cells_hold(rows):
    shown = table(["a", "b"], [[cell.replace("\r", "") for cell in row] for row in rows])
    assert len(shown.split("\n")) == len(rows) + 1


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["1", "10"], True),
        (["-1.5", "+2"], True),
        (["5 %", "10%"], True),
        (["<0.1", "3"], True),
        (["", "3"], True),
        (["1", "x"], False),
        (["1e5", "3"], False),
    ],
)
def test_a_column_of_numbers_is_aligned_right_and_any_other_left(cells, right):
    last = table(["key", "a long header"], [["k", cell] for cell in cells]).splitlines()[-1]
    assert last.endswith(cells[-1].rjust(13)) is right
    assert last.startswith("k    " + (" " if right else cells[-1]))


def test_a_cell_over_two_lines_stays_in_its_row():
    assert table(["a"], [["x\ny"]]).splitlines() == ["a", "x\\ny"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("bell\x07 back\x08 del\x7f next\x85", "bell\\u0007 back\\u0008 del\\u007f next\\u0085"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("سلام · Zoë", "سلام · Zoë"),
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
    ],
)
def test_what_a_terminal_would_act_upon_is_spelled_out(text, shown):
    assert visible(text) == shown


def test_a_line_for_machines_has_no_password_at_any_depth():
    values = {"a": ["x://me:pw@h", ("y://me:pw@h", {"b": "z://me:pw@h"})], "n": 1.5, "none": None}
    found = json.loads(as_line(values))
    assert found == {"a": ["x://me:***@h", ["y://me:***@h", {"b": "z://me:***@h"}]], "n": 1.5, "none": None}
    assert as_line({"name": "سلام"}) == '{"name": "سلام"}'
    assert "\n" not in as_line({"text": "two\nlines"})
