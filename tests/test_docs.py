"""The documents name what is there, and their pages build, with every link, without a warning."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
ELSEWHERE = r'(?:src|srcset|action)="https?://[^"]*"|<link[^>]*href="https?://[^"]*"'
MADE = ("data/", "mlartifacts/", "s3/")  # by a run, not by the project


def paths(text):
    """Files and folders of the project that a document names between backticks."""
    told = re.findall(r"`([\w./]+)`", text)
    return [t for t in told if "/" in t and not t.startswith(MADE)]


def pages(nav):
    """Every page that a navigation leads to, in order."""
    for entry in nav:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else pages(target)


@pytest.fixture(scope="module")
def nav():
    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    return list(pages(settings["project"]["nav"]))


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


def test_every_page_is_in_the_navigation_and_in_the_list_for_programs(nav):
    assert sorted(nav) == [d.name for d in DOCUMENTS]
    listed = re.findall(r"\]\(([\w-]+)\.html\): \S", (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8"))
    assert [f"{page}.md" for page in listed] == nav


def build(folder):
    """Build the pages of a folder that holds docs/ and zensical.toml, links checked."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def copied(folder):
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "zensical.toml").symlink_to(ROOT / "zensical.toml")
    return folder


@pytest.mark.slow
def test_the_pages_build_without_a_warning_and_ask_nothing_of_the_network(tmp_path):
    done = build(copied(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    for page in (tmp_path / "site").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'(?:src|srcset|action)="https?://[^"]*"|<link[^>]*href="https?://[^"]*"', text
        ), page.name


@pytest.mark.parametrize("link", ["nowhere.md", "glossary.md#nowhere"])
def test_a_link_that_leads_nowhere_is_found(link, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\nsee [this]({link})\n")
    (tmp_path / "docs" / "glossary.md").write_text("# Glossary\n")
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "x"\n')
    assert build(tmp_path).returncode != 0


OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]


@pytest.mark.parametrize("document", [*DOCUMENTS, *OTHERS], ids=lambda d: f"{d.parent.name}/{d.name}")
def test_files_and_pictures_that_are_linked_are_there(document):
    """The build knows pages and their headings; it does not look for files."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]


def figures(text):
    """Numbers with a fraction, written in one way: 0.580 and .580 are the same."""
    return {number.lstrip("+-").lstrip("0") for number in re.findall(r"[+-]?\d*\.\d+", text)}


def test_every_figure_of_the_comparison_was_measured():
    measured = figures((ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8").replace(",", ""))
    told = figures((ROOT / "docs" / "comparison.md").read_text(encoding="utf-8"))
    assert len(told) > 50
    assert not told - measured
