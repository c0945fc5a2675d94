"""Sentences of a customer: the numbers in their form, in the digits of the language."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from configs import sentence_fields

DIGITS = {"fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"), "mr": str.maketrans("0123456789", "०१२३४५६७८९")}
MARKS = {"fa": str.maketrans(",.", "٬٫")}
_fields_of = lru_cache(maxsize=1_000)(sentence_fields.fields_of)


def filled(sentence: str, language: str, row: Mapping[str, Any]) -> str | None:
    """The sentence with its numbers; None when one of them is unknown.

    Examples
    --------
    >>> filled("{orders:order} in {days:day}, {share:%} returned", "en", {"orders": 0, "days": 1.2, "share": 0.5})
    'no orders in 1 day, 50% returned'
    >>> filled("{days:روز}", "fa", {"days": 12})
    '۱۲ روز'
    >>> filled("{days:day} ago", "en", {"days": float("nan")}) is None
    True
    """
    told = []
    for text, name, form in _fields_of(sentence):
        told.append(text.translate(DIGITS.get(language, {})))
        if not name:
            continue
        value = row.get(name)
        if value is None or value is pd.NaT:
            return None
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            return None
        told.append(_shown(value, form, language))
    return "".join(told)


def _shown(value: Any, form: str, language: str) -> str:
    if isinstance(value, str | dt.date) or not isinstance(value, int | float | np.number):
        return re.sub(r"[\x00-\x1f\x7f]+", " ", str(value))
    number, noun = float(value), ""
    if form.startswith("-"):
        number, form = -number, form[1:]
    if form == "%":
        return _digits(f"{number:.0%}", language)
    if form and not form.isdecimal():
        noun = form
    digits = int(form) if form.isdecimal() else 0
    text = f"{number:,.{digits}f}"
    if digits:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    if not noun:
        return _digits(text, language)
    if language == "en":
        text, noun = (
            "no" if text == "0" else text,
            noun if text in ("1", "-1") else sentence_fields.plural(noun),
        )
    return f"{_digits(text, language)} {noun}"


def _digits(text: str, language: str) -> str:
    return text.translate(MARKS.get(language, {})).translate(DIGITS.get(language, {}))
