"""Rows of a table of purchases that are none: by their status, and by what kind of document they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from pipeline.setup.columns import ranked
from pipeline.setup.tables import GivenTable
from pipeline.sources.names import words_of
from pipeline.sources.profiles import Profile

_MOST_WORDS, _ANSWERS = 20, 2
# Patterns of the whole word, in small letters with one blank between words.
_NOT_SOLD = (
    r"(?:partially )?(?:cancell?ed(?: by \w+)?|refunded|returned|voided)|cancel|void|failed|failure|declined|denied|"
    r"rejected|abandoned|"
    r"pending(?: \w+)?|unpaid|not paid|open|offen|draft|past due|overdue|uncollectible|on hold|expired|reversed|"
    r"disputed|"
    r"charged? ?back|lost|closed ?lost|no ?show|no shows|deleted|error|incomplete|"
    r"storniert|storno|abgebrochen|fehlgeschlagen|entwurf|retourniert|erstattet|"
    r"annulée?s?|refusée?s?|remboursée?s?|échouée?s?|en attente|brouillon|impayée?s?|"
    r"annullat[oi]|cancelad[oa]s?|anulad[oa]s?|devuelt[oa]s?|reembolsad[oa]s?|rechazad[oa]s?|fallid[oa]s?|pendientes?|borrador|"
    r"ملغي|ملغى|لغو(?: شده)?|برگشتی|ناموفق|مرجوع(?: شده|ی)?|در انتظار|रद्द|विफल|परत|लंबित|प्रलंबित"
)
_GONE = (
    r"(?:cancell?ed|refunded|returned|voided)(?: by \w+)?|void|failed|charged? ?back|storniert|erstattet|annulée?s?|"
    r"cancelad[oa]s?|لغو شده|रद्द"
)
_SOLD = (
    r"paid(?: out)?|complete|completed|done|delivered|shipped|fulfilled|succeeded|success|successful|captured|settled|"
    r"processed|processing|partially paid|invoiced|billed|closed ?won|won|sale|sold|confirmed|approved|active|closed|"
    r"posted|sent|received|accepted|authorized|finished|checked ?(?:in|out)|in transit|ok|yes|purchased?|"
    r"bezahlt|abgeschlossen|versendet|versandt|geliefert|zugestellt|erledigt|"
    r"payée?s?|livrée?s?|terminée?s?|expédiée?s?|validée?s?|pagad[oa]s?|completad[oa]s?|completat[oi]|concluíd[oa]s?|مكتمل|entregad[oa]s?|enviad[oa]s?|"
    r"پرداخت شده|تکمیل شده|تحویل شده|ارسال شده|موفق|पूर्ण|सफल|भुगतान|वितरित"
)
_BACK = (
    r"(?:\w+ )?refund(?:ed|s)?|charge ?backs?|(?:\w+ )?reversals?|returns?|returned|(?:\w+ )?credit (?:note|memo)s?|"
    r"creditnote|credit|"
    r"gutschrift|storno|rechnungskorrektur|retoure|erstattung|avoir|remboursement|retour|abono|reembolso|devolución|"
    r"nota de crédito|برگشتی?|مرجوعی|برگشت از فروش|परतावा|वापसी|धनवापसी"
)


_BILLED = (
    r"(?:\w+ )?(?:invoice|bill|sale|sales receipt|rechnung)s?|faktura|facture|factura|verkauf|vente|venta"
)
_SETTLES = r"(?:\w+ )?payments?|zahlung(?:seingang)?|paiement|pago|receive payment"
_NO_SALE = r"payouts?|withdrawals?|opening balance|journal entry|anfangsbestand"
_TRUE = frozenset({"1", "true", "yes", "y", "t", "ja", "oui", "si", "sí", "بله", "होय"})
_FALSE = frozenset({"0", "false", "no", "n", "f", "nein", "non", "خیر", "नाही"})


def _plain(word: str) -> str:
    return words_of(word).removeprefix("wc ")


def _are(pattern: str, words: Collection[str]) -> list[str]:
    return sorted(word for word in words if re.fullmatch(pattern, _plain(word)))


def not_sold(table: GivenTable, used: Collection[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The condition that leaves out orders which were not carried out, and what is not sure about it.

    Returns
    -------
    Conditions, and a doubt where a column of statuses has words that are not known: their rows count as purchases.
    """
    where: list[dict[str, Any]] = []
    doubts: list[str] = []
    seen = False
    for column in ranked(table, "status", ("text",), used):
        # Of a second column, such as that of the delivery, only what can't be a sale counts: pending ones are.
        words = _are(_GONE if seen else _NOT_SOLD, column.samples)
        known = {*words, *_are(_SOLD, column.samples)}
        if not known or column.different > _MOST_WORDS:
            continue
        unknown = sorted(set(column.samples) - known)
        if unknown and not seen:
            doubts.append(
                f"rows of {table.name} whose {column.name!r} is {', '.join(map(repr, unknown))} count as purchases; if "
                f"they are none add them to where: [{{column: {column.name}, none_of: [...]}}]"
            )
        if words and len(words) < column.different:
            where.append({"column": column.name, "none_of": words})
        seen = True
    return where, doubts


def no_sales(table: GivenTable, used: Collection[str]) -> list[dict[str, Any]]:
    """Conditions for rows that are no sales by what kind they are, or by a yes or no.

    Payouts, and payments beside the invoices that they pay; orders that a yes calls cancelled, or a no unpaid, or
    that were cancelled at some time.
    """
    found: list[dict[str, Any]] = []
    for column in ranked(table, "document", ("text",), used):
        words = _are(_NO_SALE, column.samples)
        if _are(_BILLED, column.samples):
            words += _are(_SETTLES, column.samples)
        if words and len(words) < column.different:
            found.append({"column": column.name, "none_of": sorted(words)})
    for column in ranked(table, "undone_at", ("time",), used):
        if 0 < column.filled < column.rows:
            found.append({"column": column.name, "is_null": True})
    for concept, bad in (("undone", _TRUE), ("done", _FALSE)):
        for column in ranked(table, concept, ("flag", "number", "text"), used):
            answers = {word.casefold() for word in column.samples}
            words = sorted(word for word in column.samples if word.casefold() in bad)
            others = (
                column.different > len(words) or column.empty_share > 0
            )  # an empty cell is the other answer
            if answers <= _TRUE | _FALSE and len(words) == 1 and others and column.different <= _ANSWERS:
                found.append({"column": column.name, "none_of": words})
    return found


def given_back(table: GivenTable, used: Collection[str], amount: Profile | None) -> tuple[str, list[str]]:
    """The column that says of rows that they are refunds, and its words; none where their amounts are below 0.

    A refund with a negative amount is told by its sign, one with a positive amount by this word alone.
    """
    if amount is None or any(re.match(r"\s*[(\-−]|.*-\s*$", value) for value in amount.samples):
        return "", []
    for column in ranked(table, "document", ("text",), used):
        words = _are(_BACK, column.samples)
        if words and len(words) < column.different:
            return column.name, words
    return "", []
