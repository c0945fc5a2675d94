"""Exports with headers and words of other languages, and of billing systems and tills: whose rows, and which sum."""

import numpy as np
import pytest
from exports import MAIL, NUMBER, OFF, PEOPLE, PERSON, PURCHASES, begun

AT, AMOUNT = PURCHASES["at"], PURCHASES.amount.to_numpy()
COMMAS = [f"{amount:.2f}".replace(".", ",") for amount in AMOUNT]
# Table, columns, the customer's, and the rows that are purchases.
CASES = {
    "french": (
        "commandes",
        {
            "N° commande": NUMBER,
            "Date de commande": AT.dt.strftime("%d/%m/%Y %H:%M"),
            "Client": PERSON,
            "Statut": np.where(OFF, "Annulée", "Livrée"),
            "Montant TTC": [f"{text} €" for text in COMMAS],
        },
        "Client",
        ~OFF,
    ),
    "spanish": (
        "pedidos",
        {
            "Nº pedido": NUMBER,
            "Fecha": AT.dt.strftime("%d/%m/%Y"),
            "Código cliente": PERSON,
            "Estado": np.where(OFF, "Cancelado", "Completado"),
            "Importe total": COMMAS,
        },
        "Código cliente",
        ~OFF,
    ),
    "hindi": (
        "बिक्री",
        {
            "ग्राहक आईडी": PERSON,
            "दिनांक": AT.dt.strftime("%d-%m-%Y"),
            "बिल संख्या": NUMBER,
            "राशि": [f"₹{amount:,.2f}" for amount in AMOUNT],
        },
        "ग्राहक आईडी",
        None,
    ),
    "marathi": (
        "विक्री",
        {
            "ग्राहक क्रमांक": PERSON,
            "तारीख": AT.dt.strftime("%d/%m/%Y"),
            "पावती क्रमांक": NUMBER,
            "स्थिती": np.where(OFF, "रद्द", "पूर्ण"),
            "रक्कम": AMOUNT,
        },
        "ग्राहक क्रमांक",
        ~OFF,
    ),
    "italian": (
        "ordini",
        {
            "Numero ordine": NUMBER,
            "Data ordine": AT.dt.strftime("%d/%m/%Y"),
            "ID cliente": PERSON,
            "Stato": np.where(OFF, "Annullato", "Completato"),
            "Totale": COMMAS,
        },
        "ID cliente",
        ~OFF,
    ),
    "arabic": (
        "المبيعات",
        {
            "رقم الطلب": NUMBER,
            "رقم العميل": PERSON,
            "التاريخ": AT,
            "الحالة": np.where(OFF, "ملغي", "مكتمل"),
            "المبلغ": AMOUNT,
        },
        "رقم العميل",
        ~OFF,
    ),
    "persian, its status of orders": (
        "سفارشات",
        {
            "شماره سفارش": NUMBER,
            "کد مشتری": PERSON,
            "تاریخ سفارش": AT,
            "وضعیت سفارش": np.where(OFF, "لغو شده", "تحویل شده"),
            "مبلغ قابل پرداخت": AMOUNT,
        },
        "کد مشتری",
        ~OFF,
    ),
    "salesforce, without words for its stages": (
        "Opportunity",
        {
            "Id": [f"006{n:012d}" for n in NUMBER],
            "AccountId": [f"001{k:012d}" for k in PERSON],
            "CloseDate": AT.dt.date,
            "StageName": np.where(OFF, "Prospecting", "Closed Won"),
            "IsWon": np.where(OFF, "false", "true"),
            "Amount": AMOUNT,
        },
        "AccountId",
        ~OFF,
    ),
    "sap": (
        "VBRK",
        {
            "VBELN": [f"{n:010d}" for n in NUMBER],
            "KUNNR": [f"{k:010d}" for k in PERSON],
            "FKDAT": AT.dt.strftime("%Y%m%d"),
            "NETWR": AMOUNT,
        },
        "KUNNR",
        None,
    ),
    "odoo": (
        "sale.order",
        {
            "id": [f"__export__.sale_order_{n}" for n in NUMBER],
            "partner_id/id": [f"__export__.res_partner_{k}" for k in PERSON],
            "date_order": AT,
            "amount_total": AMOUNT,
            "state": np.where(OFF, "cancel", "sale"),
        },
        "partner_id/id",
        ~OFF,
    ),
    "paddle, in cents": (
        "transactions",
        {
            "id": [f"txn_{n}" for n in NUMBER],
            "status": np.where(OFF, "past_due", "completed"),
            "customer_id": [f"ctm_{k}" for k in PERSON],
            "billed_at": AT.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "details.totals.grand_total_cents": (AMOUNT * 100).round().astype(int),
        },
        "customer_id",
        ~OFF,
    ),
    "telecom": (
        "billing",
        {
            "MSISDN": [f"98912{k:07d}" for k in PERSON],
            "BillDate": AT,
            "BillAmount": AMOUNT,
            "VoiceMinutes": PERSON,
        },
        "MSISDN",
        None,
    ),
    "a till with refunds above 0": (
        "till",
        {
            "Receipt": NUMBER,
            "Member": PERSON,
            "Time": AT,
            "Type": np.where(OFF, "Refund", "Sale"),
            "Total": AMOUNT,
        },
        "Member",
        ~OFF,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_export_is_read_whole_and_its_customers_are_found(tmp_path, name):
    table, columns, customer, sold = CASES[name]
    kept = np.ones(len(NUMBER), bool) if sold is None else sold
    config, opened, result = begun(lambda: {table: columns}, tmp_path)
    assert config.sources.transactions.mapped["customer_id"].column == customer, result.text
    rows = opened.tables["transactions"]
    totals = rows.aggregate(rows=rows.count(), people=rows.customer_id.nunique(), sum=rows.amount.sum())
    assert totals.to_pyarrow().to_pylist() == [
        {
            "rows": kept.sum(),
            "people": len(np.unique(PERSON[kept])),
            "sum": pytest.approx(AMOUNT[kept].sum()),
        }
    ]


def test_refunds_of_a_till_are_cancellations(tmp_path):
    table, columns, _, _ = CASES["a till with refunds above 0"]
    _, opened, _ = begun(lambda: {table: columns}, tmp_path)
    back = opened.tables["cancellations"]
    assert back.amount.sum().as_scalar().to_pyarrow().as_py() == pytest.approx(AMOUNT[OFF].sum())


def mailing():
    """Who is subscribed, in a word; and who is not, in a file."""
    return {
        "orders": {"order_id": NUMBER, "email": MAIL, "date": AT, "amount": AMOUNT},
        "profiles": {
            "Email": [f"u{k}@example.org" for k in PEOPLE],
            "Email Marketing Consent": np.where(PEOPLE % 7 == 0, "UNSUBSCRIBED", "SUBSCRIBED"),
            "Created": "2023-01-01",
        },
        "unsubscribed_members_export": {
            "Email Address": [f"U{k}@Example.org" for k in PEOPLE[:9]],
            "UNSUB_TIME": "2024-05-01 10:00:00",
        },
    }


def test_who_has_unsubscribed_is_not_contacted(tmp_path):
    from pipeline.outreach.consent import do_not_contact

    config, opened, _ = begun(mailing, tmp_path)
    assert config.outreach.consent == {"email": "consent_email"}
    assert do_not_contact(config, opened).customers == {f"u{k}@example.org" for k in PEOPLE[:9]}


def test_tickets_that_nobody_has_two_of_are_no_people(tmp_path):
    def helped():
        asked = PEOPLE[:80]
        return {
            "orders": {"order_id": NUMBER, "email": MAIL, "date": AT, "amount": AMOUNT},
            "freshdesk_tickets": {
                "Ticket Id": np.arange(80),
                "Subject": "late",
                "Agent": "Ana",
                "Created time": "2024-06-20 10:00:00",
                "Resolved time": np.where(asked % 2, "", "2024-06-25 10:00:00"),
                "Full name": "x",
                "Email": [f"u{k}@example.org" for k in asked],
            },
        }

    config, _, _ = begun(helped, tmp_path)
    assert config.sources.customers is None
    assert config.sources.contacts.mapped["resolved_at"].column == "Resolved time"
