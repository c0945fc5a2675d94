"""Sentences of a customer: the numbers in their form, in the words and digits of the language."""

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
from pipeline.languages.language import Language

_fields_of = lru_cache(maxsize=1_000)(sentence_fields.fields_of)


def filled(sentence: str, language: Language, row: Mapping[str, Any]) -> str | None:
    """The sentence with its numbers; None when one of them is unknown.

    Examples
    --------
    >>> en, fa, mr = Language("en"), Language("fa"), Language("mr")
    >>> filled("{orders:order} in {days:day}, {share:%} returned", en, {"orders": 0, "days": 1.2, "share": 0.5})
    'no orders in 1 day, 50% returned'
    >>> filled("{days:روز}", fa, {"days": 12})
    '۱۲ روز'
    >>> [filled("{days:दिवसापूर्वी|दिवसांपूर्वी}", mr, {"days": n}) for n in (1, 5)]
    ['१ दिवसापूर्वी', '५ दिवसांपूर्वी']
    >>> filled("{days:day} ago", en, {"days": float("nan")}) is None
    True
    """
    told = []
    for text, name, form in _fields_of(sentence):
        told.append(language.digits(text))
        if not name:
            continue
        value = row.get(name)
        if value is None or value is pd.NaT:
            return None
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            return None
        told.append(_shown(value, form, language))
    return "".join(told)


def _shown(value: Any, form: str, language: Language) -> str:
    if isinstance(value, str | dt.date) or not isinstance(value, int | float | np.number):
        return re.sub(r"[\x00-\x1f\x7f]+", " ", str(value))
    number = float(value)
    if form.startswith("-"):
        number, form = -number, form[1:]
    if form == "%":
        return language.percent(100 * number, 0)
    if form and not form.isdecimal():
        return _counted(round(number), form.split("|"), language)
    text = language.number(number, int(form) if form else 0, 0)
    return language.number(0) if float(f"{number:.{int(form) if form else 0}f}") == 0 else text


def _counted(number: int, nouns: list[str], language: Language) -> str:
    """A number and its noun: of some forms that which goes with the number."""
    if language.code == "en":
        forms = nouns if len(nouns) > 1 else [nouns[0], sentence_fields.plural(nouns[0])]
        return f"{language.number(number) if number else 'no'} {forms[0] if abs(number) == 1 else forms[-1]}"
    return f"{language.number(number)} {language.form(nouns, number)}"
