"""Numbers as people write them: what is read, what could be two numbers, and what is none."""

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.amounts import amount_in, currency_of, in_thousandths, number, plain, point_of


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1,234.50", None, None, 1234.5),
        ("1.234,50", None, None, None),  # a comma as the decimal sign has to be said
        ("1.234,50", ",", None, 1234.5),
        ("1,234", None, None, None),  # 1234 or 1.234
        ("1,234,567", None, None, 1234567),
        ("12,34,567.5", None, None, 1234567.5),  # as in India
        ("1 234,5", ",", " ", 1234.5),
        ("1'234.5", None, None, 1234.5),
        ("1.250", None, None, 1.25),
        ("1.250", None, ".", 1250),
        ("1.250,5", None, ".", 1250.5),
        (".5", None, None, 0.5),
        ("5.", None, None, 5),
        ("1e3", None, None, 1000),
        ("€ 19", None, None, 19),
        ("19,- €", ",", None, 19),  # a dash in the place of the cents
        ("-19,-", ",", None, -19),
        ("Fr. 1'200.--", None, None, 1200),
        ("19,-", None, None, None),
        ("-€ 19", None, None, -19),
        ("€ -19", None, None, -19),
        ("19-", None, None, -19),
        ("(19.50 USD)", None, None, -19.5),
        ("(19", None, None, None),
        ("19)", None, None, None),
        ("+7", None, None, 7),
        ("۱۲٬۳۴۵٫۵ تومان", None, None, 12345.5),
        ("Rs. 500", None, None, 500),
        ("\u200f۵\u200e", None, None, 5),
        ("\u2212 3", None, None, -3),
        ("19 apples", None, None, None),
        ("1 2", None, None, None),
        ("", None, None, None),
        ("-", None, None, None),
        ("1,,234.0", None, None, None),
        ("0x10", None, None, None),
    ],
)
def test_what_a_text_means(text, decimal, thousands, value):
    assert amount_in(text, decimal, thousands) == value


@given(
    value=st.integers(-(10**9), 10**9),
    signs=st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'"), (".", " ")]),
    currency=st.sampled_from(["", "€ ", "USD ", "CHF "]),
    brackets=st.booleans(),
)
def test_what_is_written_with_named_signs_reads_back(value, signs, currency, brackets):
    point, thousands = signs
    text = f"{abs(value) / 100:,.2f}".translate(str.maketrans({".": point, ",": thousands}))
    text = f"{currency}{text}"
    if value < 0:
        text = f"({text})" if brackets else f"-{text}"
    assert amount_in(text, point, thousands) == value / 100


@given(st.text(max_size=12), st.sampled_from([None, ".", ","]), st.sampled_from([None, ",", ".", " ", "'"]))
def test_any_text_is_a_number_or_none(text, decimal, thousands):
    found = amount_in(text, decimal, thousands)
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize("decimal", [None, ".", ","])
def test_the_engine_reads_as_the_function_does(decimal):
    texts = ["1,234.50", "1.234,50", "1,25", "1.25", "$ 3", "-4", "7-", "(8)", "x", "1e3", "۵", "1 234"]
    rows = ibis.memtable({"text": texts})
    found = rows.select(value=number(rows.text, decimal, None)).to_pyarrow()["value"].to_pylist()
    assert found == [amount_in(text, decimal, None) for text in texts]


@pytest.mark.parametrize(
    ("decimal", "thousands", "point"),
    [(None, None, "."), (None, ".", ","), (",", None, ","), (".", ",", "."), (None, ",", ".")],
)
def test_the_decimal_sign(decimal, thousands, point):
    assert point_of(decimal, thousands) == point


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("€ 5", "€"), ("5€", "€"), ("5 EUR", "EUR"), ("US$ 5", "US$"), ("5 kr", "kr"), ("-5 zł", "zł"), ("5,- €", "€"),
        ("(5 USD)", "USD"), ("5", None), ("5 kg", None), ("EUR", None), ("5-", None),
    ],
)  # fmt: skip
def test_the_currency_beside_a_number(text, which):
    assert currency_of(text) == which


def test_three_digits_behind_a_point_may_be_thousands():
    rows = ibis.memtable({"text": ["1.250", "0.125", "12.5", "1250", "1234.500", "-3.000"]})
    pointed, three = in_thousandths(rows.text)
    found = rows.select(pointed=pointed, three=three).to_pyarrow()
    assert found["pointed"].to_pylist() == [True, True, True, False, True, True]
    assert found["three"].to_pylist() == [True, False, False, False, False, True]


def test_digits_of_other_scripts_and_marks_that_show_nothing():
    assert plain("۰۹ ٠٩ ०९ ０９\u200e−5\ufeff") == "09 09 09 09-5"
