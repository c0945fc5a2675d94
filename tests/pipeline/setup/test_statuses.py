"""Rows of purchases that are none, by words in several languages; words that nobody knows are said."""

import pytest
from given import given_table, orders

from pipeline.setup.statuses import given_back, no_sales, not_sold


@pytest.mark.parametrize(
    "word",
    [
        *(
            "Cancelled",
            "wc-cancelled",
            "cancel",
            "Voided",
            "past_due",
            "No-show",
            "closedlost",
            "Charge Back",
            "charged_back",
            "cancelled_by_guest",
        ),
        *("storniert", "Annulée", "remboursé", "Cancelado", "anulada", "Annullato", "ملغي", "لغو شده", "रद्द"),
    ],
)
def test_an_order_that_was_not_carried_out_is_left_out(word):
    table = given_table("orders", orders(status=["paid", word, "paid", "Delivered"]))
    assert not_sold(table, set()) == ([{"column": "status", "none_of": [word]}], [])


def test_words_that_are_not_known_are_said_and_their_rows_kept():
    table = given_table("orders", orders(Estado=["pagado", "en curso", "anulado", "pagado"]))
    where, doubts = not_sold(table, set())
    assert where == [{"column": "Estado", "none_of": ["anulado"]}]
    assert ["'en curso' count as purchases" in doubt for doubt in doubts] == [True]


def test_a_column_of_places_or_of_many_words_is_no_status():
    assert not_sold(given_table("orders", orders(state=["Ohio", "Utah", "Ohio", "Iowa"])), set()) == ([], [])
    days = ["2024-01-01"] * 25
    many = {
        "customer_id": range(25),
        "order_date": days,
        "status": ["paid", *[f"step {k}" for k in range(24)]],
    }
    assert not_sold(given_table("orders", many), set()) == ([], [])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *(
            ("type", "refund"),
            ("Event Type", "Partial Refund"),
            ("Belegart", "Gutschrift"),
            ("Type", "Sales credit note"),
            ("kind", "chargeback"),
        ),
        *(("document_type", "Credit Note"), ("Type de pièce", "avoir"), ("نوع سند", "برگشت از فروش")),
    ],
)
def test_refunds_with_sums_above_0_are_told_by_their_word(name, word):
    table = given_table("sales", orders(total=[9.5, 1.5, 2.0, 4.5], **{name: ["sale", word, "sale", "sale"]}))
    assert given_back(table, set(), table.column("total")) == (name, [word])


@pytest.mark.parametrize(
    "sums", [[9.5, -1.5, 2.0, 4.5], ["9,50", "1,50-", "2,00", "4,50"], ["9.5", "(1.5)", "2.0", "4.5"]]
)
def test_refunds_with_sums_below_0_are_told_by_their_sign(sums):
    table = given_table("sales", orders(total=sums, type=["sale", "refund", "sale", "sale"]))
    assert given_back(table, set(), table.column("total")) == ("", [])
    assert given_back(table, set(), None) == ("", [])


@pytest.mark.parametrize(
    ("kinds", "left_out"),
    [
        (["Invoice", "Payment", "Invoice", "Credit Memo"], ["Payment"]),  # the invoice is the sale
        (["Payment", "Payment", "Refund", "Withdrawal"], ["Withdrawal"]),
        (["Payment", "Payment", "Refund", "Payment"], []),
        (["Rechnung", "Zahlungseingang", "Rechnung", "Rechnung"], ["Zahlungseingang"]),
    ],
)
def test_payments_beside_their_invoices_and_payouts_are_no_sales(kinds, left_out):
    found = no_sales(given_table("sales", orders(**{"Transaction Type": kinds})), set())
    assert found == [{"column": "Transaction Type", "none_of": left_out}] * bool(left_out)


@pytest.mark.parametrize(
    ("name", "answers", "left_out"),
    [
        ("Void", ["true", "false", "false", "false"], ["true"]),
        ("is_cancelled", [0, 1, 0, 0], ["1"]),
        ("Refunded", ["No", "Yes", "No", "No"], ["Yes"]),
        ("IsWon", ["true", "false", "true", "true"], ["false"]),
        ("paid", ["n", "y", "y", "y"], ["n"]),
        ("Void", ["x", "", None, ""], None),  # an x is no answer that is known here
        ("Void", ["yes", None, None, None], ["yes"]),
        ("Void", ["true"] * 4, None),
        ("Void", ["false"] * 4, None),
        ("Returned", [0, 1, 2, 0], None),  # a number of things
        ("Paid", [9.5, 1.0, 0.0, 2.0], None),  # a sum
    ],
)
def test_a_yes_or_a_no_says_what_was_not_sold(name, answers, left_out):
    found = no_sales(given_table("sales", orders(**{name: answers})), set())
    assert found == ([] if left_out is None else [{"column": name, "none_of": left_out}])


def test_a_second_status_leaves_out_what_can_not_be_a_sale():
    both = {
        "status": ["paid", "cancelled", "paid", "paid"],
        "Delivery status": ["returned", "sent", "pending", "sent"],
    }
    where, doubts = not_sold(given_table("orders", orders(**both)), set())
    assert where == [
        {"column": "status", "none_of": ["cancelled"]},
        {"column": "Delivery status", "none_of": ["returned"]},
    ]
    assert doubts == []


@pytest.mark.parametrize(
    ("name", "times", "left_out"),
    [
        ("cancelled_at", [None, "2024-02-01", None, None], True),
        ("Cancellation date", ["2024-02-01", None, None, None], True),
        ("cancelled_at", [""] * 4, False),
        ("cancelled_at", ["2024-02-01"] * 4, False),
        ("shipped_at", [None, "2024-02-01", None, None], False),
    ],
)
def test_orders_that_were_cancelled_at_some_time_are_left_out(name, times, left_out):
    found = no_sales(given_table("orders", orders(**{name: times})), set())
    assert found == [{"column": name, "is_null": True}] * left_out
