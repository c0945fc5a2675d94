"""How long work tells how far it has come: models know nothing of terminals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Hands on the steps of long work, and may show how many are done."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """`what` names the work in a word or two; `total` is the number of items."""
        ...


def no_progress(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Show nothing.

    Examples
    --------
    >>> list(no_progress([1, 2], "folds", 2))
    [1, 2]
    """
    return iter(items)
