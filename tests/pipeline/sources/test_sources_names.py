"""Names of columns as words: by case, signs and blanks."""

import pytest

from pipeline.sources.names import words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HTTPServerID", "http server id"),
        ("already_snake", "already snake"),
        ("Associated Contact IDs", "associated contact ids"),
        ("Termination_Date__c", "termination date"),
        ("  A--b__C ", "a b c"),
        ("KundenNr2", "kunden nr2"),
        ("نام\u200cمشتری", "نام مشتری"),
    ],
)
def test_the_words_of_a_name(name, words):
    assert words_of(name) == words
    assert words_of(words) == words
