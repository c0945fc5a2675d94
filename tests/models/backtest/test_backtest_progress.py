"""Jobs in threads: results in their order, the time to go, and the first failure ends it."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.progress import SIDE_BY_SIDE, in_threads, no_progress, shares_of_time


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=12), st.integers(1, 6))
def test_the_time_to_go_is_that_of_jobs_taken_one_by_one(costs, threads):
    shares = shares_of_time(costs, threads)
    assert len(shares) == len(costs)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    if threads == 1:
        assert shares[0] == pytest.approx(costs[0] / sum(costs))
    # All at once, the first ends when each has had as much as it needs.
    if threads >= len(costs):
        left, end, ends = sorted(costs), 0.0, []
        while left:
            end += left[0] * len(left) ** (1 - SIDE_BY_SIDE)
            ends += [end] * left.count(left[0])
            left = [cost - left[0] for cost in left if cost > left[0]]
        assert shares == pytest.approx([each / end for each in ends])


@pytest.mark.parametrize(
    ("costs", "threads", "shares"),
    [
        ([1, 1, 2], 1, [0.25, 0.5, 1.0]),
        # Three units side by side take 3 x 2^.2 as long as one alone: the last one alone is quicker.
        ([1, 1, 1], 2, [2**0.2 / (2**0.2 + 1), 2**0.2 / (2**0.2 + 1), 1.0]),
        ([3, 1, 1, 1], 2, [1 / 3, 2 / 3, 1, 1]),
        ([5], 4, [1.0]),
    ],
)
def test_shares_of_the_planned_time(costs, threads, shares):
    assert shares_of_time(costs, threads) == pytest.approx(shares)


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


def test_after_a_failure_no_further_job_is_begun():
    begun = []

    def fails():
        raise KeyError("broken")

    jobs = [fails, *(lambda i=i: begun.append(i) for i in range(50))]
    with pytest.raises(KeyError, match="broken"):
        in_threads(jobs, [1.0] * len(jobs), 1, no_progress, "x")
    assert len(begun) < 50


def test_the_plan_is_asked_again_as_jobs_end_and_costs_are_corrected():
    told, costs = [], [4.0, 1.0, 1.0]

    def longer():
        costs[2] = 3.0
        return "second"

    def watch(items, what, total, *, plan):
        for count, item in enumerate(items):
            told.append((what, total, plan()[count]))
            yield item

    assert in_threads([str, longer, str], costs, 1, watch, "backtest") == ["", "second", ""]
    assert told[1:] == [("backtest", 3, 5 / 8), ("backtest", 3, 1.0)]
