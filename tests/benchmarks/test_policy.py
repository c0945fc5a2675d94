"""The benchmark of the list keeps its books: worth adds up, chance is shared, nobody beats who knows everything."""

import numpy as np
import pytest

from benchmarks import policy, policy_quick, policy_year
from benchmarks.policy_company import HISTORY, NOBODY, Company, Means, Money

COMPANIES = ("shops", "contracts", "market", "needs")


class Calm(Company):
    """Three customers who bring 10 a week each and never leave; a contact costs 4."""

    name = "calm"
    newcomers = (0.0, 0.0)

    def draw_structure(self):
        self.means = {"call": Means("phone", 4.0)}

    def attributes(self):
        return {}

    def start(self):
        return self.blank()

    def hazard(self, state, week):
        return np.zeros(len(self.born))

    def earning(self, state, week):
        return np.full(len(self.born), 10.0)

    def moved(self, state, week, u):
        return state

    def touched(self, state, week, action, luck):
        return dict(state)

    def usual(self, state, week, u):
        return np.zeros(len(self.born), bool)

    def lived(self, state, week, u):
        return self.earning(state, week), {}


def test_worth_is_what_was_earned_less_what_was_spent_and_what_will_come():
    company, money = Calm(0, 3), Money()
    state, _ = company.week(company.start(), HISTORY, np.array([0, NOBODY, NOBODY]), money)
    assert (money.earned, money.spent, money.contacts) == (30.0, 4.0, 1)
    assert company.prospect(state, HISTORY + 1) == 3 * 52 * 10
    assert company.gains(state, HISTORY + 1).tolist() == [[-4.0]] * 3  # nothing to prevent: only the cost


@pytest.mark.parametrize("name", COMPANIES)
def test_a_contact_changes_nothing_for_anybody_else(name):
    company = policy.company_of(name, 1, 4, 200)
    nobody = np.full(len(company.born), NOBODY)
    one = np.where(np.arange(len(nobody)) == 7, 0, NOBODY)
    alone = contacted = company.start()
    for week in range(HISTORY):
        alone, _ = company.week(alone, week, nobody, None)
        contacted, _ = company.week(contacted, week, one, None)
    others = np.arange(len(nobody)) != 7
    for key, value in alone.items():
        np.testing.assert_array_equal(value[others], contacted[key][others], err_msg=key)
    assert alone["last_ours"][7] != contacted["last_ours"][7]


def test_the_same_seed_lives_the_same_year():
    first, again = (policy.one(("market", 3, 4, 150, ("nobody", "random", "oracle"))) for _ in range(2))
    assert [(r["policy"], r["worth"]) for r in first] == [(r["policy"], r["worth"]) for r in again]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPANIES)
def test_who_knows_everything_gains_most(name):
    rows = []
    for seed in range(3):
        rows += policy.one(
            (name, seed, 12, 400, ("nobody", "random", "late once", "by sign", "reported", "oracle"))
        )
    gain = {p: np.mean([policy.gains(rows, s, p)[12] for s in range(3)]) for p in {r["policy"] for r in rows}}
    assert max(gain, key=gain.get) == "oracle"
    assert gain["oracle"] > 0


@pytest.mark.slow
def test_the_product_trains_decides_and_records_as_a_policy(tmp_path):
    company = policy.company_of("market", 4, 2, 300)
    setting = policy_year.settled(company, tmp_path / "history")
    listed = []
    lived = company.week
    company.week = lambda state, week, action, money: (
        listed.append(action),
        lived(state, week, action, money),
    )[1]
    year = policy_year.live(setting, "product", 2, tmp_path / "product")
    assert all((action >= 0).sum() <= setting.capacity for action in listed)
    assert year.money.listed == sum((action >= 0).sum() for action in listed)
    assert all(company.known(setting.state, HISTORY)[listed[0] >= 0])
    assert len(list((tmp_path / "product").glob("data/*/ledger/as_of=*/*.parquet"))) == 2


def test_the_list_is_never_longer_than_its_capacity_and_holds_only_what_pays():
    score = np.array([0.5, -1.0, 3.0, 0.0, 2.0])
    assert policy_year.top(score, 2).tolist() == [False, False, True, False, True]
    assert policy_year.top(score, 9).tolist() == [True, False, True, False, True]


def test_the_lowest_point_is_looked_for_in_its_weeks():
    gain = {4: -3.0, 8: -1.0, 12: -2.0}
    assert (policy.worst(gain, 0, 8), policy.worst(gain, 9, 99)) == (-3.0, -2.0)


@pytest.mark.slow
def test_the_quick_half_year_is_the_products_own_decision(tmp_path):
    """Lists are chosen and learned from, the second time on the columns that the first one has kept."""
    job = ("needs", 3, 400, ("nobody", "product", "oracle"), tmp_path)
    first, again = policy_quick.one(job), policy_quick.one(job)
    assert [r["worth"] for r in first] == [r["worth"] for r in again]
    product = next(r for r in first if r["policy"] == "product")
    assert 0 < product["contacts"] <= product["listed"] <= 26 * 0.04 * 500
