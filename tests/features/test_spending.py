"""What each customer spent, net of what was given back: what a customer is worth follows from it."""

import datetime as dt

import numpy as np
import pytest
from literal import at, features_of, table_of

from features.spending import MONTH, spending_columns, spending_window


def columns(value_days, windows=(30, 90)):
    return lambda found: spending_columns(found, windows, value_days)


@pytest.mark.parametrize(
    ("windows", "value_days", "taken"),
    [((30, 90), 365, 90), ((30, 90), 60, 30), ((30, 90, 360), 365, 360), ((30, 90), 1, 30)],
)
def test_the_window_nearest_to_the_days_of_the_value_is_taken(windows, value_days, taken):
    found = spending_columns({"transactions.amount"}, windows, value_days)
    assert [column.name for column, _ in found] == [
        f"net_spend_{taken}d", f"net_spend_before_{taken}d", f"kept_spend_share_{taken}d"
    ]  # fmt: skip
    assert spending_window([column.name for column, _ in found]) == taken


def test_nobody_s_spend_is_known_without_amounts():
    assert spending_columns({"transactions", "cancellations.amount"}, (30,), 30) == ()
    assert spending_window(["customer_id", "spend_sum_30d", "net_spend_30", "xnet_spend_30d"]) is None


def test_refunds_are_taken_from_the_window_in_which_they_were_made():
    bought = [
        at("a", "2024-06-10", amount=100.0),
        at("a", "2024-05-10", amount=50.0),
        at("b", "2024-05-10", amount=10.0),
    ]
    back = [at("a", "2024-06-20", amount=30.0), at("b", "2024-06-20", amount=25.0)]
    found = features_of(
        {"transactions": table_of(bought), "cancellations": table_of(back)}, columns=columns(30)
    )
    assert found.net_spend_30d.tolist() == [70, -25]
    assert found.net_spend_before_30d.tolist() == [50, 10]
    np.testing.assert_allclose(found.kept_spend_share_30d, [120 / 150, 0])


def test_without_refunds_all_is_kept():
    found = features_of(
        {"transactions": table_of([at("a", "2024-06-10", amount=100.0)])}, columns=columns(30)
    )
    assert found.kept_spend_share_30d.tolist() == [1]


def test_amounts_of_contracts_are_spent_day_by_day():
    starts = [at("a", "2024-01-01", amount=20.0), at("b", "2024-06-16", amount=30.0)]
    ends = [at("a", "2024-06-11", amount=20.0)]
    started = {"a": dt.date(2024, 1, 1), "b": dt.date(2024, 6, 16)}
    tables = {"contract_starts": table_of(starts), "contract_ends": table_of(ends)}
    found = features_of(tables, started=started, columns=columns(30))
    np.testing.assert_allclose(found.net_spend_30d, [0, 30 * 15 / MONTH], rtol=1e-6)
    np.testing.assert_allclose(found.net_spend_before_30d, [20 * 30 / MONTH, 0], rtol=1e-6)
    assert found.kept_spend_share_30d.tolist() == [1, 1]
