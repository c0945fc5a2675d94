from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from models.decision.assignment import Options, assign
from pipeline.outreach.selection import Choice, Limits, select

DICE = np.full(9, 0.5)


def choice(gain, *, tried=None, sure=None, customer=None, unit=None, cost=None, spared=(), dice=None):
    """Options of one channel and one owner; everybody's gain is sure and nobody's die leaves them alone."""
    gain = np.array(gain, float)
    customer = np.arange(len(gain)) if customer is None else np.array(customer)
    customers = int(customer.max()) + 1
    one = np.zeros(len(gain), np.int64)
    return Choice(
        Options(
            customer if unit is None else np.array(unit),
            gain,
            np.zeros(len(gain)) if cost is None else np.array(cost, float),
            [(one, np.zeros(1)), (one, np.zeros(1))],
        ),
        np.full(len(gain), -np.inf) if tried is None else np.array(tried, float),
        np.ones(len(gain), bool) if sure is None else np.array(sure, bool),
        customer,
        customers,
        np.isin(np.arange(customers), spared),
        np.ones(customers) * 0.99 if dice is None else np.array(dice),
    )


def limits(capacity, budget=np.inf, channel=np.inf, owner=np.inf):
    return Limits(float(capacity), budget, (np.array([channel]), np.array([owner])))


def pick(night, limits, *, trial=0, control=0.0):
    return select(night, limits, trial=trial, control=control, limit_dice=DICE)


def test_whose_gain_is_sure_comes_first_and_the_rest_is_tried():
    found = pick(
        choice([9, 8, 7, 6], sure=[0, 1, 0, 1], tried=[1, -1, 5, 9]),
        limits(3),
        trial=1,
    )
    assert found.listed.tolist() == [1, 3, 2]
    assert found.trial.tolist() == [False, False, True, False]
    assert found.chance.tolist() == [0, 1, 0.5, 1]


def test_no_draw_is_above_zero_and_the_room_of_the_trial_goes_to_the_sure():
    found = pick(choice([3, 2, 1], tried=[-1, -1, -1]), limits(2), trial=1)
    assert found.listed.tolist() == [0, 1]
    assert not found.trial.any()


def test_the_room_of_those_left_alone_goes_to_the_next():
    found = pick(choice([5, 4, 3, 2, 1], dice=[0.05, 0.5, 0.09, 0.5, 0.0]), limits(2), control=0.1)
    assert found.listed.tolist() == [1, 3]
    assert found.left_alone.tolist() == [0, 2]
    assert found.chance.tolist() == [0.9, 0.9, 0.9, 0.9, 0]


def test_of_the_trial_one_half_is_left_alone():
    n = 4_000
    dice = np.random.default_rng(1).random(n)
    found = pick(
        choice(np.ones(n), sure=np.zeros(n), tried=np.ones(n), dice=dice),
        limits(1_000),
        trial=500,
        control=0.1,
    )
    assert len(found.listed) == 500
    assert len(found.left_alone) == pytest.approx(500, abs=70)
    assert (dice[found.left_alone] < 0.5).all()
    assert (dice[found.listed] >= 0.5).all()
    assert set(found.chance[found.taken]) == {0.5}


def test_who_is_spared_is_never_left_alone():
    found = pick(choice([5, 4], spared=[0], dice=[0.0, 0.0]), limits(1), control=0.5)
    assert (found.listed.tolist(), found.left_alone.tolist()) == ([0], [])
    assert found.chance.tolist() == [1, 0]


def test_one_of_a_household_and_none_when_it_is_left_alone():
    homes = choice([5, 4, 3, 2], unit=[0, 0, 1, 1], dice=[0.05, 0.05, 0.5, 0.5])
    found = pick(homes, limits(4), trial=2, control=0.1)
    assert (found.listed.tolist(), found.left_alone.tolist()) == ([2], [0])


def test_one_action_for_a_customer():
    found = pick(
        choice([5, 4, 3], customer=[0, 0, 1], tried=[9, 9, 9]),
        limits(3),
        trial=1,
    )
    assert found.listed.tolist() == [0, 2]


def test_no_room_no_list():
    found = pick(choice([5, 4]), limits(0), trial=1, control=0.5)
    assert len(found.taken) == 0
    assert not found.chance.any()


def test_fractions_of_a_contact_are_tried_as_often_as_they_say():
    room = Limits(60.0, np.inf, (np.array([15.0, np.inf]),))
    quotas = [room.share(0.13, np.full(3, die)) for die in np.linspace(0, 0.999, 200)]
    assert np.mean([q.capacity for q in quotas]) == pytest.approx(60 * 0.13, rel=0.01)
    assert np.mean([q.groups[0][0] for q in quotas]) == pytest.approx(15 * 0.13, rel=0.02)
    assert all(np.isinf(q.groups[0][1]) for q in quotas)


