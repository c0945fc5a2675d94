"""Dates of the Persian solar calendar as texts: 1403/01/10 is 2024-03-29."""

from __future__ import annotations

import re
from functools import cache

from pipeline.languages.jalali import new_year
from pipeline.sources.amounts import plain

JALALI_YEARS = 1200, 1499
_USUAL = (
    r"^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})(?:[ T,-]+([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?)?$"
)
_PARTS = {"Y": "([0-9]{4})", **dict.fromkeys("mdHMS", "([0-9]{1,2})")}
_ORDER = "YmdHMS"


@cache
def pattern_of(fmt: str | None) -> tuple[str, dict[str, int]]:
    """The pattern of a strptime format of %Y %m %d %H %M %S, and which group is which part.

    Examples
    --------
    >>> pattern_of("%d/%m/%Y")
    ('^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})$', {'d': 1, 'm': 2, 'Y': 3})
    """
    if fmt is None:
        return _USUAL, {part: place for place, part in enumerate(_ORDER, 1)}
    pattern = ""
    groups: dict[str, int] = {}
    for piece in re.findall(r"%.|[^%]+", fmt):
        part = piece[1:] if piece.startswith("%") else ""
        if part in _PARTS:
            groups[part] = len(groups) + 1
            pattern += _PARTS[part]
        else:
            pattern += re.escape(piece)
    return f"^{pattern}$", groups


def microseconds(text: str, fmt: str | None) -> int | None:
    """Microseconds since 1970 of the moment that a text shows, None where it shows none.

    Examples
    --------
    >>> microseconds("1348/10/11", None), microseconds("1348/10/11 00:01", None), microseconds("1348/13/01", None)
    (0, 60000000, None)
    """
    pattern, groups = pattern_of(fmt)
    found = re.match(pattern, plain(text).strip())
    if not found:
        return None
    year, month, day, hour, minute, second = (
        int(found[groups[p]] or 0) if p in groups else 0 for p in _ORDER
    )
    if not (
        JALALI_YEARS[0] <= year <= JALALI_YEARS[1]
        and 1 <= month <= 12
        and hour < 24
        and minute < 60
        and second < 60
    ):
        return None
    length = 31 if month <= 6 else 30 if month <= 11 else new_year(year + 1) - new_year(year) - 336
    if not 1 <= day <= length:
        return None
    days = new_year(year) + (month - 1) * 30 + min(month - 1, 6) + day - 1
    return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000


def is_written(value: str) -> bool:
    """Whether a text looks like a Persian date.

    Examples
    --------
    >>> is_written("1403/01/10"), is_written("2024/03/29")
    (True, False)
    """
    found = re.match(_USUAL, value)
    return bool(found) and JALALI_YEARS[0] <= int(found[1]) <= JALALI_YEARS[1]  # type: ignore[index]
