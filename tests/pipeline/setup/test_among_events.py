"""Purchases among the events of a log."""

import pytest
from given import DAYS, given_table

from pipeline.setup.among_events import event_of, purchases_of, with_purchases
from pipeline.setup.events import events_part

SHOP = {
    "user_id": [1, 1, 2, 3],
    "event_time": DAYS,
    "event_type": ["view", "purchase", "cart", "view"],
    "price": [1.5, 2.5, 3.5, 4.5],
}


def parts(values):
    table = given_table("log", values)
    return with_purchases(events_part(table, table.columns[0], "usage", []))


def test_purchases_are_read_apart_and_use_is_all_of_it():
    use, bought = parts(SHOP)
    assert (use.role, bought.role) == ("usage", "transactions")
    assert bought.columns["amount"] == "price"
    assert bought.where == ({"column": "event_type", "one_of": ["purchase"]},)
    assert use.where == ()
    assert use.settings["min_known_share"] == 0  # most who look never buy


@pytest.mark.parametrize("words", [["view"] * 4, ["purchase"] * 4, ["a", "b", "c", "d"]])
def test_a_log_of_one_thing_stays_whole(words):
    assert [part.role for part in parts({**SHOP, "event_type": words})] == ["usage"]


def test_the_words_of_purchases():
    table = given_table("log", {**SHOP, "event_type": ["Order Completed", "view", "purchase", "refund"]})
    event = event_of(table, {"user_id"})
    assert event is not None
    assert purchases_of(event) == ["Order Completed", "purchase"]
