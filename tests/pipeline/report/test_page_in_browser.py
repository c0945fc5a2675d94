import datetime as dt
import time

import pytest
from browser import Browser, found
from test_render import build_view, render_report

from pipeline.outcomes.contacted import marks_of

pytestmark = pytest.mark.skipif(found() is None, reason="no Chromium on the path; set CHURN_CHROMIUM to one")
IDS = "[...document.querySelectorAll('.list tbody')].filter(r => !r.hidden).map(r => r.dataset.customer)"
VALUES = IDS.replace("r.dataset.customer", "Number(r.dataset.value)")
RECORD = "window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text); }"


@pytest.fixture(scope="module")
def view():
    return build_view()


@pytest.fixture(scope="module")
def file(tmp_path_factory, view):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(view), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def page(browser, file):
    browser.open(file)
    yield browser
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("file:")] == []


def put(page, name, value):
    page.run(
        f"(() => {{ const field = document.querySelector('.tools').elements['{name}']; field.value = '{value}';"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_headers_sort_both_ways_and_tell(page, view):
    press = "document.querySelector('th[data-sort=value] button').click()"
    values = sorted(round(row.value, 2) for row in view.outreach)
    page.run(press)
    assert page.run(VALUES) == values[::-1]
    assert page.run("document.querySelector('[aria-sort]').ariaSort") == "descending"
    page.run(press)
    assert page.run(VALUES) == values
    put(page, "sort", "owner")
    assert page.run(IDS.replace("customer", "owner")) == sorted(row.owner for row in view.outreach)


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("owner", "سارا", lambda row: row.owner == "سارا"),
        ("channel", "email", lambda row: row.channel == "email"),
        ("action", "Ask for feedback", lambda row: row.action == "Ask for feedback"),
        ("segment", "region=South", lambda row: ("region", "South") in row.segments),
        ("least", "3000", lambda row: round(row.value, 2) >= 3000),
        ("search", "HEARD 7,", lambda row: "7," in row.message),
    ],
)
def test_filters_and_search(page, view, name, value, holds):
    put(page, name, value)
    shown = page.run(IDS)
    assert shown == [row.customer_id for row in view.outreach if holds(row)]
    assert f"{len(shown)} of 50" in page.run("document.querySelector('.status').textContent")
    page.run("new Promise(done => { document.querySelector('.tools').reset(); setTimeout(done, 20); })")
    assert len(page.run(IDS)) == 50


def test_keys_move_open_and_copy_and_no_key_acts_outside_the_list(page, view):
    page.run(RECORD)
    page.press("c", "c")
    page.run("document.querySelectorAll('.list summary')[3].focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        page.press(key)
    where = "document.activeElement.closest('tbody').dataset.customer"
    assert page.run(where) == view.outreach[4].customer_id
    page.press("c", "c")
    assert page.run("window.copied") == [view.outreach[4].message]
    page.press("/", "/")
    assert page.run("document.activeElement.name") == "search"
    page.run("document.querySelectorAll('.copy')[9].click()")
    assert page.run("window.copied[1]") == view.outreach[9].message


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_small_screen_needs_no_sideways_scrolling_and_begins_with_the_rate(browser, file, scheme):
    browser.open(file, 390, 844, prefers_color_scheme=scheme)
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") == 390
    wide = "[...document.querySelectorAll('.wide')].filter(w => w.scrollWidth > w.clientWidth).length"
    assert browser.run(wide) == 0
    assert browser.run("document.querySelector('.figure').getBoundingClientRect().bottom") < 844
    assert browser.errors == []


def test_print_shows_what_is_folded_and_each_owner_on_pages_of_their_own(page):
    page.run("window.print = () => { window.order = " + IDS.replace("customer", "owner") + "; }")
    page.run("document.querySelector('.tools').elements.print.click()")
    order = page.run("window.order")
    assert order == sorted(order)
    assert page.run("document.querySelectorAll('.first').length") == 2
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.run("document.querySelector('.message').checkVisibility()")
    page.run("window.dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('.first').length") == 0


def test_marks_are_saved_to_a_file_that_the_command_reads(page, view, file, tmp_path):
    page.call("Browser.setDownloadBehavior", session=None, behavior="allow", downloadPath=str(tmp_path))
    page.run("document.querySelectorAll('.list details').forEach((one, i) => { one.open = i < 3; })")
    page.run("new Promise(done => setTimeout(done, 50))")
    asked, done = view.outreach[0], view.outreach[2]
    for row, outcome, note in ((asked, "do_not_contact", 'said "never", =1+1'), (done, "done", "")):
        page.run(
            f"(() => {{ const row = document.querySelector('[data-customer=\"{row.customer_id}\"]');"
            f" row.querySelector('.happened input').value = '{note}';"
            " const pick = row.querySelector('.happened select');"
            f" pick.value = '{outcome}'; pick.dispatchEvent(new Event('change')); }})()"
        )
    assert page.run("document.querySelector('.marks .status').textContent") == "2 marked"
    page.run("document.querySelector('[data-do=save]').click()")
    saved = tmp_path / "contacted-demo-2025-11-21.csv"
    deadline = time.monotonic() + 20
    while not saved.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    marks = marks_of(saved.read_text("utf-8"), "demo", "it", dt.datetime(2040, 1, 1))
    assert [(m.customer_id, m.outcome, m.note, m.agent) for m in marks] == [
        (asked.customer_id, "do_not_contact", 'said "never", =1+1', asked.owner),
        (done.customer_id, "done", "", done.owner),
    ]
    page.open(file)
    assert page.run("document.querySelectorAll('tbody.marked').length") == 2
    page.run("localStorage.clear()")
