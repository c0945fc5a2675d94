"""Words, numbers and dates in the reader's language."""

from __future__ import annotations

import datetime as dt
import gettext
import io
import math
import re
from decimal import Decimal
from functools import cached_property, lru_cache
from importlib import resources
from typing import get_args

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, parse_pattern

from configs.base import LanguageCode
from configs.errors import ConfigError
from pipeline.languages.jalali import JALALI_MONTHS, jalali

LANGUAGES: tuple[LanguageCode, ...] = get_args(LanguageCode)
UNKNOWN = "–"
# The texts of the program are British English.
_LOCALES = {"en": "en_GB"}
_DIGITS = {"fa": "۰۱۲۳۴۵۶۷۸۹", "mr": "०१२३४५६७८९"}


@lru_cache(maxsize=8)
def catalogue(code: str) -> gettext.NullTranslations:
    """The translations of one language, none for English: its texts are those in the code."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    if code == "en":
        return gettext.NullTranslations()
    sink = io.BytesIO()
    with (resources.files("pipeline.languages") / f"{code}.po").open("rb") as file:
        write_mo(sink, read_po(file, locale=code))
    sink.seek(0)
    return gettext.GNUTranslations(sink)


_parsed = lru_cache(maxsize=100)(parse_pattern)


class Language:
    """Words, numbers and dates of one language; its catalogue is `<code>.po`.

    Raises
    ------
    ConfigError
        For a language that has none.

    Examples
    --------
    >>> en, fa, mr = map(Language, LANGUAGES)
    >>> en.number(1234.5, 1), en.percent(70.4545, 2), en.day(dt.date(2025, 11, 21)), en.chance(0.999)
    ('1,234.5', '70.45%', '21 November 2025', '> 99%')
    >>> fa.day(dt.date(2025, 11, 21)), mr.day(dt.date(2025, 11, 21)), mr.number(1234567)
    ('۳۰ آبان ۱۴۰۴', '२१ नोव्हेंबर, २०२५', '१२,३४,५६७')
    >>> fa.several("{n} customer", "{n} customers", 12)
    '۱۲ مشتری'
    """

    def __init__(self, code: str, currency: str | None = None) -> None:
        known = [each for each in LANGUAGES if each == code]
        if not known:
            raise ConfigError(f"no texts in the language {code!r}; known: {', '.join(sorted(LANGUAGES))}")
        self.code, self.currency = known[0], currency
        self._texts = catalogue(code)
        self._locale = Locale.parse(_LOCALES.get(code, code))
        self.direction = self._locale.text_direction

    @property
    def right_to_left(self) -> bool:
        """Whether it is written from right to left."""
        return self.direction == "rtl"

    def word(self, text: str) -> str:
        """The translation as it stands; a text of nobody here, such as a name from the data, comes back as it is."""
        return self._texts.gettext(text) if text else text

    def text(self, text: str, **values: object) -> str:
        """The sentence with the values put in as they are."""
        return self.word(text).format(**values)

    def several(self, one: str, many: str, n: float, **values: object) -> str:
        """The sentence in the plural form of `n`, which is a number with the digits of the language."""
        return self.plural(one, many, n).format(n=self.number(n), **values)

    def plural(self, one: str, many: str, n: float) -> str:
        """The sentence in the plural form of `n`, with its braces."""
        return self._texts.ngettext(one, many, abs(round(n)))

    @property
    def comma(self) -> str:
        """What stands between the names of a list."""
        return "، " if self.code == "fa" else ", "

    def form(self, forms: list[str], n: float) -> str:
        """Of some plural forms, in the order of the catalogue, that of `n`."""
        one = self._locale.plural_form(abs(n)) == "one" and len(forms) > 1
        return forms[0] if one else forms[-1]

    def digits(self, text: str) -> str:
        """The text with the digits of the language."""
        return text.translate(self._shapes)

    def _written(self, number: str) -> str:
        return self.digits(number).replace("%", "٪" if self.code == "fa" else "%")

    @cached_property
    def _shapes(self) -> dict[int, int]:
        return str.maketrans("0123456789", _DIGITS.get(self.code, "0123456789"))

    @cached_property
    def _whole(self) -> str:
        """How thousands are parted: 1,234,567 or 12,34,567."""
        return str(self._locale.decimal_formats[None].pattern).split(".")[0]

    def known(self, value: float | None) -> bool:
        """Whether there is a value to show: neither None nor NaN."""
        return value is not None and math.isfinite(value)

    def number(self, value: float | None, digits: int = 0, least: int | None = None) -> str:
        """With that many digits after the point, or down to `least` where they are zeros; a dash for the unknown."""
        if value is None or not self.known(value):
            return UNKNOWN
        pattern = _parsed(self._pattern(digits, digits if least is None else least))
        return self.digits(format_decimal(value, pattern, self._locale, numbering_system="default"))

    def _pattern(self, digits: int, least: int) -> str:
        return f"{self._whole}.{'0' * least}{'#' * (digits - least)}" if digits else self._whole

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A value of 0..100."""
        if value is None or not self.known(value):
            return UNKNOWN
        share, pattern = Decimal(str(float(value))) / 100, _parsed(f"{self._pattern(digits, digits)}%")
        return self._written(format_percent(share, pattern, self._locale, numbering_system="default"))

    def amount(self, value: float | None, digits: int = 0) -> str:
        """Money: with the sign of the currency where the config names one.

        Examples
        --------
        >>> Language("en", "EUR").amount(1234.5), Language("en").amount(1234.5, 2), Language("fa", "IRR").amount(5)
        ('€1,234', '1,234.50', '۵ ریال')
        """
        if self.currency is None or value is None or not self.known(value):
            return self.number(value, digits)
        pattern = "#,##0 ¤" if self.code == "fa" else self._locale.currency_formats["standard"].pattern
        pattern = re.sub(r"[#0][#0,.]*", self._pattern(digits, digits), pattern)
        return self.digits(
            format_currency(
                value,
                self.currency,
                pattern,
                self._locale,
                currency_digits=False,
                numbering_system="default",
            )
        )

    def points(self, value: float) -> str:
        """A difference with its sign, which nothing that is shown as 0.0 has.

        Examples
        --------
        >>> en = Language("en")
        >>> en.points(1.26), en.points(-0.3), en.points(-0.04)
        ('+1.3', '−0.3', '0.0')
        """
        shown = self.number(abs(value), 1)
        if shown == self.number(0, 1):
            return shown
        return self.text("+{number}", number=shown) if value > 0 else self.text("−{number}", number=shown)

    def chance(self, probability: float) -> str:
        """A probability in whole percent, never rounded to a certainty."""
        if probability < 0.01:
            return f"< {self.percent(1, 0)}"
        return f"> {self.percent(99, 0)}" if probability > 0.99 else self.percent(100 * probability, 0)

    def day(self, day: dt.date, form: str = "long") -> str:
        """A date, such as 21 November 2025; in Persian of the solar calendar, whatever the form."""
        if self.code == "fa":
            year, month, number = jalali(day)
            return self.digits(f"{number} {JALALI_MONTHS[month - 1]} {year}")
        return self.digits(str(format_date(day, form, self._locale)))

    def period(self, label: str) -> tuple[str, str]:
        """A period's name and year: ('Sep', '2025') for `2025-09`; other labels as they are.

        Examples
        --------
        >>> Language("en").period("2025-09"), Language("fa").period("2025-09"), Language("fa").period("2025-09-15")
        (('Sept', '2025'), ('سپتامبر', '۲۰۲۵'), ('۲۴ شهریور', '۱۴۰۴'))
        """
        if match := re.fullmatch(r"(\d{4})-(\d\d)(-\d\d)?", label):
            try:
                start = dt.date.fromisoformat(label if match[3] else f"{label}-01")
            except ValueError:
                return label, ""
            if match[3]:
                return self._short_day(start)
            return self.digits(str(format_date(start, "MMM", self._locale))), self.digits(str(start.year))
        if match := re.fullmatch(r"(\d{4})-Q(\d)", label):
            return self.text("Q{number}", number=self.digits(match[2])), self.digits(match[1])
        return (self.digits(label) if re.fullmatch(r"\d{4}", label) else label), ""

    def _short_day(self, day: dt.date) -> tuple[str, str]:
        if self.code == "fa":
            name, year = self.day(day).rsplit(" ", 1)
            return name, year
        return self.digits(str(format_date(day, "d MMM", self._locale))), self.digits(str(day.year))
