"""What people call their columns: the one place to add a word; of tables and events see `table_words`.

English, German and Persian; French, Spanish, Hindi and Marathi as
shops export them; and the bare names of SAP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from pipeline.sources.names import words_of

_ID = (
    "(id|ids|no|nr|num|number|code|key|ref|reference|uuid|guid|nummer|kennung|kennziffer|شناسه|کد|شماره|"
    "आईडी|क्रमांक|संख्या|कोड|नंबर|नं)"
)
_ID_FIRST = (
    "(شماره|کد|شناسه|id|number|code|n|no|nr|num|numéro|numero|número|رقم|no do|código|codigo|identifiant)"
)
_DATE = (
    "(date|datetime|time|timestamp|at|on|day|ts|datum|tag|zeit|zeitpunkt|am|utc|تاریخ|زمان|fecha|data|التاريخ|दिनांक|तारीख|तिथि|"
    "fkdat|budat|bldat|erdat)"
)

# Of people: the surest word first.
_WHO = (
    "customers?|cust|clients?|kunden?|kundin|klant|clientes?|(?:do )?cliente|العميل|"
    "مشتری|مشتریان|ग्राहक|kunnr|debitor(?:en)?",
    "buyer|shopper|visitor|reviewer|learner|consumer|subscriber|member|mitglieds?|user|nutzer|benutzer|household|student|employee|mitarbeiter|enrol?l?ment|patient|"
    "(?:policy ?)?holder|insured|policy|donor|player|guest|caller|کاربر|عضو|"
    "partner(?: id)?|msisdn|abonné|adhérent|acheteur|socio|सदस्य",
    "account|acct|konto|company|organi[sz]ation|org|firma|حساب|شرکت",
    "contact|person|subscription|contract|vertrags?|e ?mail|mail|phone|اشتراک|قرارداد|ایمیل|تلفن",
)
_PURCHASE = (
    "order|invoice|receipt|bon|kassenbon|transaction|trans|txn|basket|cart|purchase|sales?|bill|payment|charge|bestell(?:ung)?s?|"
    "rechnungs?|belegs?|auftrags?|فاکتور|سفارش|تراکنش|خرید|(?:de )?(?:commande|facture|achat|vente)|"
    "(?:d[eoa] )?(?:pedido|factura|compra|venta|venda)|ordine|gift|donation|spende|booking|reservation|"
    "الطلب|बिल|पावती|ऑर्डर|चालान|vbeln"
)
_START = (
    "start|started|starts|begin|beginn|begins|signup|sign up|signed up|registered|registration|joined|join|created|"
    "creation|customer since|member since|since|issued?|activation|activated|term start|"
    "subscribed|eintritts?|registriert|"
    "vertragsbeginn|anmelde|kunde seit|شروع|عضویت|ثبت نام|آغاز"
)
_END = (
    "ended|end|terminated|termination|churned|churn|expired|left|closed|exit|ende|vertragsende|austritts?|"
    "expire|expires|expiry|expiration|term end|پایان|خاتمه"
)
_CANCEL = "cancell?ed|cancell?ation|cancel|résiliation|résilié|baja|unsubscribed|kündigungs?|gekündigt|storniert|لغو"

# Concept -> patterns of the whole name, the best first.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customer_id": (
        *(rf"(?:\w+ )?(?:{who}) ?{_ID}|{_ID_FIRST} ?(?:{who})" for who in _WHO[:2]),
        "|".join(_WHO[:2]),
        rf"(?:\w+ )?(?:{_WHO[2]}) ?{_ID}|{_ID_FIRST} ?(?:{_WHO[2]})",
        rf"(?:(?:\w+ )?(?:{_WHO[3]}) ?{_ID}|{_WHO[3]})|{_ID_FIRST} ?(?:{_WHO[3]})|{_WHO[2]}",
        r"(?:\w+ )*(?:e ?mail|mail)(?: address(?:es)?| adresse)?",
        rf"(?:record |entity |row )?{_ID}",
    ),
    "transaction_id": (
        rf"(?:{_PURCHASE}) ?{_ID}|{_ID_FIRST} ?(?:{_PURCHASE})",
        "invoice|order|receipt|transaction|basket|bestellung|rechnung|beleg|فاکتور|سفارش|commande|facture|pedido|factura|vbeln",
    ),
    "contract_id": (r"(?:subscription|contract|vertrags?|policy|اشتراک|قرارداد) ?" + _ID, "id"),
    "occurred_at": (
        rf"(?:{_PURCHASE}|event|usage|activity|visit|session|click(?:ed)?|login|contact|call|ticket|survey|review|"
        rf"response|answer(?:ed)?|submitted|submission|opened|occurred|happened|churn|revenue|erstellt) ?{_DATE}|"
        rf"(?:{_DATE}) ?(?:der |صدور|ثبت)?(?:{_PURCHASE}|صدور|ثبت)?",
        rf"(?:created|creation|started|posted|booking|buchungs?|placed|paid|sent) ?{_DATE}|opened|submitted|created",
        rf"\w+ {_DATE}|\w*{_DATE}|(?:unix|epoch) (?:\w+ )?{_DATE}",
        r".*",
    ),
    "bought_at": (rf"(?:{_PURCHASE}) ?{_DATE}",),
    "known_at": (rf"(?:known|recorded|received|loaded|imported|ingested|inserted|erfasst) ?{_DATE}",),
    "started_at": (rf"(?:\w+ )*?(?:{_START}) ?{_DATE}?( {_DATE})?|{_DATE} (?:{_START})",),
    "ended_at": (
        rf"(?:\w+ )*?(?:{_END}) ?{_DATE}?( {_DATE})?|{_DATE} (?:{_END})",
        rf"(?:\w+ )*?(?:{_CANCEL}) ?{_DATE}?( {_DATE})?|{_DATE} (?:{_CANCEL})",
    ),
    "end_reason": (
        rf"(?:{_END}|{_CANCEL}) ?(?:reason|code|type|grund)s?( code)?|(?:reason|grund|دلیل)(?: .*)?|"
        r"reason code|kündigungsgrund|علت",
    ),
    "churned": (
        r"churn(?:ed)?(?: (?:flag|label|value|yn|status))?|is churn(?:ed)?|has churned|attrition(?: flag)?|exited|"
        r"customer status|label|target|left|gekündigt|abgewandert|ریزش",
    ),
    "kept": (r"(?:is |was )?(?:retained|retention(?: flag)?|still (?:a )?customer|subscriber|renewed)",),
    "amount": (
        r"(?:(?:line|order|invoice|grand|sub|total|sales|net|gross|paid|payment|transaction|purchase) ?)*"
        r"(?:total|amount|revenue|sum|umsatz|betrag|summe)"
        r"(?: (?:amount|price|paid|usd|eur|gbp|net|gross|value|spent))?|"
        r"(?:gesamt|rechnungs)(?:betrag|preis|summe)|betrag .*|مبلغ.*|جمع.*|(?:\w+ )?montant(?: .*)?|"
        r"(?:\w+ )?importe(?: .*)?|importo(?: .*)?|totale(?: .*)?|valor total|المبلغ|"
        r"monto(?: .*)?|(?:कुल )?(?:राशि|रकम)|(?:एकूण )?रक्कम|(?:net|gross) sales|netwr|dmbtr|"
        r"(?:\w+ )?amt|(?:\w+ )?amount (?:in )?(?:cents|pence|paise)",
        r"(?:\w+ )+grand total|(?:bill|order|total|charge) (?:amount|amt|collected|sales|charged?|ttc)|mrr|total ttc|"
        r"sales|spend|spent|dollars|euros?|turnover|paid|price paid|order value|total price|totalprice|brutto|netto|"
        r"gross|net|مجموع|قیمت کل",
        r"value|amount total|price|preis|wert|fee|قیمت|\w+ amount( \w+)?",
    ),
    "quantity": (
        r"quantity|qty|units|count|number of items|items|menge|anzahl|stück|تعداد|quantité|cantidad|मात्रा|नग",
    ),
    "unit_price": (
        r"unit ?price|price(?: per unit| each)?|item price|(?:einzel|stück)?preis|قیمت واحد|قیمت|prix(?: unitaire)?|"
        r"precio(?: unitario)?",
    ),
    "points": (r"(?:loyalty |bonus )?points|punkte|امتیاز وفاداری",),
    "score": (
        r"(?:nps|csat|satisfaction|survey|review|feedback|overall)? ?(?:score|rating|stars|grade)|nps|csat|bewertung|"
        r"zufriedenheit|امتیاز|رضایت|نمره",
    ),
    "kind": (r"survey(?: type| kind| name)?|kind|question(?: type)?|type|art",),
    "channel": (r"(?:contact )?(?:channel|medium|kanal|via|origin)(?: id| name)?|کانال",),
    "direction": (r"direction|inbound outbound|richtung",),
    "agent": (r"agent|assignee|assigned to|handled by|employee|operator|rep|bearbeiter|کارشناس",),
    "topic": (
        r"topic|category|(?:issue|ticket|case|complaint) ?(?:category|topic|type|theme)|thema|kategorie|typ|anliegen|"
        r"موضوع",
        r"subject|reason|type|theme|betreff|priority",
    ),
    "resolved_at": (
        rf"(?:resolved|solved|closed|completed|resolution|closing|gelöst|erledigt|حل) ?{_DATE}?",
    ),
    "event": (
        r"(?:event|activity|action|feature|usage|page)(?: ?(?:name|type|kind))?|ereignis|aktion|رویداد",
        r"kind|type",
    ),
    "value": (
        r"(?:usage |event )?(?:value|count|clicks|quantity|amount)|events|hours|volume|wert|مقدار",
        r"(?:\w+ )*(?:duration|minutes|seconds|secs|mins)(?: \w+)?|dauer|مدت",
    ),
    "recovered_at": (rf"(?:recovered|paid|settled) ?{_DATE}",),
    "plan": (r"(?:plan|tier|product|tariff|package|tarif|abo)(?: (?:tier|name|type|code|id))?|طرح|تعرفه",),
    "trial": (r"(?:is )?trial(?: flag)?",),
    "trial_ends_at": (rf"trial (?:end|ends|ended|until) ?{_DATE}?",),
    "contract_amount": (
        r"(?:mrr|monthly)(?: \w+)?|amount|price|fee|plan (?:amount|price)|betrag|preis|مبلغ|قیمت",
    ),
    "owner": (r"owner|account manager|sales rep|salesperson|betreuer|csm",),
    "name": (r"(?:customer|full|first|contact|client) ?name|name|vorname|نام",),
    "do_not_contact": (r"do not (?:contact|disturb)|dnc|no contact|opt(?:ed)? out|unsubscribed|sperre",),
    "currency": (r"(?:\w+ )?(?:currency|currencies|währung|waehrung|devise|moneda|ارز)(?: code)?",),
    # Numbers of things, of which a row of events may name one, and which are no customers.
    "thing": (
        rf"(?:\w+ )*(?:product|item|article|artikel|sku|variant|seller|vendor|supplier|store|shop|branch|filiale|"
        rf"category|brand|session|device|campaign|warehouse|movie|track|song|artist|album|page|review|ticket|city|"
        rf"region|zip|postal) ?{_ID}?",
    ),
    "row_number": (
        r"row(?: (?:number|no|nr|num|id))?|index|unnamed 0|s(?:eria)?l? ?(?:no|number)|lfd ?nr|zeile",
    ),
    "status": (
        r"(?:\w+ )?(?:status|state|stage)(?: name)?|(?:\w+ )?status \w+|"
        r"(?:وضعیت|statut|estado|état|stato|situação|स्थिति|स्थिती|الحالة|حالة)(?: .*)?",
    ),
    "undone": (
        r"(?:(?:is|was|order) )?(?:voided|void|cancell?ed|refunded|returned|deleted|test order|test|storniert|annulée?|"
        r"annullato|cancelad[oa]|لغو شده)(?: flag)?",
    ),
    "undone_at": (
        r"(?:order )?(?:cancell?ed|cancell?ation|voided|deleted|storniert|annulée?) (?:at|on|date|time|am|le)",
    ),
    "done": (r"(?:(?:is|was|order) )?(?:won|paid|successful|succeeded|captured|completed)(?: flag)?",),
    "document": (
        r"(?:(?:transaction|payment|event|document|doc|record|order|entry|movement|sale|line|invoice) ?)?(?:type|kind)|"
        r"(?:beleg|buchungs|vorgangs)?art|tipo(?: \w+)*|type (?:de )?\w+|نوع(?: \w+)*",
    ),
}
# What a complaint is called, beside the word of `outreach.complaint_topics`.
COMPLAINTS = (
    "beschwer",
    "reklamation",
    "plainte",
    "réclamation",
    "queja",
    "reclam",
    "klacht",
    "شکایت",
    "तक्रार",
)
# Times that are neither the start nor the end of anything, and numbers that are no revenue.
_NEVER: Mapping[str, str] = {
    "occurred_at": r"updat|modif|chang|ship|deliver|\bdue|birth|dob|expir|known|record|resol|clos"
    r"|\bend|load|import|trial",
    "started_at": r"period|trial|due|updat|modif|birth",
    "ended_at": r"period|trial|due|planned|renew|weekend|at end|"
    r"\b(?:cards?|cc|coupon|voucher|token|session|link|offer|product|item|password|batch|points|cookie)\b",
    "amount": r"tax|\bvat|shipping|discount|fee|cost|refund|balance|\bdue\b|remise|descuento|مالیات|تخفیف",
    "customer_id": r"\b(name|type|status|value|count|plan|marketing|opt(ed)?|consent|unsubscribed|opened|sent)\b",
}


def is_other(concept: str, name: str) -> bool:
    """Whether a name says that a column is not this concept, whatever its values.

    Examples
    --------
    >>> is_other("amount", "Tax Total"), is_other("amount", "Total")
    (True, False)
    """
    return re.search(_NEVER[concept], words_of(name)) is not None


def sounds_like_time(name: str) -> bool:
    """Whether a column is called as if it said when, whatever it holds.

    Examples
    --------
    >>> sounds_like_time("DAY"), sounds_like_time("billing_month"), sounds_like_time("amount")
    (True, True, False)
    """
    words = rf"{_DATE}|week|month|mon|quarter|period|year|woche|monat|jahr|quartal|mois|mes|ماه|महिना"
    return re.search(rf"(?:^| )(?:{words})(?: |$)", words_of(name)) is not None


_OF_MANY = ("occurred_at", "bought_at", "thing")  # which words that are no headers fit as well


@cache
def rank(name: str, concept: str) -> int | None:
    """How well a column's name fits a concept: 0 is best, None is not at all.

    Examples
    --------
    >>> [rank(name, "customer_id") for name in ("Kundennummer", "account_id", "id", "Customer Value")]
    [0, 3, 6, None]
    >>> rank("InvoiceDate", "occurred_at"), rank("updated_at", "occurred_at"), rank("Qty", "quantity")
    (0, None, 0)
    """
    words = words_of(name)
    if concept in _NEVER and re.search(_NEVER[concept], words):
        return None
    return next((i for i, p in enumerate(_COLUMNS[concept]) if re.fullmatch(p, words)), None)


def is_known(name: str) -> bool:
    """Whether a name is one that columns have: tells a header from a title above it.

    Examples
    --------
    >>> is_known("Order No"), is_known("Orders of May")
    (True, False)
    """
    return any(rank(name, concept) is not None for concept in _COLUMNS if concept not in _OF_MANY)
