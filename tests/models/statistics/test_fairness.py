"""Groups of people: figures against a slow count, faults that are found, and chance that is not taken for one."""

import numpy as np
import pytest

from models.statistics.fairness import by_group


def people(seed, n=4_000):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, n)
    return (rng.random(n) < p).astype(float), p, rng.choice(["f", "m", "x"], n, p=[0.45, 0.45, 0.1])


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_those_of_a_slow_count(seed):
    y, p, group = people(seed, 800)
    order = sorted(range(len(p)), key=lambda i: -p[i])[: len(p) // 10]
    top = np.isin(np.arange(len(p)), order)
    for one in by_group(y, p, group):
        at = group == one.name
        assert one.rows == at.sum()
        assert one.churned == pytest.approx(y[at].mean())
        assert one.predicted == pytest.approx(p[at].mean())
        assert one.in_top == pytest.approx(top[at].mean())
        assert one.found == pytest.approx(y[at & top].sum() / y[at].sum())
        assert one.found_of_others == pytest.approx(y[~at & top].sum() / y[~at].sum())
        assert one.lift == pytest.approx(y[at & top].sum() / y[at].sum() / top[at].mean())


def test_weights_count_like_rows():
    y, p, group = people(1, 600)
    times = np.random.default_rng(2).integers(1, 4, len(y))
    twice = [np.repeat(values, times) for values in (y, p, group)]
    for one, other in zip(by_group(y, p, group, weight=times.astype(float)), by_group(*twice), strict=True):
        assert (one.churned, one.predicted) == pytest.approx((other.churned, other.predicted))
        assert (one.in_top, one.found) == pytest.approx((other.in_top, other.found))


def test_chance_is_hardly_ever_taken_for_unfairness():
    found = [one.looks for seed in range(150) for one in by_group(*people(seed))]
    assert sum(map(bool, found)) <= 0.03 * len(found)


@pytest.mark.parametrize("seed", range(3))
def test_a_group_whose_level_is_wrong_and_one_whose_churners_are_not_found_are_told(seed):
    y, p, group = people(seed)
    low = np.where(group == "f", p * 0.6, p)
    (told,) = [one.looks for one in by_group(y, low, group) if one.name == "f"]
    assert any("predicted" in line for line in told)
    assert any("of its churners stand in the top" in line for line in told)
    assert not [
        one.looks for one in by_group(y, low, group) if one.name == "x" and "predicted" in str(one.looks)
    ]
