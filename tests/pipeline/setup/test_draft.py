"""The config as it comes about: tables taken, and the faults of the data followed up."""

import copy

import pytest

from configs.errors import Fault
from pipeline.setup.columns import RolePart
from pipeline.setup.draft import Draft, settled
from pipeline.setup.tables import GivenTable

ORDERS = GivenTable(("orders.csv",), "orders", (), None, {"encoding": "latin-1"})
COLUMNS = {"customer_id": "id", "occurred_at": "day", "amount": {"product": ["pieces", "price"]}}


def draft(kind="non_contractual"):
    return Draft({"churn": {"kind": kind, "horizon_days": 30}, "sources": {}})


@pytest.fixture
def shop():
    found = draft()
    found.take(RolePart("transactions", ORDERS, COLUMNS, where=({"column": "id", "is_null": False},)))
    return found


def test_a_table_is_taken_in_its_role_and_a_second_one_left_out(shop):
    assert shop.sources["transactions"] == {
        "uri": "orders.csv",
        "encoding": "latin-1",
        "columns": COLUMNS,
        "where": [{"column": "id", "is_null": False}],
    }
    before = copy.deepcopy(shop.values)
    shop.take(RolePart("transactions", GivenTable(("old.csv",), "old", (), None), COLUMNS))
    assert shop.values == before
    assert shop.left_out == ["old: a second table of transactions; --role TABLE=none leaves the other out"]


@pytest.mark.parametrize(
    ("advice", "key", "value"),
    [
        ("write decimal: ','", ["decimal"], ","),
        ("write calendar: jalali or, as it is meant, calendar: gregorian", ["calendar"], "jalali"),
        ("write occurred_at: {column: d, scale: 2}", ["columns", "occurred_at"], {"column": "d", "scale": 2}),
        ("write sources.transactions.min_known_share: 0", ["min_known_share"], 0),
    ],
)  # fmt: skip
def test_the_line_that_an_advice_gives_is_written(shop, advice, key, value):
    assert shop.follow(Fault("orders.csv, column day", "can't be read", advice))
    found = shop.sources["transactions"]
    for name in key:
        found = found[name]
    assert found == value
    assert bool(shop.doubts) == ("as it is meant" in advice)


def test_an_advice_that_changes_nothing_or_gives_no_line_is_not_followed(shop):
    fault = Fault("orders.csv", "can't be read", "write decimal: ','")
    assert shop.follow(fault)
    assert not shop.follow(fault)
    assert not shop.follow(Fault("orders.csv", "can't be read", "check the export"))
    assert not shop.follow(Fault("other.csv", "can't be read", "write decimal: '.'"))
    assert shop.sources["transactions"]["decimal"] == ","


def test_empty_cells_are_left_out_by_the_columns_they_are_read_from(shop):
    assert shop.follow(Fault("orders.csv, column amount", "is empty in 3 rows", "x"))
    assert not shop.follow(Fault("orders.csv, column amount", "is empty in 3 rows", "x"))
    assert [one["column"] for one in shop.sources["transactions"]["where"]] == ["id", "pieces", "price"]


def test_negative_sums_become_cancellations_once(shop):
    fault = Fault("orders.csv, column amount", "is negative in 2 rows", "x")
    shop.sources["transactions"]["where"].append({"column": "status", "none_of": ["refunded"]})
    assert shop.follow(fault)
    sold, returns = shop.sources["transactions"], shop.sources["cancellations"]
    assert sold["where"][-1] == {"column": "pieces", "above": 0}
    assert returns["columns"]["amount"] == {"product": ["pieces", "price"], "negate": True}
    # Returns may have the status that sales must not have.
    assert returns["where"] == [{"column": "id", "is_null": False}, {"column": "pieces", "below": 0}]
    assert returns["encoding"] == "latin-1"
    assert not shop.follow(fault)


@pytest.mark.parametrize(("kind", "dropped"), [("non_contractual", True), ("contractual", False)])
def test_customers_that_stand_there_twice_are_left_out_where_purchases_tell_who_is_one(kind, dropped):
    found = draft(kind)
    found.take(RolePart("customers", GivenTable(("who.csv",), "who", (), None), {"customer_id": "id"}))
    assert found.follow(Fault("who.csv", "2 rows repeat an id", "check the export")) == dropped
    assert ("customers" in found.sources) != dropped
    assert found.left_out == (["customers from who.csv: 2 rows repeat an id"] if dropped else [])


def test_a_source_whose_ids_are_nobodys_is_left_out(shop):
    shop.take(
        RolePart("usage", GivenTable(("use.csv",), "use", (), None), {"customer_id": "u", "occurred_at": "t"})
    )
    assert shop.follow(Fault("sources.usage", "none of its ids is known", "check the ids"))
    assert list(shop.sources) == ["transactions"]


def test_it_is_tried_until_nothing_more_can_be_followed(shop):
    tries = []

    def attempt():
        tries.append(copy.deepcopy(shop.values))
        if shop.sources["transactions"].get("decimal") == ",":
            return "read"
        raise ValueError

    advice = Fault("orders.csv", "can't be read", "write decimal: ','")
    assert settled(shop, attempt, lambda error: [advice]) == "read"
    assert len(tries) == 2
    shop.sources["transactions"].pop("decimal")
    assert settled(shop, attempt, lambda error: [Fault("orders.csv", "can't be read", "check it")]) is None
