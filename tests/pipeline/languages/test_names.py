"""Every key of ours that people may read has a word, and every word its translations."""

import pytest

from configs.monitoring import CHECKS
from configs.nightly import WEEKDAYS
from configs.retention import Retention
from configs.roles import ROLES
from pipeline.languages import names
from pipeline.languages.language import LANGUAGES, Language
from pipeline.languages.names import in_words, name, role_in_words
from pipeline.languages.said import spoken
from pipeline.output_columns import OUTPUTS
from pipeline.sources.contacted import OUTCOMES

KEYS = {
    "roles": set(ROLES),
    "checks": set(CHECKS),
    "weekdays": set(WEEKDAYS),
    "outcomes": set(OUTCOMES),
    "columns": set(OUTPUTS["outreach.csv"]),
    "units": {"week", "month", "quarter", "year"},
    "metrics": {goal.metric for goal in Retention().goals},
}


@pytest.mark.parametrize("group", KEYS)
def test_no_key_is_without_a_word(group):
    assert KEYS[group] <= set(names._GROUPS[group])


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_every_word_is_translated(code):
    language = Language(code)
    same = [t for words in names._GROUPS.values() for t in words.values() if language.word(t) == t]
    assert same in ([], ["NPS", "NPS"])


def test_within_a_line_a_key_is_itself_in_english_and_a_word_elsewhere():
    line = role_in_words("failed_payments")
    assert line == "failed_payments"
    assert spoken(line, Language("fa")) == Language("fa").word("failed payments")


def test_what_is_not_ours_comes_back_as_it_is():
    assert in_words("channels", "fax") == "fax"
    assert spoken(in_words("channels", "fax"), Language("mr")) == "fax"
    assert name(Language("mr"), "channels", "fax") == "fax"
    assert name(Language("en"), "channels", "sms") == "text message"
