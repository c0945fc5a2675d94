from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from configs.errors import ConfigError, DataError
from configs.schema import load_config
from pipeline import demo

START, END, HORIZON = dt.date(2024, 1, 1), dt.date(2026, 1, 1), pd.Timedelta(days=demo.HORIZON_DAYS)
KINDS: tuple[demo.Kind, ...] = get_args(demo.Kind)
CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG_OF = {"non_contractual": "demo.yaml", "contractual": "demo_contractual.yaml"}


def read(folder: Path) -> dict[str, pd.DataFrame]:
    dates = ["started_at", "ended_at", "occurred_at", "known_at", "resolved_at"]
    tables = {}
    for file in folder.rglob("*.*"):
        if file.suffix == ".csv":
            table = pd.read_csv(file, dtype=str, keep_default_na=False)
            table = table.assign(**{c: pd.to_datetime(table[c]) for c in dates if c in table})
        else:
            table = pd.read_parquet(file)
        tables[file.stem] = table
    return tables


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, pd.DataFrame]]:
    home = tmp_path_factory.mktemp("home")
    for kind in KINDS:
        demo.simulate(home / kind, kind, 2_000, START, END, seed=7)
    return {kind: read(home / kind) for kind in KINDS}


def still_there(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Truth of customers who were there at snapshots whose horizon lies in the data, and if they really left."""
    truth = tables["truth"]
    mature = truth["snapshot"] + HORIZON <= pd.Timestamp(END)
    rows = truth[mature & truth["leave_probability"].notna()]
    left = (rows["left_at"] < rows["snapshot"] + HORIZON) & ~rows["reason"].isin(demo.UNCOUNTED)
    return rows.assign(left=left)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path, kind: demo.Kind) -> None:
    arguments: Any = (kind, 60, dt.date(2025, 1, 1), dt.date(2025, 5, 1))
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        demo.simulate(tmp_path / name, *arguments, seed=seed)
    demo.simulate(tmp_path / "b", *arguments, seed=3)
    files = {n: {p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in "abc"}
    assert files["a"] == files["b"]
    assert all(files["a"][name] != files["c"][name] for name in files["a"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_that_the_config_names_is_there(
    written: dict[str, dict[str, pd.DataFrame]], kind: str
) -> None:
    config = load_config(CONFIGS / CONFIG_OF[kind], {})
    assert config.as_of == demo.END
    assert config.churn.kind == kind
    assert config.churn.horizon_days == demo.HORIZON_DAYS
    assert set(config.sources.given) == {"customers", "transactions", "feedback", "contacts", "usage"}
    sources: dict[str, Any] = dict(config.sources.given)
    for role, source in sources.items():
        file = config.path(source.uri)
        assert file.parent == CONFIGS.parent / "data" / config.name
        assert file.name in demo.FILES
        columns = source.columns
        needed = {i for name in columns.model_fields_set for i in getattr(columns, name).inputs}
        attributes = (
            config.sources.customers.attributes if role == "customers" and config.sources.customers else {}
        )
        assert needed | set(attributes) <= set(written[kind][role])
        assert "truth" not in source.uri


def test_ids_and_names_are_kept_as_text(written: dict[str, dict[str, pd.DataFrame]]) -> None:
    for tables in written.values():
        ids = set(tables["customers"]["customer_id"])
        assert len(ids) == 2_000
        assert "000123" in ids
        for name, table in tables.items():
            assert set(table["customer_id"]) <= ids, name
        names = " ".join(tables["customers"]["name"])
        assert all(part in names for part in ("زهرا", "गणेश", "O'Neill", '"Bo" Berg'))


def test_nothing_happens_before_the_start_or_after_leaving(
    written: dict[str, dict[str, pd.DataFrame]],
) -> None:
    for tables in written.values():
        left = tables["truth"].drop_duplicates("customer_id").set_index("customer_id")["left_at"]
        started = tables["customers"].set_index("customer_id")["started_at"]
        assert left.notna().any()
        for role in ("transactions", "feedback", "contacts", "usage"):
            rows = tables[role]
            last = rows["customer_id"].map(left).fillna(pd.Timestamp(END))
            assert (rows["occurred_at"] >= rows["customer_id"].map(started)).all()
            assert (rows["occurred_at"] < last).all()
            if "resolved_at" in rows:
                solved = rows["resolved_at"].notna()
                assert (rows["resolved_at"] > rows["occurred_at"])[solved].all()
                assert (rows["resolved_at"] < last)[solved].all()
                assert (rows["direction"] == "inbound")[solved].all()
            if "known_at" in rows:
                assert (rows["known_at"] >= rows["occurred_at"]).all()
                assert (rows["known_at"] > rows["occurred_at"].dt.normalize() + pd.Timedelta(days=1)).any()
                assert (rows["known_at"] < pd.Timestamp(END)).all()


def test_a_contract_ends_when_the_customer_leaves(written: dict[str, dict[str, pd.DataFrame]]) -> None:
    tables = written["contractual"]
    truth = tables["truth"].drop_duplicates("customer_id").set_index("customer_id").sort_index()
    customers = tables["customers"].set_index("customer_id").sort_index()
    pd.testing.assert_series_equal(
        customers["ended_at"], truth["left_at"], check_names=False, check_dtype=False
    )
    reasons = set(customers["end_reason"])
    assert reasons == {*demo.REASONS, *demo.UNCOUNTED, ""}
    assert "ended_at" not in written["non_contractual"]["customers"]


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_leave_as_the_truth_says(written: dict[str, dict[str, pd.DataFrame]], kind: str) -> None:
    rows = still_there(written[kind])
    assert rows["left"].sum() == pytest.approx(rows["leave_probability"].sum(), rel=0.1)
    apart = rows[rows["snapshot"].dt.month % 2 == 0]
    p = apart["leave_probability"]
    fifths = apart.assign(excess=apart["left"] - p, variance=p * (1 - p)).groupby(pd.qcut(p, 5))
    sums = fifths[["excess", "variance"]].sum()
    assert (sums["excess"].abs() < 3 * np.sqrt(sums["variance"])).all()
    assert roc_auc_score(rows["left"], rows["leave_probability"]) > 0.68


def test_the_truth_separates_who_is_labelled_churned_without_a_contract(
    written: dict[str, dict[str, pd.DataFrame]],
) -> None:
    tables = written["non_contractual"]
    bought = tables["transactions"]
    aucs = []
    for t in pd.to_datetime(["2025-01-01", "2025-05-01", "2025-09-01"]):
        before = bought["occurred_at"].between(t - pd.Timedelta(days=180), t, inclusive="left")
        ahead = bought["occurred_at"].between(t, t + HORIZON, inclusive="left")
        at = tables["truth"].query("snapshot == @t").set_index("customer_id")
        at = at.loc[bought.loc[before, "customer_id"].unique()]
        churned = ~at.index.isin(bought.loc[ahead, "customer_id"])
        assert churned.mean() == pytest.approx(at["churn_probability"].mean(), abs=0.04)
        there = at["leave_probability"].notna().to_numpy()
        assert roc_auc_score(churned[there], at.loc[there, "leave_probability"]) > 0.6
        aucs.append(roc_auc_score(churned, at["churn_probability"]))
    assert np.mean(aucs) > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_the_yearly_rate_is_realistic(written: dict[str, dict[str, pd.DataFrame]], kind: str) -> None:
    start, end = pd.Timestamp(2025, 1, 1), pd.Timestamp(2026, 1, 1)
    truth = written[kind]["truth"].query("snapshot == @start")
    there = truth[~(truth["left_at"] < start)]
    assert 0.70 <= 1 - (there["left_at"] < end).mean() <= 0.85


def test_signals_show_before_leaving(written: dict[str, dict[str, pd.DataFrame]]) -> None:
    """The 60 days before leaving against the 60 days half a year earlier, of the same customers."""
    tables = written["non_contractual"]
    left = tables["truth"].drop_duplicates("customer_id").set_index("customer_id")["left_at"].dropna()
    started = tables["customers"].set_index("customer_id")["started_at"].clip(lower=pd.Timestamp(START))
    left = left[left - started[left.index] >= pd.Timedelta(days=245)]

    def period(rows: pd.DataFrame) -> pd.Series:
        days = (rows["customer_id"].map(left) - rows["occurred_at"]).dt.days
        return pd.Series(np.select([days < 60, (days >= 180) & (days < 240)], ["late", "early"], "none"))

    bought = period(tables["transactions"]).value_counts()
    assert bought["late"] < 0.8 * bought["early"]
    scores = pd.to_numeric(tables["feedback"]["score"]).groupby(period(tables["feedback"])).mean()
    assert scores["late"] < scores["early"] - 0.4
    complaints = tables["contacts"].query("topic == 'complaint'").reset_index(drop=True)
    when = period(complaints)
    counts = when.value_counts()
    assert counts["late"] > 1.5 * counts["early"]
    close = complaints["customer_id"].map(left) - pd.to_timedelta(np.where(when == "early", 180, 0), unit="D")
    still_open = ~(complaints["resolved_at"] < close)
    share = still_open.groupby(when).mean()
    assert share["late"] > share["early"]


def test_contacts_and_feedback_hold_what_a_crm_holds(written: dict[str, dict[str, pd.DataFrame]]) -> None:
    tables = written["non_contractual"]
    topics = {"review", "onboarding", "complaint", "how-to", "billing", "newsletter"}
    assert set(tables["contacts"]["topic"]) == topics
    assert set(tables["contacts"]["direction"]) == {"inbound", "outbound"}
    agents = tables["contacts"].query("agent != ''").groupby("customer_id")["agent"].nunique()
    assert (agents > 1).mean() > 0.1
    assert 0.3 < (tables["feedback"]["score"] == "").mean() < 0.7
    assert pd.to_numeric(tables["feedback"]["score"]).dropna().between(0, 10).all()


def test_an_action_changes_the_hazard_by_its_effect_in_log_odds() -> None:
    day = START.toordinal()
    people = demo._company(5, day, day + 100, np.random.default_rng(0))
    plain, moved = (demo.leaving_hazard(people, day, effect) for effect in (0.0, np.array([0, 0, -1, 1, 2])))
    odds = np.log(moved / (1 - moved)) - np.log(plain / (1 - plain))
    assert odds == pytest.approx([0, 0, -1, 1, 2])


def test_wrong_arguments_are_named_together_and_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    wrong: Any = "monthly"
    with pytest.raises(ConfigError) as raised:
        demo.simulate(tmp_path / "x", wrong, 0, END, START, seed=1)
    assert [fault.where for fault in raised.value.faults] == ["kind", "customers", "end"]
    (tmp_path / "ledger.csv").write_text("mine")
    with pytest.raises(DataError, match="not a demo"):
        demo.simulate(tmp_path, "contractual", 5, START, END, seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.csv"]


def test_a_failed_write_leaves_the_old_demo_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days: Any = ("contractual", 20, dt.date(2025, 1, 5), dt.date(2025, 1, 20))
    demo.simulate(tmp_path / "demo", *days, seed=1)
    before = {p.name: p.read_bytes() for p in (tmp_path / "demo").rglob("*.*")}

    def full(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(OSError, match="disk full"):
        demo.simulate(tmp_path / "demo", *days, seed=2)
    assert {p.name: p.read_bytes() for p in (tmp_path / "demo").rglob("*.*")} == before
    assert [p.name for p in tmp_path.iterdir()] == ["demo"]
