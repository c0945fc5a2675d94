"""A column made of the columns of a file by the rules of the config, and the conditions on rows."""

import sqlite3

import ibis
import pandas as pd
import pytest

from configs.sources import Column, Source, Where
from pipeline.sources.amounts import LOOK_ALIKES
from pipeline.sources.values import TIDYINGS, is_null, test, tidied, value_of

TEXT = Source(uri="x.csv")
test.__test__ = False  # a function of the house, and no test


def made(frame, name="amount", kind="number", source=TEXT, **rule):
    rows = ibis.memtable(pd.DataFrame(frame)).mutate(row_=ibis.row_number() + 1)
    found = value_of(rows, name, Column(**rule), kind, source)
    bad = ibis.literal(False) if found.bad is None else found.bad
    table = rows.select("row_", value=found.value, bad=bad).order_by("row_").to_pyarrow()
    return table["value"].to_pylist(), table["bad"].to_pylist()


def passing(values, source=TEXT, **condition):
    rows = ibis.memtable(pd.DataFrame({"place": range(len(values)), "x": values}))
    met = test(rows, Where(column="x", **condition), source)
    return [values[i] for i in rows.filter(met.fill_null(False)).order_by("place").to_pandas().place]


def test_a_product_a_scale_and_a_sign():
    frame = {"price": ["2.50", "x", "3"], "pieces": ["4", "1", None]}
    assert made(frame, product=["price", "pieces"], negate=True) == (
        [-10.0, None, None],
        [False, True, False],
    )
    assert made(frame, column="pieces", scale=0.01)[0] == [0.04, 0.01, None]


def test_a_joined_id_and_a_constant_and_a_row_number():
    frame = {"shop": ["A", "B", "A"], "number": [1.0, 2.0, 2.0]}
    assert made(frame, "transaction_id", "text", join=["shop", "number"])[0] == ["A-1", "B-2", "A-2"]
    assert made(frame, "channel", "text", constant=5)[0] == ["5"] * 3
    assert made(frame, constant=5)[0] == [5.0] * 3
    assert made(frame, "customer_id", "text", row_number=True)[0] == ["1", "2", "3"]


def test_the_usual_words_are_empty_in_numbers_and_ids_alone():
    frame = {"x": ["none", "unknown", "7"]}
    assert made(frame, column="x")[0] == [None, None, 7.0]
    assert made(frame, "customer_id", "text", column="x")[0] == [None, None, "7"]
    assert made(frame, "topic", "text", column="x")[0] == ["none", "unknown", "7"]
    own = Source(uri="x.csv", null_values=["7"])
    assert made(frame, "topic", "text", own, column="x")[0] == ["none", "unknown", None]


def test_an_attribute_keeps_its_kind():
    assert made({"x": [1.5, None]}, "size", None, column="x")[0] == [1.5, None]
    assert made({"x": [True, False]}, "member", None, column="x")[0] == ["true", "false"]
    assert made({"x": ["1.5", "a"]}, "size", None, column="x")[0] == ["1.5", "a"]


VALUES = ["a", "b", None, "ab", ""]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"equals": "a"}, ["a"]),
        ({"not_equals": "a"}, ["b", None, "ab", ""]),  # an empty cell is another one
        ({"one_of": ["a", "b"]}, ["a", "b"]),
        ({"none_of": ["a", "b"]}, [None, "ab", ""]),
        ({"starts_with": "a"}, ["a", "ab"]),
        ({"not_starts_with": "a"}, ["b", None, ""]),
        ({"is_null": True}, [None, ""]),
        ({"is_null": False}, ["a", "b", "ab"]),
    ],
)
def test_conditions_on_text(condition, kept):
    assert passing(VALUES, **condition) == kept


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"above": 2}, ["10", "2.5"]),
        ({"below": 2.5}, ["2", "-1"]),
        ({"equals": 2}, ["2"]),  # the config reads 2 as 2.0; the file says 2
        ({"one_of": [10, "x"]}, ["10", "x"]),
    ],
)
def test_conditions_on_numbers_kept_as_text(condition, kept):
    assert passing(["10", "2.5", "2", "-1", "x", None], **condition) == kept


def test_an_opposite_keeps_exactly_the_others():
    for one, other in (("equals", "not_equals"), ("starts_with", "not_starts_with")):
        met, unmet = (passing(["a", "b", None, "ab"], **{name: "a"}) for name in (one, other))
        assert sorted(map(str, [*met, *unmet])) == sorted(map(str, ["a", "b", None, "ab"]))


def test_a_product_is_empty_where_a_factor_is():
    rows = ibis.memtable(pd.DataFrame({"a": ["1", None, "3"], "b": ["1", "2", "n/a"]}))
    found = rows.select(empty=is_null(rows, Column(product=["a", "b"]), TEXT)).to_pyarrow()["empty"]
    assert found.to_pylist() == [False, True, True]


@pytest.mark.parametrize(
    ("tidy", "texts"),
    [
        (["lower"], ["a b", "0012", "12.0", "0"]),
        (["drop_zeros"], ["A B", "12", "12.0", "0"]),
        (["drop_point_zero"], ["A B", "0012", "12", "0"]),
        (["drop_blanks"], ["AB", "0012", "12.0", "0"]),
        (["drop_zeros", "drop_point_zero", "drop_blanks", "lower"], ["ab", "12", "12", "0"]),
    ],
)
def test_ids_written_in_one_way(tidy, texts):
    rows = ibis.memtable({"place": range(4), "id": ["A B", "0012", "12.0", "0"]})
    found = rows.select("place", id=tidied(rows.id, Column(column="id", tidy=tidy))).order_by("place")
    assert found.to_pyarrow()["id"].to_pylist() == texts


@pytest.mark.parametrize("name", TIDYINGS)
def test_tidying_twice_is_tidying_once(name):
    rows = ibis.memtable({"id": ["A B", "0012", "12.0", "000", "", "0.0", " 0"]})
    rule = Column(column="id", tidy=[name])
    once = tidied(rows.id, rule)
    assert (
        rows.select(a=once).to_pyarrow()["a"].to_pylist()
        == rows.select(a=tidied(once, rule)).to_pyarrow()["a"].to_pylist()
    )


def test_signs_that_look_alike_are_written_in_one_way_in_sqlite_as_in_files(tmp_path):
    ids = [*LOOK_ALIKES, "".join(LOOK_ALIKES), "A\uff11", "plain", "1\u200b2"]
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table t (place integer, id text)")
        database.executemany("insert into t values (?, ?)", enumerate(ids))
    there = ibis.sqlite.connect(tmp_path / "shop.db").table("t")
    here = ibis.memtable({"place": range(len(ids)), "id": ids})
    rule = Column(column="id", tidy=["plain_signs"])
    found = [
        t.select("place", id=tidied(t.id, rule)).to_pandas().sort_values("place")["id"].tolist()
        for t in (there, here)
    ]
    assert found[0] == found[1] == ["".join(LOOK_ALIKES.get(sign, sign) for sign in name) for name in ids]
