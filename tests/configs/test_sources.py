"""How one source is read: a column has one origin, a condition one test, and what can't be meant is refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from configs.sources import Column, ColumnRule, Source, Where, named


def test_a_bare_name_is_a_column():
    rule = TypeAdapter(ColumnRule).validate_python("Order Date")
    assert (rule.inputs, rule.formats) == (["Order Date"], [])


@pytest.mark.parametrize(
    ("given", "inputs", "formats"),
    [
        ({"column": "a", "format": "%d.%m.%Y"}, ["a"], ["%d.%m.%Y"]),
        ({"column": "a", "format": ["unix_s", "excel"]}, ["a"], ["unix_s", "excel"]),
        ({"product": ["price", "pieces"]}, ["price", "pieces"], []),
        ({"join": ["shop", "number"]}, ["shop", "number"], []),
        ({"constant": 0}, [], []),
        ({"row_number": True}, [], []),
    ],
)
def test_what_a_column_is_made_of(given, inputs, formats):
    rule = Column(**given)
    assert (rule.inputs, rule.formats) == (inputs, formats)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "has none"),
        ({"column": "a", "constant": 1}, r"has \['column', 'constant'\]"),
        ({"product": ["a"]}, "at least 2 items"),
        ({"join": ["a"]}, "at least 2 items"),
        ({"column": "a", "scale": 0}, "greater than 0"),
        ({"column": "a", "tidy": ["upper"]}, "'lower', 'drop_zeros'"),
        ({"column": "a", "without_prefix": ""}, "at least 1 character"),
    ],
)
def test_a_column_that_means_nothing_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        Column(**given)


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ({"equals": "x"}, "Kind equals x"),
        ({"none_of": ["a", 5]}, "Kind none_of ['a', 5.0]"),
        ({"above": 0}, "Kind above 0.0"),
        ({"is_null": False}, "Kind is_null False"),
    ],
)
def test_a_condition_in_a_few_words(test, shown):
    assert Where(column="Kind", **test).shown == shown


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ({}, "has none"),
        ({"equals": "x", "below": 3}, r"has \['below', 'equals'\]"),
        ({"equals": None}, "equals has no value; for empty cells write is_null: true"),
        ({"above": None}, "above has no value"),
    ],
)
def test_a_condition_has_one_test_with_a_value(test, says):
    with pytest.raises(ValidationError, match=says):
        Where(column="Kind", **test)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"uri": ""}, "at least one path"),
        ({"uri": []}, "at least one path"),
        ({"uri": ["a.csv", "postgresql://h/db#t"]}, "a table of a database stands alone"),
        ({"uri": "a.csv", "encoding": "utf-9"}, "'utf-9' is no encoding that Python reads"),
        ({"uri": "a.csv", "decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"uri": "a.txt", "format": "fixed_width"}, "go together"),
        ({"uri": "a.txt", "fields": {"id": [1, 5]}}, "go together"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        Source(**given)


@pytest.mark.parametrize("place", [(0, 3), (5, 4), (-2, 3)])
def test_characters_count_from_one_and_forwards(place):
    with pytest.raises(ValidationError, match=r"fields: id: .* expected first and last character, from 1"):
        Source(uri="a.txt", format="fixed_width", fields={"ok": (1, 1), "id": place})


def test_an_encoding_is_known_by_one_name():
    assert Source(uri="a.csv", encoding="UTF8").encoding == "utf-8"
    assert Source(uri="a.csv", encoding="latin-1").encoding == "iso8859-1"


def test_what_is_shown_of_a_source_has_no_password():
    assert Source(uri="postgresql://me:secret@h/shop#orders").shown == "postgresql://me:***@h/shop#orders"
    assert Source(uri=["a.csv", "b.csv"]).shown == "a.csv, b.csv"


def test_a_list_of_names_maps_each_to_itself():
    assert named(["plan", "size"]) == {"plan": "plan", "size": "size"}
    assert named({"plan": "Plan"}) == {"plan": "Plan"}
