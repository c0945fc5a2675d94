"""Names of columns and tables as words."""

from __future__ import annotations

import re
import unicodedata


def words_of(name: str) -> str:
    """The words of a name in lower case, one blank between them.

    Examples
    --------
    >>> words_of("CustomerID"), words_of("Created (UTC)"), words_of("Kunden-Nr."), words_of("کد مشتری")
    ('customer id', 'created utc', 'kunden nr', 'کد مشتری')
    >>> words_of("ग्राहक क्रमांक"), words_of("Nº pedido")
    ('ग्राहक क्रमांक', 'no pedido')
    """
    name = unicodedata.normalize("NFKC", name)
    plain = name.removesuffix("__c").replace("\u200c", " ").replace("IDs", "Ids")  # __c: a field of one's own
    parted = re.sub(r"(?<=[a-zäöü0-9])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    # The vowels of Indian scripts are marks that stand beside letters, and no letters to `re`.
    kept = (sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in parted)
    return " ".join("".join(kept).lower().split())
