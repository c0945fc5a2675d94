"""How far long work has come: a bar on a terminal, now and then a line elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from pipeline.log import in_json, tell

EVERY_SECONDS = 10.0

T = TypeVar("T")

# Whether nothing is shown: the user wants quiet, or a bar is at work and this is a part of what it shows.
_silent: ContextVar[bool] = ContextVar("silent", default=False)


def silence(quiet: bool) -> None:
    """Show nothing from here on, or show progress again."""
    _silent.set(quiet)


def progress(items: Iterable[T], what: str, total: int, *, unit: str = "steps", size: int = 1) -> Iterator[T]:
    """Hand on the items and show how many are done, how fast, and how long the rest may take.

    Parameters
    ----------
    items
        The steps, about equally long.
    what
        The work, in a word or two.
    total
        Number of items; with fewer than two there is nothing to show.
    unit, size
        What is counted, such as rows, and about how many of it are in an item.

    Examples
    --------
    >>> list(progress(["a", "b"], "letters", 2))
    ['a', 'b']
    """
    if _silent.get() or total < 2:
        yield from items
        return
    show = _bar if sys.stderr.isatty() and not in_json() else _lines
    _silent.set(True)
    try:
        yield from show(items, what, total, unit, size)
    finally:
        _silent.set(False)


def _lines(items: Iterable[T], what: str, total: int, unit: str, size: int) -> Iterator[T]:
    begun = told = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - told >= EVERY_SECONDS and done < total:
            told = now
            tell(f"{what}: {progress_line(done, total, unit, size, now - begun)}")


def progress_line(done: int, total: int, unit: str, size: int, seconds: float) -> str:
    """Progress as a line.

    Examples
    --------
    >>> progress_line(3, 12, "rows", 1_000_000, 6.0)
    '3,000,000 of 12,000,000 rows, 500,000 a second, 18 s to go'
    >>> progress_line(2, 6, "matrices", 1, 7.0)
    '2 of 6 matrices, 3.5 s each, 14 s to go'
    """
    rate = done * size / seconds
    left = (total - done) * size / rate
    speed = f"{rate:,.0f} a second" if rate >= 2 else f"{1 / rate:.1f} s each"
    return f"{done * size:,} of {total * size:,} {unit}, {speed}, {left:.0f} s to go"


def _bar(items: Iterable[T], what: str, total: int, unit: str, size: int) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Told(ProgressColumn):
        def render(self, task: Any) -> Text:
            done = int(task.completed)
            shown = progress_line(done, total, unit, size, task.elapsed) if done and task.elapsed else "..."
            return Text(shown)

    with Progress(
        TextColumn("{task.description}"), BarColumn(), Told(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task)
