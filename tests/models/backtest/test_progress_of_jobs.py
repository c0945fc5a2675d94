"""Jobs in threads: results in their order, the time to go, and the first failure ends it."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.progress import in_threads, no_progress, shares_of_time


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=12), st.integers(1, 6))
def test_the_time_to_go_is_that_of_jobs_taken_one_by_one(costs, threads):
    shares = shares_of_time(costs, threads)
    assert len(shares) == len(costs)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    # No schedule ends before its longest job, nor before the work is shared out evenly.
    longest, even = max(costs), sum(costs) / threads
    assert shares[0] <= longest / max(longest, even) + 1e-9
    if threads == 1:
        assert shares[0] == pytest.approx(costs[0] / sum(costs))
    if threads >= len(costs):
        assert shares == pytest.approx([cost / longest for cost in sorted(costs)])


def test_results_come_in_the_order_of_the_jobs():
    turn = threading.Event()

    def first():
        turn.wait(5)
        return "first"

    def second():
        turn.set()
        return "second"

    assert in_threads([first, second], [1, 1], 2, no_progress, "x") == ["first", "second"]


def test_after_a_failure_no_further_job_is_begun():
    begun = []

    def fails():
        raise KeyError("broken")

    jobs = [fails, *(lambda i=i: begun.append(i) for i in range(50))]
    with pytest.raises(KeyError, match="broken"):
        in_threads(jobs, [1.0] * len(jobs), 1, no_progress, "x")
    assert len(begun) < 50


def test_progress_hears_of_each_job_and_when_it_should_end():
    heard = {}

    def progress(items, what, total, *, plan=None):
        heard.update(what=what, total=total, plan=plan, items=len(list_ := list(items)))
        return iter(list_)

    in_threads([lambda: 1, lambda: 2], [3.0, 1.0], 1, progress, "fits")
    assert heard == {"what": "fits", "total": 2, "plan": [0.75, 1.0], "items": 2}
