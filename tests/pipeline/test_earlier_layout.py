"""Outputs that lay side by side come below the names of the configs that made them, once and whole."""

import json
from pathlib import Path

import pytest

from configs.errors import ChurnError, TryAgainError
from pipeline.earlier_layout import move_earlier
from pipeline.layout import layout_of
from pipeline.publish import only_run

SALES = "customer_id,occurred_at\n1,2024-01-01\n"


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def home(tiny, tmp_path):
    """Make a home of the earlier layout: the config, and its folder of outputs, from dates to the names of configs."""

    def make(latest, **nights):
        data = tmp_path / "data"
        for day, name in {day.replace("_", "-")[1:]: name for day, name in nights.items()}.items():
            if name is not None:
                written(data / "runs" / day / "manifest.json", json.dumps({"config": name}))
                written(data / "runs" / day / "outreach.csv", f"list of {name} {day}")
            written(data / "ledger" / f"as_of={day}" / "part.parquet", f"night of {name} {day}")
            written(data / "ledger" / "forecasts" / f"{day}.parquet", f"forecast of {name} {day}")
        written(data / "ledger" / "effect.json", "learned")
        written(data / "control.key", "secret")
        written(data / "runs" / ".score.lock", "")
        (data / "latest").symlink_to(f"runs/{latest}")
        return tiny(transactions=SALES), data

    return make


def test_one_configs_outputs_move_whole(home):
    config, data = home("2026-07-02", d2026_07_01="tiny", d2026_07_02="tiny", d2026_06_01=None)
    told = move_earlier(config)
    place = layout_of(config)
    assert (
        told
        == f"outputs are kept by config now: what was in {data} has moved to {place.folder}, and so has 'latest'"
    )
    assert sorted(p.name for p in data.iterdir()) == ["tiny"]
    assert (place.latest / "outreach.csv").read_text() == "list of tiny 2026-07-02"
    assert sorted(p.name for p in place.runs.iterdir()) == ["2026-07-01", "2026-07-02"]
    days = ["2026-06-01", "2026-07-01", "2026-07-02"]
    assert sorted(p.name for p in place.ledger.glob("as_of=*")) == [f"as_of={day}" for day in days]
    assert sorted(p.stem for p in place.forecasts.iterdir()) == days
    assert (place.ledger / "effect.json").read_text() == "learned"
    assert (place.keys / "control.key").read_text() == "secret"
    assert move_earlier(config) is None


def test_two_configs_get_each_its_own_and_nothing_that_was_learned_from_both(home):
    config, data = home("2026-07-01", d2026_07_01="shop", d2026_07_02="tiny", d2026_07_03="shop")
    move_earlier(config)
    for name, days in {"shop": ["2026-07-01", "2026-07-03"], "tiny": ["2026-07-02"]}.items():
        place = layout_of(config.model_copy(update={"name": name}))
        assert sorted(p.name for p in place.runs.iterdir()) == days
        texts = [p.read_text() for p in sorted(place.ledger.glob("as_of=*/part.parquet"))]
        assert texts == [f"night of {name} {day}" for day in days]
        assert (place.keys / "control.key").read_text() == "secret"
        assert (place.latest / "outreach.csv").read_text() == f"list of {name} {days[0]}"
        assert not (place.ledger / "effect.json").exists()
    assert sorted(p.name for p in data.iterdir()) == ["ledger", "shop", "tiny"]
    assert move_earlier(config) is None


@pytest.mark.parametrize("name", ["runs", "ledger", "latest"])
def test_a_config_may_bear_the_name_of_a_place(home, name):
    config, data = home("2026-07-01", d2026_07_01=name)
    config = config.model_copy(update={"name": name})
    move_earlier(config)
    place = layout_of(config)
    assert (place.latest / "outreach.csv").read_text() == f"list of {name} 2026-07-01"
    assert sorted(p.name for p in data.iterdir()) == [name]
    assert move_earlier(config) is None


def test_what_was_interrupted_goes_on_wherever_that_was(home, monkeypatch):
    config, data = home("2026-07-02", d2026_06_30=None, d2026_07_01="shop", d2026_07_02="tiny")
    rename, left, told = Path.rename, 0, []

    def fails_after_some(old, new):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "disk full")
        return rename(old, new)

    for count in range(20):
        left = count
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", fails_after_some)
            try:
                move_earlier(config)
            except ChurnError as error:
                told.append(str(error))
            else:
                break
    assert len(told) > 3
    assert all("disk full; check who owns the folder, then run the command again" in line for line in told)
    for name, days in {"shop": ["2026-07-01"], "tiny": ["2026-06-30", "2026-07-02"]}.items():
        place = layout_of(config.model_copy(update={"name": name}))
        texts = [p.read_text() for p in sorted(place.ledger.glob("as_of=*/part.parquet"))]
        assert texts == [f"night of {name if day != '2026-06-30' else None} {day}" for day in days]
        assert sorted(p.stem for p in place.forecasts.iterdir()) == days
        assert (place.keys / "control.key").read_text() == "secret"
        assert not (place.ledger / "effect.json").exists()
    assert sorted(p.name for p in data.iterdir()) == ["ledger", "shop", "tiny"]


def test_nothing_is_replaced(home):
    config, data = home("2026-07-01", d2026_07_01="tiny")
    new = layout_of(config).runs / "2026-07-01" / "outreach.csv"
    written(new, "of this version")
    move_earlier(config)
    assert new.read_text() == "of this version"
    assert (data / "runs" / "2026-07-01" / "outreach.csv").exists()
    assert move_earlier(config) is None


def test_an_earlier_version_at_work_is_waited_for(home):
    config, data = home("2026-07-01", d2026_07_01="tiny")
    with only_run(data / "runs", "score"), pytest.raises(TryAgainError):
        move_earlier(config)


def test_a_new_home_is_left_alone(tiny, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert move_earlier(tiny(transactions=SALES)) is None
    assert [p.name for p in sorted(tmp_path.rglob("*")) if p not in before] == ["transactions.csv"]
