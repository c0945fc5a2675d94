"""Names of columns and tables as words."""

from __future__ import annotations

import re


def words_of(name: str) -> str:
    """The words of a name in lower case, one blank between them.

    Examples
    --------
    >>> words_of("CustomerID"), words_of("Created (UTC)"), words_of("Kunden-Nr."), words_of("کد مشتری")
    ('customer id', 'created utc', 'kunden nr', 'کد مشتری')
    """
    plain = name.removesuffix("__c").replace("\u200c", " ").replace("IDs", "Ids")  # __c: a field of one's own
    parted = re.sub(r"(?<=[a-zäöü0-9])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return " ".join(re.sub(r"[\W_]+", " ", parted).lower().split())
