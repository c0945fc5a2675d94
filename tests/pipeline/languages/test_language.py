import datetime as dt

import jdatetime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import ConfigError
from pipeline.languages.jalali import jalali
from pipeline.languages.language import LANGUAGES, Language

EN, FA, MR = (Language(code) for code in LANGUAGES)


@given(st.dates(dt.date(1920, 1, 1), dt.date(2100, 1, 1)))
def test_the_persian_calendar_is_that_of_others(day):
    theirs = jdatetime.date.fromgregorian(date=day)
    assert jalali(day) == (theirs.year, theirs.month, theirs.day)


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
def test_a_number_is_the_same_in_every_language(value, digits):
    def plain(language):
        shown = language.number(value, digits)
        for i, digit in enumerate(language.digits("0123456789")):
            shown = shown.replace(digit, str(i))
        return "".join(c for c in shown.replace("٫", ".").replace("−", "-") if c in "0123456789.-")

    assert plain(EN) == plain(FA) == plain(MR)
    assert float(plain(EN)) == pytest.approx(value, abs=0.51 * 10**-digits, rel=1e-12)


@pytest.mark.parametrize(
    ("currency", "told"),
    [
        (None, ("1,234.50", "۱٬۲۳۴٫۵۰", "१,२३४.५०")),
        ("EUR", ("€1,234.50", "۱٬۲۳۴٫۵۰ €", "€१,२३४.५०")),
        ("INR", ("₹1,234.50", "۱٬۲۳۴٫۵۰ ₹", "₹१,२३४.५०")),
        ("JPY", ("JP¥1,234.50", "۱٬۲۳۴٫۵۰ ¥", "JP¥१,२३४.५०")),
    ],
)
def test_amounts_have_the_sign_of_the_currency_where_the_language_has_it(currency, told):
    assert tuple(Language(code, currency).amount(1234.5, 2) for code in LANGUAGES) == told


def test_unknown_values_are_dashes():
    for language in (EN, FA, MR):
        for value in (None, float("nan"), float("inf")):
            shown = {language.number(value), language.percent(value), language.amount(value)}
            assert shown == {"–"}


def test_what_is_nobodys_text_comes_back_as_it_is():
    assert FA.word("Kaveh & Co") == "Kaveh & Co"
    assert FA.word("") == ""
    with pytest.raises(ConfigError, match="known: en, fa, mr"):
        Language("de")
