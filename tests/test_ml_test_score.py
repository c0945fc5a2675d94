"""The page of the ML Test Score adds up, and every test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ml-test-score.md").read_text(encoding="utf-8")
NAMES = ("Data", "Model", "Infrastructure", "Monitoring")


def sections():
    """Section to its rows: (test, score, what runs it)."""
    rows = {}
    for name in NAMES:
        text = PAGE.split(f"## {name}\n")[1].split("\n## ")[0]
        rows[name] = re.findall(r"^\| (.+?) \| (0|0\.5|1) \| (.+) \|$", text, re.MULTILINE)
    return rows


def test_there_are_28_tests_and_their_scores_add_up():
    found = sections()
    assert {len(rows) for rows in found.values()} == {7}
    told = {
        name: float(score)
        for name, score in re.findall(r"^\| (\w+) \| ([\d.]+) of 7 \|$", PAGE, re.MULTILINE)
    }
    assert told == {name: sum(float(score) for _, score, _ in rows) for name, rows in found.items()}
    assert f"The score is **{min(told.values()):g}**" in PAGE


def test_every_test_that_is_named_exists_and_a_full_score_names_one_or_a_command():
    for rows in sections().values():
        for name, score, by in rows:
            named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", by)
            missing = [t for f, t in named if f"def {t}(" not in (ROOT / f).read_text(encoding="utf-8")]
            assert not missing, name
            assert score != "1" or named, name
