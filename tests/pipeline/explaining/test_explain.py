"""Why tonight and why differently: the parts on one screen, with models of one step."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from features.spec import FeatureColumn
from models.prediction.classifier import FittedModel
from models.tracking.exchange import Champion
from pipeline.explaining import explain as room
from pipeline.explaining.night import Published, nights, tonight_and_before
from pipeline.layout import layout_of


def step(low, high, version, column="recency_days"):
    """Log-odds `low` until a silence of five days, `high` after it."""
    rule = {
        "name": "r",
        "kind": "steps",
        "inputs": [0],
        "edges": [5.0],
        "values": [low, high],
        "missing": 0.0,
    }
    members = [{**rule, "centre": 0.0, "weight": 1.0}]
    columns = [{"name": column, "kind": "number"}]
    spec = {"columns": columns, "boosters": [], "members": members, "calibrator": {"kind": "none"}}
    return Champion(FittedModel(spec, ()), {}, {}, version, "", "")


def chance(z):
    return 1 / (1 + np.exp(-z))


def night(day, probability, version, digest="same"):
    return Published(dt.date(2026, 7, day), Path(), probability, version, digest)


COLUMNS = [
    FeatureColumn(
        "recency_days",
        "Days since the last purchase",
        "days",
        "never bought",
        "silence",
        "transactions",
        True,
    )
]


def difference(tiny, monkeypatch, now, before, old, new, silence):
    config = tiny(transactions="customer_id,occurred_at\n1,2026-01-01")
    monkeypatch.setattr(room, "model_of_night", lambda config, night: old)
    then, row = (pd.DataFrame({"recency_days": [float(days)]}) for days in silence)
    return room._difference(config, now, before, new, row, then, row, COLUMNS)


def test_data_model_and_late_rows_are_told_apart(tiny, monkeypatch):
    old, new = step(-1.0, 1.0, 1), step(-2.0, 2.0, 2)
    before, now = night(1, 0.25, 1), night(2, chance(2.0), 2)
    found = difference(tiny, monkeypatch, now, before, old, new, (1, 9))
    assert found.data == pytest.approx(chance(2.0) - chance(-2.0))
    assert found.model == pytest.approx(chance(-2.0) - chance(-1.0))
    assert found.rest == pytest.approx(chance(-1.0) - 0.25)
    assert found.data + found.model + found.rest == pytest.approx(now.probability - before.probability)
    assert not found.config_changed
    assert [(m.label, m.before, m.now, m.push > 0) for m in found.moved] == [
        (COLUMNS[0].label, "1", "9", True)
    ]


def test_a_night_like_the_one_before_has_no_difference(tiny, monkeypatch):
    same = step(-1.0, 1.0, 1)
    found = difference(
        tiny, monkeypatch, night(2, chance(1.0), 1), night(1, chance(1.0), 1), same, same, (9, 9)
    )
    assert (found.data, found.model) == (0.0, 0.0)
    assert found.rest == pytest.approx(0.0)
    assert found.moved == ()


def test_another_config_has_its_part(tiny, monkeypatch):
    same = step(-1.0, 1.0, 1)
    now, before = night(2, chance(1.0), 1), night(1, 0.5, 1, digest="other")
    found = difference(tiny, monkeypatch, now, before, same, same, (9, 9))
    assert found.config_changed
    assert found.rest == pytest.approx(chance(1.0) - 0.5)


def test_a_model_that_reads_other_columns_is_part_of_the_configs_change(tiny, monkeypatch):
    old, new = step(-1.0, 1.0, 1, column="gone"), step(-2.0, 2.0, 2)
    now, before = night(2, chance(2.0), 2), night(1, 0.5, 1, digest="other")
    found = difference(tiny, monkeypatch, now, before, old, new, (9, 9))
    assert found.model == 0.0
    assert found.rest == pytest.approx(chance(2.0) - 0.5)


def test_without_a_night_or_a_date_the_next_step_is_said(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2026-01-01")
    assert nights(layout_of(config), dt.date(2026, 7, 1)) == []
    with pytest.raises(DataError, match="run `churn score` first"):
        tonight_and_before(layout_of(config), dt.date(2026, 7, 1), "1")
    table = tiny(
        kind="labelled",
        customers="customer_id,churned,age\n1,yes,30\n2,no,40",
        settings={"customers": {"attributes": {"age": "age"}}},
        mapped={"customers": {"customer_id": "customer_id", "churned": "churned"}},
    )
    with pytest.raises(ConfigError, match="has no dates"):
        room.explain(table, "1", dt.date(2026, 7, 1), None, lambda line: None)
