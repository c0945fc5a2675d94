import pytest

from configs.errors import ConfigError
from configs.playbook import load_playbook

GOOD = """
actions:
  call:
    title: {en: Call}
    channel: phone
    cost: 5
    save_rate: {saved: 1, lost: 9}
    when: [{drivers: [silence]}]
    message: {en: "Hello {name}, quiet for {recency_days} days."}
"""


def load(folder, text):
    file = folder / "playbook.yaml"
    file.write_text(text, encoding="utf-8")
    return load_playbook(file)


def test_a_small_playbook(tmp_path):
    action = load(tmp_path, GOOD).actions["call"]
    assert action.save_rate.mean == 0.1
    assert (action.owner, action.audience) == ("account_manager", "customers")
    assert action.message["en"] == ["Hello {name}, quiet for {recency_days} days."]


def test_texts_may_be_english_alone_or_by_language(tmp_path):
    action = load(tmp_path, GOOD.replace("title: {en: Call}", "title: Call")).actions["call"]
    assert action.title == {"en": "Call"}
    assert len(load_playbook().actions) >= 17


def test_all_faults_at_once_with_the_nearest_key(tmp_path):
    text = (
        GOOD.replace("cost: 5", "cots: 5")
        .replace("drivers: [silence]", "driver: [silence]")
        .replace("lost: 9", "lost: 0")
        .replace("{name}", "{name.__class__}")
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    faults = "\n".join(map(str, caught.value.faults))
    assert "actions.call.cots: unknown key; did you mean 'cost'?" in faults
    assert "actions.call.when.0.driver: unknown key; did you mean 'drivers'?" in faults
    assert "actions.call.save_rate.lost: is 0" in faults
    assert "field {name.__class__}" in faults
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{drivers: [silence]}", "{columns: {x: {above: 3, below: 2}}}", "above 3 and below 2"),
        ("{drivers: [silence]}", "{}", "an empty condition"),
        ("title: {en: Call}", "title: {fa: تماس}", "needs at least the language en"),
        ("title: {en: Call}", "title: {de: Anruf, en: Call}", "'en', 'fa' or 'mr'"),
        ("{recency_days}", "{recency_days:>9999}", "digits"),
        ("{recency_days}", "{recency_days", "expected '}'"),
        ("call:", "Call me:", "pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, old, new, says):
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize("text", ["", "[1, 2]", "actions: [", "actions: {}"])
def test_no_playbook_at_all(tmp_path, text):
    with pytest.raises(ConfigError, match=r"playbook\.yaml"):
        load(tmp_path, text)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="leave it out for the one of churn"):
        load_playbook(tmp_path / "none.yaml")
