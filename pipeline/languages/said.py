"""A line that people read: English by itself, with what another language needs to say the same.

Files for machines, JSON and the log hold the line as it stands, so that a script reads one language only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from numbers import Integral, Real
from string import Formatter
from typing import Any

from pipeline.languages.language import Language

_EN = Language("en")


class Said(str):
    """A line in English that can be told in another language; made by `said`, `said_n` and `together`.

    Parameters
    ----------
    forms
        The sentence, or its singular and plural; empty for a text of nobody here.
    values
        What stands in its braces.

    Examples
    --------
    >>> line = said("{role}: {n} rows lie after {day}", role="usage", n=1200, day=dt.date(2026, 7, 1))
    >>> print(line)
    usage: 1,200 rows lie after 2026-07-01
    """

    forms: tuple[str, ...]
    values: dict[str, Any]

    def __new__(
        cls, text: str = "", forms: tuple[str, ...] = (), values: dict[str, Any] | None = None
    ) -> Said:
        """The text is that of the forms with the values put in."""
        line = super().__new__(cls, text)
        line.forms, line.values = forms, values or {}
        return line


def said(text: str, **values: object) -> Said:
    """A sentence with values: numbers, days, other lines, lists of any of these, and texts, which stay as they are."""
    return Said(_filled(text, values, _EN), (text,), values)


def said_n(one: str, many: str, n: float, **values: object) -> Said:
    """A sentence in the singular or plural of `n`."""
    known = {"n": n, **values}
    return Said(_filled(one if round(abs(n)) == 1 else many, known, _EN), (one, many), known)


def said_before(text: str, words: str) -> Said:
    """A line that another process has told, in English and in the language of the config.

    Examples
    --------
    >>> line = said_before("control group", "گروه شاهد")
    >>> print(line, spoken(line, Language("fa")))
    control group گروه شاهد
    """
    return Said(text, ("{line}",), {"line": words})


def said_again(text: str) -> Said:
    """A text of the catalogue that was kept as it stands, such as with a model."""
    return Said(text, (text,))


NO_LINE = Said()


def together(parts: Iterable[str], sign: str = "; ") -> Said:
    """Lines as one, with a sign between them.

    Examples
    --------
    >>> print(together([said("see the clock"), "x"]))
    see the clock; x
    """
    values = {str(i): part for i, part in enumerate(part for part in parts if part)}
    return _joined(sign.join(f"{{{i}}}" for i in values), values)


def _joined(form: str, values: dict[str, Any]) -> Said:
    return Said(_filled(form, values, _EN), (form,), values)


def spoken(line: str, language: Language) -> str:
    """A line in the language; a plain text is that of the catalogue, or stays as it is.

    Examples
    --------
    >>> line = said("{n} rows lie after {day}", n=1200, day=dt.date(2026, 7, 1))
    >>> spoken(line, _EN), spoken("Kaveh & Co", Language("fa"))
    ('1,200 rows lie after 2026-07-01', 'Kaveh & Co')
    """
    if language.code == "en":
        return str(line)
    if not isinstance(line, Said) or not line.forms:
        return language.word(line)
    form = language.word(line.forms[0])
    if len(line.forms) > 1:
        form = language.plural(line.forms[0], line.forms[1], line.values["n"])
    elif form == line.forms[0]:
        form = _signs(form, language)
    return _filled(form, line.values, language)


def _signs(form: str, language: Language) -> str:
    """The signs between lines that have no sentence around them."""
    return form.replace("; ", "؛ ").replace(", ", "، ") if language.code == "fa" else form


def _filled(form: str, values: dict[str, Any], language: Language) -> str:
    parts = []
    for text, name, spec, conversion in Formatter().parse(form):
        parts.append(text)
        if name is not None:
            parts.append(_shown(values[name], spec or "", conversion or "", language))
    return "".join(parts)


def _shown(value: Any, spec: str, conversion: str, language: Language) -> str:
    if isinstance(value, list | tuple):
        between = language.comma
        return between.join(_shown(each, spec, conversion, language) for each in value)
    if isinstance(value, dt.date):
        return str(value) if language.code == "en" else language.day(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return _number(value, spec, language)
    if conversion == "r":
        return repr(str(value))
    return spoken(value, language) if isinstance(value, Said) else str(value)


def figure(value: float, spec: str, language: Language) -> str:
    """A number of a table by its format; in English as Python writes it, signs and halves included.

    Examples
    --------
    >>> figure(-0.26, "+.1%", _EN), figure(1234.5, ",.1f", Language("fa"))
    ('-26.0%', '۱٬۲۳۴٫۵')
    """
    return format(value, spec) if language.code == "en" else _number(value, spec, language)


def _number(value: Real | float, spec: str, language: Language) -> str:
    """By its format: a whole number, `.2f`, `.1%`, or `.4g`, whose zeros at the end are left out."""
    number = float(value)
    if isinstance(value, Integral) and not spec:
        return language.number(number)
    spec = spec or "g"
    digits = int(spec.strip(",+").removeprefix(".")[:-1] or 0)
    sign = "+" if spec.startswith("+") and number >= 0 else ""
    if spec.endswith("%"):
        return sign + language.percent(100 * number, digits)
    if not spec.endswith("g"):
        return sign + language.number(number, digits)
    if abs(number) >= 1_000:
        return language.number(number)
    plain = f"{number:.{digits or 6}g}"
    if "e" in plain:
        return language.digits(plain)
    return language.number(float(plain), len(plain.partition(".")[2]))
