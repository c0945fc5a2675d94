"""axe-core finds nothing on the page by WCAG 2.2 AA: in each language, in both schemes, wide and narrow."""

from importlib.metadata import files

import pytest
from browser import Browser, found
from test_page_languages import view_of
from test_render import build_view, render_report, sparse

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium on the path; set CHURN_CHROMIUM to one")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPEN = "document.querySelectorAll('.list details').forEach((one, i) => { one.open = i < 4; })"
RUN = f"""axe.run({{runOnly: {TAGS}}}).then(found => found.violations.map(v =>
  v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))"""


@pytest.fixture(scope="module")
def axe():
    (script,) = (f for f in files("axe-playwright-python") if f.name == "axe.min.js")
    return script.read_text()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder, view = tmp_path_factory.mktemp("pages"), build_view()
    views = {"en": view, "fa": view_of("fa"), "mr": view_of("mr"), "sparse": sparse(view)}
    for name, each in views.items():
        (folder / f"{name}.html").write_text(render_report(each), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("en", 1280, "light"),
        pytest.param("en", 390, "dark", marks=pytest.mark.slow),
        pytest.param("fa", 1280, "dark", marks=pytest.mark.slow),
        pytest.param("fa", 390, "light", marks=pytest.mark.slow),
        pytest.param("mr", 1280, "light", marks=pytest.mark.slow),
        pytest.param("sparse", 1280, "light", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing(browser, axe, pages, name, width, scheme):
    browser.open(pages / f"{name}.html", width, 900, prefers_color_scheme=scheme)
    browser.run(OPEN)
    browser.run(axe + "; 0")
    assert browser.run(RUN) == []
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("file:")] == []


def test_axe_would_find_something(browser, axe, tmp_path):
    body = '<body style="background:#fff"><p style="color:#bbb">grey words</p><input>'
    (tmp_path / "bad.html").write_text(f'<html lang="en"><title>x</title>{body}')
    browser.open(tmp_path / "bad.html")
    browser.run(axe + "; 0")
    assert {line.split(":")[0] for line in browser.run(RUN)} >= {"label", "color-contrast"}
