"""Whole exports of well-known systems through `churn init`: whose rows, which sum, and what is no purchase."""

import datetime as dt

import numpy as np
import pytest
from exports import MAIL, NUMBER, OFF, PEOPLE, PERSON, PURCHASES, begun


def amazon():
    return {
        "orders": {
            "amazon-order-id": [f"302-{n:07d}-1" for n in NUMBER],
            "purchase-date": PURCHASES["at"].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "order-status": np.where(OFF, "Cancelled", "Shipped"),
            "buyer-email": MAIL,
            "quantity": 1,
            "item-price": PURCHASES.amount,
        }
    }


def woocommerce():
    """Guests have the user id 0, and states a prefix."""
    return {
        "orders": {
            "Order ID": NUMBER + 500,
            "Order Date": PURCHASES["at"],
            "Status": np.where(OFF, "wc-cancelled", "wc-completed"),
            "Customer User ID": np.where(NUMBER % 5 == 0, 0, PERSON),
            "Order Total": PURCHASES.amount,
        }
    }


def magento():
    """The table of customers has another name for their number."""
    return {
        "sales_order": {
            "entity_id": NUMBER + 1,
            "increment_id": NUMBER + 100_000_000,
            "created_at": PURCHASES["at"],
            "customer_id": PERSON,
            "customer_email": MAIL,
            "grand_total": PURCHASES.amount,
            "status": np.where(OFF, "canceled", "complete"),
        },
        "customer_entity": {
            "entity_id": PEOPLE,
            "email": [f"u{k}@example.org" for k in PEOPLE],
            "group_id": PEOPLE % 3,
        },
    }


def paypal():
    """Day and time of day in columns of their own."""
    return {
        "Download": {
            "Date": PURCHASES["at"].dt.strftime("%d/%m/%Y"),
            "Time": PURCHASES["at"].dt.strftime("%H:%M:%S"),
            "Status": np.where(OFF, "Pending", "Completed"),
            "Gross": PURCHASES.amount,
            "Fee": -0.03 * PURCHASES.amount,
            "From Email Address": MAIL,
            "Transaction ID": [f"TX{n}" for n in NUMBER],
        }
    }


def hubspot():
    """Contacts are people, and deals name them by their record."""
    return {
        "deals": {
            "Record ID": NUMBER + 70_000,
            "Deal Name": [f"Deal {n}" for n in NUMBER],
            "Amount": PURCHASES.amount,
            "Close Date": PURCHASES["at"],
            "Deal Stage": np.where(OFF, "closedlost", "closedwon"),
            "Associated Contact IDs": PERSON,
        },
        "contacts": {
            "Record ID": PEOPLE,
            "First Name": [f"F{k}" for k in PEOPLE],
            "Email": [f"u{k}@example.org" for k in PEOPLE],
            "Create Date": dt.date(2023, 1, 1),
            "Unsubscribed from all email": np.where(PEOPLE % 7 == 0, "true", ""),
        },
    }


def helpdesk():
    """Orders, tickets and answers that have a mail in common, under three names."""
    asked = PEOPLE[:60]
    day = PURCHASES["at"].iloc[:60].to_numpy()
    return {
        "orders": {"Order Number": NUMBER, "Date": PURCHASES["at"], "Email": MAIL, "Total": PURCHASES.amount},
        "zendesk_tickets": {
            "Ticket ID": np.arange(60),
            "Requester email": [f"u{k}@example.org" for k in asked],
            "Created at": day,
            "Subject": "Complaint about a delivery",
            "Via": "mail",
        },
        "delighted_nps": {
            "Response ID": np.arange(60),
            "Email": [f"U{k}@example.org" for k in asked],
            "Score": asked % 11,
            "Created At": day,
        },
    }


WHO = {
    "amazon": {"transactions": "buyer-email"},
    "woocommerce": {"transactions": "Customer User ID"},
    "magento": {"transactions": "customer_id", "customers": "entity_id"},
    "paypal": {"transactions": "From Email Address"},
    "hubspot": {"transactions": "Associated Contact IDs", "customers": "Record ID"},
    "helpdesk": {"transactions": "Email", "contacts": "Requester email", "feedback": "Email"},
}
SOLD = {"woocommerce": ~OFF & (NUMBER % 5 != 0), "helpdesk": np.ones(len(OFF), bool)}


@pytest.mark.parametrize("make", [amazon, woocommerce, magento, paypal, hubspot, helpdesk])
def test_an_export_is_read_whole_and_to_the_right_people(make, tmp_path):
    config, opened, result = begun(make, tmp_path)
    found = {role: source.mapped["customer_id"].column for role, source in config.sources.given.items()}
    assert found == WHO[make.__name__], result.text
    sold = SOLD.get(make.__name__, ~OFF)
    bought_ = opened.tables["transactions"]
    totals = bought_.aggregate(
        rows=bought_.count(), people=bought_.customer_id.nunique(), sum=bought_.amount.sum()
    )
    assert totals.to_pyarrow().to_pylist() == [
        {
            "rows": sold.sum(),
            "people": len(np.unique(PERSON[sold])),
            "sum": pytest.approx(PURCHASES.amount[sold].sum()),
        }
    ]
    assert not [match for match in opened.matches if match.share < 1]


def test_an_opt_out_of_a_customer_system_is_heard(tmp_path):
    config, _, _ = begun(hubspot, tmp_path)
    assert config.outreach.opt_out == {"email": "opt_out_email"}


def test_no_column_is_taken_for_the_customer_that_says_something_else(tmp_path):
    """Numbers of orders are never anybody's again, and times of day come again by chance."""
    from configs.errors import ChurnError

    def nobody():
        return {
            name: {k: v for k, v in columns.items() if "mail" not in k.lower()}
            for name, columns in paypal().items()
        }

    with pytest.raises(ChurnError) as told:
        begun(nobody, tmp_path)
    assert "no column says who the customer is" in " ".join(map(str, told.value.faults))
