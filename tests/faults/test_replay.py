"""Recorded nights made again: equal when nothing has changed, and every difference has its cause."""

import datetime as dt
import json
import shutil

import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.schema import Config
from pipeline import replay as module
from pipeline.layout import layout_of
from pipeline.replay import recorded_nights, replay
from pipeline.scoring import made_by
from pipeline.scoring.score import score
from tests.faults.conftest import YESTERDAY, quiet, shop
from tests.faults.sweep import contents

TOMORROW = YESTERDAY + dt.timedelta(1)

pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture(autouse=True)
def plain_pages(monkeypatch):
    """The page takes longer than all else; that its bytes stay is proven where scoring twice is."""
    monkeypatch.setattr("pipeline.scoring.files.render_report", lambda view: "page")


@pytest.fixture(scope="module")
def recorded(trained, tmp_path_factory):
    """A home with two nights of this page."""
    home = tmp_path_factory.mktemp("replay") / "home"
    shutil.copytree(trained, home, symlinks=True, ignore=shutil.ignore_patterns("mlartifacts"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.scoring.files.render_report", lambda view: "page")
        for night in (YESTERDAY, TOMORROW):
            score(shop(home), night, None, dry_run=False, say=quiet)
    return home


@pytest.fixture
def home(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def of(config, *runs):
    result = replay(config, [str(run) for run in runs], 7, None, quiet)
    return result, list(result.values["nights"])


def test_nights_are_equal_and_nothing_is_written(home):
    config = shop(home)
    before = contents(home / "data")
    result, nights = of(config)
    assert result.exit_code == 0, result.text
    assert [(night["as_of"], night["equal"], night["causes"]) for night in nights] == [
        (str(YESTERDAY), True, []),
        (str(TOMORROW), True, []),
    ]
    assert result.text.splitlines()[-1] == "2 of 2 recorded nights are made again byte by byte"
    assert contents(home / "data") == before


def fewer_rows(home, config):
    rows = pd.read_parquet(home / "transactions.parquet")
    rows.iloc[: len(rows) // 2].to_parquet(home / "transactions.parquet")
    return config


def other_values(home, config):
    rows = pd.read_parquet(home / "transactions.parquet")
    rows.assign(amount=rows["amount"] * 3).to_parquet(home / "transactions.parquet")
    return config


def shorter_list(home, config):
    return Config.model_validate(
        {**config.model_dump(), "home": home, "outreach": {**config.outreach.model_dump(), "capacity": 1}}
    )


CHANGES = {
    fewer_rows: "data changed: transactions: ",
    other_values: "other values",
    shorter_list: "config differs: outreach",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_difference_is_told_by_its_cause(home, change):
    config = change(home, shop(home))
    result, (night,) = of(config, YESTERDAY)
    assert result.exit_code == 3
    assert not night["equal"]
    assert any(CHANGES[change] in cause for cause in night["causes"]), night["causes"]
    assert not any("code differs" in cause for cause in night["causes"])
    assert night["files"]
    assert f"{YESTERDAY}: differs" in result.text
    if change is fewer_rows:
        assert any(line.startswith(("customers: ", "scores: ")) for line in night["effects"])
        assert night["rates"]


def test_other_code_is_told_and_explains_who_enters_and_leaves(home, monkeypatch):
    run = layout_of(shop(home)).runs / str(YESTERDAY)
    was = pd.read_parquet(run / "outreach.parquet")["customer_id"].tolist()
    decide = module.decided

    def turned(job, found, *, create_key):
        night = decide(job, found, create_key=create_key)
        chosen = night.decision.chosen.iloc[1:].reset_index(drop=True)
        object.__setattr__(night.decision, "chosen", chosen)
        return night

    monkeypatch.setattr(module, "decided", turned)
    monkeypatch.setattr(made_by, "code_digest", lambda: "another")
    result, (night,) = of(shop(home), run)
    assert [cause.split(":")[0] for cause in night["causes"]] == ["code differs"]
    assert (night["enter"], night["leave"]) == ([], was[:1])
    assert f"list: 1 leave ({was[0]})" in result.text
    assert "outreach.csv" in night["files"]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"version": 99, "sha256": "0"}, ["the model differs: version 99 is gone, version 1 was used"]),
        ({"version": 1, "sha256": "0"}, ["the model differs: version 1 was changed since"]),
        ({}, []),
    ],
)
def test_another_model_is_told(recorded, model, told):
    config = shop(recorded)
    manifest = json.loads((layout_of(config).latest / "manifest.json").read_text())
    champion, found = module._champion(
        config, layout_of(config), {"model": {**manifest["model"], **model}}, quiet
    )
    assert (champion.version, found) == (1, told)


def test_a_night_that_cannot_be_made_again_says_why_and_the_others_go_on(home):
    runs = layout_of(shop(home)).runs
    (runs / str(YESTERDAY) / "manifest.json").write_text("{broken")
    result, (first, second) = of(shop(home))
    assert result.exit_code == 3
    assert "manifest" in first["error"] or "Expecting" in first["error"]
    assert second["equal"]


def test_runs_are_dates_folders_or_the_newest(home):
    layout = layout_of(shop(home))
    assert recorded_nights(layout, [], 1) == [TOMORROW]
    assert recorded_nights(
        layout, [str(YESTERDAY), str(layout.runs / str(YESTERDAY)), str(layout.latest)], 1
    ) == [
        YESTERDAY,
        TOMORROW,
    ]
    with pytest.raises(
        ConfigError, match=r"RUN: 2020-01-01: not in .*; recorded are 2025-12-01 to 2025-12-02"
    ):
        recorded_nights(layout, ["2020-01-01"], 1)
