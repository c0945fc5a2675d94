import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser

import pytest
from test_render import build_view, render_report, sparse

from pipeline.languages.names import CHANNELS
from pipeline.outreach.eligibility import Rule
from pipeline.report.view import Count

# Of the view: keys that the page has words for; all other texts are the company's data.
OURS = {"metric", "wanted", "role", "kind", "measure", "fact", "controllable", "channel"}
# What is the same in every language: letters of the formula, keys of the config, names of programs and files.
SAME = {
    "NPS",
    "AUC",
    "S",
    "N",
    "E",
    "UTC",
    "Enter",
    "c",
    "retention",
    "goals",
    "segments",
    "churn",
    "ui",
    "ease",
}
SAID = {
    "aria-label",
    "data-label",
    "title",
    "data-copy",
    "data-shown",
    "data-copied",
    "data-uncopied",
    "data-marked",
}


class Said(HTMLParser):
    """What is said on a page: texts and labels, but for code."""

    def __init__(self, page):
        super().__init__()
        self.said, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        hidden = tag in ("style", "script", "code")
        if tag not in ("meta", "input"):
            self.open.append(hidden)
        if not any(self.open):
            self.said += [value for name, value in attrs if name in SAID]

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        if not any(self.open):
            self.said.append(data)

    @property
    def text(self):
        """All of it, without the places where the page's script puts numbers."""
        return re.sub(r"\{\w+\}", "", " ".join(self.said))


def without_data(value, name=""):
    """The view with figures in the place of the company's texts."""
    if isinstance(value, str):
        return value if name in OURS or re.fullmatch(r"|\d{4}-\d\d", value) else "7"
    if isinstance(value, tuple | frozenset):
        return type(value)(without_data(each, name) for each in value)
    if is_dataclass(value):
        return replace(value, **{f.name: without_data(getattr(value, f.name), f.name) for f in fields(value)})
    return value


def view_of(language):
    plain = build_view()
    view = replace(without_data(plain), language=language, model=plain.model, currency=None, company="7")
    drivers = tuple(Count(driver.name, driver.customers) for driver in plain.drivers)
    rows = tuple(replace(r, channel=tuple(CHANNELS)[i % len(CHANNELS)]) for i, r in enumerate(view.outreach))
    return replace(
        view, drivers=drivers, suppressed=tuple(Count(str(rule), 2) for rule in Rule), outreach=rows,
        tracking_url=None, active_days=90, nights=plain.nights,
        overview=replace(view.overview, stated=plain.overview.stated, audit=plain.overview.audit),
    )  # fmt: skip


@pytest.mark.parametrize("change", [lambda view: view, sparse], ids=["full", "sparse"])
@pytest.mark.parametrize(("language", "direction"), [("fa", "rtl"), ("mr", "ltr")])
def test_no_english_and_no_foreign_digit_is_left(language, direction, change):
    page = render_report(change(view_of(language)))
    assert f'<html lang="{language}" dir="{direction}">' in page
    said = Said(page).text
    assert set(re.findall("[A-Za-z]+", said)) - SAME == set()
    data = {"7"}  # that of the company, and the letter of a picture's title
    assert set(re.findall("[0-9]+", said)) - data == set()


def test_no_part_of_the_page_is_left_in_english():
    assert 'lang="en"' not in render_report(replace(build_view(), language="fa"))


def test_amounts_wear_the_sign_of_the_currency():
    page = render_report(replace(build_view(), currency="EUR"))
    assert "Worth €112,668 together." in page
    assert "€81,985 more revenue in a year" in page
