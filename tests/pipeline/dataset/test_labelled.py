import datetime as dt
import json
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ConfigError, DataError
from configs.schema import Config, load_config
from models.backtest.undated import WARNING, fold_of, out_of_fold
from models.tracking import registry
from pipeline.dataset.extract import feature_catalogue, write_matrix
from pipeline.dataset.labelled import labels_of, read_labelled
from pipeline.scoring.score import score
from pipeline.sources.opening import open_sources
from pipeline.tracking.champion import tracking_of
from pipeline.training.train import train

AS_OF = dt.date(2026, 1, 1)
SMALL = {"model": {"trees": 20, "seeds": 1, "threads": 1}}


def people(n=400, seed=0, repeats=1):
    """Customers of two plans; the cheaper one and the newcomers leave more often."""
    rng = np.random.default_rng(seed)
    plan, months = rng.choice(["basic", "pro"], n), rng.integers(0, 60, n)
    z = 1.5 * (plan == "basic") - 0.06 * months + 0.2
    churned = rng.random((repeats, n)) < 1 / (1 + np.exp(-z))
    return pd.DataFrame(
        {
            "id": [f"{i:04d}" for i in range(n)] * repeats,
            "plan": np.tile(plan, repeats),
            "months": np.tile(months, repeats).astype(str),
            "paid": [" " if m == 0 else f"{29.5 * m:.2f}" for m in np.tile(months, repeats)],
            "zip": np.tile([f"{i % 90:05d}" for i in range(n)], repeats),
            "left": np.where(churned.ravel(), "Yes", "No"),
        }
    )


def table_in(home, prepared, frame, attributes=("plan", "months", "paid")):
    """The config of a table in this folder, with a tracking store that is ready."""
    frame.to_csv(home / "customers.csv", index=False)
    shutil.copy(prepared, home / "mlflow.db")
    columns = {"customer_id": "id", "churned": "left"}
    customers = {"uri": "customers.csv", "columns": columns, "attributes": list(attributes)}
    return Config.model_validate(
        {
            "name": "tiny",
            "home": home,
            "churn": {"kind": "labelled", "horizon_days": 30},
            "sources": {"customers": customers},
            **SMALL,
        }
    )


@pytest.fixture
def table(prepared, tmp_path):
    return partial(table_in, tmp_path, prepared)


@pytest.fixture(scope="module")
def twice(prepared, tmp_path_factory):
    """A table that was trained two times, and what both trainings gave."""
    config = table_in(tmp_path_factory.mktemp("twice"), prepared, people())
    return config, [train(config, AS_OF) for _ in range(2)]


@pytest.fixture(scope="module")
def repeated(prepared, tmp_path_factory):
    """A table with two rows of each customer that was trained."""
    config = table_in(tmp_path_factory.mktemp("repeated"), prepared, people(repeats=2))
    train(config, AS_OF)
    return config


def scores(config, tmp_path):
    score(config, AS_OF, tmp_path / "out", dry_run=False, say=lambda line: None)
    return pq.read_table(tmp_path / "out" / "2026-01-01" / "scores.parquet").to_pandas()


def test_numbers_in_a_text_file_become_numbers_and_codes_stay_text(table):
    frame = read_labelled(table(people(), ["plan", "months", "paid", "zip"]), AS_OF).matrix.frame
    kinds = {name: str(frame[name].dtype) for name in ("plan", "months", "paid", "zip")}
    assert kinds == {"plan": "category", "months": "float32", "paid": "float32", "zip": "category"}
    assert frame["paid"].isna().sum() == (people()["paid"] == " ").sum() > 0


def test_it_trains_registers_and_beats_the_base_rate(twice):
    config, (result, again) = twice
    metrics = result.values["metrics"]
    assert result.values["promoted"]
    assert metrics["model"]["log_loss"] < metrics["base rate"]["log_loss"] - 0.03
    champion = registry.load_champion(tracking_of(config))
    assert sorted(champion.held) == [f"fold_{i}" for i in range(5)]
    assert not again.values["promoted"]


