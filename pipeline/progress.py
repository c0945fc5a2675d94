"""How far long work has come: a bar on a terminal, now and then a line elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from pipeline.log import in_json, tell

EVERY_SECONDS = 10.0

T = TypeVar("T")

# Whether nothing is shown: the user wants quiet, or a bar is at work and this is a part of what it shows.
_silent: ContextVar[bool] = ContextVar("silent", default=False)


def silence(quiet: bool) -> None:
    """Show nothing from here on, or show progress again."""
    _silent.set(quiet)


def progress(
    items: Iterable[T],
    what: str,
    total: int,
    *,
    unit: str = "steps",
    size: int = 1,
    plan: Callable[[], Sequence[float]] | None = None,
) -> Iterator[T]:
    """Hand on the items and show how many are done, how fast, and how long the rest may take.

    Parameters
    ----------
    items
        The steps.
    what
        The work, in a word or two.
    total
        Number of items; with fewer than two there is nothing to show.
    unit, size
        What is counted, such as rows, and about how many of it are in an item.
    plan
        Which share of the time will have gone by after each of them, asked again at each; None where all take
        equally long.

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
        yield from show(
            items, what, total, partial(progress_line, total=total, unit=unit, size=size, plan=plan)
        )
    finally:
        _silent.set(False)


def _lines(items: Iterable[T], what: str, total: int, line: Callable[..., str]) -> Iterator[T]:
    begun = told = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - told >= EVERY_SECONDS and done < total:
            told = now
            tell(f"{what}: {line(done, seconds=now - begun)}")


def progress_line(
    done: int,
    total: int,
    unit: str,
    size: int,
    seconds: float,
    plan: Callable[[], Sequence[float]] | None = None,
) -> str:
    """Progress as a line; the time to go is that of the last item's end, by the plan or evenly.

    Examples
    --------
    >>> progress_line(3, 12, "rows", 1_000_000, 6.0)
    '3,000,000 of 12,000,000 rows, 500,000 a second, 18 s to go'
    >>> progress_line(2, 6, "matrices", 1, 7.0)
    '2 of 6 matrices, 3.5 s each, 14 s to go'
    >>> progress_line(1, 3, "steps", 1, 8.0, plan=lambda: [0.5, 0.75, 1.0])
    '1 of 3 steps, 8 s to go'
    """
    counted = f"{done * size:,} of {total * size:,} {unit}"
    if plan is not None:
        return f"{counted}, {seconds / plan()[done - 1] - seconds:.0f} s to go"
    rate = done * size / seconds
    speed = f"{rate:,.0f} a second" if rate >= 2 else f"{1 / rate:.1f} s each"
    return f"{counted}, {speed}, {(total - done) * size / rate:.0f} s to go"


def _bar(items: Iterable[T], what: str, total: int, line: Callable[..., str]) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Told(ProgressColumn):
        def render(self, task: Any) -> Text:
            done = int(task.completed)
            shown = line(done, seconds=task.elapsed) if done and task.elapsed else "..."
            return Text(shown)

    with Progress(
        TextColumn("{task.description}"), BarColumn(), Told(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task)
