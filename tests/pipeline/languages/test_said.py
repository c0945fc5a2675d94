import ast
import copy
import datetime as dt
import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages.language import LANGUAGES, Language
from pipeline.languages.names import in_words, role_in_words
from pipeline.languages.said import NO_LINE, Said, said, said_again, said_n, spoken, together
from pipeline.monitoring.checks import Check
from pipeline.monitoring.trained import renamed_values

EN, FA, MR = (Language(code) for code in LANGUAGES)
DAY = dt.date(2026, 7, 1)
# Where lines are made of something else than a sentence of the catalogue.
MAKERS = {"said.py", "names.py"}


def modules():
    for package in ("pipeline", "features"):
        yield from sorted(Path(str(resources.files(package))).rglob("*.py"))


def calls(path, names):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
            yield node


def test_a_line_is_told_in_every_language():
    line = said_n(
        "{role}: {n} of {total} rows lies at or after {day} and is ignored",
        "{role}: {n} of {total} rows lie at or after {day} and are ignored",
        1,
        role=role_in_words("transactions"),
        total=12_000,
        day=DAY,
    )
    assert line == "transactions: 1 of 12,000 rows lies at or after 2026-07-01 and is ignored"
    assert spoken(line, EN) == line
    assert (
        spoken(line, FA) == "خریدها: ۱ سطر از ۱۲٬۰۰۰ سطر در ۱۰ تیر ۱۴۰۵ یا پس از آن است و نادیده گرفته می‌شود"
    )
    assert spoken(line, MR) == "खरेदी: १२,००० पैकी १ ओळ १ जुलै, २०२६ रोजीची किंवा नंतरची आहे, ती सोडून दिली आहे"


def test_lines_within_lines_and_the_signs_between_them():
    gone = together([said("gone: {values!r}", values=["a", "b"]), said("see the export"), NO_LINE])
    assert gone == "gone: 'a', 'b'; see the export"
    assert spoken(gone, FA) == "ازمیان‌رفته: 'a'، 'b'؛ خروجی را بررسی کنید"
    assert (
        spoken(together([in_words("checks", "volume"), said("see the export")], ", "), FA)
        == "حجم، خروجی را بررسی کنید"
    )
    assert (
        spoken(said("{check} {place}: {found}", check="x.y; z", place="p", found="q"), FA) == "x.y; z، p: q"
    )


def test_what_is_data_stays_as_it_is():
    assert spoken("Kaveh & Co 12", FA) == "Kaveh & Co 12"
    assert spoken(Said("Kaveh & Co 12"), FA) == "Kaveh & Co 12"
    assert spoken(said("customer {ids!r}", ids=["C-12"]), FA) == "مشتری 'C-12'"
    assert spoken(said_again("control group"), FA) == "گروه شاهد"


@pytest.mark.parametrize(
    ("spec", "value", "shown", "persian"),
    [
        ("{x}", 1200, "1,200", "۱٬۲۰۰"),
        ("{x}", 0.25, "0.25", "۰٫۲۵"),
        ("{x:.2f}", 1234.5, "1,234.50", "۱٬۲۳۴٫۵۰"),
        ("{x:.1%}", 0.256, "25.6%", "۲۵٫۶٪"),
        ("{x:.0%}", 0.5, "50%", "۵۰٪"),
        ("{x:.4g}", 0.0123456, "0.01235", "۰٫۰۱۲۳۵"),
        ("{x:.4g}", 12345.6, "12,346", "۱۲٬۳۴۶"),
        ("{x:.4g}", 3.0, "3", "۳"),
        ("{x:g}", 0.05, "0.05", "۰٫۰۵"),
    ],
)
def test_numbers_have_the_digits_of_the_language(spec, value, shown, persian):
    assert said(spec, x=value) == shown
    assert spoken(said(spec, x=value), FA) == persian


@given(st.floats(1e-6, 1e9), st.sampled_from(["", ".4g", ".2f", ".1%"]))
def test_a_number_is_the_same_number_in_every_language(value, spec):
    line = said("{x:" + spec + "}", x=value)
    digits = {c: str(i) for language in (FA, MR) for i, c in enumerate(language.digits("0123456789"))}
    for language in (FA, MR):
        plain = "".join(digits.get(c, c) for c in spoken(line, language))
        assert re.sub("[^0-9]", "", plain) == re.sub("[^0-9]", "", line)


@pytest.mark.parametrize("language", [FA, MR])
def test_the_monitoring_says_nothing_in_english(language):
    unit, advice = said("days without a row"), renamed_values(["۷"], ["۸"])
    check = Check("silence", "contacts", 12.5, 0, 7, unit, "look", advice, 2.0)
    assert check.line == "silence contacts: 12.5 days without a row, expected 0 to 7; " + advice
    assert not re.search("[A-Za-z0-9]", spoken(check.line, language))


def test_a_copied_line_is_still_one():
    line = said("customer {ids!r}", ids=["7"])
    assert spoken(copy.deepcopy(line), FA) == spoken(line, FA)


def test_every_line_is_a_sentence_that_the_catalogues_can_find():
    """With the types, which let no plain text be a note or a warning, no English line can reach a reader."""
    found = 0
    for path in modules():
        for call in calls(path, {"said", "said_n"} if path.name != "said.py" else set()):
            found += 1
            words = call.args[:2] if call.func.id == "said_n" else call.args[:1]
            assert all(isinstance(w, ast.Constant) and isinstance(w.value, str) for w in words), (
                path,
                call.lineno,
            )
        if path.name not in MAKERS:
            assert not list(calls(path, {"Said"})), path
    assert found > 100


@pytest.mark.parametrize("text", ["`{key}`", "`churn train`"])
def test_what_is_to_be_copied_stands_between_backticks(text):
    """A key of the config or a command in a line is copied, not translated: it is marked as such."""
    bare = re.compile(
        r"(?<!`)\b(?:outreach|sources|monitoring|model|nightly)\.[a-z_{}]+|(?<!`)\bchurn [a-z]+\b"
    )
    assert bare.sub("", text) == text
    for path in modules():
        for call in calls(path, {"said", "said_n"} if path.name != "said.py" else set()):
            for word in call.args[:2]:
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    said_outside = re.sub("`[^`]*`", "", word.value)
                    assert not bare.search(said_outside), (path, call.lineno)
