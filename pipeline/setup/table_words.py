"""What people call their tables, their events and those who have left: the one place to add a word."""

from __future__ import annotations

import re
from collections.abc import Mapping

from configs.roles import ROLES
from pipeline.sources.names import words_of

_TABLES: Mapping[str, str] = {
    "failed_payments": "failed payments?|failed charges?|dunning|declined",
    "cancellations": "returns?|refunds?|cancell?ations?|storno|retouren|مرجوعی|"
    "credit (?:notes?|memos?)|gutschrift(?:en)?|avoirs?|"
    "devoluciones|remboursements?",
    "contacts": "contacts?|tickets?|calls?|support|interactions?|crm|cases?|complaints?|conversations?|anfragen|تماس|"
    "संपर्क",
    "feedback": "feedback|surveys?|reviews?|nps|csat|ratings?|umfragen?|bewertungen|نظرسنجی",
    "usage": "usage|events?|activit(?:y|ies)|logs?|sessions?|clicks?|visits?|logins?|nutzung|استفاده",
    "transactions": "orders?|sales|transactions?|purchases?|invoices?|payments?|receipts?|revenue|charges|retail|"
    "bestellungen|rechnungen|umsätze|verkäufe|فاکتور|سفارش|خرید|فروش|commandes?|factures?|ventes?|achats?|pedidos?|"
    "facturas?|ventas?|vendas?|ordini|المبيعات|gifts?|donations?|compras?|बिक्री|विक्री|fakturen|belege|bookings?|reservations?|till|bills?|billing|vbrk",
    "contracts": "subscriptions?|contracts?|verträge|vertraege|abos?|abonnements?|suscripciones|اشتراک|قرارداد",
    "customers": "customers?|clients?|accounts?|users?|members?|subscribers?|enrol?l?ments?|polic(?:y|ies)|kunden|"
    "students?|churn|مشتریان|مشتری|clientes|ग्राहक|kna1",
}
# What a log of events calls a purchase, among views and clicks.
_BOUGHT = (
    r"(?:completed?|placed|made|new) (?:order|purchase|checkout|payment)|"
    r"(?:purchase|order|transaction|sale|payment|checkout)s?(?: (?:completed?|placed|made|paid|confirmed|succe\w+))|"
    r"purchased?|orders?|transactions?|sales?|buy|bought|payment|conversion|kauf|gekauft|bestellung|خرید|سفارش|achat|compra"
)
_STOP_LIST = (
    r"unsubscri\w+|opt(?:ed)? ?outs?|do not (?:contact|call|e ?mail|mail)|dnc|suppress\w*|no contact|"
    r"(?:black|block)list|"
    r"cleaned members|robinson\w*|(?:werbe|kontakt|mail)?sperr(?:e|en|liste)|widersprüche|désabonnés|désinscrits|"
    r"عدم تماس"
)


def role_by_name(table: str) -> str | None:
    """The role that a table's name speaks of.

    Examples
    --------
    >>> role_by_name("ravenstack_support_tickets"), role_by_name("Bestellungen-2024"), role_by_name("dump")
    ('contacts', 'transactions', None)
    """
    words = words_of(table)
    found = (role for role, pattern in _TABLES.items() if re.search(rf"(^| )(?:{pattern})( |$)", words))
    return next((role for role in found if role in ROLES or role == "contracts"), None)


def speaks_of_leaving(name: str) -> bool:
    """Whether the name of a column is about leaving: a category, a reason, a score of it, or the label once more.

    Examples
    --------
    >>> speaks_of_leaving("Churn Score"), speaks_of_leaving("Attrition_Flag"), speaks_of_leaving("Tenure")
    (True, True, False)
    """
    return re.search(r"(?:^| )(?:churn(?:ed)?|attrition|attrited|ریزش)(?: |$)", words_of(name)) is not None


def is_purchase(word: str) -> bool:
    """Whether the name of an event says that something was bought.

    Examples
    --------
    >>> is_purchase("purchase"), is_purchase("Order Completed"), is_purchase("remove_from_cart")
    (True, True, False)
    """
    return re.fullmatch(_BOUGHT, words_of(word)) is not None


def tells_who_left(table: str) -> bool:
    """Whether a table's name says that it lists who has left: that is what is foretold, and nothing to foretell it by.

    Examples
    --------
    >>> tells_who_left("ravenstack_churn_events"), tells_who_left("telco_churn"), tells_who_left("events")
    (True, False, False)
    """
    return (
        re.search(
            r"(?:^| )(?:churn|churned|attrition) (?:events?|log|history|records?|dates?)(?: |$)",
            words_of(table),
        )
        is not None
    )


def is_stop_list(table: str) -> bool:
    """Whether a table's name says that it lists people who are not to be contacted.

    Examples
    --------
    >>> is_stop_list("unsubscribed_members_export_ab12"), is_stop_list("Werbesperre 2024"), is_stop_list("orders")
    (True, True, False)
    """
    return re.search(rf"(?:^| )(?:{_STOP_LIST})(?: |$)", words_of(table)) is not None


def says_churned(value: str) -> bool:
    """Whether a value of a label means that somebody has left.

    Examples
    --------
    >>> says_churned("Attrited Customer"), says_churned("has left"), says_churned("Not churned"), says_churned("Stayed")
    (True, True, False, False)
    """
    words = words_of(value)
    gone = r"\b(?:churn|attrit|left\b|leav|lost\b|exit|cancel|abgewandert|gekündigt|ریزش)"
    return re.search(gone, words) is not None and re.search(r"\b(?:not|non|no|never|nicht)\b", words) is None
