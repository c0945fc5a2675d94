"""Texts that people, or people who mean harm, write: each is told with its key, and none costs time."""

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import ConfigError
from configs.playbook import load_playbook
from configs.yaml_text import DEEPEST, parse
from tests.configs.test_schema import SHOP, faults, load

PAIR = "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]"
BOMB = "\n".join(["a0: &a0 [1, 2]", *(PAIR.format(i, i - 1) for i in range(1, 40))])
ATTACKS = {
    "a date that is none": ("as_of: 2026-02-30", "as_of (line 1): '2026-02-30' is in no calendar"),
    "a month that is none": (
        "x: {as_of: [2026-13-01]}",
        "x.as_of.0 (line 1): '2026-13-01' is in no calendar",
    ),
    "a time that is none": ("as_of: 2026-01-01T25:00:00Z", "as_of (line 1)"),
    "a long number": ("seed: " + "9" * 5_000, "seed (line 1): is a number of 5,000 characters"),
    "a long fraction": ("margin: 0." + "9" * 5_000, "margin (line 1): is a number of 5,002 characters"),
    "a long list": ("x: [" + "1," * 60_000 + "]", "is one of more than 5,000 values"),
    "deep lists": ("x: " + "[" * 50_000, "x.0.0.0"),
    "deep mappings": ("{a: " * 50_000, "levels deep"),
    "deep lists by dashes": ("- " * 50_000, "levels deep"),
    "a bomb of aliases": (BOMB, "is one of more than 5,000 values"),
    "a list that holds itself": ("x: &a [*a]", "x.0 (line 1): refers to 'a', which holds it"),
    "a key twice": ("churn: {gap_days: 1, gap_days: 2}", "churn.gap_days (line 1): stands there twice"),
    "a section twice": ("churn: {}\nmodel: {}\nchurn: {}", "churn (line 3): stands there twice"),
    "a list as a key": ("? [a, b]\n: 1", "has a key that is no text"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_told_with_its_key_within_a_second(tmp_path, name):
    text, says = ATTACKS[name]
    for read in (lambda: faults(tmp_path, text), lambda: faults(tmp_path, SHOP, {"CHURN__MODEL": text})):
        started = time.process_time()
        found = read()
        assert time.process_time() - started < 1
        assert says in "\n".join(found)
        assert all(len(line) < 300 for line in found)
    (tmp_path / "playbook.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"playbook\.yaml: \d+ fault"):
        load_playbook(tmp_path / "playbook.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [ls]",
        "x: !!int abc",
        "x: *unknown",
        "x: \0",
        "x: [",
        "%YAML 9.9\n",
        "\t",
    ],
)
def test_what_is_no_yaml_is_one_line(tmp_path, text):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert error.value.exit_code == 2
    assert len(str(error.value)) < 500


def test_a_file_that_never_ends_is_read_to_a_limit():
    from configs.schema import load_config

    started = time.monotonic()
    with pytest.raises(ConfigError, match="more than 1,000,000 characters"):
        load_config("/dev/zero", environ={})
    assert time.monotonic() - started < 5


def test_every_fault_of_a_text_is_told_at_once():
    with pytest.raises(ConfigError) as error:
        parse("a: 2026-02-30\nb: 1\nb: 2\nc: 20260-01-01", "x")
    assert [fault.where for fault in error.value.faults] == ["a (line 1)", "b (line 3)"]


def test_anchors_and_merges_still_work():
    text = "base: &b {x: 1}\nmore: {<<: *b, y: [*b, *b]}"
    assert parse(text, "x") == {"base": {"x": 1}, "more": {"x": 1, "y": [{"x": 1}] * 2}}


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8) | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_whatever_yaml_writes_is_read_as_yaml_reads_it(value):
    text = yaml.safe_dump(value, allow_unicode=True)
    assert parse(text, "x") == yaml.safe_load(text)


def test_the_deepest_that_is_allowed():
    assert parse("[" * DEEPEST + "]" * DEEPEST, "x")
    with pytest.raises(ConfigError, match="levels deep"):
        parse("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "x")


NUMBERS = [
    "seed",
    "margin",
    "churn.horizon_days",
    "churn.gap_days",
    "model.trees",
    "model.learning_rate",
    "engine.memory_gb",
    "outreach.capacity",
    "snapshots.step_days",
    "tracking.keep_days",
]


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("word", ["true", "no"])
def test_a_yes_is_no_number(tmp_path, key, word):
    found = faults(tmp_path, SHOP, {f"CHURN__{key.replace('.', '__').upper()}": word})
    assert len(found) == 1
    assert found[0].startswith(f"{key} (from CHURN__")
    assert "is true or false, expected a number" in found[0]


def test_a_yes_in_a_list_of_numbers(tmp_path):
    found = faults(tmp_path, SHOP + "features: {windows_days: [30, true]}")
    assert found == ["features.windows_days: is true or false, expected a number"]


@pytest.mark.parametrize(
    "day", ["20260131", "1", "0001-01-01", "9999-12-31", "'2026-02-30'", "true", "2026-01-01 10:00:00"]
)
def test_a_day_is_a_day(tmp_path, day):
    found = faults(tmp_path, SHOP + f"as_of: {day}")
    assert len(found) == 1
    assert found[0].startswith("as_of: ")
