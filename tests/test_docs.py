"""The documents name what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
MADE = ("data/", "s3/")  # by a run, not by the project


def paths(text):
    """Files and folders of the project that a document names between backticks."""
    told = re.findall(r"`([\w./]+)`", text)
    return [t for t in told if "/" in t and not t.startswith(MADE)]


def test_a_path_is_found_and_a_word_is_not():
    assert paths("see `configs/roles.py`, `make check`, `score`, `data/latest`") == ["configs/roles.py"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_path_that_a_document_names_exists(document):
    missing = [p for p in paths(document.read_text(encoding="utf-8")) if not (ROOT / p).exists()]
    assert not missing


def test_every_package_is_in_the_picture_of_the_house():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [p.parent.name for p in (ROOT / "pipeline").glob("*/__init__.py")]
    rooms += [p.parent.name for p in (ROOT / "models").glob("*/__init__.py")]
    assert rooms
    assert not [room for room in rooms if f"`{room}`" not in text]
