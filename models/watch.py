"""How long work may be watched from outside: models know nothing of terminals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Watch(Protocol):
    """Hands on the steps of long work, and may show how many are done."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """`what` names the work in a word or two; `total` is the number of items."""
        ...


def unwatched(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Show nothing.

    Examples
    --------
    >>> list(unwatched([1, 2], "folds", 2))
    [1, 2]
    """
    return iter(items)
