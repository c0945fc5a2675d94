"""Names of tables, events and of those who have left."""

import pytest

from pipeline.setup.table_words import (
    is_purchase,
    is_stop_list,
    role_by_name,
    says_churned,
    speaks_of_leaving,
    tells_who_left,
)


@pytest.mark.parametrize(
    ("table", "role"),
    [
        ("orders_2024", "transactions"),
        ("support_tickets", "contacts"),
        ("NPS survey", "feedback"),
        ("failed_payments", "failed_payments"),  # and not transactions, of which payments speak too
        ("order returns", "cancellations"),
        ("subscriptions", "contracts"),
        ("Kunden", "customers"),
        ("x", None),
    ],
)
def test_the_role_of_a_table_by_its_name(table, role):
    assert role_by_name(table) == role


@pytest.mark.parametrize(
    "word", ["purchase", "transaction", "Order Completed", "order_placed", "Kauf", "خرید"]
)
def test_words_for_a_purchase(word):
    assert is_purchase(word)


@pytest.mark.parametrize(
    "word", ["view", "addtocart", "remove_from_cart", "checkout", "Purchase History", ""]
)
def test_words_for_something_else(word):
    assert not is_purchase(word)


@pytest.mark.parametrize("table", ["opt_outs", "DNC 2024", "blacklist", "Robinsonliste"])
def test_lists_of_people_who_said_no(table):
    assert is_stop_list(table)


@pytest.mark.parametrize(
    ("table", "told"), [("churn_events", True), ("churn", False), ("Customer-Churn", False)]
)
def test_tables_of_those_who_left(table, told):
    assert tells_who_left(table) is told


@pytest.mark.parametrize(
    ("value", "gone"), [("Cancelled", True), ("Left", True), ("Joined", False), ("leftover", False)]
)
def test_values_of_a_label(value, gone):
    assert says_churned(value) is gone


@pytest.mark.parametrize(
    ("name", "told"), [("Churn Reason", True), ("attrition_flag", True), ("Churning", False)]
)
def test_columns_about_leaving(name, told):
    assert speaks_of_leaving(name) is told
