"""What people call their columns: each concept by a few names, and names that are others'."""

import pytest

from pipeline.setup.words import is_known, rank

BEST = {
    "customer_id": ["CustomerID", "customer_id", "Kunden-Nr.", "cust no", "Client Number", "کد مشتری"],
    "transaction_id": ["InvoiceNo", "order_id", "Bestellnummer", "Rechnungs-Nr"],
    "occurred_at": ["InvoiceDate", "order date", "EventTime", "timestamp", "Datum"],
    "started_at": ["signup_date", "Member Since", "started_at", "registration date"],
    "ended_at": ["churn_date", "terminated_on", "Vertragsende", "expires_at", "Subscription: Term End Date"],
    "amount": ["Total Amount", "order_total", "Umsatz", "مبلغ کل"],
    "quantity": ["Qty", "Menge", "units"],
    "unit_price": ["UnitPrice", "Einzelpreis"],
    "score": ["NPS Score", "rating", "Bewertung"],
}
NOT = {
    "customer_id": ["Customer Name", "customer type", "description"],
    "occurred_at": ["updated_at", "due date", "birth date", "shipped_at"],
    "started_at": ["trial_start", "period_start"],
    "ended_at": ["card expiry date", "Coupon expires at", "current_period_end", "token_expires"],
    "amount": ["tax amount", "shipping total", "refund_amount"],
    "quantity": ["price"],
}


@pytest.mark.parametrize(("concept", "name"), [(c, n) for c, names in BEST.items() for n in names])
def test_the_best_names_of_a_concept(concept, name):
    assert rank(name, concept) == 0


@pytest.mark.parametrize(("concept", "name"), [(c, n) for c, names in NOT.items() for n in names])
def test_names_of_something_else(concept, name):
    assert rank(name, concept) is None


@pytest.mark.parametrize(
    ("better", "worse"),
    [("customer_id", "user_id"), ("user_id", "account_id"), ("account_id", "contract_id")],
)
def test_surer_words_come_first(better, worse):
    assert rank(better, "customer_id") < rank(worse, "customer_id")


def test_a_title_is_no_name_of_a_column():
    assert is_known("Order No")
    assert not is_known("Sales report of May, all shops")
