"""A table on its way through a command: rows, files, pictures, refusals."""

import datetime as dt
import json
import re

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


def subscriptions(tiny):
    """Contracts with stated reasons, answers to surveys and failed payments."""
    n = np.arange(60)
    ended = np.where(n % 3 == 0, "2024-06-10", "")
    people = "customer_id,started_at,ended_at,end_reason\n" + "".join(
        f"{i},2023-0{1 + i % 9}-05,{end},{('competitor', 'moved', '')[i % 9 // 3] if end else ''}\n"
        for i, end in zip(n, ended, strict=True)
    )
    asked = "customer_id,occurred_at,score,kind\n" + "".join(
        f"{i},2024-0{month}-03,{'' if i % 5 == 0 and month > 4 else (i + month) % 11},{kind}\n"
        for i in n
        for month in range(1, 7)
        for kind in ("nps", "csat", "pmf", "mood")
    )
    failed = "customer_id,occurred_at,recovered_at\n3,2024-06-01,\n6,2024-06-01,\n"
    yield tiny(
        kind="contractual",
        churn={"not_churn_reasons": ["moved"]},
        customers=people,
        feedback=asked,
        failed_payments=failed,
    )
    contracts = "customer_id,started_at,ended_at,amount\n" + "".join(
        f"{i},2023-0{1 + i % 9}-05,{end},{1 + i % 2}\n" for i, end in zip(n, ended, strict=True)
    )
    known = "customer_id\n" + "\n".join(map(str, n)) + "\n"
    yield tiny(kind="contractual", churn={"grace_days": 3}, contracts=contracts, customers=known)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fa", "mr"])
def test_no_english_is_left_in_what_a_table_prints(shop, tiny, language):
    def told(name, config, own=None, **scope):
        found = result(name, config.model_copy(update={"language": language}), own=own, **scope)
        notes = [*found.values["notes"], *found.values.get("look", []), *found.values.get("assumptions", [])]
        assert not re.search(r"[^\x00-\x7f]", " ".join(notes))
        return found.text

    buyers = shop()
    texts = [told(name, buyers) for name in ("cohorts", "second", "revenue", "mix", "goals", "value")]
    texts += [
        told(name, buyers, segment="plan") for name in ("rate", "cohorts", "survival", "second", "revenue")
    ]
    texts += [
        told("rate", buyers, periods=24, running=True),
        told("cohorts", buyers, {"measure": "purchase"}),
    ]
    texts += [told("value", buyers, {"points": 2.0}), told("audit", buyers, {"rows": 2})]
    texts += [told("benchmarks", buyers).splitlines()[i] for i in (1, -1)]
    companies = subscriptions(tiny)
    people = next(companies)
    texts += [told(name, people) for name in ("rate", "survival", "reasons", "audit")]
    texts += [told("feedback", people, {"table": t}) for t in ("measures", "trend", "customers", "stopped")]
    contracts = next(companies)
    texts += [told(name, contracts) for name in ("rate", "contracts")]
    for line in "\n".join(texts).splitlines():
        # Without what the data and the config say, options of the command, and the letters of the formula.
        said = re.sub(
            r"`[^`]*`|\btiny\b|\b(plan|basic|plus|moved|mood)\b|"
            r"--table trend|customers|stopped|--rows N|--out|\w+\.\w+|\bNPS\b|\b[SNE]\b",
            "",
            line,
        )
        assert not re.search("[A-Za-z]", said), line