def test_whoever_can_not_be_chosen_is_not():
    whole = choice([5, 4, 3], tried=[5, 4, 3])
    found = pick(whole.only(np.array([False, True, True])), limits(3), trial=1)
    assert sorted(found.listed.tolist()) == [1, 2]


def tonight(seed=1, customers=400, actions=4):
    """Many customers with several actions, channels, owners and costs; some sure, some to be tried."""
    rng = np.random.default_rng(seed)
    n = customers * actions
    customer = np.repeat(np.arange(customers), actions)
    gain = rng.lognormal(2, 1, n)
    home = rng.integers(0, customers * 3 // 4, customers)
    none = np.zeros(0)
    groups = [
        (np.tile(np.arange(actions) % 3, customers), none),
        (rng.integers(0, 5, customers)[customer], none),
    ]
    return Choice(
        Options(home[customer], gain, rng.uniform(0, 5, n), groups),
        gain + rng.normal(0, 6, n),
        rng.random(n) < 0.4,
        customer,
        customers,
        rng.random(customers) < 0.1,
        rng.random(customers)[home],
    )


LIMITS = Limits(60.0, 100.0, (np.array([15.0, 25.0, np.inf]), np.full(5, 14.0)))


@pytest.mark.parametrize("trial", [0, 12, 30])
@pytest.mark.parametrize("seed", range(4))
def test_the_list_with_its_trial_keeps_every_limit(trial, seed):
    night = tonight(seed)
    found = pick(night, LIMITS, trial=trial, control=0.2)
    listed, (channel, owner) = found.listed, (group for group, _ in night.options.groups)
    assert 0 < len(listed) <= LIMITS.capacity
    assert night.options.cost[listed].sum() <= LIMITS.budget + 1e-6
    assert (np.bincount(channel[listed], minlength=3) <= LIMITS.groups[0]).all()
    assert (np.bincount(owner[listed], minlength=5) <= LIMITS.groups[1]).all()
    homes = night.options.unit[found.taken]
    assert len(set(homes)) == len(homes)
    assert found.trial[listed].sum() <= trial
    assert not night.spared[night.customer[found.left_alone]].any()
    assert (night.sure | found.trial)[found.taken].all()
    assert (night.tried[found.trial] > 0).all()


@given(seed=st.integers(0, 30), other=st.floats(0, 0.999))
@examples(max_examples=12, deadline=None)
def test_whether_somebody_is_chosen_does_not_depend_on_the_own_draw(seed, other):
    """With another die only what becomes of the chosen changes: so the recorded chance is the chance."""
    night = tonight(seed, customers=80)
    few = Limits(12.0, 30.0, LIMITS.groups)
    found = pick(night, few, trial=5, control=0.25)
    for option in found.taken[:: max(1, len(found.taken) // 6)]:
        family = night.options.unit == night.options.unit[option]
        changed = night.dice.copy()
        changed[np.unique(night.customer[family])] = other
        again = pick(replace(night, dice=changed), few, trial=5, control=0.25)
        assert option in again.taken
        assert again.chance[option] == found.chance[option]
        assert again.trial[option] == found.trial[option]
        assert (option in again.listed) == (other >= 1 - found.chance[option])


@pytest.mark.slow
def test_the_recorded_chance_is_how_often_it_happens():
    night, rng = tonight(customers=60), np.random.default_rng(2)
    few = Limits(12.0, np.inf, (np.full(3, np.inf), np.full(5, np.inf)))
    chosen, listed, chance = (np.zeros(len(night.customer)) for _ in range(3))
    home = night.options.unit[:: len(night.customer) // night.customers]
    for _ in range(400):
        draw = rng.random(home.max() + 1)[home]
        found = pick(replace(night, dice=draw), few, trial=5, control=0.25)
        chosen[found.taken] += 1
        listed[found.listed] += 1
        chance[found.taken] += found.chance[found.taken]
    often = chosen > 100
    assert often.sum() > 8
    spread = np.sqrt(chance * (1 - chance / np.maximum(chosen, 1)))[often]
    assert (np.abs(listed - chance)[often] <= 4 * spread).all()
    assert listed.sum() == pytest.approx(chance.sum(), rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_choosing_around_those_left_alone_loses_next_to_nothing(seed):
    """Against the best choice among all others, which knows the draw."""
    night = replace(tonight(seed), sure=np.ones(1_600, bool))
    found = pick(night, LIMITS, control=0.2)
    free = np.flatnonzero(~night.alone(0.2))
    o = night.options
    groups = [(g[free], caps) for (g, _), caps in zip(o.groups, LIMITS.groups, strict=True)]
    best = assign(Options(o.unit[free], o.gain[free], o.cost[free], groups), 60, 100.0)
    assert o.gain[found.listed].sum() >= 0.97 * best.bound


def test_nothing_gains_more_than_the_bound():
    night = tonight()
    found = pick(night, LIMITS, control=0.2)
    assert night.options.gain[found.listed].sum() <= found.gain + 1e-6 <= found.bound + 2e-6
