"""Rows of purchases that are none, by words in several languages; words that nobody knows are said."""

import pytest
from given import given_table, orders

from pipeline.setup.statuses import given_back, not_sold


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
        ),
        *("storniert", "Annulée", "remboursé", "Cancelado", "anulada", "لغو شده", "रद्द"),
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
