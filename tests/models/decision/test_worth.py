import numpy as np
import pytest

from models.decision.worth import concave, typical_amount


def test_the_typical_amount_stays_and_larger_ones_grow_by_the_logarithm():
    amount = np.array([0.0, 0.1, 100.0, 300.0, 700.0, 102_300.0])
    assert concave(amount, 100.0).tolist() == pytest.approx(
        [0.0, 0.1442, 100.0, 200.0, 300.0, 1000.0], rel=1e-3
    )


def test_the_order_of_customers_is_kept_and_the_unit_of_money_does_not_matter():
    amount = np.sort(np.random.default_rng(1).lognormal(4, 2, 500))
    drawn_in = concave(amount, typical_amount(amount))
    assert (np.diff(drawn_in) > 0).all()
    in_cents = 100 * amount
    assert concave(in_cents, typical_amount(in_cents)) == pytest.approx(100 * drawn_in)


def test_a_whale_does_not_carry_the_list():
    amount = np.r_[np.full(49, 100.0), 113_560.0]
    assert amount[-1] / amount.sum() > 0.9
    drawn_in = concave(amount, typical_amount(amount))
    assert drawn_in[-1] / drawn_in.sum() < 0.2


@pytest.mark.parametrize("amount", [[], [0.0, 0.0]])
def test_nobody_is_worth_anything(amount):
    assert typical_amount(np.array(amount)) == 1.0
    assert not concave(np.array(amount), 1.0).any()
