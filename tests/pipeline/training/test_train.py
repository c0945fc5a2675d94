import datetime as dt
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from configs.errors import DataError, HistoryError, StoreError
from configs.schema import Config
from models.backtest import recipe
from models.prediction.classifier import fit_members
from models.prediction.sample import Sample
from models.statistics.metrics import auc, log_loss
from models.tracking import registry
from models.tracking.moved import follow
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.scoring.score import score
from pipeline.sources.opening import open_sources
from pipeline.tracking.champion import tracking_of
from pipeline.training.train import backtest_settings, prepare_history, train, usable
from tests.models.tracking.test_session import HTML, Server

AS_OF = dt.date(2025, 12, 1)
EARLIER = dt.date(2025, 11, 1)
SMALL = {
    "model": {"trees": 20, "seeds": 1, "threads": 1, "test_snapshots": 2},
    "snapshots": {"step_days": 30, "min_history_days": 60},
}


def purchases(customers=250, seed=0):
    """Customers with their own pace, a part of whom silently leaves."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(customers):
        gap, leaves = rng.gamma(2, 8) + 2, rng.exponential(350)
        days = np.cumsum(rng.exponential(gap, 300)) + rng.uniform(0, 60)
        rows += [(f"{i:05d}", float(d)) for d in days[(days < leaves + 60) & (days < 334)]]
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    frame["occurred_at"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame.assign(amount=rng.gamma(2, 20, len(frame)))


def shop_of(home, name="tiny", **sections):
    """The config of a company in this folder that knows its purchases only."""
    columns = {column: column for column in ("customer_id", "occurred_at", "amount")}
    return Config.model_validate(
        {
            "name": name,
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {"transactions": {"uri": "transactions.parquet", "columns": columns}},
            "features": {"windows_days": [30, 90]},
            **SMALL,
            **sections,
        }
    )


def untrained(home, prepared):
    """A company in this folder, with a tracking store that is ready."""
    purchases().to_parquet(home / "transactions.parquet")
    shutil.copy(prepared, home / "mlflow.db")
    return shop_of(home)


@pytest.fixture
def company(prepared, tmp_path):
    return untrained(tmp_path, prepared)


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    """A company that was trained once, and what that gave."""
    config = untrained(tmp_path_factory.mktemp("trained"), prepared)
    return config, train(config, AS_OF)


@pytest.fixture
def with_champion(trained, tmp_path):
    """A copy of the trained company, with artifacts of its own."""
    home = tmp_path / "copy"
    shutil.copytree(trained[0].home, home)
    follow(home / "mlflow.db")
    return shop_of(home)


@pytest.fixture(scope="module")
def twice(trained, tmp_path_factory):
    """A copy of the trained company that was trained again with the same data, and what both trainings gave."""
    home = tmp_path_factory.mktemp("twice") / "home"
    shutil.copytree(trained[0].home, home)
    follow(home / "mlflow.db")
    config = shop_of(home)
    return config, (trained[1], train(config, AS_OF))


@pytest.fixture(scope="module")
def a_month_before(prepared, tmp_path_factory):
    """A company that was trained a month before, and what that gave; one test goes on from there."""
    config = untrained(tmp_path_factory.mktemp("earlier"), prepared)
    return config, train(config, EARLIER)


def artifacts(config):
    return [f for f in (config.home / "mlartifacts").rglob("*") if f.is_file()]


def test_the_first_training_makes_a_champion_and_the_same_again_does_not(twice):
    company, (first, again) = twice
    assert first.values["promoted"]
    assert first.exit_code == 0
    assert first.values["metrics"]["model"]["log_loss"] < first.values["metrics"]["base rate"]["log_loss"]
    above, low, high = first.values["above_base_rate"]
    assert low < above < high < 0
    assert not again.values["promoted"]
    assert again.exit_code == 0
    assert registry.champion_version(tracking_of(company)) == first.values["version"]
    assert again.values["metrics"] == first.values["metrics"]


def test_a_model_that_tells_nobody_from_another_is_looked_at(trained, company, monkeypatch):
    assert "same chance" not in trained[1].text
    monkeypatch.setattr(recipe, "learn_weights", lambda forecasts, names: {"base rate": 1.0})
    monkeypatch.setattr(recipe, "members_above_rules", lambda tested: None)
    found = train(company, AS_OF)
    assert found.exit_code == 3
    assert "look: the model gives every customer the same chance" in found.text


@pytest.mark.slow
def test_the_same_recipe_on_newer_rows_is_deployed_and_another_recipe_needs_proof(a_month_before):
    company, _ = a_month_before
    other = company.model_copy(update={"model": company.model.model_copy(update={"l2": 5.5})})
    changed = train(other, AS_OF)
    assert not changed.values["promoted"]
    assert changed.values["champion_age_days"] == 30
    assert "the champion stays: version 1, trained as of 2025-11-01, 30 days old" in changed.text
    again = train(company, AS_OF)
    assert again.values["promoted"]
    assert "recipe on newer rows, not proven worse" in again.values["reason"]
    assert registry.champion_version(tracking_of(company)) == again.values["version"]
    assert again.values["intervals"]["lift_at_list"][0] <= again.values["metrics"]["model"]["lift_at_list"]
    import mlflow

    run = mlflow.MlflowClient(company.tracking_uri, company.tracking_uri).get_run(again.values["run_id"])
    assert {
        "log_loss_vs_base_rate_low95",
        "lift_top_tenth_vs_champion_low95",
        "value_at_list_vs_champion",
        *(set(again.values["metrics"]["model"]) - {"rows"}),
    } <= set(run.data.metrics)


def test_two_trainings_write_the_same_model(twice):
    models = [
        f.read_bytes() for f in artifacts(twice[0]) if f.name == "model.json" and f.parent.name == "model"
    ]
    assert len(models) == 2
    assert models[0] == models[1]


@pytest.mark.slow
def test_what_happens_later_changes_nothing(a_month_before, tiny):
    before = a_month_before[1].values["metrics"]
    table = purchases()
    late = table.assign(occurred_at=table["occurred_at"].clip(lower=pd.Timestamp("2025-11-01")))
    changed = tiny(
        transactions=pd.concat([table[table["occurred_at"] < "2025-11-01"], late.head(500)]), sections=SMALL
    )
    assert train(changed, EARLIER).values["metrics"] == before


def test_no_customer_is_named_in_what_is_logged(trained):
    written = artifacts(trained[0])
    assert written
    for file in written:
        content = file.read_bytes()
        assert not [i for i in range(250) if f'"{i:05d}"'.encode() in content], file.name


@pytest.mark.slow
def test_a_damaged_champion_is_replaced_and_a_person_is_called(with_champion):
    target = next(f for f in artifacts(with_champion) if f.name == "metadata.json")
    target.write_text(target.read_text() + " ")
    result = train(with_champion, AS_OF)
    assert result.exit_code == 3
    assert result.values["promoted"]
    assert "changed after training" in result.values["look"][0]
    assert registry.champion_version(tracking_of(with_champion)) == 2


@pytest.mark.slow
def test_another_definition_of_churn_needs_another_champion(with_champion):
    churn = with_champion.churn.model_copy(update={"horizon_days": 45})
    result = train(with_champion.model_copy(update={"churn": churn}), AS_OF)
    assert result.exit_code == 3
    assert "churn.horizon_days: is 45, the champion was trained with 30" in result.values["reason"]
    assert registry.champion_version(tracking_of(with_champion)) == 2


def test_each_source_is_left_out_once_and_it_is_told(tiny):
    rows = purchases()
    calls = rows.iloc[::7][["customer_id", "occurred_at"]].assign(direction="inbound")
    result = train(tiny(transactions=rows, contacts=calls, sections=SMALL), AS_OF)
    told = {one["name"]: one for one in result.values["left_out"]}
    assert set(told) == {"transactions", "contacts"}
    assert told["transactions"]["verdict"] == "helps"
    assert told["contacts"]["verdict"] != "helps"
    assert told["transactions"]["columns"] > 20
    assert f"{len(rows):,}" in next(line for line in result.text.splitlines() if "helps" in line)
    assert set(result.values["idle_columns"]) < set(result.text.replace(",", " ").split())


@pytest.mark.slow
def test_a_search_is_logged_as_children_and_said(company):
    model = company.model.model_copy(update={"tune_trials": 3})
    result = train(company.model_copy(update={"model": model}), AS_OF)
    assert any("tuned in 3 trials" in note for note in result.values["notes"])
    import mlflow

    client = mlflow.MlflowClient(company.tracking_uri, company.tracking_uri)
    beside = client.get_experiment_by_name("tiny baselines")
    runs = client.search_runs([beside.experiment_id], f"tags.training_run = '{result.values['run_id']}'")
    trials = [run for run in runs if run.info.run_name.startswith("trial")]
    assert len(trials) == 3
    assert all({"trees", "leaves", "learning_rate", "l2"} == set(run.data.params) for run in trials)
    assert all(run.data.metrics["search/log_loss"] > 0 for run in trials)


def test_a_column_that_gives_the_answer_away_is_named_and_refused_unless_allowed():
    y = np.array([0.0, 1.0] * 100)
    status = pd.Categorical(np.where(y == 1, "gone", "here"))
    X = pd.DataFrame({"recency_days": 3 * np.arange(200.0), "status": status})
    sample = Sample(X, y, np.arange(200).astype(str), np.full(200, np.datetime64("2026-01-01")))
    with pytest.raises(DataError, match=r"(?s)status.*AUC 1\.0000.*features\.exclude"):
        usable(sample, allowed=[])
    assert usable(sample, allowed=["status"]).used == ("recency_days", "status")


def test_too_little_history_is_refused_with_numbers(tiny):
    with pytest.raises(HistoryError, match=r"shorten|lower"):
        train(tiny(transactions=purchases(), sections=SMALL), dt.date(2025, 4, 1))


def test_one_class_is_refused(tiny):
    days = pd.date_range("2025-01-01", "2025-11-30", freq="5D")
    table = pd.concat([pd.DataFrame({"customer_id": f"{i}", "occurred_at": days}) for i in range(80)])
    with pytest.raises(HistoryError, match="no customer churned"):
        train(tiny(transactions=table.assign(amount=1.0), sections=SMALL), AS_OF)


def test_the_store_is_asked_before_the_work_starts(company):
    said = []
    with Server(401, HTML) as uri:
        refusing = company.model_copy(update={"tracking": company.tracking.model_copy(update={"uri": uri})})
        with pytest.raises(StoreError, match="401"):
            train(refusing, AS_OF, said.append)
    assert said == []


@pytest.mark.slow
def test_on_real_data_the_model_beats_every_rule(shipped, tmp_path):
    config = shipped("online_retail").model_copy(update={"home": tmp_path})
    result = train(config, config.as_of)
    loss = {name: m["log_loss"] for name, m in result.values["metrics"].items()}
    assert loss["model"] < min(loss[n] for n in ("base rate", "recency rule", "bg/nbd"))
    assert result.values["metrics"]["model"]["auc"] > 0.725


@pytest.mark.slow
def test_as_deployed_it_is_better_than_the_rules_on_what_came(shipped, tmp_path):
    day = dt.date(2011, 10, 10)
    config = shipped("online_retail").model_copy(update={"home": tmp_path})
    train(config, day)
    score(config, day, tmp_path / "out", dry_run=False, say=lambda line: None)
    said = pd.read_parquet(tmp_path / "out" / "2011-10-10" / "scores.parquet")
    at_day = build_matrix(open_sources(config, day), config, [day])
    later = day + dt.timedelta(days=60)
    y = build_labels(open_sources(config, later), config, at_day, later)
    by_id = said.set_index("customer_id")["churn_probability"]
    p = by_id.loc[at_day.frame["customer_id"]].to_numpy()
    assert len(by_id) == len(y) == 2984
    past = prepare_history(config, day, lambda line: None).sample
    parts = fit_members(past.at_most(20_000, 7), replace(backtest_settings(config), trees=1), seeds=1)
    for rule in ("recency rule", "rfm"):
        z = parts.scores(at_day.features)[rule]
        assert log_loss(y, p) < log_loss(y, 1 / (1 + np.exp(-z)))
        assert auc(y, p) > auc(y, z)


def test_rows_that_our_list_has_touched_are_left_out_and_made_up_for(tiny):
    """Forty customers at monthly snapshots; on 10 March half of ten chosen ones are listed, the others left alone."""
    rng = np.random.default_rng(1)
    rows = [
        (f"{who:02d}", day.date())
        for who in range(40)
        for day in pd.date_range("2025-11-01", "2026-04-20", freq="7D")
        if rng.random() < 0.2 + 0.6 * (who % 2)
    ]
    config = tiny(
        transactions=pd.DataFrame(rows, columns=["customer_id", "occurred_at"]),
        sections={"snapshots": {"step_days": 30, "min_history_days": 30, "max_count": 4}},
    )
    chosen = [f"{who:02d}" for who in range(10)]
    nothing = pd.DataFrame({name: [None] * 10 for name in ledger.SCHEMA.names[1:]})
    listed = np.arange(10) < 5
    night = nothing.assign(customer_id=chosen, chosen=listed, control=~listed, propensity=0.5)
    ledger.append(layout_of(config).ledger, dt.date(2026, 3, 10), night)
    said = []
    found = prepare_history(config, dt.date(2026, 4, 10), said.append)
    sample = found.sample
    in_window = (sample.snapshot <= np.datetime64("2026-03-10")) & (
        sample.snapshot + np.timedelta64(30, "D") > np.datetime64("2026-03-10")
    )
    assert in_window.any()
    weight = dict(zip(sample.customer[in_window], sample.weight[in_window], strict=True))
    assert not set(weight) & set(chosen[:5])
    assert {weight[who] for who in chosen[5:] if who in weight} == {2.0}
    assert {weight[who] for who in weight if who not in chosen} == {1.0}
    assert (sample.weight[~in_window] == 1).all()
    assert found.untouched.censored > 0
    assert any("rows left out because our list was at work" in line for line in said)
