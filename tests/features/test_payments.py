"""Payments that failed, and those that were made after all."""

import numpy as np
from literal import at, features_of, table_of


def test_failed_and_recovered_payments():
    rows = [
        at("a", "2024-06-11", amount=20.0, recovered_at="2024-06-15"),
        at("a", "2024-06-21", amount=30.0, recovered_at=None),
        at("b", "2024-05-01", amount=5.0, recovered_at="2024-07-01"),  # paid at T: not known before it
    ]
    found = features_of({"failed_payments": table_of(rows)})
    assert found.open_failed_payment_count.tolist() == [1, 1]
    assert found.failed_payment_count_30d.tolist() == [2, 0]
    assert found.failed_payment_sum_30d.tolist() == [50, 0]
    assert found.failed_payment_gap_days.tolist() == [10, 61]
    np.testing.assert_allclose(found.recovery_wait_mean_days, [4, np.nan])


def test_without_recoveries_nothing_is_called_open():
    found = features_of({"failed_payments": table_of([at("a", "2024-06-11")])})
    assert "open_failed_payment_count" not in found
    assert "recovery_wait_mean_days" not in found
    assert "failed_payment_sum_30d" not in found
    assert found.failed_payment_count_30d.tolist() == [1]
