"""The table of scores: order, ranks, sums and the published rows, of tables in any order and batches of any size."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.schema import Churn
from models.decision.worth import typical_amount
from models.statistics.losses import Losses
from pipeline.outreach.playbook import value_ranks
from pipeline.retention.forecast.expected import lost_in_period
from pipeline.scoring import score_table
from pipeline.scoring.horizons import LOST
from pipeline.scoring.score_table import ScoreTable, batches

AS_OF = dt.date(2026, 7, 1)
SHOP = Churn(kind="non_contractual", horizon_days=60, active_days=180)


def scores(n, seed=3, **numbers):
    """Customers in no order, with ties of value."""
    rng = np.random.default_rng(seed)
    ids = [f"{i:05d}" for i in rng.permutation(n)]
    return ids, rng.uniform(0, 1, n), rng.integers(0, 9, n).astype(float), numbers


def table(n, **numbers):
    ids, chance, value, numbers = scores(n, **numbers)
    return ScoreTable.of(ids, chance, numbers).with_values(ids[::-1], value[::-1])


def frame(n):
    ids, chance, value, _ = scores(n)
    found = pd.DataFrame({"customer_id": ids, "p": chance, "value": value, "risk": chance * value})
    return found.sort_values(["risk", "p", "customer_id"], ascending=[False, False, True], ignore_index=True)


def test_three_customers(tmp_path):
    numbers = {
        "churn_probability_90d": np.array([0.3, np.nan, 0.9]),
        "expected_on": np.array([3.9, np.nan, 0.0]),
        LOST: np.array([0.1, 0.2, 0.3]),
    }
    found = ScoreTable.of(["b", "a", "c"], np.array([0.2, 0.5, 0.8]), numbers)
    found.with_values(["a", "b", "c"], np.array([4.0, 50.0, 0.0])).write(tmp_path / "s.parquet", AS_OF, ["a"])
    written = pq.read_table(tmp_path / "s.parquet")
    assert written.to_pylist() == [
        {
            "customer_id": customer,
            "as_of": AS_OF,
            "churn_probability": chance,
            "value": value,
            "value_at_risk": risk,
            "listed": listed,
            "churn_probability_90d": later,
            "expected_on": day,
        }
        for customer, chance, value, risk, listed, later, day in [
            ("b", 0.2, 50.0, 10.0, False, 0.3, dt.date(2026, 7, 4)),
            ("a", 0.5, 4.0, 2.0, True, None, None),
            ("c", 0.8, 0.0, 0.0, False, 0.9, dt.date(2026, 7, 1)),
        ]
    ]


def test_the_first_are_those_with_the_highest_value_at_risk():
    found, expected = table(300), frame(300)
    first = found.first(40).to_pandas()["customer_id"]
    assert sorted(first) == sorted(expected.customer_id[:40])
    assert found.at_risk(40) == expected.risk[40]
    assert found.at_risk(300) is None


def test_ranks_and_the_typical_value_are_those_of_arrays():
    for n in (1, 2, 299, 300):
        found = table(n).ranks().order_by("customer_id").to_pandas()
        value = found["value"].to_numpy()
        assert found["rank_"].tolist() == value_ranks(value).tolist()
        assert table(n).typical() == typical_amount(value)
    four = ScoreTable.of(list("abcd"), np.full(4, 0.5), {})
    assert four.with_values(list("abcd"), np.array([9.0, 1.0, 5.0, 2.0])).typical() == 3.5
    nobody_pays = ScoreTable.of(["a"], np.array([0.5]), {}).with_values(["a"], np.array([0.0]))
    assert nobody_pays.typical() == 1.0


def test_some_are_the_same_ones_in_any_order_of_rows():
    found = set(table(300).some(50).to_pandas()["customer_id"])
    ids, chance, _, _ = scores(300)
    again = ScoreTable.of(ids[::-1], chance[::-1], {}).some(50).to_pandas()["customer_id"]
    assert len(found) == 50
    assert found == set(again)


@pytest.mark.parametrize("size", [7, 100, 1 << 20])
def test_batches_are_whole_and_in_order(size, monkeypatch):
    monkeypatch.setattr(score_table, "ROWS_AT_ONCE", size)
    found = list(batches(table(100).rows))
    assert [len(b) for b in found] == [size] * (100 // size) + ([100 % size] if 100 % size else [])
    assert [x for b in found for x in b["customer_id"].to_pylist()] == [f"{i:05d}" for i in range(100)]


def test_the_expected_losses_are_those_of_all_probabilities(monkeypatch):
    monkeypatch.setattr(score_table, "ROWS_AT_ONCE", 70)
    ids, chance, _, _ = scores(200)
    p = chance[np.argsort(ids)]
    safe = np.arange(200) % 3 == 0
    kept = ibis.memtable({"customer_id": [f"{i:05d}" for i in np.flatnonzero(safe)]})
    window, period = table(200).losses(kept, AS_OF, SHOP, "month")
    even = np.where(safe, 0.0, lost_in_period(p, AS_OF, SHOP, "month"))
    assert window.each.tolist() == p.tolist()
    assert period.each.tolist() == even.tolist()
    assert window.expected == pytest.approx(Losses.of(p).expected, rel=1e-14)
    assert table(200).expected() == pytest.approx(p.sum(), rel=1e-14)
    told = np.linspace(0, 1, 200)
    _, by_model = ScoreTable.of(ids, chance, {LOST: told}).losses(None, AS_OF, SHOP, "month")
    assert by_model.each.tolist() == told[np.argsort(ids)].tolist()
