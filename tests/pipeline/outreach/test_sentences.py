import numpy as np
import pandas as pd
import pytest

from pipeline.languages.language import Language
from pipeline.outreach.sentences import filled


@pytest.mark.parametrize(
    ("form", "number", "told"),
    [
        ("", 1234.4, "1,234"),
        ("1", 3.0, "3"),
        ("1", 3.14, "3.1"),
        ("2", 10.0, "10"),
        ("%", 0.256, "26%"),
        ("day", 1.2, "1 day"),
        ("day", 1.6, "2 days"),
        ("day", 1234, "1,234 days"),
        ("delivery", 2, "2 deliveries"),
        ("order", 0, "no orders"),
        ("-", -5.0, "5"),
        ("-order", -1.0, "1 order"),
        ("", -0.2, "0"),
        ("", np.float32(7), "7"),
        ("", "a\r\nb", "a b"),
    ],
)
def test_a_number_in_its_form(form, number, told):
    assert filled(f"{{x:{form}}}", Language("en"), {"x": number}) == told


@pytest.mark.parametrize("unknown", [None, float("nan"), np.float32("inf"), -float("inf"), pd.NaT])
def test_an_unknown_number_leaves_no_sentence(unknown):
    assert filled("for {x:day}", Language("en"), {"x": unknown}) is None
    assert filled("for {x:day}", Language("en"), {}) is None


def test_a_noun_has_the_forms_that_its_language_asks_for():
    mr = Language("mr")
    assert [filled("{x:दिवसापूर्वी|दिवसांपूर्वी}", mr, {"x": n}) for n in (0, 1, 1.4, 2)] == [
        "० दिवसांपूर्वी", "१ दिवसापूर्वी", "१ दिवसापूर्वी", "२ दिवसांपूर्वी",
    ]  # fmt: skip
    assert [filled("{x:child|children}", Language("en"), {"x": n}) for n in (0, 1, 7)] == [
        "no children", "1 child", "7 children",
    ]  # fmt: skip
    assert filled("{x:دیگر} 5", Language("fa"), {"x": 1234.0}) == "۱٬۲۳۴ دیگر ۵"
    assert filled("{x:दिवस}", mr, {"x": 1}) == "१ दिवस"
