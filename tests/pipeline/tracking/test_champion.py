"""What makes two models comparable, what makes two trainings the same recipe, and a champion of another definition."""

import datetime as dt

import pytest

from configs.errors import ConfigError, UnfitError
from models.tracking.registry import Champion
from pipeline.tracking.champion import (
    age_days,
    definition,
    promote,
    recipe_of,
    require_same_definition,
    rollback,
    tracking_of,
)

SALES = "customer_id,occurred_at,amount\n1,2024-01-01,5\n"
PEOPLE = "customer_id,started_at,plan\n1,2024-01-01,a\n"


def champion(meaning, version=4):
    return Champion(None, {}, {"as_of": "2026-06-01", "definition": meaning}, version, "run", "digest")


@pytest.fixture
def config(tiny):
    return tiny(transactions=SALES)


@pytest.mark.parametrize(
    ("kind", "churn", "keys"),
    [
        ("non_contractual", {}, {"kind", "horizon_days", "gap_days", "active_days"}),
        ("contractual", {}, {"kind", "horizon_days", "gap_days", "not_churn_reasons"}),
    ],
)
def test_the_definition_holds_what_its_kind_uses(tiny, kind, churn, keys):
    roles = {"transactions": SALES} if kind == "non_contractual" else {"customers": PEOPLE}
    mapped = {"customers": {"customer_id": "customer_id", "started_at": "started_at", "ended_at": "plan"}}
    found = definition(tiny(kind=kind, churn=churn, mapped=mapped, **roles))
    assert set(found) == keys
    assert found["horizon_days"] == 30


def test_a_champion_of_the_same_definition_is_taken(config):
    require_same_definition(champion(definition(config)), config)


def test_each_setting_that_has_changed_is_told_with_both_values(config):
    was = definition(config) | {"horizon_days": 60, "active_days": 120}
    with pytest.raises(UnfitError) as raised:
        require_same_definition(champion(was), config)
    text = str(raised.value)
    assert "what churn means has changed since the champion, version 4, was trained" in text
    assert "churn.horizon_days: is 30, the champion was trained with 60" in text
    assert "churn.active_days: is 90, the champion was trained with 120" in text
    assert "gap_days" not in text
    assert "run `churn train`, or set it back" in text


def test_a_setting_that_the_champion_does_not_know_had_its_default(config):
    was = definition(config)
    del was["gap_days"]
    require_same_definition(champion(was), config)
    later = config.model_copy(update={"churn": config.churn.model_copy(update={"gap_days": 7})})
    with pytest.raises(UnfitError, match=r"churn\.gap_days: is 7, the champion was trained with 0"):
        require_same_definition(champion(was), later)


def changed(config, section, **values):
    part = getattr(config, section).model_copy(update=values)
    return config.model_copy(update={section: part})


@pytest.mark.parametrize(
    ("section", "values", "same"),
    [
        ("model", {"l2": 99.0}, False),
        ("model", {"threads": 9}, True),  # how it is computed, not what
        ("model", {"test_snapshots": 1}, True),
        ("model", {"tune_trials": 40}, True),
        ("model", {"canary_nights": 9}, True),
        ("snapshots", {"step_days": 7}, False),
        ("features", {"exclude": ["x"]}, False),
        ("churn", {"horizon_days": 60}, False),
        ("outreach", {"capacity": 3}, True),
    ],
)
def test_a_recipe_is_all_that_makes_a_model_but_its_rows(config, section, values, same):
    assert (recipe_of(changed(config, section, **values)) == recipe_of(config)) is same


def test_another_column_or_another_seed_is_another_recipe(tiny, config):
    more = tiny(transactions="customer_id,occurred_at,amount,points\n1,2024-01-01,5,1\n")
    assert recipe_of(more) != recipe_of(config)
    assert recipe_of(config.model_copy(update={"seed": 8})) != recipe_of(config)


def test_the_age_is_in_days_and_below_0_for_a_model_of_later(config):
    found = champion({})
    assert age_days(found, dt.date(2026, 6, 8)) == 7
    assert age_days(found, dt.date(2026, 5, 31)) == -1


def test_runs_stand_under_the_name_of_the_config_unless_it_says_otherwise(config):
    assert (tracking_of(config).experiment, tracking_of(config).name) == ("tiny", "tiny")
    other = changed(config, "tracking", experiment="shared")
    assert (tracking_of(other).experiment, tracking_of(other).name) == ("shared", "tiny")
    assert tracking_of(config).home == config.home.absolute()


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_the_champion_is_not_moved_without_a_reason(config, reason):
    with pytest.raises(ConfigError, match="--reason is empty"):
        promote(config, 1, reason)
    with pytest.raises(ConfigError, match="--reason is empty"):
        rollback(config, reason)
    assert not (config.home / "mlflow.db").exists()
