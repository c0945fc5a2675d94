"""The words, numbers and dates of a page, in the reader's language."""

from __future__ import annotations

import datetime as dt
import math
import re
from importlib import resources
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from configs.errors import ConfigError

UNKNOWN = "–"


class Language:
    """Words, numbers and dates of one language; `code` is that of `templates/report.<code>.yaml`.

    Raises
    ------
    ConfigError
        When there is no such file.

    Examples
    --------
    >>> en = Language("en")
    >>> en.number(1234.5, 1), en.percent(70.4545, 2), en.day(dt.date(2025, 11, 21)), en.chance(0.999)
    ('1,234.5', '70.45%', '21 November 2025', '> 99%')
    """

    def __init__(self, code: str) -> None:
        folder = resources.files("pipeline.report.templates")
        files = (re.fullmatch(r"report\.(\w+)\.yaml", file.name) for file in folder.iterdir())
        known = sorted(match[1] for match in files if match)
        if code not in known:
            raise ConfigError(f"no report in the language {code!r}; known: {', '.join(known)}")
        self.code = code
        self._text: dict[str, Any] = yaml.safe_load((folder / f"report.{code}.yaml").read_text("utf-8"))
        self._locale = Locale.parse(self._text["locale"])
        self.direction = self._locale.text_direction

    def text(self, key: str, n: float | None = None, **values: object) -> str:
        """The sentence of that key, in the plural form of `n`, with the values put in as they are."""
        sentence = self._text[key]
        if isinstance(sentence, dict):
            sentence = sentence.get(self._locale.plural_form(n or 0), sentence["other"])
        return str(sentence).format(n="" if n is None else self.number(n), **values)

    def name(self, group: str, key: str) -> str:
        """The word for one of ours, such as a role of the sources; another's comes back as it is."""
        return str(self._text[group].get(key, key))

    def known(self, value: float | None) -> bool:
        """Whether there is a value to show: neither None nor NaN."""
        return value is not None and math.isfinite(value)

    def number(self, value: float | None, digits: int = 0) -> str:
        """With that many digits after the point; a dash for what is not known."""
        if value is None or not self.known(value):
            return UNKNOWN
        return str(format_decimal(value, "#,##0." + "0" * digits if digits else "#,##0", self._locale))

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A value of 0..100."""
        shown = self.number(value, digits)
        return shown if shown == UNKNOWN else self.text("percent", number=shown)

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
        return self.text("plus" if value > 0 else "minus", number=shown)

    def chance(self, probability: float) -> str:
        """A probability in whole percent, never rounded to a certainty."""
        if probability < 0.01:
            return f"< {self.percent(1, 0)}"
        return f"> {self.percent(99, 0)}" if probability > 0.99 else self.percent(100 * probability, 0)

    def day(self, day: dt.date, form: str = "long") -> str:
        """A date, such as 21 November 2025."""
        return str(format_date(day, form, self._locale))

    def period(self, label: str) -> tuple[str, str]:
        """A period's name and year: ('Sep', '2025') for `2025-09`; other labels as they are."""
        if match := re.fullmatch(r"(\d{4})-(\d\d)(-\d\d)?", label):
            try:
                start = dt.date.fromisoformat(label if match[3] else f"{label}-01")
            except ValueError:
                return label, ""
            return self.day(start, "d MMM" if match[3] else "MMM"), self.day(start, "y")
        if match := re.fullmatch(r"(\d{4})-(Q\d)", label):
            return match[2], match[1]
        return label, ""
