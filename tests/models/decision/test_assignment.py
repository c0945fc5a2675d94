import itertools
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.decision import assignment
from models.decision.assignment import Options, assign


def allowed(options, taken, capacity, budget):
    units = options.unit[taken]
    return (
        len(taken) <= capacity
        and len(set(units.tolist())) == len(units)
        and options.cost[taken].sum() <= budget + 1e-9
        and all((np.bincount(g[taken], minlength=len(caps)) <= caps).all() for g, caps in options.groups)
    )


def best_by_trying_all(options, capacity, budget):
    n = len(options.gain)
    choices = (np.array(c, dtype=np.int64) for k in range(n + 1) for c in itertools.combinations(range(n), k))
    return max(float(options.gain[c].sum()) for c in choices if allowed(options, c, capacity, budget))


@st.composite
def problems(draw):
    n = draw(st.integers(0, 9))

    def whole(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=np.int64)

    groups = [
        (
            whole(0, 2),
            np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.inf]), min_size=3, max_size=3))),
        )
        for _ in range(2)
    ]
    options = Options(whole(0, 4), whole(-3, 12).astype(float), whole(0, 5).astype(float), groups)
    return options, draw(st.integers(0, 5)), float(draw(st.sampled_from([0, 3, 7, np.inf])))


@given(problems())
@settings(max_examples=150, deadline=None)
def test_it_is_the_best_of_all_choices(problem):
    options, capacity, budget = problem
    found = assign(options, capacity, budget)
    assert allowed(options, found.taken, capacity, budget)
    assert (options.gain[found.taken] > 0).all()
    assert found.gain == pytest.approx(best_by_trying_all(options, capacity, budget), abs=1e-6)
    assert found.bound >= found.gain - 1e-9


def best_within(gain, cost, budget):
    """The knapsack by dynamic programming: the most that any budget buys, option by option."""
    most = np.zeros(budget + 1)
    for one, price in zip(gain, cost, strict=True):
        most[price:] = np.maximum(most[price:], most[: budget + 1 - price] + one)
    return float(most[-1])


@pytest.mark.parametrize("seed", range(12))
def test_of_forty_options_the_best_within_a_budget_is_found(seed):
    rng = np.random.default_rng(seed)
    gain, cost = rng.uniform(5, 10, 40).round(2), rng.integers(500, 1_000, 40)
    budget = int(rng.integers(2_000, 8_000))
    found = assign(Options(np.arange(40), gain, cost.astype(float)), 40, float(budget))
    assert found.gain == pytest.approx(best_within(gain, cost, budget), abs=1e-6)


def test_a_search_that_gives_nothing_leaves_the_choice_within_the_limits(monkeypatch):
    """The integer program may end without a choice: then the rounded relaxation stays."""
    rng = np.random.default_rng(0)
    options = Options(np.arange(60), rng.uniform(1, 2, 60), rng.uniform(1, 2, 60))
    whole = assign(options, 30, 20.0)
    monkeypatch.setattr(assignment, "SEARCH", {**assignment.SEARCH, "time_limit": 0.0})
    found = assign(options, 30, 20.0)
    assert allowed(options, found.taken, 30, 20.0)
    assert 0.9 * whole.gain < found.gain <= whole.gain


def test_greed_would_be_wrong():
    """The best single option uses up the only call that another customer needs."""
    call, mail = 0, 1
    options = Options(
        unit=np.array([0, 0, 1]),
        gain=np.array([10.0, 9.0, 8.0]),
        cost=np.zeros(3),
        groups=[(np.array([call, mail, call]), np.array([1.0, 5.0]))],
    )
    assert assign(options, capacity=5).taken.tolist() == [1, 2]


def company(customers, size, owners=30, seed=1):
    rng = np.random.default_rng(seed)
    actions = 8
    at_risk = rng.beta(2, 5, customers) * rng.lognormal(5, 1, customers)
    cost = rng.uniform(0.2, 15, actions)
    gain = (at_risk[:, None] * rng.uniform(0.02, 0.15, (customers, actions)) - cost).ravel()
    kept = gain > 0
    channel = np.tile(np.arange(actions) % 4, customers)[kept]
    owner = np.repeat(rng.integers(0, owners, customers), actions)[kept]
    caps = [np.array([0.2, 0.3, 0.4, np.inf]) * size, np.full(owners, np.ceil(size * 1.2 / owners))]
    return Options(
        np.repeat(np.arange(customers), actions)[kept],
        gain[kept],
        np.tile(cost, customers)[kept],
        [(channel, caps[0]), (owner, caps[1])],
    )


@pytest.mark.slow
@pytest.mark.parametrize(("size", "budget"), [(200, 600.0), (1_000, np.inf), (5_000, 15_000.0)])
def test_a_hundred_thousand_candidates_are_within_a_percent_in_seconds(size, budget):
    options = company(100_000, size)
    start = time.process_time()
    found = assign(options, size, budget)
    assert time.process_time() - start < 30
    assert allowed(options, found.taken, size, budget)
    assert found.gain >= 0.99 * found.bound


def test_the_same_options_give_the_same_choice():
    options = company(2_000, 60)
    first, again = (assign(options, 60, 150.0) for _ in range(2))
    assert first.taken.tolist() == again.taken.tolist()


def test_equal_gains_fill_the_list_in_the_order_of_the_options():
    options = Options(np.arange(50), np.ones(50), np.ones(50))
    assert assign(options, 10).gain == 10


SEARCHED = """
import numpy as np
from models.decision.assignment import Options, assign
rng = np.random.default_rng(0)
options = Options(np.arange(60), rng.uniform(1, 2, 60), rng.uniform(1, 2, 60))
found = assign(options, capacity=30, budget=20.0)
assert found.gain < found.bound, "the relaxation was whole, so nothing was searched"
"""


def test_the_search_writes_nothing_on_standard_output():
    done = subprocess.run([sys.executable, "-c", SEARCHED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