def test_rows_that_were_trained_on_are_scored_by_a_model_that_has_not_seen_them(repeated, tmp_path):
    champion = registry.load_champion(tracking_of(repeated))
    once = read_labelled(repeated, AS_OF).to_score()
    assert "400 rows repeat a customer" in once.sources.notes[0]
    matrix = once.matrix
    expected = out_of_fold(champion.held, matrix.features, matrix.frame["customer_id"].tolist())
    found = scores(repeated, tmp_path)
    assert len(found) == 400
    np.testing.assert_allclose(
        np.sort(found["churn_probability"].to_numpy()), np.sort(expected), rtol=0, atol=1e-12
    )
    inside = champion.model.probability(matrix.features)
    assert not np.allclose(np.sort(inside), np.sort(expected))


def test_rows_of_one_customer_are_never_on_both_sides(repeated):
    champion = registry.load_champion(tracking_of(repeated))
    ids = read_labelled(repeated, AS_OF).matrix.frame["customer_id"].to_numpy(dtype=str)
    fold = champion.held["fold_0"].spec["fold"]
    of = pd.Series(fold_of(ids, fold["salt"], fold["of"])).groupby(ids)
    assert of.nunique().max() == 1
    sizes = np.bincount(of.first())
    assert sizes.max() < 1.35 * sizes.min()


def test_only_rows_without_a_label_are_scored_when_there_are_some(table, tmp_path):
    frame = people()
    frame.loc[:24, "left"] = ""
    config = table(frame)
    assert train(config, AS_OF).values["metrics"]["model"]["rows"] == 375
    found = scores(config, tmp_path)
    assert sorted(found["customer_id"]) == frame["id"][:25].tolist()


def test_a_night_says_that_a_permission_in_the_data_is_not_asked(table, tmp_path):
    config = table(people().assign(newsletter=["yes", "no"] * 200), ["plan", "months", "newsletter"])
    train(config, AS_OF)
    result = score(config, AS_OF, tmp_path / "out", dry_run=True, say=lambda line: None)
    assert result.exit_code == 3
    assert "look: 'newsletter' sounds as if it said who may be contacted" in result.text


def test_every_output_says_that_time_was_not_checked(twice, tmp_path):
    config, (trained, _) = twice
    assert WARNING in trained.text
    result = score(config, AS_OF, tmp_path / "out", dry_run=False, say=lambda line: None)
    folder = tmp_path / "out" / "2026-01-01"
    assert (WARNING in result.text, result.exit_code) == (True, 0)
    assert json.loads((folder / "manifest.json").read_text())["warnings"] == [WARNING]
    assert WARNING in (folder / "report.html").read_text()
    overview = next(f for f in (config.home / "mlartifacts").rglob("overview.html"))
    assert WARNING in overview.read_text()
    import mlflow

    client = mlflow.MlflowClient(config.tracking_uri, config.tracking_uri)
    assert WARNING in client.get_model_version("tiny", "1").description
    assert WARNING in client.get_run(trained.values["run_id"]).data.tags["mlflow.note.content"]


def test_a_leaking_column_is_still_named(table):
    frame = people().assign(goodbye=lambda f: np.where(f["left"] == "Yes", "sent", "none"))
    with pytest.raises(DataError, match=r"(?s)goodbye.*AUC 1\.0000"):
        train(table(frame, ["plan", "months", "goodbye"]), AS_OF)


def test_a_row_number_is_no_attribute_and_a_search_that_cannot_be_is_said(table):
    frame = people().assign(row=lambda f: np.arange(len(f)) + 1)
    config = table(frame, ["plan", "months", "row"])
    model = config.model.model_copy(update={"tune_trials": 3})
    result = train(config.model_copy(update={"model": model}), AS_OF)
    assert any("row" in note for note in result.values["notes"])
    assert any("not tuned" in note and "tune_trials" in note for note in result.values["notes"])


