"""What a purchase costs: by names, by values, in cents, and once where a sum stands on every line of an order."""

import pytest
from given import given_table

from pipeline.setup.costs_of_purchases import cost_of

COUNT = 24


def lines(**more):
    """Two lines each of a dozen orders."""
    order = [k // 2 for k in range(COUNT)]
    days = [f"2024-01-{1 + k:02d}" for k in order]
    return {
        "customer_id": [k % 7 for k in order],
        "order_id": order,
        "order_date": days,
        "item": list(map(str, range(COUNT))),
        **more,
    }


SUMS = [10.5 + k // 2 for k in range(COUNT)]
PRICES = [5.25 + k for k in range(COUNT)]


def cost(number="order_id", **columns):
    table = given_table("orders", lines(**columns))
    return cost_of(table, number, {"customer_id", "order_id", "order_date"}, needed=True)


def test_a_sum_on_every_line_of_its_order_gives_way_to_the_price_of_the_line():
    found = cost(order_total=SUMS, quantity=[1] * COUNT, price=PRICES)
    assert found.rule == {"product": ["quantity", "price"]}
    assert cost(order_total=SUMS, line_total=PRICES).rule == "line_total"
    assert cost(order_total=PRICES).rule == "order_total"  # its lines differ: nobody's whole order


def test_a_sum_on_every_line_is_left_out_and_said_where_no_price_is_there():
    found = cost(order_total=SUMS)
    assert found.rule is None
    assert found.unsettled == (
        "'order_total' of orders is the same on all lines of an order, which are added up: it seems to be the sum of "
        "the order and is left out; map an amount of the line",
    )
    plain = cost(amount=SUMS)
    assert plain.rule == "amount"
    assert [told.endswith("is it the sum of the order?") for told in plain.unsettled] == [True]


def test_lines_that_are_exported_twice_are_no_lines_of_an_order():
    half = {
        name: [value for value in values[::2] for _ in "ab"] for name, values in lines(total=SUMS).items()
    }
    table = given_table("orders", half)
    found = cost_of(table, "order_id", {"customer_id", "order_id", "order_date"}, needed=True)
    assert (found.rule, found.unsettled) == ("total", ())


def test_the_first_lines_have_the_sum():
    found = cost(total=[value if k % 2 == 0 else None for k, value in enumerate(SUMS)])
    assert (found.rule, found.where) == ("total", ({"column": "total", "is_null": False},))


@pytest.mark.parametrize("name", ["amount_cents", "price in cents", "Amount (paise)"])
def test_cents_are_divided(name):
    assert cost(number=None, **{name: list(range(100, 100 + COUNT))}).rule == {"column": name, "scale": 0.01}


def test_an_unknown_name_is_taken_where_one_column_can_be_meant_and_said():
    found = cost(number=None, Wert_x=PRICES, tax=PRICES, height=list(range(COUNT)))
    assert found.rule == "Wert_x"
    assert found.unsettled == ("takes 'Wert_x' of orders for what a purchase costs",)
    several = cost(number=None, one=PRICES, other=PRICES)
    assert several.rule is None
    assert ["all purchases count alike" in told for told in several.unsettled] == [True]
    table = given_table("visits", lines(one=PRICES, other=PRICES))
    assert cost_of(table, None, {"customer_id"}, needed=False).unsettled == ()


def test_an_amount_that_can_not_be_read_is_mapped_so_that_its_values_are_told():
    mixed = ["1.234,50" if k % 2 else "1,234.50" for k in range(COUNT)]
    assert cost(number=None, amount=mixed).rule == "amount"
    assert cost(number=None, amount=["much", "little"] * (COUNT // 2)).rule is None
