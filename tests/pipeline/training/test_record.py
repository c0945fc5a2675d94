"""What is kept of a training: figures beside their intervals, a step a test snapshot, what the model needs later."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from models.backtest.compare import Difference, Verdict
from models.backtest.tuning import TriedSizes, Tuned
from pipeline.tracking.champion import definition, recipe_of
from pipeline.training.record import HEADLINE, make_record


@pytest.fixture(scope="module")
def record(trained):
    return make_record(trained)


def test_the_run_is_called_by_its_date_the_model_and_the_config(trained, record):
    assert record.run_name == f"25-12-01 {trained.kind} shop"
    assert record.tags["as_of"] == "2025-12-01"
    assert record.tags["verdict"] == "to be promoted"
    assert record.tags["test_snapshot"] == str(trained.training.tested[0].fold.test)
    assert record.tags["catalogue_hash"] == trained.matrix.catalogue_hash


def test_each_figure_stands_beside_its_interval_with_five_digits(trained, record):
    newest = trained.tests[0]["model"]
    assert "rows" not in record.metrics
    for name, value in newest.items():
        if name != "rows":
            assert record.metrics[name] == pytest.approx(value, abs=6e-6, nan_ok=True)
    for name, (low, high) in trained.intervals.items():
        assert record.metrics[f"{name}_low95"] == pytest.approx(low, abs=6e-6)
        assert record.metrics[f"{name}_high95"] == pytest.approx(high, abs=6e-6)
    assert all(round(v, 5) == v for v in record.metrics.values() if math.isfinite(v))
    above, low, high = trained.above_base_rate
    told = [record.metrics[f"log_loss_vs_base_rate{end}"] for end in ("", "_low95", "_high95")]
    assert told == pytest.approx([above, low, high], abs=6e-6)
    assert not any("_vs_champion" in name for name in record.metrics)


def test_against_a_champion_the_differences_are_told(trained):
    top = {"lift_at_list": (0.5, 0.1, 0.9)}
    found = Difference(-0.02, (-0.03, -0.01), 0.01, (0.0, 0.02), 0.004, top)
    verdict = Verdict(True, "proven", difference=found)
    metrics = make_record(replace(trained, verdict=verdict)).metrics
    assert {name: value for name, value in metrics.items() if "_vs_champion" in name} == {
        "auc_vs_champion": 0.01,
        "log_loss_vs_champion": -0.02,
        "log_loss_vs_champion_low95": -0.03,
        "log_loss_vs_champion_high95": -0.01,
        "lift_at_list_vs_champion": 0.5,
        "lift_at_list_vs_champion_low95": 0.1,
        "lift_at_list_vs_champion_high95": 0.9,
    }


def test_steps_are_the_test_snapshots_oldest_first_at_their_own_time(trained, record):
    oldest_first = list(zip(trained.training.tested[::-1], trained.tests[::-1], strict=True))
    assert {f"backtest/{name}" for name in HEADLINE} <= set(record.steps)
    for name in HEADLINE:
        expected = [
            (step, int(np.datetime64(tested.fold.test, "ms").astype(int)), figures["model"][name])
            for step, (tested, figures) in enumerate(oldest_first)
        ]
        assert record.steps[f"backtest/{name}"] == expected
    rule = [figures["recency rule"]["log_loss"] for _, figures in oldest_first]
    assert [value for _, _, value in record.steps["backtest/log_loss_recency_rule"]] == rule


def test_rules_are_child_runs_with_the_headline_alone(trained, record):
    assert set(record.baselines) == set(trained.tests[0]) - {"model"}
    assert all(set(figures) == set(HEADLINE) for figures in record.baselines.values())
    assert record.headline == [*HEADLINE, "log_loss_vs_champion"]


def test_parameters_tell_the_rows_and_the_definition(trained, record):
    newest = trained.training.tested[0].fold
    params = record.params
    assert (params["test_rows"], params["train_rows_holdout"]) == (
        len(newest.test_rows),
        len(newest.train_rows),
    )
    assert params["train_rows"] == trained.training.training_rows
    assert params["train_rows_share"] == pytest.approx(trained.training.training_rows / len(trained.sample))
    assert params["customers"] == len(set(trained.sample.customer))
    assert params["used_columns"] == len(trained.report.used)
    assert params["model_digest"] == trained.training.deployed.digest
    assert {f"churn.{k}": v for k, v in definition(trained.config).items()}.items() <= params.items()
    assert (params["model.trees"], params["seed"]) == (10, trained.config.seed)
    touched = {name: value for name, value in params.items() if name.startswith("outreach.rows_")}
    assert set(touched.values()) == {0}
    assert len(touched) == 4
    assert not any(name.startswith("tuned.") for name in params)


@pytest.mark.parametrize("adopted", [True, False])
def test_sizes_that_were_searched_are_told_and_those_that_were_taken_are_parameters(trained, adopted):
    from pipeline.training.train import backtest_settings

    tried = (TriedSizes({"trees": 10, "l2": 5.0}, 0.5), TriedSizes({"trees": 90, "l2": 1.0}, 0.4))
    settings = replace(backtest_settings(trained.config), trees=90)
    record = make_record(replace(trained, tuned=Tuned(settings, adopted, tried, "tuned")))
    assert record.trials == [({"trees": 10, "l2": 5.0}, 0.5), ({"trees": 90, "l2": 1.0}, 0.4)]
    assert (record.params.get("tuned.trees") == 90) is adopted


def test_what_goes_with_the_model_says_what_it_predicts_and_until_when(trained, record):
    kept, newest = record.metadata, trained.training.tested[0]
    last = max(trained.sample.snapshots)
    assert kept["definition"] == definition(trained.config)
    assert kept["recipe"] == recipe_of(trained.config)
    assert kept["labels_until"] == str(last + np.timedelta64(30, "D"))
    assert kept["holdout_labels_until"] == str(newest.fold.last + np.timedelta64(30, "D"))
    assert kept["base_rate"] == pytest.approx(trained.sample.churned.mean())
    assert [column["name"] for column in kept["catalogue"]] == [c.name for c in trained.matrix.columns]
    assert set(kept["contenders"]) == set(trained.tests[0])
    assert (kept["warnings"], "table" in kept) == ([], False)
    assert all(math.isfinite(value) for value in kept["test_metrics"].values())


def test_the_record_is_plain_and_names_no_customer(trained, record):
    text = json.dumps(
        [record.params, record.metrics, record.tags, record.metadata, record.steps], default=str
    )
    assert not re.search(r"id\d{5}", text)
    assert not re.search(rb"id\d{5}", record.files["overview.html"])
    assert "backtest.png" in record.files


def test_the_same_training_gives_the_same_record(trained, record):
    again = make_record(trained)
    assert again.metadata == record.metadata
    assert again.files == record.files
