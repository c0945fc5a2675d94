"""Log-rank tests against the sums of the textbook."""

import datetime as dt

import numpy as np
import pytest

from models.statistics.survival import logrank_table
from pipeline.retention.tables.survival import lifetimes
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, club

AS_OF = dt.date(2024, 2, 5)


def test_logrank_equals_the_textbook_sums():
    frames, churn = club(4)
    table = logrank_table(lifetimes(as_tables(frames), churn, AS_OF, "plan")).set_index("segment")
    spans = slow.lifetimes(frames, churn, AS_OF)
    plan = frames["customers"].set_index("customer_id").plan
    mine = [v for k, v in spans.items() if plan[k] == "basic"]
    others = [v for k, v in spans.items() if plan[k] != "basic"]
    assert abs(table.statistic["basic"]) == pytest.approx(abs(slow.logrank_z(mine, others)))
    assert np.sign(table.statistic["basic"]) == np.sign(slow.logrank_z(mine, others))
    assert table.p_value["basic"] == pytest.approx(table.p_value["plus"])


def test_logrank_of_one_group_is_empty():
    frames, churn = club(4)
    assert logrank_table(lifetimes(as_tables(frames), churn, AS_OF)).empty
