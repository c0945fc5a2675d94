"""Which column of a table of events plays which part, guessed from names and values of small tables."""

import pytest
from given import DAYS, given_table, orders, part

from pipeline.setup.events import clock_of, events_part


def test_an_event_has_its_customer_its_time_and_its_amount():
    found = part(
        events_part, "orders", orders(order_id=[7, 8, 9, 10], total=[1.5, 2.5, 3.0, 4.0]), "transactions"
    )
    assert found.columns == {
        "customer_id": "customer_id",
        "occurred_at": "order_date",
        "transaction_id": "order_id",
        "amount": "total",
    }
    assert found.where == ()
    assert found.doubts == ()


def test_the_amount_is_quantity_times_price_where_no_sum_is_there():
    found = part(
        events_part, "orders", orders(Quantity=[1, 2, 1, 3], UnitPrice=[9.5, 1.0, 2.0, 2.5]), "transactions"
    )
    assert found.columns["amount"] == {"product": ["Quantity", "UnitPrice"]}


def test_guests_without_an_id_are_left_out_and_orders_that_were_not_carried_out():
    values = orders(status=["paid", "Cancelled", "paid", "refunded"]) | {"customer_id": ["a", None, "b", "c"]}
    found = part(events_part, "orders", values, "transactions")
    assert found.where == (
        {"column": "customer_id", "is_null": False},
        {"column": "status", "none_of": ["Cancelled", "refunded"]},
    )
    only_sold = orders(status=["paid", "shipped", "paid", "paid"])
    assert part(events_part, "orders", only_sold, "transactions").where == ()


def test_an_event_without_a_time_is_doubted():
    found = part(events_part, "orders", {"customer_id": [1, 2], "total": [1.5, 2.5]}, "transactions")
    assert found.doubts == ("no column with a time",)
    assert "occurred_at" not in found.columns


def test_the_clock_is_the_fullest_of_the_fitting_times():
    table = given_table(
        "t", {"id": [1, 2, 3, 4], "shipped at": DAYS, "order date": [None, *DAYS[1:]], "created at": DAYS}
    )
    assert clock_of(table, {"id"}).name == "created at"
    assert clock_of(table, {"id", "created at", "shipped at"}).name == "order date"
    assert clock_of(table, {"id", "created at", "shipped at", "order date"}) is None


@pytest.mark.parametrize(
    ("names", "found"),
    [(["#1", "#2", "#2", "#3"], "Name"), (["1", "2", "2", "3"], None), (["#1", "#2", None, "#3"], None)],
)
def test_numbers_of_orders_are_told_by_their_sign(names, found):
    table = orders(Name=names)
    assert part(events_part, "orders", table, "transactions").columns.get("transaction_id") == found


def test_lines_without_the_sum_of_their_order_are_left_out():
    table = orders(Name=["#1", "#1", "#2", "#3"]) | {"total": [5.5, None, 2.5, 1.5]}
    assert part(events_part, "orders", table, "transactions").where == (
        {"column": "total", "is_null": False},
    )
    gap = table | {"total": [5.5, None, None, 1.5]}  # an order without a sum is a fault of the data
    assert part(events_part, "orders", gap, "transactions").where == ()
