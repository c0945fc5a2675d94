"""Numbers, dates, money and plural forms as a reader of each language has them."""

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


@pytest.mark.parametrize(
    ("value", "digits", "least", "told"),
    [
        (1.5, 2, 0, "1.5"),
        (1.0, 2, 0, "1"),
        (1.0, 2, 1, "1.0"),
        (1.255, 2, None, "1.26"),
        (1.005, 1, 0, "1"),
        (-1234567.0, 0, None, "-1,234,567"),
        (0.0, 1, None, "0.0"),
    ],
)
def test_digits_after_the_point_are_those_asked_for(value, digits, least, told):
    assert EN.number(value, digits, least) == told


def test_thousands_are_parted_as_the_language_does():
    assert [language.number(12_345_678) for language in (EN, FA, MR)] == [
        "12,345,678",
        "۱۲٬۳۴۵٬۶۷۸",
        "१,२३,४५,६७८",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "told"), [(70.46, 1, "70.5%"), (0.04, 1, "0.0%"), (100, 0, "100%")]
)
def test_a_percentage_is_of_hundred(value, digits, told):
    assert EN.percent(value, digits) == told
    shown = FA.percent(value, digits)
    assert shown.endswith("٪")
    assert "%" not in shown


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.0, "< 1%"),
        (0.0099, "< 1%"),
        (0.01, "1%"),
        (0.5, "50%"),
        (0.99, "99%"),
        (0.9901, "> 99%"),
        (1.0, "> 99%"),
    ],
)
def test_a_chance_is_never_a_certainty(probability, told):
    assert EN.chance(probability) == told


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("2025", ("2025", "")),
        ("2025-Q3", ("Q3", "2025")),
        ("2025-01", ("Jan", "2025")),
        ("2025-13", ("2025-13", "")),
        ("2025-02-30", ("2025-02-30", "")),
        ("2025-09-15", ("15 Sept", "2025")),
        ("(all)", ("(all)", "")),
    ],
)
def test_the_name_of_a_period(label, told):
    assert EN.period(label) == told


def test_a_period_is_in_the_digits_of_the_language():
    assert FA.period("2025") == ("۲۰۲۵", "")
    assert FA.period("2025-Q3")[1] == "۲۰۲۵"
    assert MR.period("2025-01") == ("जाने", "२०२५")


def test_plural_forms_follow_the_number():
    forms = ["{n} customer", "{n} customers"]
    assert [EN.several(*forms, n) for n in (0, 1, 2, -1)] == [
        "0 customers",
        "1 customer",
        "2 customers",
        "-1 customer",
    ]
    assert [EN.form(["one", "more"], n) for n in (0, 1, 1.5, 2)] == ["more", "one", "more", "more"]
    assert EN.form(["only"], 1) == "only"
    # Persian says nothing and one alike.
    assert [FA.form(["one", "more"], n) for n in (0, 1, 2)] == ["one", "one", "more"]


@pytest.mark.parametrize("value", [0.0, 0.04, -0.049, -0.0])
def test_a_difference_that_is_shown_as_nothing_has_no_sign(value):
    assert EN.points(value) == "0.0"


def test_a_list_of_names_has_the_comma_of_the_language():
    assert (EN.comma, FA.comma, MR.comma) == (", ", "، ", ", ")
    assert [language.right_to_left for language in (EN, FA, MR)] == [False, True, False]


def test_a_date_may_be_short_and_is_of_the_solar_calendar_in_persian():
    day = dt.date(2025, 3, 20)
    assert EN.day(day, "short") == "20/03/2025"
    assert FA.day(day) == FA.day(day, "short") == "۳۰ اسفند ۱۴۰۳"  # a leap year's last day
    assert FA.day(day + dt.timedelta(days=1)) == "۱ فروردین ۱۴۰۴"
