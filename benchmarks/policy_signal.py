"""How much of a contact's effect the label window shows, and how much the window after it.

    python -m benchmarks.policy_signal --first-seed 20 --customers 2000

The companies of `benchmarks.policy`, lived twice by the same chance: once everybody who is a customer by the records is
contacted in the first week, once nobody is. Points more that are kept, by what the records show: without contracts a
purchase in the window, with contracts that it has not ended by the end of the window. A contact makes people leave, or
stay, in the weeks that follow, and most of them buy once more before they go: so the first window shows little of it.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.policy import COMPANIES, company_of
from benchmarks.policy_company import HISTORY, NOBODY, Company, Floats, State


def grown(company: Company) -> State:
    """The state when the first list is due."""
    state, nobody = company.start(), np.full(len(company.born), NOBODY)
    for week in range(HISTORY):
        state, _ = company.week(state, week, nobody, None)
    return state


def windows(company: Company, state: State, action: int) -> Floats:
    """Share kept in the label window and in the next one of equal length, when everybody got an action."""
    known, length = company.known(state, HISTORY), company.horizon_days // 7
    everybody, nobody = np.where(known, action, NOBODY), np.full(len(known), NOBODY)
    kept = np.zeros((2, len(known)), bool)
    for week in range(2 * length):
        state, events = company.week(state, HISTORY + week, nobody if week else everybody, None)
        if company.kind == "contractual":
            kept[week // length] = company.there(state, HISTORY + week + 1)
        else:
            kept[week // length, events["transactions"][0]["who"]] = True
    return np.asarray(100 * kept[:, known].mean(axis=1))


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
    for name in given.companies:
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            company = company_of(name, seed, 26, given.customers)
            state = grown(company)
            alone = windows(company, state, NOBODY)
            for number, action in enumerate(company.means):
                first, second = windows(company, state, number) - alone
                print(f"{name} {seed:3} {action:18}{first:+7.2f}{second:+7.2f} points", flush=True)


if __name__ == "__main__":
    main()
