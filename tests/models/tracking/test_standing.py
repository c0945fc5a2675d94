"""What the pages of a run and of its version say of it, while the champion moves."""

from dataclasses import replace

import mlflow
import pytest

from configs.base import redacted
from models.tracking import registry
from models.tracking.standing import NOTE
from tests.models.tracking.test_registry import RECORD, tracking_in, two_models


@pytest.fixture(scope="module")
def models():
    return two_models()


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    """A store that the tests of this module share: each moves the champion for itself."""
    return tracking_in(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def versions(tracking, models):
    """Three versions, one after each kind of training."""
    kinds = ["to be promoted", "not promoted", "comparison failed"]
    return [log(tracking, models[0], kind) for kind in kinds]


def said(tracking, version):
    """Verdict and description of a version, after a look whether its run says the same."""
    client = mlflow.MlflowClient(tracking.uri)
    found = client.get_model_version(tracking.name, str(version))
    run = client.get_run(found.run_id)
    assert run.data.tags["verdict"] == found.tags["verdict"]
    assert run.data.tags[NOTE] == found.description
    assert found.description.startswith(f"**{found.tags['verdict'].capitalize()}**: ")
    return found.tags["verdict"], found.description


def log(tracking, model, verdict):
    record = replace(
        RECORD,
        description=f"**{verdict.capitalize()}**: as proven\n\ntest 2025-12-01",
        tags={"as_of": "2026-01-01", "verdict": verdict},
    )
    return registry.log_training(tracking, record, model, {"holdout": model})


def moved_in_mlflow(tracking, version):
    mlflow.MlflowClient(tracking.uri).set_registered_model_alias(tracking.name, "champion", str(version))
    registry.check_store(tracking)


WAYS = [
    lambda tracking, version: registry.make_champion(tracking, version, "as proven"),
    lambda tracking, version: registry.make_champion(tracking, version, "stale", by_hand=True),
    moved_in_mlflow,
]


def test_whoever_moves_the_champion_only_the_champion_says_promoted(tracking, versions):
    numbers = [logged.version for logged in versions]
    for step, champion in enumerate([0, 1, 2, 0, 2, 1, 0]):
        WAYS[step % 3](tracking, numbers[champion])
        for version in numbers:
            verdict, text = said(tracking, version)
            assert verdict.startswith("promoted") == (version == numbers[champion]), (step, version, verdict)
            assert "test 2025-12-01" in text
            assert text.count("At training: ") <= 1


def test_a_version_promoted_by_hand_and_brought_back_says_so(tracking, versions):
    first, second, _ = (logged.version for logged in versions)
    registry.make_champion(tracking, first, "as proven")
    registry.make_champion(tracking, second, "stale", by_hand=True)
    assert said(tracking, second)[1].split("\n\n") == [
        "**Promoted by hand**: stale",
        "At training: Not promoted: as proven",
        "test 2025-12-01",
    ]
    registry.restore_champion(tracking, "worse than thought")
    assert said(tracking, first)[1].startswith("**Promoted by hand**: rollback: worse than thought")
    assert said(tracking, second)[0] == f"replaced by version {first}"


def test_a_champion_whose_run_was_deleted_can_be_replaced(tracking, versions):
    first, second, _ = versions
    registry.make_champion(tracking, first.version, "as proven")
    client = mlflow.MlflowClient(tracking.uri)
    client.delete_run(first.run_id)
    registry.make_champion(tracking, second.version, "better")
    client.restore_run(first.run_id)
    assert said(tracking, second.version)[0] == "promoted"


def test_every_run_says_who_made_it_by_which_command(tracking, versions):
    texts = {"retention.csv": "period,rate\n"}
    registry.log_scoring(
        tracking, "n", {"customers": 3.0}, {"as_of": "2026-01-01"}, {}, "Three **customers**", texts
    )
    client = mlflow.MlflowClient(tracking.uri)
    by_name = {e.name: e for e in client.search_experiments()}
    for kind, command in {"": "churn train", " baselines": "churn train", " nightly": "churn score"}.items():
        experiment = by_name[f"tiny{kind}"]
        assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
        for run in client.search_runs([experiment.experiment_id]):
            assert run.data.tags["mlflow.source.name"] == command
            assert run.data.tags["mlflow.user"] not in ("", "unknown")
    (night,) = client.search_runs([by_name["tiny nightly"].experiment_id])
    assert night.data.tags[NOTE] == "Three **customers**"
    assert [f.path for f in client.list_artifacts(night.info.run_id)] == ["retention.csv"]


def test_an_address_is_told_only_where_a_server_listens(versions):
    assert [logged.url for logged in versions] == [None] * 3


def test_the_address_of_the_comparison_can_be_opened_as_it_is_shown(tracking, versions):
    address = registry.comparison_url(tracking, "http://127.0.0.1:5000")
    assert redacted(address) == address
    assert "viewStateShareKey=churn" in address
