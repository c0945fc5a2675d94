"""What `churn check` says of the machine and of earlier runs, each state from a real folder, lock or store."""

import datetime as dt
from pathlib import Path

import pytest
from filelock import FileLock

from models.tracking.registry import Champion
from pipeline.doctor import system
from pipeline.doctor.findings import Finding
from pipeline.layout import layout_of
from pipeline.tracking.champion import definition

AS_OF = dt.date(2024, 6, 30)
OK = Finding("tracking", "ok", "")


@pytest.fixture
def made(tiny):
    return lambda **sections: tiny(transactions="customer_id,occurred_at\na,2024-01-01\n", sections=sections)


def test_a_folder_that_can_be_written_has_so_much_room(made, monkeypatch):
    found = system._outputs(made())
    assert (found.name, found.state) == ("outputs", "ok")
    assert found.values["free_gb"] > 0
    monkeypatch.setattr(system, "FEWEST_GB", 10.0**9)
    assert system._outputs(made()).state == "look"


def test_a_folder_of_another_owner_is_a_fault(made, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir(exist_ok=True)
    can = system.os.access  # root may write everywhere, so the answer of the system is changed
    monkeypatch.setattr(system.os, "access", lambda path, mode: path != tmp_path / "data" and can(path, mode))
    found = system._outputs(made(outputs={"folder": str(tmp_path / "data/new/below")}))
    assert (found.state, str(tmp_path / "data") in found.told) == ("fault", True)


def test_a_run_that_is_at_work_is_named_and_one_that_has_ended_is_not(made):
    config = made()
    runs = layout_of(config).runs
    runs.mkdir(parents=True)
    assert system._lock(config).state == "ok"
    with FileLock(runs / ".score.lock"):
        found = system._lock(config)
        assert found.state == "later"
        assert "churn score is at work" in found.told
    assert system._lock(config).state == "ok"


def test_secrets_of_the_alerts_are_asked_for_by_name(made, monkeypatch):
    assert system._alerts(made()) == []
    config = made(nightly={"alerts": {"webhook_env": "CHURN_TEST_HOOK"}})
    monkeypatch.delenv("CHURN_TEST_HOOK", raising=False)
    (found,) = system._alerts(config)
    assert (found.state, found.told[:25]) == ("look", "CHURN_TEST_HOOK not set; ")
    monkeypatch.setenv("CHURN_TEST_HOOK", "https://example.org/x")
    assert [one.state for one in system._alerts(config)] == ["ok"]


def champion_of(config, trained):
    metadata = {"definition": definition(config), "as_of": trained.isoformat()}
    return Champion(None, {}, metadata, 3, "run", "digest", {})


@pytest.mark.parametrize(
    ("days", "state"), [(0, "ok"), (system.OLD_DAYS, "ok"), (system.OLD_DAYS + 1, "look")]
)
def test_a_model_grows_old(made, days, state):
    config = made()
    found = system._model(config, champion_of(config, AS_OF - dt.timedelta(days=days)), OK, AS_OF)
    assert (found.state, found.values) == (state, {"version": 3, "age_days": days})
    assert ("run `churn train`" in found.told) == (state == "look")


def test_a_model_of_another_definition_is_a_fault_with_its_keys(made, tiny):
    config = made()
    other = config.model_copy(update={"churn": config.churn.model_copy(update={"horizon_days": 77})})
    found = system._model(config, champion_of(other, AS_OF), OK, AS_OF)
    assert found.state == "fault"
    assert any("churn.horizon_days" in line and "77" in line for line in found.more)


def test_without_a_champion_the_next_step_is_said(made):
    assert system._model(made(), None, OK, AS_OF).told == "no champion yet; run `churn train` next"
    away = Finding("tracking", "later", "")
    assert system._model(made(), None, away, AS_OF).state == "not reached"


def test_a_store_that_no_training_has_made_is_no_fault(made):
    config = made()
    found, champion, trained = system._tracking(config)
    assert (found.state, champion, trained) == ("ok", None, None)
    assert not Path(config.home, "mlflow.db").exists()  # a check writes nothing


def test_the_versions_are_those_that_are_installed():
    values = system._versions().values["versions"]
    assert set(values) == {"churn", "python", *system.LIBRARIES}
    assert values["duckdb"] == __import__("duckdb").__version__
