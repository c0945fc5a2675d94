"""What a company is expected to bring is what it brings on average; and the variants differ where they should."""

import numpy as np
import pytest

from benchmarks import policy
from benchmarks.policy_company import HISTORY, NOBODY, Money
from benchmarks.policy_shops import Delay, Null, Prevent

WEEKS = 20


def average_earned(company, state, lives):
    """Earned in `WEEKS` weeks without a contact, each life with another chance: the slow way to `future`."""
    company.usual = lambda state, week, u: np.zeros(len(company.born), bool)
    nobody, earned = np.full(len(company.born), NOBODY), []
    for life in range(lives):
        company.draws = lambda week, life=life: np.random.default_rng([life, week]).random((17, len(nobody)))
        now, money = dict(state), Money()
        for week in range(HISTORY, HISTORY + WEEKS):
            now, _ = company.week(now, week, nobody, money)
        earned.append(money.earned)
    return np.mean(earned), np.std(earned) / np.sqrt(lives)


@pytest.mark.parametrize("name", ["shops", "contracts", "market", "needs", "delay", "prevent"])
def test_what_is_expected_comes_on_average(name):
    company = policy.company_of(name, 2, WEEKS, 150)
    company.born = np.where(company.born > HISTORY, 10_000, company.born)  # newcomers are not looked ahead to
    state, nobody = company.start(), np.full(len(company.born), NOBODY)
    for week in range(HISTORY):
        state, _ = company.week(state, week, nobody, None)
    expected = float(company.future(state, HISTORY, WEEKS).sum())
    mean, error = average_earned(company, state, lives=12)
    assert expected == pytest.approx(mean, rel=0.12, abs=4 * error)


def leaving(company, weeks):
    """Expected share of a thousand alike who have left, with and without one contact in week 0."""
    state = company.start()
    found = []
    for first in (state, company.touched(state, 0, np.zeros(len(company.born), np.int64), None)):
        now, there, lost = first, np.ones(len(company.born)), {}
        for week in range(max(weeks)):
            there = there * (1 - company.hazard(now, week))
            now = company.moved(now, week, None)
            lost[week + 1] = float(1 - there.mean())
        found.append([lost[w] for w in weeks])
    return found


def test_delay_gives_back_what_prevention_keeps():
    kept = {}
    for kind in (Delay, Prevent, Null):
        without, with_ = leaving(kind(0, 1_000, 1), [8, 40])
        kept[kind.name] = [a - b for a, b in zip(without, with_, strict=True)]
    assert kept["null"] == [0, 0]
    assert kept["delay"][0] == pytest.approx(kept["prevent"][0])
    assert kept["delay"][1] < kept["delay"][0] / 3
    assert kept["prevent"][1] > kept["prevent"][0]
