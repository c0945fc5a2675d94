"""The bootstrap over customers: whole customers are drawn, in blocks, by a seed."""

import numpy as np
import pytest

from models.statistics import bootstrap
from models.statistics.bootstrap import customer_draws

ROWS = np.array(["b", "a", "b", "c", "b"])


def drawn(**more):
    return np.vstack(list(customer_draws(ROWS, **{"draws": 400, "seed": 1, **more})))


def test_all_rows_of_a_customer_are_drawn_together_and_each_draw_has_as_many_customers():
    weights = drawn()
    assert weights.shape == (400, 5)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_each_customer_is_drawn_once_in_the_mean_with_the_spread_of_the_theory():
    weights = drawn(draws=20_000)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(weights.var(axis=0), 3 * (1 / 3) * (2 / 3), atol=0.03)


def test_a_row_that_stands_for_several_does_so_in_every_draw():
    weight = np.array([1.0, 2.0, 3.0, 0.0, 0.5])
    np.testing.assert_array_equal(drawn(weight=weight), drawn() * weight)


@pytest.mark.parametrize("cells", [1, 12, 5 * 400])
def test_blocks_change_nothing_but_the_memory(monkeypatch, cells):
    whole = drawn(draws=30)
    monkeypatch.setattr(bootstrap, "CELLS", cells)
    blocks = list(customer_draws(ROWS, 30, 1))
    assert all(block.size <= max(cells, 5) for block in blocks)
    np.testing.assert_array_equal(np.vstack(blocks), whole)


def test_the_seed_makes_the_draws():
    np.testing.assert_array_equal(drawn(seed=3), drawn(seed=3))
    assert (drawn(seed=3) != drawn(seed=4)).any()