def test_the_number_of_a_row_is_an_id_when_told(tiny, tmp_path):
    frame = people().drop(columns="id")
    told = {
        "kind": "labelled",
        "customers": frame.to_csv(index=False),
        "settings": {"customers": {"attributes": ["plan", "months"]}},
        "churn": {"horizon_days": 30},
    }
    numbered = {"customers": {"customer_id": {"row_number": True}, "churned": "left"}}
    found = read_labelled(tiny(**told, mapped=numbered), AS_OF)
    order = found.matrix.frame["customer_id"].astype(int).to_numpy() - 1
    assert sorted(order) == list(range(len(frame)))
    assert found.matrix.frame["plan"].astype(str).tolist() == frame["plan"].iloc[order].tolist()
    assert (found.churned == (frame["left"].iloc[order] == "Yes")).all()
    # A condition leaves rows out, and the others keep their numbers.
    told["settings"]["customers"]["where"] = [{"column": "plan", "equals": "pro"}]
    some = read_labelled(tiny(**told, mapped=numbered), AS_OF).matrix.frame["customer_id"].astype(int) - 1
    assert sorted(some) == np.flatnonzero(frame["plan"] == "pro").tolist()
    missing = {"customers": {"customer_id": "nobody", "churned": "left"}}
    with pytest.raises(DataError, match=r"customer_id: \{row_number: true\}"):
        read_labelled(tiny(**told, mapped=missing), AS_OF)


def test_labels_are_read_from_words_and_numbers():
    where = "t.csv, column churned"
    read = labels_of(["TRUE", "0", 1.0, "exited", " ", None, "False."], [], where)
    np.testing.assert_array_equal(read, [1, 0, 1, 1, np.nan, np.nan, 0])
    np.testing.assert_array_equal(labels_of([2.0, 5.0], ["2"], where), [1, 0])
    with pytest.raises(DataError, match=r"column churned.*2 of 3 rows: 'maybe', 'perhaps'.*churned_values"):
        labels_of(["yes", "maybe", "perhaps"], [], where)


def test_features_are_the_attributes_and_labels_can_be_added(table, tmp_path):
    config = table(people())
    out = tmp_path / "f.parquet"
    write_matrix(config, AS_OF, 1, out, labels=True, say=lambda line: None)
    found = pq.read_table(out).to_pandas()
    assert list(found.columns) == ["customer_id", "snapshot", "plan", "months", "paid", "churned"]
    assert found["churned"].sum() == (people()["left"] == "Yes").sum()
    assert "months" in feature_catalogue(config, AS_OF).text


def test_what_needs_dates_is_refused_with_a_reason(table):
    with pytest.raises(ConfigError, match="without dates"):
        open_sources(table(people()), AS_OF)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("columns: {customer_id: id}, attributes: [plan]", "needs sources.customers with the column churned"),
        ("columns: {customer_id: id, churned: left}", "attributes to learn from"),
        (
            "columns: {customer_id: id, churned: left, started_at: d}, attributes: [plan]",
            "without dates, not columns.started_at",
        ),
        (
            "distinct: true, columns: {customer_id: {row_number: true}, churned: left}, attributes: [plan]",
            "distinct and row_number do not go together",
        ),
        (
            "columns: {customer_id: id, churned: {row_number: true}}, attributes: [plan]",
            "columns.churned: a row's number is an id for churn.kind labelled only",
        ),
    ],
)
def test_what_the_config_of_a_table_needs(tmp_path, lines, says):
    file = tmp_path / "c.yaml"
    file.write_text(
        "name: shop\nchurn: {kind: labelled, horizon_days: 30, churned_values: Yes}\n"
        f"sources: {{customers: {{uri: x.csv, {lines}}}}}"
    )
    with pytest.raises(ConfigError, match=says):
        load_config(file, environ={})


def test_two_trainings_give_the_same_probabilities(twice):
    first, second = (trained.values["metrics"] for trained in twice[1])
    assert first == second


@pytest.mark.slow
def test_the_table_that_everybody_tries(shipped, tmp_path):
    config = shipped("telco").model_copy(update={"home": tmp_path})
    result = train(config, config.as_of)
    model = result.values["metrics"]["model"]
    assert model["auc"] > 0.84
    assert model["ece"] < 0.03
    assert len(read_labelled(config, config.as_of).churned) == 7043
