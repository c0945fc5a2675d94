"""The page of a large company: its size, and how long a browser takes to open, filter and sort it.

    python -m benchmarks.report

1,000 customers on the list of 100,000, each with three reasons, a message, five contacts on record and thirteen nights
of its chance, the most that a night shows; texts of the playbook; needs a Chromium on the path.
"""

from __future__ import annotations

import datetime as dt
import gzip
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from configs.playbook import load_playbook
from pipeline.languages.language import Language
from pipeline.outreach.playbook import message
from pipeline.report.render import render_report
from pipeline.report.view import ListRow
from pipeline.scoring.background import NIGHTS, NIGHTS_APART, TALKS
from tests.pipeline.report.browser import Browser
from tests.pipeline.report.test_render import AS_OF, build_view, list_row

LISTED, CUSTOMERS = 1_000, 100_000
RUNS = 5
FILTER = (
    "(() => {{ const from = performance.now(); const field = document.querySelector('.tools').elements['{field}'];"
    " field.value = '{value}'; field.dispatchEvent(new Event('input', {{bubbles: true}}));"
    " document.body.offsetHeight; return performance.now() - from; }})()"
)


def main() -> None:
    """Print size and times, the median of some runs."""
    for language in ("en", "fa", "mr"):
        page = render_report(
            replace(build_view(), outreach=rows(Language(language)), customers=CUSTOMERS, language=language)
        )
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "report.html"
            file.write_text(page, encoding="utf-8")
            told = times(file, Path(place) / "profile")
        size, packed = len(page.encode()) / 1e6, len(gzip.compress(page.encode())) / 1e6
        sys.stdout.write(
            f"{language}: {LISTED:,} of {CUSTOMERS:,} customers, {size:.2f} MB ({packed:.2f} MB packed); "
            f"open {told[0]:.0f} ms, search {told[1]:.0f} ms, sort {told[2]:.0f} ms\n"
        )


def rows(language: Language) -> tuple[ListRow, ...]:
    """The list, as long as it may be."""
    days = [AS_OF - dt.timedelta(days=NIGHTS_APART * k) for k in range(NIGHTS + 1)][::-1]
    known = {"name": "Kaveh", "contact_gap_days": 74.0, "recency_days": 46.0}
    texts = [message(action, language, known) for action in load_playbook().actions.values()]
    made = []
    for rank in range(1, LISTED + 1):
        row = list_row(rank)
        history = tuple((day, 0.05 + 0.9 * ((rank * 7 + i * 3) % 97) / 97) for i, day in enumerate(days))
        made.append(
            replace(
                row,
                message=texts[rank % len(texts)],
                reasons=tuple(texts[(rank + i) % len(texts)][:40] for i in range(3)),
                talks=row.talks[:1] * TALKS,
                history=history,
            )
        )
    return tuple(made)


def times(file: Path, profile: Path) -> list[float]:
    """Milliseconds to open, to search and to sort."""
    browser = Browser(profile)
    found: list[list[float]] = []
    try:
        for _ in range(RUNS):
            start = time.perf_counter()
            browser.open(file)
            opened = 1_000 * (time.perf_counter() - start)
            search = browser.run(FILTER.format(field="search", value="for 7"))
            browser.run(FILTER.format(field="search", value=""))
            found.append([opened, search, browser.run(FILTER.format(field="sort", value="value"))])
    finally:
        browser.close()
    return [sorted(column)[RUNS // 2] for column in zip(*found, strict=True)]


if __name__ == "__main__":
    main()
