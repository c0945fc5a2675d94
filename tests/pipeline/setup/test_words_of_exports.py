"""Headers as well-known systems and public tables export them: the column that plays each part, by its name alone."""

import pytest

from pipeline.setup.table_words import role_by_name
from pipeline.setup.words import is_known, rank

EXPORTS = {
    "Stripe charges": (
        ["id", "Created (UTC)", "Amount", "Amount Refunded", "Currency", "Customer ID", "Status", "Fee"],
        {
            "customer_id": "Customer ID",
            "occurred_at": "Created (UTC)",
            "amount": "Amount",
            "status": "Status",
        },
    ),
    "Stripe subscriptions": (
        [
            "id",
            "Customer ID",
            "Plan",
            "Quantity",
            "Status",
            "Start (UTC)",
            "Ended At (UTC)",
            "Trial End (UTC)",
        ],
        {
            "customer_id": "Customer ID",
            "started_at": "Start (UTC)",
            "ended_at": "Ended At (UTC)",
            "plan": "Plan",
            "trial_ends_at": "Trial End (UTC)",
        },
    ),
    "Online Retail": (
        [
            "InvoiceNo",
            "StockCode",
            "Description",
            "Quantity",
            "InvoiceDate",
            "UnitPrice",
            "CustomerID",
            "Country",
        ],
        {
            "customer_id": "CustomerID",
            "transaction_id": "InvoiceNo",
            "occurred_at": "InvoiceDate",
            "quantity": "Quantity",
            "unit_price": "UnitPrice",
        },
    ),
    "Telco": (
        [
            "customerID",
            "gender",
            "SeniorCitizen",
            "tenure",
            "Contract",
            "MonthlyCharges",
            "TotalCharges",
            "Churn",
        ],
        {"customer_id": "customerID", "churned": "Churn"},
    ),
    "Zendesk tickets": (
        [
            "Ticket ID",
            "Requester",
            "Assignee",
            "Channel",
            "Subject",
            "Created at",
            "Solved at",
            "Customer ID",
        ],
        {
            "customer_id": "Customer ID",
            "occurred_at": "Created at",
            "resolved_at": "Solved at",
            "agent": "Assignee",
            "channel": "Channel",
            "topic": "Subject",
        },
    ),
    "a German shop": (
        ["Kundennummer", "Bestellnummer", "Bestelldatum", "Menge", "Einzelpreis", "Gesamtbetrag", "Status"],
        {
            "customer_id": "Kundennummer",
            "transaction_id": "Bestellnummer",
            "occurred_at": "Bestelldatum",
            "quantity": "Menge",
            "unit_price": "Einzelpreis",
            "amount": "Gesamtbetrag",
        },
    ),
    "a Persian shop": (
        ["شماره مشتری", "شماره فاکتور", "تاریخ", "تعداد", "مبلغ کل"],
        {
            "customer_id": "شماره مشتری",
            "transaction_id": "شماره فاکتور",
            "occurred_at": "تاریخ",
            "quantity": "تعداد",
            "amount": "مبلغ کل",
        },
    ),
    "a table of employees": (["EmployeeNumber", "Attrition", "Age"], {"customer_id": "EmployeeNumber"}),
    "a till": (["Bon-Nr", "Datum", "Brutto"], {"transaction_id": "Bon-Nr", "amount": "Brutto"}),
    "a survey": (
        ["Respondent", "Customer ID", "Survey type", "NPS score", "Submitted at", "Comment"],
        {
            "customer_id": "Customer ID",
            "kind": "Survey type",
            "score": "NPS score",
            "occurred_at": "Submitted at",
        },
    ),
    "contracts": (
        [
            "contract_id",
            "account_id",
            "plan_tier",
            "mrr_amount",
            "start_date",
            "end_date",
            "churn_reason",
            "is_trial",
        ],
        {
            "customer_id": "account_id",
            "contract_id": "contract_id",
            "plan": "plan_tier",
            "contract_amount": "mrr_amount",
            "started_at": "start_date",
            "ended_at": "end_date",
            "end_reason": "churn_reason",
            "trial": "is_trial",
        },
    ),
}


@pytest.mark.parametrize("export", EXPORTS)
def test_each_part_is_played_by_the_column_that_an_engineer_would_take(export):
    names, parts = EXPORTS[export]
    for concept, column in parts.items():
        ranks = [(found, name) for name in names if (found := rank(name, concept)) is not None]
        assert min(ranks, key=lambda pair: pair[0])[1] == column, concept


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("shipping_date", "occurred_at"),
        ("birth_date", "started_at"),
        ("current_period_end", "ended_at"),
        ("Tax amount", "amount"),
        ("customer_name", "customer_id"),
        ("updated_at", "occurred_at"),
        ("Discount", "amount"),
        ("trial_start", "started_at"),
    ],
)
def test_a_name_that_sounds_like_it_and_is_not(name, concept):
    assert rank(name, concept) is None


@pytest.mark.parametrize(
    ("table", "role"),
    [
        ("shop.orders_2024", "transactions"),
        ("Rechnungen", "transactions"),
        ("fct_subscriptions", "contracts"),
        ("dim_customer", "customers"),
        ("support-tickets.csv", "contacts"),
        ("Case", "contacts"),
        ("NPS Q3", "feedback"),
        ("app_events", "usage"),
        ("Refunds (all)", "cancellations"),
        ("failed_payments", "failed_payments"),
        ("نظرسنجی", "feedback"),
        ("products", None),
        ("reorders", None),
    ],
)
def test_a_table_speaks_of_its_role(table, role):
    assert role_by_name(table) == role


def test_a_title_above_a_table_is_no_header():
    assert not any(map(is_known, ["Orders of May", "Confidential", "Report 2024"]))
    assert all(map(is_known, ["Kundennummer", "InvoiceNo", "مبلغ", "NPS score", "is_trial"]))
