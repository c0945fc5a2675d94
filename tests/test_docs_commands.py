"""The commands and the settings of the documents, run and read as they are written.

A comment before a block says what is special about it:

- `<!-- not run: why -->`: it needs what a test does not have;
- `<!-- file: name -->`: the block is the content of that file, which the commands below it may use;
- `<!-- playbook -->`: YAML of a playbook instead of a config.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from configs.base import Section
from configs.playbook import load_playbook
from configs.schema import load_config
from tests.forked import forked_churn

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"(?:^<!-- ([\w ]+)(?:: (.*?))? -->\n)?^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = ("churn ", "make ", "head ", "CHURN__")
SMALL = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "10", "CHURN__MODEL__TEST_SNAPSHOTS": "1"}


def blocks(page):
    """Comment, its value, language and lines of each fenced block."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield found[1] or "", found[2] or "", found[3], found[4]


def is_shell(language, text):
    """Whether a block holds commands; some documents leave the language out."""
    return language == "bash" or (not language and text.startswith(COMMANDS))


def runs(page):
    """The blocks of a page that are files or commands to be run, in order."""
    for comment, value, language, text in blocks(page):
        if comment == "file":
            yield value, text
        elif is_shell(language, text) and comment != "not run":
            yield "", text


def shell(text, home, **environment):
    """Run lines in a shell that stops at the first failure, with a small model and a home of its own."""
    path = os.pathsep.join(map(str, (forked_churn().parent, Path(sys.executable).parent, os.environ["PATH"])))
    return subprocess.run(
        ["bash", "-ec", text],
        cwd=home,
        env={**os.environ, **SMALL, "PATH": path, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder in which the tutorial's first command was run, for fewer customers."""
    home = tmp_path_factory.mktemp("docs")
    (first,) = [text for _, text in runs(ROOT / "docs" / "tutorial.md") if "churn demo" in text]
    done = shell(first.replace("churn demo", "churn demo --customers 300"), home)
    assert done.returncode in (0, 3), done.stderr
    return home


def test_every_block_that_is_not_run_says_why():
    untold = [
        (page.name, text)
        for page in PAGES
        for comment, value, language, text in blocks(page)
        if (comment == "not run" and not value) or comment not in ("", "not run", "file", "playbook")
    ]
    assert not untold


@pytest.fixture(scope="module")
def done_before():
    """Lines that an earlier page has run."""
    return set()


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if any(runs(p))], ids=lambda p: p.name)
def test_the_commands_of_a_page_run(page, home, done_before):
    for name, text in runs(page):
        if name:
            (home / name).write_text(text, encoding="utf-8")
        elif "churn demo" not in text:
            for line in text.replace("\\\n", "").splitlines():
                if line in done_before:
                    continue
                done_before.add(line)
                done = shell(line, home)
                assert done.returncode in (0, 3), f"{line}\n{done.stderr}"
                assert done.stdout or "--out" in line, line


def merged(base, change):
    """Nested mappings laid over each other."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}


SETTINGS = [
    pytest.param(comment, text, id=f"{page.name} {number}")
    for page in PAGES
    for number, (comment, _, language, text) in enumerate(blocks(page))
    if language == "yaml"
]


@pytest.mark.parametrize(("comment", "text"), SETTINGS)
def test_the_settings_of_a_page_are_known_keys(comment, text, tmp_path):
    change = yaml.safe_load(text)
    if comment == "playbook":
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
        assert set(load_playbook(tmp_path / "p.yaml").actions) == set(change["actions"])
        return
    alone = {"churn", "sources"} <= set(change)
    base = {} if alone else yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8"))
    whole = merged({"name": "page", **base}, change)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    assert isinstance(load_config(tmp_path / "c.yaml", environ={}), Section)
