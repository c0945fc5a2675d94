import re
import string
from importlib import resources
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from configs.sentence_fields import fields_of
from pipeline.languages.language import LANGUAGES, Language, catalogue
from pipeline.languages.texts import texts, untranslated, updated

OTHERS = LANGUAGES[1:]
ALL = texts()
SCRIPT = {"fa": r"[\u0600-\u06FF]", "mr": r"[\u0900-\u097F]"}
# Latin words that readers of every language know: names, letters of a formula, keys of the config and of the board.
KNOWN = {"NPS", "AUC", "S", "N", "E", "UTC", "Enter", "c", "retention", "goals", "segments"}


def content(code):
    return (resources.files("pipeline.languages") / f"{code}.po").read_bytes()


def forms(text, code):
    """Every translation of a text, by its plural forms."""
    found = catalogue(code)
    if isinstance(text, str):
        return [found.gettext(text)]
    return sorted({found.ngettext(*text, n) for n in range(12)})


def fields(text):
    """Names in the braces; a sentence of a feature may have one name within another's."""
    return sorted(re.findall(r"\{(\w+(?:\{days\}\w*)?(?:!r|:[.,+]\w+)?)", text))


def copied(text):
    """What is copied as it stands: commands, files and keys of the config."""
    return sorted(re.findall("`[^`]*`", text))


def bare(text):
    """Without what is copied and what stands in braces, the innermost first; the nouns of a field are text."""
    text = re.sub(r"`[^`]*`|\{\w+!r\}|\{\w+:(?:[.,+]\w*%?|g)\}", " ", text)
    while (
        cut := re.sub(r"\{[^{}:]*(?::([^{}]*))?\}", lambda f: f" {(f[1] or '').strip('-0123456789%')} ", text)
    ) != text:
        text = cut
    return text


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_is_of_today_and_whole(code):
    assert updated(code, content(code)) == content(code), "run python -m pipeline.languages.texts"
    assert untranslated(content(code)) == []
    assert len(read_po(BytesIO(content(code)))) == len(ALL) > 350


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_in_the_language_and_none_is_the_english_one(code):
    for text in ALL:
        for form in forms(text, code):
            said = bare(form)
            if not re.search("[^\\W\\d_]", bare(text if isinstance(text, str) else text[0])):
                continue
            assert form not in (text, *text), text
            assert re.search(SCRIPT[code], said), (text, form)
            assert set(re.findall("[A-Za-z]+", said)) <= KNOWN, (text, form)
            assert not re.search("[0-9]", said), (text, form)


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_tells_what_the_text_tells(code):
    for text in ALL:
        wanted = [fields(each) for each in ((text,) if isinstance(text, str) else text)]
        for form in forms(text, code):
            assert fields(form) in wanted, form
            assert copied(form) == copied(text if isinstance(text, str) else text[0]), form
            if "}d" in form or re.search(r"\{[^{}.,+]*:[^{}.,+]*\}", form):
                fields_of(form.replace("{days}", "30"))
            else:
                list(string.Formatter().parse(form))


def test_plurals_follow_the_language():
    one, many = "{n} day ago", "{n} days ago"
    assert [Language("mr").several(one, many, n) for n in (0, 1, 2)] == [
        "० दिवसांपूर्वी", "१ दिवसापूर्वी", "२ दिवसांपूर्वी",
    ]  # fmt: skip
    assert [Language("en").several(one, many, n) for n in (1, 1_234)] == ["1 day ago", "1,234 days ago"]
    assert Language("fa").several(one, many, 1_234) == "۱٬۲۳۴ روز پیش"


def test_new_texts_are_empty_and_old_ones_go():
    old = (
        b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "was here"\nmsgstr "x"\n'
    )
    found = updated("mr", old)
    assert b"was here" not in found
    assert len(untranslated(found)) == len(ALL)
