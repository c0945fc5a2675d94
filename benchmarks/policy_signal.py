"""How much of a contact's effect the records show, by which outcome, and how many rows it takes to see it.

    python -m benchmarks.policy_signal --first-seed 20 --customers 2000

The companies of `benchmarks.policy`, lived twice by the same chance: once everybody who is a customer by the records is
contacted in the first week, once nobody is. Points more that are kept: by the label, and by who is still a customer
after two and three windows, which is what the product learns from (`models.effects.expected.alive`; of a contract, that
it runs). Behind each the thousands of customers, half of them contacted, of whom two standard errors are as large as
the effect. A contact makes people leave, or stay, in the weeks that follow, and most of them buy once more before they
go: so the label shows little of it.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.policy import COMPANIES, company_of
from benchmarks.policy_company import HISTORY, NOBODY, Company, Floats, State
from models.effects.expected import alive

WINDOWS = 3


def grown(company: Company) -> tuple[State, Floats]:
    """The state when the first list is due, and how many purchases each customer made a week."""
    state, nobody = company.start(), np.full(len(company.born), NOBODY)
    bought = np.zeros(len(company.born))
    for week in range(HISTORY):
        state, events = company.week(state, week, nobody, None)
        bought[events["transactions"][0]["who"]] += 1
    return state, bought / np.maximum(HISTORY - company.born, 1)


def kept_by_outcome(company: Company, state: State, rate: Floats, action: int) -> Floats:
    """Shape (3, customers): the label, and still there after two and three windows, when everybody got an action."""
    known, length = company.known(state, HISTORY), company.horizon_days // 7
    everybody, nobody = np.where(known, action, NOBODY), np.full(len(known), NOBODY)
    p, last, found = np.exp(-rate * length), np.full(len(known), -1.0), []
    for week in range(WINDOWS * length):
        state, events = company.week(state, HISTORY + week, nobody if week else everybody, None)
        last[events["transactions"][0]["who"]] = week
        if (week + 1) % length == 0:
            if company.kind == "contractual":
                found.append(company.there(state, HISTORY + week + 1) * 1.0)
            elif week < length:
                found.append((last >= 0) * 1.0)
            else:
                found.append(alive(p, np.ones(len(p)), (week + 0.5 - last) / length))
    return 100 * np.array(found)[:, known]


def main() -> None:
    """One line an action."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--companies", nargs="+", choices=COMPANIES, default=COMPANIES[:4])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--customers", type=int, help="in the beginning; drawn when not given")
    given = parser.parse_args()
    print(f"{'points kept (thousands of customers)':36}{'label':>15}{'two windows':>15}{'three':>15}")
    for name in given.companies:
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            company = company_of(name, seed, 26, given.customers)
            state, rate = grown(company)
            alone = kept_by_outcome(company, state, rate, NOBODY)
            for number, action in enumerate(company.means):
                effect = (kept_by_outcome(company, state, rate, number) - alone).mean(axis=1)
                rows = (4 * alone.std(axis=1) / effect) ** 2 / 1000
                shown = "".join(
                    f"{e:+8.2f} ({n:4.0f})" for e, n in zip(effect, np.minimum(rows, 9999), strict=True)
                )
                print(f"{name:10} {seed:3} {action:20} {shown}", flush=True)


if __name__ == "__main__":
    main()
