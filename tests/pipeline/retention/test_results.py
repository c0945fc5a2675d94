"""A table on its way through a command: rows, files, pictures, refusals."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.retention.results import rows_of, write_frame
from tests.pipeline.shop import result


def test_rows_are_plain_json(shop):
    found = result("rate", shop(), periods=2, running=True)
    values = json.loads(json.dumps(found.values, allow_nan=False))
    assert [row["period"] for row in values["rows"]] == ["2024-05", "2024-06"]
    assert values["rows"][0]["start"] == "2024-05-01T00:00:00"
    row = values["rows"][-1]
    assert row["E"] - row["N"] + row["lost"] == row["S"]
    assert row["rate"] == pytest.approx(100 * (row["E"] - row["N"]) / row["S"])
    assert "a customer: a purchase in the last 90 days" in found.text


def test_tables_are_written_whole_as_csv_and_parquet(shop, tmp_path):
    config = shop()
    for name in ("rate.csv", "rate.parquet"):
        file = tmp_path / "out" / name
        found = result("rate", config, out=file, segment="plan")
        frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
        assert len(frame) == len(found.values["rows"]) == 24
        assert frame.S.tolist() == [row["S"] for row in found.values["rows"]]
        assert [f.name for f in file.parent.glob(".*")] == []
        assert found.values["notes"][-1] == f"written {file}"
    with pytest.raises(ConfigError, match=r"\.csv or a \.parquet"):
        write_frame(frame, tmp_path / "rate.xlsx")


def test_curves_are_drawn_and_written(shop, tmp_path):
    config, picture = shop(), tmp_path / "curve.svg"
    found = result("survival", config, out=tmp_path / "curve.csv", picture=picture, segment="plan")
    assert {row["segment"] for row in found.values["rows"]} == {"basic", "plus"}
    assert len(found.values["logrank"]) == 2
    assert len(pd.read_csv(tmp_path / "curve.csv")) == len(found.values["curve"])
    assert picture.read_text().startswith("<svg")
    first = picture.read_bytes()
    result("survival", config, picture=picture, segment="plan")
    assert picture.read_bytes() == first
    with pytest.raises(ConfigError, match=r"\.svg"):
        result("second", config, picture=tmp_path / "curve.png")
    with pytest.raises(ConfigError, match="leave --segment out"):
        result("cohorts", config, picture=picture, segment="plan")


def test_a_table_without_dates_has_no_rate(shop):
    config = shop()
    churn = config.churn.model_copy(update={"kind": "labelled"})
    undated = config.model_copy(update={"churn": churn})
    with pytest.raises(ConfigError, match="no rate"):
        result("rate", undated)
    assert "HBR" not in result("benchmarks", undated).text


def test_rows_of_dates_and_missing_values():
    frame = pd.DataFrame({"day": [dt.date(2024, 1, 2)], "x": [np.nan], "ok": pd.array([None], "boolean")})
    assert rows_of(frame) == [{"day": "2024-01-02T00:00:00", "x": None, "ok": None}]
