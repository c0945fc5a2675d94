import threading

import pytest

from models.backtest.progress import in_threads, no_progress, shares_of_time


def test_results_come_in_the_order_of_the_jobs_whichever_ends_first():
    second_ended = threading.Event()

    def first():
        assert second_ended.wait(10)
        return "first"

    def second():
        second_ended.set()
        return "second"

    assert in_threads([first, second], [1, 1], 2, no_progress, "jobs") == ["first", "second"]


def test_one_thread_takes_the_jobs_one_by_one():
    names = []
    in_threads([lambda i=i: names.append(i) for i in range(5)], [1] * 5, 1, no_progress, "jobs")
    assert names == [0, 1, 2, 3, 4]


def test_after_an_error_no_further_job_begins():
    begun = []

    def fails():
        raise ValueError("no rows")

    with pytest.raises(ValueError, match="no rows"):
        in_threads([fails, *[lambda: begun.append(1)] * 100], [1] * 101, 1, no_progress, "jobs")
    assert len(begun) < 100


def test_the_plan_is_told_with_the_jobs_as_they_end():
    told = []

    def watch(items, what, total, *, plan):
        for count, _ in enumerate(items):
            told.append((what, total, plan[count]))
            yield _

    in_threads([lambda: None] * 3, [4, 1, 1], 2, watch, "backtest")
    assert told == [("backtest", 3, 0.25), ("backtest", 3, 0.5), ("backtest", 3, 1.0)]


@pytest.mark.parametrize(
    ("costs", "threads", "shares"),
    [([1, 1, 2], 1, [0.25, 0.5, 1.0]), ([3, 1, 1, 1], 2, [1 / 3, 2 / 3, 1, 1]), ([5], 4, [1.0])],
)
def test_shares_of_the_planned_time(costs, threads, shares):
    assert shares_of_time(costs, threads) == pytest.approx(shares)
