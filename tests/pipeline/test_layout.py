"""What a config writes is its own, whatever else is in the home."""

import json

import pytest

from configs.errors import ConfigError
from pipeline.layout import layout_of

SALES = "customer_id,occurred_at\n1,2024-01-01\n"


def places(layout):
    return {layout.folder, layout.runs, layout.keys, layout.latest, layout.ledger, layout.forecasts}


@pytest.mark.parametrize("name", ["other", "runs", "ledger", "latest", "tiny_runs"])
def test_two_configs_of_one_home_share_no_place_and_none_lies_in_the_others(tiny, name):
    config = tiny(transactions=SALES)
    one, other = places(layout_of(config)), places(layout_of(config.model_copy(update={"name": name})))
    assert one.isdisjoint(other)
    assert not any(a in b.parents or b in a.parents for a in one for b in other)


def test_a_folder_that_is_given_holds_runs_and_ledger_and_the_key_stays_the_configs_own(tiny, tmp_path):
    config = tiny(transactions=SALES)
    given = layout_of(config, tmp_path / "out")
    assert (given.runs, given.ledger) == (tmp_path / "out", tmp_path / "out" / "ledger")
    assert given.keys == layout_of(config).keys


def test_a_folder_with_the_nights_of_another_config_is_refused(tiny, tmp_path):
    config = tiny(transactions=SALES)
    night = tmp_path / "out" / "2026-07-01"
    night.mkdir(parents=True)
    (night / "manifest.json").write_text(json.dumps({"config": "other"}))
    (tmp_path / "out" / "latest").symlink_to("2026-07-01")
    with pytest.raises(ConfigError, match="holds the nights of config other; choose another folder"):
        layout_of(config, tmp_path / "out")
    assert layout_of(config.model_copy(update={"name": "other"}), tmp_path / "out").runs == tmp_path / "out"
