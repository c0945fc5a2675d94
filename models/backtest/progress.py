"""How long work tells how far it has come: models know nothing of terminals."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Hands on the steps of long work, and may show how many are done."""

    def __call__(
        self, items: Iterable[T], what: str, total: int, *, plan: Sequence[float] | None = None
    ) -> Iterator[T]:
        """`what` names the work in a word or two; `total` is the number of items.

        `plan`: which share of the time should have gone by after each of them; None where all take equally long.
        """
        ...


def no_progress(
    items: Iterable[T], what: str, total: int, *, plan: Sequence[float] | None = None
) -> Iterator[T]:
    """Show nothing.

    Examples
    --------
    >>> list(no_progress([1, 2], "folds", 2))
    [1, 2]
    """
    return iter(items)


def in_threads(
    jobs: Sequence[Callable[[], T]], costs: Sequence[float], threads: int, progress: Progress, what: str
) -> list[T]:
    """Run jobs in so many threads, begun in their order, and give their results in it.

    Parameters
    ----------
    jobs
        At the first that fails no further one is begun, and its error is raised.
    costs
        About how long each takes, in any unit: the time to go follows from it.

    Examples
    --------
    >>> in_threads([lambda: "a", lambda: "b"], [2.0, 1.0], 2, no_progress, "letters")
    ['a', 'b']
    """
    with ThreadPoolExecutor(threads) as pool:
        begun = [pool.submit(job) for job in jobs]
        try:
            for job in progress(as_completed(begun), what, len(jobs), plan=shares_of_time(costs, threads)):
                job.result()
        finally:
            for job in begun:
                job.cancel()
        return [job.result() for job in begun]


def shares_of_time(costs: Sequence[float], threads: int) -> list[float]:
    """Which share of the time has gone by at the end of each job, the first to end first.

    Examples
    --------
    >>> shares_of_time([4.0, 1.0, 1.0], 2)
    [0.25, 0.5, 1.0]
    """
    free, ends = [0.0] * threads, []
    for cost in costs:
        ends.append(heapq.heappop(free) + cost)
        heapq.heappush(free, ends[-1])
    return [end / max(ends) for end in sorted(ends)]
