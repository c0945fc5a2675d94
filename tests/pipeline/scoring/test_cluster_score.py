"""What the night makes of the files that a cluster's workers have written: the values and ranks of one machine."""

import os
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ConfigError
from configs.outreach import Outreach
from models.statistics.credibility import history_parts
from pipeline.dataset.cluster_jobs import matrix_rows
from pipeline.outreach.valuation import kept, purchase_history, valuation
from pipeline.scoring import cluster_score
from pipeline.scoring.horizons import Further
from pipeline.scoring.night_rates import no_rates
from pipeline.scoring.score_table import CHANCE, NOT_RETURNED, ScoreTable

N, DAYS = 300, 180
NAMES = [f"net_spend_{DAYS}d", f"net_spend_before_{DAYS}d", f"kept_spend_share_{DAYS}d", "tenure_days"]


def customers():
    rng = np.random.default_rng(4)
    spend = rng.gamma(1.5, 60, (N, 2)) * rng.choice([0.0, 1.0, 4.0], (N, 1))
    return pd.DataFrame(
        {
            "customer_id": [f"{i:04d}" for i in range(N)],
            "snapshot": pd.Timestamp("2026-07-01"),
            **dict(
                zip(NAMES, [*spend.T, rng.choice([0.5, 1.0], N), rng.uniform(1, 400, N).round()], strict=True)
            ),
            "plan": rng.choice(["basic", "gold", None], N),
        }
    ).astype(dict.fromkeys(NAMES, np.float32))


@pytest.fixture
def written(tmp_path):
    """Three files of the workers, in no order, and the same rows in one frame."""
    frame = customers()
    chance = np.random.default_rng(5).uniform(0, 1, N)
    kinds = {**dict.fromkeys(NAMES, "float"), "plan": "string"}

    def scored(piece):
        parts = history_parts(*purchase_history(piece, DAYS))
        return {CHANCE: chance[piece.index], **parts, NOT_RETURNED: kept(piece, DAYS)}

    for number in range(3):
        rows = matrix_rows(kinds, scored, frame.iloc[2 - number :: 3])
        pq.write_table(rows, tmp_path / f"part-{number}.parquet")
    return ibis.duckdb.connect().read_parquet(str(tmp_path / "part-*.parquet")), frame, chance


@pytest.mark.parametrize("value", [{}, {"segment": "plan"}, {"method": "own"}, {"method": "constant"}])
def test_the_values_are_those_of_one_machine(written, value):
    rows, frame, _ = written
    settings = Outreach(value=value)
    days = None if value.get("method") == "constant" else DAYS
    valued, worth = cluster_score._valued(rows, days, settings, 0.4)
    found = valued.order_by("customer_id").to_pandas()["value"]
    expected = valuation(frame.assign(plan=frame["plan"].astype("category")), settings, 0.4)
    assert found.tolist() == expected.amount.tolist()
    assert worth.parameters == expected.parameters
    assert worth.priced == expected.priced
    assert worth.notes == expected.notes


def test_a_segment_that_the_workers_did_not_write_is_refused(written):
    with pytest.raises(ConfigError, match=r"'region' is no attribute of sources\.customers"):
        cluster_score._valued(written[0], DAYS, Outreach(value={"segment": "region"}), 0.4)


@pytest.mark.parametrize("most", [40, N])
def test_so_many_come_here_and_the_others_are_known_by_what_they_are_worth(written, most, monkeypatch):
    monkeypatch.setattr(cluster_score, "COMPARED", 60)
    rows, frame, chance = written
    valued, worth = cluster_score._valued(rows, DAYS, Outreach(), 0.4)
    plan = SimpleNamespace(catalogue=[SimpleNamespace(name=n) for n in (*NAMES, "plan")], digest="x")
    table = ScoreTable(valued.select("customer_id", CHANCE, "value"))
    found = cluster_score._night(None, rows, table, worth, plan, no_rates(), most)
    whole = valuation(frame, Outreach(), 0.4)
    risk = np.sort(chance * whole.amount)[::-1]
    here = found.matrix.frame["customer_id"].astype(int).to_numpy()
    assert sorted(chance[here] * whole.amount[here], reverse=True) == risk[:most].tolist()
    assert (np.diff(here) > 0).all()
    assert found.probability.tolist() == chance[here].tolist()
    assert found.everybody.worth.amount.tolist() == whole.amount[here].tolist()
    assert found.everybody.worth.ranks.tolist() == whole.ranks[here].tolist()
    assert found.everybody.left_out == (risk[most] if most < N else None)
    assert len(found.everybody.compared) == (60 if most < N else N)
    assert found.everybody.customers == N
    pd.testing.assert_series_equal(
        found.matrix.frame["plan"].astype("object"),
        frame["plan"].iloc[here].reset_index(drop=True),
        check_dtype=False,
    )


FURTHER = Further(None, (30, 90), 31, 0)


@pytest.mark.parametrize("days", [None, DAYS])
@pytest.mark.parametrize("further", [None, FURTHER], ids=["one horizon", "several"])
def test_a_worker_without_rows_writes_the_columns_of_all_others(days, further):
    """The files of a partition that holds nobody have the same columns, so that they can be read as one table."""
    found = cluster_score.scored_parts({}, (), days, further, customers()[:0])
    assert tuple(found) == cluster_score.scored_columns(days, further)
    assert all(len(values) == 0 for values in found.values())
    names = {
        "churn_probability_30d",
        "churn_probability_90d",
        "expected_on",
        "expected_from",
        "expected_until",
    }
    assert set(found) >= names | {"lost_"} if further else not set(found) & names
    assert (NOT_RETURNED in found) == (days is not None)


def test_the_files_of_the_workers_lie_beside_the_outputs_and_are_gone_afterwards(tmp_path):
    data = tmp_path / "not" / "yet"
    with cluster_score.staged(data) as folder:
        assert folder == data / f".staged-{os.getpid()}"
        (folder / "rows").mkdir()
    assert list(tmp_path.iterdir()) == []
    data.mkdir(parents=True)
    with pytest.raises(FileNotFoundError), cluster_score.staged(data) as folder:
        (folder / "rows" / "part").write_text("x")
    assert list(data.iterdir()) == []
    with cluster_score.staged(tmp_path / "kept") as folder:
        (folder.parent / "night").write_text("x")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["night"]


@pytest.mark.parametrize(
    ("candidates", "capacity", "most"), [(5_000, 50, 50_000), (100, 50, 1_000), (100, 51, 1_020), (1, 1, 20)]
)
def test_as_many_come_here_as_the_list_can_need(candidates, capacity, most):
    assert cluster_score.most_here(Outreach(candidates=candidates, capacity=capacity)) == most
