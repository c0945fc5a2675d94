from pipeline.languages.language import Language
from pipeline.languages.said import said
from pipeline.result import LOOK, Result, table


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
