"""The customers of all roles, each once, and ids that differ in their form only."""

import datetime as dt

import ibis
import pandas as pd
import pytest
import yaml

from configs.sources import Column
from pipeline.sources.ids import Ids, line, nobodies, shortened, shown, twins
from pipeline.sources.opening import open_sources
from pipeline.sources.readers import connect_duckdb


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


def ids_of(duck, compared=None, **roles):
    tables = {}
    for role, customers in roles.items():
        frame = pd.DataFrame({"customer_id": customers}, dtype="str")
        tables[role] = duck.create_table(f"{role}_rows", frame, temp=True, overwrite=True)
    return Ids.of(duck, tables, compared or {})


def told(table):
    return sorted(tuple(row.values()) for row in table.to_pyarrow().to_pylist())


def test_each_role_has_its_customers_once_with_their_rows(duck):
    ids = ids_of(duck, transactions=["a", "a", "b"], contacts=["b", "c"])
    assert told(ids["transactions"]) == [("a", 2), ("b", 1)]
    assert told(ids["contacts"]) == [("b", 1), ("c", 1)]
    assert told(ids.table.select("customer_id")) == [("a",), ("b",), ("c",)]
    assert (list(ids), len(ids)) == (["transactions", "contacts"], 2)
    with pytest.raises(KeyError):
        ids["usage"]


def test_who_is_known_from_the_others(duck):
    ids = ids_of(
        duck,
        {"contacts": ["transactions", "usage"]},
        transactions=["a", "a", "b"],
        contacts=["b", "b", "c", "d"],
        usage=["d"],
    )
    assert told(ids.unmet("contacts", ["transactions"])) == [("c",), ("d",)]
    assert told(ids.unmet("contacts", ["transactions", "usage"])) == [("c",)]
    counts = {k: v for k, v in ids.counts.items() if k.startswith("contacts") and "changed" not in k}
    assert counts == {
        "contacts rows": 4, "contacts customers": 3, "contacts rounded": 0, "contacts nobody": 0, "contacts sums": 0,
        "contacts rows met": 3, "contacts customers met": 2,
    }  # fmt: skip


def test_rows_of_another_engine_meet_those_here(duck):
    away = ibis.sqlite.connect().create_table("t", pd.DataFrame({"customer_id": ["b", "b", "x"]}))
    here = duck.create_table("mine", pd.DataFrame({"customer_id": ["a", "b"]}), temp=True, overwrite=True)
    ids = Ids.of(duck, {"customers": here, "usage": away}, {})
    assert told(ids["usage"]) == [("b", 2), ("x", 1)]
    assert told(ids.unmet("usage", ["customers"])) == [("x",)]


def config(tiny, **rule):
    mapped = {
        "transactions": {"customer_id": {"column": "customer_id", **rule}, "occurred_at": "occurred_at"}
    }
    return tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n", mapped=mapped)


@pytest.mark.parametrize(
    ("customers", "names"),
    [
        (["007", "7", "8"], "[drop_zeros]"),
        (["12.0", "12"], "[drop_point_zero]"),
        (["a b", "ab"], "[drop_blanks]"),
        (["Ab", "ab"], "[lower]"),
        (["A", "B"], None),  # in capitals throughout
        (["007", "8"], None),
    ],
)
def test_ids_that_differ_in_their_form_only(duck, tiny, customers, names):
    looks = twins(ids_of(duck, transactions=customers), config(tiny))
    if names is None:
        assert looks == []
    else:
        (look,) = looks
        assert f"{{column: customer_id, tidy: {names}}}" in look
        assert "if not `sources.transactions.columns.customer_id: {column: customer_id, tidy: []}`" in look


def test_who_has_said_how_ids_are_written_is_not_asked_again(duck, tiny):
    assert twins(ids_of(duck, transactions=["007", "7"]), config(tiny, tidy=[])) == []


SHORT = {"1.23457E+11": True, "1,2E+5": True, "7e+9": True, "1E5": False, "a+b": False, "E+1": False}


@pytest.mark.parametrize(("customer", "is_one"), SHORT.items())
def test_ids_that_a_spreadsheet_has_shortened(duck, tiny, customer, is_one):
    faults = shortened(ids_of(duck, transactions=[customer, "8"]), config(tiny))
    assert len(faults) == is_one
    if is_one:
        assert f"1 ids were shortened by a spreadsheet, such as {customer!r}" in str(faults[0])


def test_lines_and_ids_as_messages_show_them():
    assert shown(["a", "it's"]) == "'a', \"it's\""
    assert line("usage", Column(column="id", tidy=["lower"]), tidy=[]).endswith("{column: id, tidy: []}")


def crowd(name, rows):
    return [name] * rows + [f"c{k}" for k in range(30) for _ in range(3)]


@pytest.mark.parametrize(
    ("customers", "name"),
    [
        (crowd("0", 400), "0"),
        (crowd("Guest", 400), "Guest"),
        (crowd("999999", 400), "999999"),
        (crowd("Walk-in", 400), "Walk-in"),
        (crowd("0", 8), None),  # somebody who bought more than others
        (crowd("ann", 400), None),  # a large customer
        (["0"] * 400 + ["a", "b"], None),  # too few to say what is usual
    ],
)
def test_a_word_for_guests_is_no_customer(duck, tiny, customers, name):
    ids = ids_of(duck, transactions=customers)
    looks = nobodies(ids, config(tiny))
    assert len(looks) == (name is not None)
    for look in looks:
        assert look.startswith(f"transactions: {name!r} has 400 of 490 rows; if it stands for nobody add `")
        assert look.endswith("{column: customer_id, tidy: []}`")
    assert nobodies(ids, config(tiny, tidy=[])) == []


@pytest.mark.parametrize("name", ["Grand total", "TOTAL", "Summe", "جمع کل", "एकूण"])
def test_one_row_that_sums_up_the_others_is_no_customer(duck, tiny, name):
    (look,) = nobodies(ids_of(duck, transactions=crowd(name, 1)), config(tiny))
    assert look.startswith(f"transactions: {name!r} has 1 of 91 rows; if it stands for nobody add `")
    assert nobodies(ids_of(duck, transactions=crowd("Totila", 1)), config(tiny)) == []


def test_the_advice_for_guests_works(tiny):
    rows = [f"{who},2024-01-{1 + k % 28:02d}" for k, who in enumerate(crowd("0", 2_000))]
    text = "\n".join(["customer_id,occurred_at", *rows, ""])

    def looks(**settings):
        opened = open_sources(
            tiny(transactions=text, settings={"transactions": settings}), dt.date(2024, 2, 1)
        )
        return [line for line in opened.look if "stands for nobody" in line]

    (look,) = looks()
    condition = yaml.safe_load(look.split("`")[1])
    assert condition == {"column": "customer_id", "none_of": ["0"]}
    assert looks(where=[condition]) == []
