"""Numbers as people write them: currency signs, thousands, brackets for what is owed, digits of other scripts.

One shape serves the engine and the advice: a value is read when it fits, and refused when it could mean two numbers.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

import ibis

from pipeline.sources.functions import on_text, read_or

Decimal = Literal[".", ","]

# To ASCII: digits and signs of other scripts; what stands behind them has no counterpart and is dropped: marks that
# show nothing, such as those that set the direction of writing.
_FROM = (
    "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩०१२३४५६७८९０１２３４５６７８９٬’−–\u00a0\u202f\u2009"
    + "\u200e\u200f\u061c\u202a\u202b\u202c\ufeff"
)
_TO = "0123456789012345678901234567890123456789''--   "
_TABLE = str.maketrans(dict(zip(_FROM, _TO, strict=False)) | dict.fromkeys(_FROM[len(_TO) :], ""))

LOOK_ALIKES = (
    {sign: digit for sign, digit in zip(_FROM, _TO, strict=False) if digit.isdigit()}
    | {
        "\u064a": "\u06cc",
        "\u0649": "\u06cc",
        "\u0643": "\u06a9",
    }  # Arabic yeh and kaf, as keyboards give them
    | dict.fromkeys(
        "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff", ""
    )
)
"""Signs of ids that look like others, or like nothing, to what is written for them."""

_WORDS = r"[Rr]s\.?|[Kk]r\.?|Fr\.?|zł|Kč|Ft|lei|ریال|تومان|toman|rial"
_CURRENCY = rf"(?:[A-Z]{{0,3}}[$€£¥₹₽₺₴₩₪₫฿₦₱₲₵₸₭₮₼₾₿﷼¢]|[A-Z]{{3}}|{_WORDS})"
_BESIDE = rf"^[(\s+-]*({_CURRENCY})\s*[-+\s]*[0-9]|[0-9][.,]?\s*-*\s*({_CURRENCY})[)\s-]*$"
_THREE_DIGITS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"


@cache
def shape(decimal: Decimal | None, thousands: str | None) -> str:
    """The pattern of a number; its second group is the figure.

    A thousands sign that is not named is taken for one only where it can't be a decimal sign: together with the
    decimal sign, or twice. A blank and an apostrophe never are one.

    Examples
    --------
    >>> [text for text in ("1,234.50", "$ -12", "(7)", "1,250", "1'250 EUR") if re.match(shape(None, None), text)]
    ['1,234.50', '$ -12', '(7)', "1'250 EUR"]
    """
    decimal = point_of(decimal, thousands)
    point, other = re.escape(decimal), re.escape("," if decimal == "." else ".")
    if thousands:
        sign = re.escape(thousands)
        figure = rf"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{2,3}})*{sign}[0-9]{{3}}|[0-9]+)(?:{point}[0-9]*)?"
    else:
        figure = (
            rf"[0-9]{{1,3}}(?:{other}[0-9]{{2,3}})*{other}[0-9]{{3}}{point}[0-9]*"
            rf"|[0-9]{{1,3}}(?:{other}[0-9]{{2,3}})+{other}[0-9]{{3}}"
            rf"|(?:[0-9]{{1,3}}(?:[' ][0-9]{{3}})+|[0-9]+)(?:{point}[0-9]*)?"
        )
    around = r"[\s+-]*"
    return (
        rf"^(\(?{around}{_CURRENCY}?{around})((?:{figure}|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?)"
        rf"(\s*-?\s*{_CURRENCY}?\s*-?\s*\)?)$"
    )


def point_of(decimal: Decimal | None, thousands: str | None) -> Decimal:
    """The decimal sign: the one that is set, else a point, but for a comma where the point parts thousands."""
    return decimal or ("," if thousands == "." else ".")


def plain(text: str) -> str:
    """Digits, signs and blanks of other scripts as those of ASCII.

    Examples
    --------
    >>> plain("۱۲٬۳۴۵٫۵")
    "12'345٫5"
    """
    return text.translate(_TABLE)


def number(text: Any, decimal: Decimal | None, thousands: str | None) -> Any:
    """The number that an expression of text shows, null where it fits no shape."""
    point = point_of(decimal, thousands)
    written = on_text(amount_in, "float64", point, thousands)(text)
    # A point may part thousands where a comma is the decimal sign, and the engine would take it for that sign.
    return read_or(text.try_cast("float64"), written) if point == "." else written


def amount_in(raw: str, decimal: Decimal | None, thousands: str | None) -> float | None:
    """The number that a text shows, None where it fits no shape.

    Examples
    --------
    >>> amount_in("-€ 1.234,50", ",", None), amount_in("(12.50)", None, None), amount_in("1,250", None, None)
    (-1234.5, -12.5, None)
    >>> amount_in("1,250", None, ","), amount_in("1,250", ",", None), amount_in("19,- €", ",", None)
    (1250.0, 1.25, 19.0)
    """
    point = point_of(decimal, thousands)
    # A dash in the place of the cents stands for none: 19,- is nineteen, and nothing is owed.
    text = re.sub(rf"([0-9]{re.escape(point)})-+", r"\1", plain(raw).replace("٫", point))
    found = re.match(shape(point, thousands), text.strip())
    if not found or found[1].startswith("(") != found[3].endswith(")"):
        return None
    figure = re.sub(rf"[^0-9eE{re.escape(point)}+-]", "", found[2]).replace(point, ".")
    owed = "-" in found[1] + found[3] or found[1].startswith("(")
    return -float(figure) if owed else float(figure)


def in_thousandths(text: Any) -> tuple[Any, Any]:
    """Whether a number has a point, and whether it could be thousands after the point: `1.250`, not `0.125`.

    A column in which all that have a point are of this kind means either.
    """
    return text.contains("."), text.re_search(_THREE_DIGITS)


def currency(text: Any) -> Any:
    """The currency that is written beside a number, null without one."""
    return ibis.ifelse(text.try_cast("float64").isnull(), on_text(currency_of, "string")(text), None)


def currency_of(text: str) -> str | None:
    """The currency that is written beside a number.

    Examples
    --------
    >>> currency_of("-€ 19"), currency_of("19 EUR"), currency_of("19")
    ('€', 'EUR', None)
    """
    found = re.search(_BESIDE, plain(text).strip())
    return (found[1] or found[2]) if found else None
