"""What makes two models comparable, and a training a refit: keys of the config that count and those that do not."""

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
)

PURCHASES = "customer_id,occurred_at\na,2024-01-01\n"


@pytest.fixture
def made(tiny):
    return lambda **more: tiny(transactions=PURCHASES, **more)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"sections": {"outreach": {"capacity": 5}}}, True),  # the list is no part of the model
        ({"sections": {"model": {"min_gain": 0.3}}}, True),
        ({"sections": {"model": {"tune_trials": 3}}}, True),
        ({"sections": {"model": {"threads": 1}}}, True),
        ({"sections": {"model": {"trees": 7}}}, False),
        ({"sections": {"features": {"windows_days": [30]}}}, False),
        ({"sections": {"snapshots": {"step_days": 14}}}, False),
        ({"churn": {"gap_days": 3}}, False),
        ({"sections": {"seed": 9}}, False),
    ],
)
def test_a_recipe_is_all_that_makes_a_model(made, change, same):
    assert (recipe_of(made(**change)) == recipe_of(made())) == same


def test_the_definition_has_the_keys_of_its_kind_alone(made):
    assert definition(made(churn={"gap_days": 3})) == {
        "kind": "non_contractual", "horizon_days": 30, "gap_days": 3, "active_days": made().churn.active_days,
    }  # fmt: skip


def champion(**was):
    return Champion(None, {}, {"definition": was, "as_of": "2024-01-31"}, 4, "run", "digest", {})


def test_a_champion_of_another_definition_is_refused_key_by_key(made):
    config = made()
    was = definition(config)
    require_same_definition(champion(**was), config)
    with pytest.raises(UnfitError, match="since the champion, version 4, was trained") as error:
        require_same_definition(champion(**was | {"horizon_days": 90, "gap_days": 1}), config)
    assert [(fault.where, fault.what) for fault in error.value.faults] == [
        ("churn.horizon_days", "is 30, the champion was trained with 90"),
        ("churn.gap_days", "is 0, the champion was trained with 1"),
    ]


def test_a_champion_that_was_trained_before_a_key_existed_had_its_default(made):
    was = definition(made())
    del was["gap_days"]
    require_same_definition(champion(**was), made())
    with pytest.raises(UnfitError, match="gap_days"):
        require_same_definition(champion(**was), made(churn={"gap_days": 2}))


def test_the_age_of_a_model_counts_from_the_date_as_of_which_it_was_trained():
    assert age_days(champion(), dt.date(2024, 3, 1)) == 30
    assert age_days(champion(), dt.date(2024, 1, 30)) == -1


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_champion_is_moved_by_hand_only_with_a_reason(made, reason):
    for move in (lambda: promote(made(), 3, reason), lambda: rollback(made(), reason)):
        with pytest.raises(ConfigError, match="--reason is empty"):
            move()
