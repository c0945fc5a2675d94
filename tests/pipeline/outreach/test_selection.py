import numpy as np
import pytest

from models.decision.assignment import Options, assign
from pipeline.outreach.selection import Limits, Night, select


def night(customers=400, actions=4, control=0.2, seed=1):
    rng = np.random.default_rng(seed)
    gain = rng.lognormal(2, 1, (customers, actions)).ravel()
    customer = np.repeat(np.arange(customers), actions)
    channel = np.tile(np.arange(actions) % 3, customers)
    owner = np.repeat(rng.integers(0, 5, customers), actions)
    none = np.zeros(0)
    options = Options(customer, gain, rng.uniform(0, 5, len(gain)), [(channel, none), (owner, none)])
    return Night(
        options,
        customer,
        customers,
        rng.random(customers) < control,
        np.ones(customers, bool),
        rng.random((customers, 2)),
    )


LIMITS = Limits(60.0, 100.0, (np.array([15.0, 25.0, np.inf]), np.full(5, 14.0)))
DICE = np.full(9, 0.5)


def used(chosen, tonight):
    groups = [np.bincount(group[chosen], minlength=5) for group, _ in tonight.options.groups]
    return len(chosen), tonight.options.cost[chosen].sum(), groups


@pytest.mark.parametrize("exploration", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_the_list_with_its_random_part_keeps_every_limit(exploration, seed):
    tonight = night(seed=seed)
    found = select(tonight, LIMITS, exploration, DICE)
    count, cost, (channels, owners) = used(found.listed, tonight)
    assert count <= LIMITS.capacity
    assert cost <= LIMITS.budget + 1e-6
    assert (channels[:3] <= LIMITS.groups[0]).all()
    assert (owners <= LIMITS.groups[1]).all()
    assert len(set(tonight.options.unit[found.listed])) == count
    assert tonight.control[tonight.customer[found.left_alone]].all()
    assert not tonight.control[tonight.customer[found.listed]].any()


@pytest.mark.parametrize("seed", range(6))
def test_choosing_around_the_control_group_loses_next_to_nothing(seed):
    """Against the best choice among those who are not in the group."""
    tonight = night(seed=seed)
    found = select(tonight, LIMITS, 0.0, DICE)
    free = np.flatnonzero(~tonight.control[tonight.customer])
    o = tonight.options
    groups = [(g[free], caps) for (g, _), caps in zip(o.groups, LIMITS.groups, strict=True)]
    best = assign(Options(o.unit[free], o.gain[free], o.cost[free], groups), 60, 100.0)
    assert o.gain[found.listed].sum() >= 0.99 * best.bound


def test_who_is_left_alone_would_have_been_listed():
    """Take one of them out of the group, and the first choice has that very option."""
    tonight = night()
    found = select(tonight, LIMITS, 0.0, DICE)
    nobody = Night(tonight.options, tonight.customer, 400, np.zeros(400, bool), tonight.sampled, tonight.dice)
    without = set(select(nobody, LIMITS, 0.0, DICE).listed.tolist())
    first = assign(
        Options(
            tonight.options.unit,
            tonight.options.gain,
            tonight.options.cost,
            [(g, caps) for (g, _), caps in zip(tonight.options.groups, LIMITS.groups, strict=True)],
        ),
        60,
        100.0,
    )
    assert without == set(first.taken.tolist())
    in_group = {o for o in without if tonight.control[tonight.customer[o]]}
    assert in_group
    assert in_group <= set(found.left_alone.tolist())


def test_no_room_no_list():
    found = select(night(), Limits(0.0, np.inf, LIMITS.groups), 0.5, DICE)
    assert len(found.listed) == len(found.left_alone) == 0


def test_fractions_of_a_contact_are_explored_as_often_as_they_say():
    quotas = [LIMITS.share(0.13, np.full(9, die)).capacity for die in np.linspace(0, 0.999, 200)]
    assert np.mean(quotas) == pytest.approx(60 * 0.13, rel=0.01)
