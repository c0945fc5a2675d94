"""Contracts: how many run, what became larger or smaller, and when the term ends."""

import numpy as np
import pandas as pd
import pytest
from literal import features_of, table_of

from features.contracts import marked


@pytest.fixture(scope="module")
def found():
    def contract(who, start, end=None, amount=10.0, **more):
        empty = dict.fromkeys(("trial", "trial_ends_at", "term_ends_at", "paused_at", "resumed_at"))
        times = {"started_at": start, "ended_at": end}
        return {"customer_id": who, **times, "amount": amount, **empty, **more}

    rows = [
        contract("a", "2024-01-01", "2024-06-11", paused_at="2024-02-01", resumed_at="2024-03-01"),
        contract("a", "2024-06-11", amount=25.0, term_ends_at="2024-07-31"),
        contract("b", "2024-05-22", trial="yes"),
        contract("c", "2024-01-01", "2024-06-21", paused_at="2024-06-01"),
        contract("c", "2024-02-01", amount=4.0, paused_at="2024-06-02", term_ends_at="2024-06-01"),
    ]
    frame = pd.DataFrame(rows)
    frame["trial"] = frame.trial.astype("str")
    table = table_of(frame.to_dict("records"), trial="str")
    return features_of({"contracts": marked(table, [], 0)})


def test_contracts_that_run_and_all_so_far(found):
    assert found.running_contract_count.tolist() == [1, 0, 1]
    assert found.contract_count_ever.tolist() == [2, 0, 2]
    assert found.trial_count_ever.tolist() == [0, 1, 0]


def test_upgrades_and_downgrades(found):
    assert found.upgrade_count_30d.tolist() == [1, 0, 0]
    assert found.upgrade_count_90d.tolist() == [1, 0, 0]
    assert found.downgrade_count_30d.tolist() == [0, 0, 1]
    np.testing.assert_allclose(found.contract_change_gap_days, [20, np.nan, 10])


def test_a_pause_is_over_when_the_contract_goes_on_or_ends(found):
    assert found.paused_contract_count.tolist() == [0, 0, 1]


def test_the_term_of_the_newest_contract_while_it_lasts(found):
    np.testing.assert_allclose(found.term_left_days, [30, np.nan, np.nan])
