import numpy as np
import pytest

from configs.errors import ConfigError
from configs.outreach import Outreach
from configs.playbook import load_playbook
from models.decision.worth import concave, typical_amount
from models.effects.contact import prevented
from pipeline.outreach.costs import contact_costs
from tests.pipeline.outreach.outreach_data import action, customers, night, playbook


def book(**costs):
    """Actions with only these: `call=(minutes, cost)`."""
    return playbook(**{name: action(cost=cost, minutes=minutes) for name, (minutes, cost) in costs.items()})


@pytest.mark.parametrize(
    ("hour_cost", "amount", "known"),
    [(30, [7.5, 12.0, 2.0, 0.0], True), (0, [0.0, 2.0, 2.0, 0.0], True), (None, [0.0, 2.0, 2.0, 0.0], False)],
)
def test_minutes_and_money_make_the_cost(hour_cost, amount, known):
    mixed = book(call=(15, None), gift=(20, 2), stamp=(None, 2), automatic=(0, None))
    costs = contact_costs(mixed, Outreach(hour_cost=hour_cost), priced=True)
    assert costs.amount.tolist() == amount
    assert costs.off_the_gain.tolist() == amount
    assert costs.known is known
    assert bool(costs.notes) is not known


UNKNOWN = {
    "no price of an hour": (
        {"call": (15, None), "mail": (1, None)},
        None,
        "the costs of contacts are unknown and count as 0: the list is ranked by the loss that a contact prevents; "
        "set `outreach.hour_cost`, what an hour of work costs",
    ),
    "neither minutes nor cost": (
        {"call": (None, None), "mail": (None, 0.5)},
        None,
        "the costs of call are unknown and count as 0: the list is ranked by the loss that a contact prevents; "
        "give call a cost in the playbook",
    ),
    "an hour has a price": (
        {"call": (None, None), "mail": (1, None)},
        30,
        "the costs of call are unknown and count as 0: the list is ranked by the loss that a contact prevents; "
        "give call a cost, or minutes, in the playbook",
    ),
    "both": (
        {"call": (15, None), "visit": (None, None), "mail": (None, 0)},
        None,
        "the costs of call, visit are unknown and count as 0: the list is ranked by the loss that a contact "
        "prevents; set `outreach.hour_cost`, what an hour of work costs and give visit a cost, or minutes, in the "
        "playbook",
    ),
}


@pytest.mark.parametrize(("actions", "hour_cost", "note"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_costs_are_said_with_what_makes_them_known(actions, hour_cost, note):
    costs = contact_costs(book(**actions), Outreach(hour_cost=hour_cost), priced=True)
    assert costs.notes == (note,)
    followed = {name: (m, 3 if m is None and c is None else c) for name, (m, c) in actions.items()}
    assert contact_costs(book(**followed), Outreach(hour_cost=30), priced=True).known


def test_where_values_are_no_money_costs_stay_out_of_the_gain_and_count_for_the_budget():
    costs = contact_costs(book(call=(30, None)), Outreach(hour_cost=30, budget=100), priced=False)
    assert costs.off_the_gain.tolist() == [0.0]
    assert costs.amount.tolist() == [15.0]
    assert contact_costs(book(call=(30, None)), Outreach(), priced=False).notes == ()


def test_a_budget_needs_costs():
    with pytest.raises(
        ConfigError, match=r"outreach.budget: the costs of contacts are unknown.*hour_cost.*or remove"
    ):
        contact_costs(load_playbook(), Outreach(budget=100), priced=True)
    assert contact_costs(load_playbook(), Outreach(budget=100, hour_cost=20), priced=True).known


def test_the_shipped_playbook_states_minutes_and_no_money():
    actions = load_playbook().actions.values()
    assert all(a.minutes is not None and a.cost is None for a in actions)


def test_without_costs_the_list_is_ranked_by_the_loss_prevented_and_says_so():
    scores = customers(40)
    unknown = playbook(
        call=action(cost=None, minutes=20, rate=0.2), mail=action(channel="email", cost=None, minutes=1)
    )
    decision = night(scores, unknown, capacity=5)
    p, value = (scores[c].to_numpy() for c in ("churn_probability", "spend_sum_180d"))
    never = np.full(40, np.inf)  # days since the last contact
    loss = prevented(p, np.ones(40), never, np.zeros(40)) * concave(value, typical_amount(value))
    best = scores["customer_id"].iloc[np.argsort(-loss)[:5]].tolist()
    assert decision.chosen["customer_id"].tolist() == best
    assert set(decision.chosen["action"]) == {"call"}
    assert any("costs of contacts are unknown" in note for note in decision.notes)
    assert decision.figures["costs_known"] is False


def test_an_hour_may_cost_more_than_a_contact_brings():
    scores = customers(40)
    paid = playbook(call=action(cost=None, minutes=60, rate=0.1))
    assert len(night(scores, paid, hour_cost=1, capacity=40).chosen) == 40
    assert night(scores, paid, hour_cost=1e6, capacity=40).chosen.empty
