"""The tables of a config for a person and for a machine, and those of a night."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.retention import Retention
from pipeline.retention import forecasts, rate_studies, rate_tables, rates
from pipeline.retention.forecasts import forecasts_folder
from pipeline.retention.rate_forecast import RateForecast
from pipeline.retention.rate_result import Asked, rows_of, write_frame
from pipeline.retention.rate_scope import Scope
from pipeline.retention.rate_text import notes_of, show
from pipeline.retention.reported import reported
from pipeline.scoring.night_rates import night_rates, no_rates
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 7, 1)
GOALS = [{"metric": "adjusted_rate", "at_least": 65}, {"metric": "engagement", "change": "rising"}]


def purchases(customers=120, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        days = np.cumsum(rng.exponential(rng.gamma(2, 15) + 3, 80)) + rng.uniform(0, 200)
        rows += [(f"{k:03d}", float(d), float(rng.integers(5, 90))) for d in days[days < 540]]
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    at = pd.Timestamp("2023-01-08") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame.assign(occurred_at=at.dt.floor("s"))


def people(customers=120, seed=0):
    rng = np.random.default_rng(seed)
    ids = [f"{k:03d}" for k in range(customers)]
    mails = [f"{k}@example.org" for k in ids]
    return pd.DataFrame({"customer_id": ids, "plan": rng.choice(["basic", "plus"], customers), "mail": mails})


@pytest.fixture
def shop(tiny):
    def make(goals=GOALS, segments=("plan",), margin=1.0, **more):
        columns = {"customers": {"customer_id": "customer_id"}}
        return tiny(
            transactions=purchases(),
            customers=people(),
            mapped=columns,
            settings={"customers": {"attributes": ["plan"], "facts": ["mail"]}},
            sections={
                "margin": margin,
                "retention": {"goals": list(goals), "segments": list(segments), **more},
            },
        )

    return make


def asked(config, out=None, **scope):
    return Asked(config, AS_OF, Scope.of(config.retention, **scope), out)


def test_what_is_given_stands_before_the_config():
    config = Retention(unit="quarter", periods=4, rolling=True)
    assert Scope.of(config).unit == "quarter"
    assert Scope.of(config, unit="week", rolling=False, periods=None) == Scope("week", 4, "UTC", 0)


def test_what_is_not_final_is_marked():
    frame = pd.DataFrame(
        {
            "period": ["2024-01", "2024-02", "2024-03"],
            "S": [1200, 1300, 1400],
            "rate": [91.26, 90.0, None],
            "complete": [True, True, False],
            "full_history": [False, True, True],
        }
    )
    assert show(frame, ["period", "S", "rate"]).splitlines() == [
        "period                 S    rate",
        "2024-01 *          1,200  91.3 %",
        "2024-02            1,300  90.0 %",
        "2024-03 (running)  1,400       -",
    ]
    notes = "\n".join(notes_of(frame))
    assert "not over" in notes
    assert "do not reach back" in notes


def test_rows_are_plain_json(shop):
    result = rates.by_period(asked(shop(), periods=2, running=True))
    values = json.loads(json.dumps(result.values, allow_nan=False))
    assert [row["period"] for row in values["rows"]] == ["2024-05", "2024-06"]
    assert values["rows"][0]["start"] == "2024-05-01T00:00:00"
    row = values["rows"][-1]
    assert row["E"] - row["N"] + row["lost"] == row["S"]
    assert row["rate"] == pytest.approx(100 * (row["E"] - row["N"]) / row["S"])
    assert "a customer: a purchase in the last 90 days" in result.text


def test_tables_are_written_whole_as_csv_and_parquet(shop, tmp_path):
    config = shop()
    for name in ("rate.csv", "rate.parquet"):
        file = tmp_path / "out" / name
        result = rates.by_period(asked(config, out=file, segment="plan"))
        frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
        assert len(frame) == len(result.values["rows"]) == 24
        assert frame.S.tolist() == [row["S"] for row in result.values["rows"]]
        assert [f.name for f in file.parent.glob(".*")] == []
    with pytest.raises(ConfigError, match=r"\.csv or a \.parquet"):
        write_frame(frame, tmp_path / "rate.xlsx")


def test_segments_add_up_and_names_are_no_segment(shop):
    config = shop()
    sources = open_sources(config, AS_OF)
    whole = rate_tables.retention(reported(sources), config, AS_OF, Scope.of(config.retention))
    parts = rate_tables.retention(
        reported(sources), config, AS_OF, Scope.of(config.retention, segment="plan")
    )
    counts = ["S", "N", "E", "lost"]
    assert parts.groupby("period")[counts].sum().values.tolist() == whole[counts].values.tolist()
    assert "mail" in sources.tables["customers"].columns
    assert "mail" not in reported(sources)["customers"].columns
    with pytest.raises(ConfigError, match="known: plan"):
        rates.by_period(asked(config, segment="mail"))
    audit = rates.audit(asked(config), None, 50).values
    assert {row["fact"] for row in audit["rows"]} <= {"plan", "tenure_days", "purchases", "spend"}


def test_mix_explains_the_change(shop):
    result = rates.mix(asked(shop()), "2024-04", "2024-06")
    total = result.values["rows"][-1]
    assert total["segment"] == "(total)"
    assert total["change"] == pytest.approx(total["rate_after"] - total["rate_before"])
    with pytest.raises(ConfigError, match="both periods"):
        rates.mix(asked(shop()), "2024-06", "2024-06")
    with pytest.raises(ConfigError, match="give --segment"):
        rates.mix(asked(shop(segments=())), None, None)


def test_goals_are_judged_where_the_records_are_full(shop):
    wanted = [
        *GOALS,
        {"metric": "net_retention", "at_most": 500},
        {"metric": "S", "at_least": 0, "unit": "quarter"},
    ]
    config = shop(goals=wanted)
    rows = rates.goals(asked(config)).values["rows"]
    assert [row["metric"] for row in rows] == ["adjusted_rate", "engagement", "net_retention", "S"]
    whole = rates.by_period(asked(config)).values["rows"]
    assert rows[0]["value"] == pytest.approx(whole[-1]["adjusted_rate"])
    assert rows[3]["period"] == "2024-Q2"
    history = rate_tables.history(
        reported(open_sources(config, AS_OF)),
        config,
        AS_OF,
        Scope.of(config.retention, periods=18),
        {"net_retention"},
    )
    assert not history.complete[:3].any()
    assert history.complete[5:].all()


def test_a_point_is_worth_its_share(shop):
    config = shop(margin=0.25)
    rows = rates.value(asked(config), 1.0, None).values["rows"][0]
    assert rows["extra_margin"] == pytest.approx(0.25 * rows["extra_revenue"])
    assert "1 point more" in rates.value(asked(config), 1.0, None).text
    assert rates.value(asked(config), 2.0, 1.0).values["rows"][0]["extra_revenue"] > rows["extra_revenue"]


def test_curves_are_drawn_and_written(shop, tmp_path):
    config, picture = shop(), tmp_path / "curve.svg"
    result = rate_studies.survival(asked(config, out=tmp_path / "curve.csv", segment="plan"), picture)
    assert {row["segment"] for row in result.values["rows"]} == {"basic", "plus"}
    assert len(result.values["logrank"]) == 2
    assert len(pd.read_csv(tmp_path / "curve.csv")) == len(result.values["curve"])
    assert picture.read_text().startswith("<svg")
    first = picture.read_bytes()
    rate_studies.survival(asked(config, segment="plan"), picture)
    assert picture.read_bytes() == first
    with pytest.raises(ConfigError, match=r"\.svg"):
        rate_studies.second(asked(config), tmp_path / "curve.png")
    with pytest.raises(ConfigError, match="leave --segment out"):
        rates.cohorts(asked(config, segment="plan"), "customer", picture)


def test_a_table_without_dates_has_no_rate(shop):
    config = shop()
    churn = config.churn.model_copy(update={"kind": "labelled"})
    with pytest.raises(ConfigError, match="no rate"):
        rates.by_period(asked(config.model_copy(update={"churn": churn})))
    assert no_rates().forecast is None
    assert no_rates().metrics == {}
    assert no_rates().table.empty


def scored(config):
    sources = open_sources(config, AS_OF)
    last = purchases().groupby("customer_id").occurred_at.max()
    here = last[last >= pd.Timestamp(AS_OF) - pd.Timedelta(days=90)].index.tolist()
    return sources, here, np.random.default_rng(0).uniform(0.1, 0.6, len(here))


def test_a_night_publishes_its_tables_with_the_same_bytes(shop, tmp_path):
    config = shop()
    sources, here, p = scored(config)
    found = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        night = night_rates(sources, config, AS_OF, here, p, tmp_path / "forecasts")
        night.write(folder)
        found.append({f.name: f.read_bytes() for f in folder.iterdir()})
    assert found[0] == found[1]
    assert set(found[0]) == set(night.files)
    assert {
        "retention.csv",
        "retention_by_segment.csv",
        "retention_audit.parquet",
        "retention_cohorts.svg",
    } <= set(night.files)
    table = pd.read_csv(tmp_path / "a" / "retention.csv")
    assert table.S.tolist() == night.table.S.tolist()
    forecast = pd.read_csv(tmp_path / "a" / "retention_forecast.csv")
    assert forecast.measure.tolist() == ["window", "rate"]
    assert night.warnings == ()


def test_what_a_night_logs(shop, tmp_path):
    config = shop()
    sources, here, p = scored(config)
    night = night_rates(sources, config, AS_OF, here, p, tmp_path)
    newest = night.table.iloc[-1]
    assert night.metrics["retention/S"] == newest.S
    assert night.metrics["forecast/window_rate"] == pytest.approx(100 * (1 - p.mean()))
    assert night.forecast.period == "2024-07"
    assert night.metrics["forecast/rate_rate"] == night.forecast.rate > night.metrics["forecast/window_rate"]
    steps = night.steps["retention_by_month/rate"]
    assert [step for step, _, _ in steps] == list(range(steps[0][0], steps[0][0] + 12))
    assert steps[-1][0] == (2024 - 1970) * 12 + 5
    assert steps[-1][1:] == (1_719_792_000_000, newest.rate)


def test_a_goal_that_nothing_measures_spoils_no_night(shop, tmp_path):
    config = shop(goals=[{"metric": "nps", "at_least": 30}])
    night = night_rates(*scored(config)[:1], config, AS_OF, *scored(config)[1:], tmp_path)
    assert "goals" not in night.tables
    (line,) = night.warnings
    assert "nps: is not measured by month" in line


def test_forecasts_are_shown_beside_what_came(shop):
    config = shop()
    with pytest.raises(ConfigError, match="churn score"):
        rate_studies.forecast(asked(config))
    sources, here, p = scored(config)
    for month in (2, 3, 4, 7):
        day = dt.date(2024, month, 1)
        past = RateForecast(day, day, dt.date(2024, month + 1, 1), 90, 9.0, 90.0, 50.0, 100.0, 3.0, "rate")
        forecasts.record(forecasts_folder(config), [past], "1")
    result = rate_studies.forecast(asked(config))
    rows = result.values["rows"]
    assert [row["inside"] for row in rows] == [True, True, True, None]
    whole = {row["period"]: row for row in rates.by_period(asked(config)).values["rows"]}
    assert [row["came"] for row in rows[:3]] == [
        pytest.approx(whole[f"2024-0{m}"]["rate"]) for m in (2, 3, 4)
    ]
    assert "3 of 3 past forecasts held what came" in result.text
    night = night_rates(sources, config, AS_OF, here, p, forecasts_folder(config))
    assert len(night.tables["forecast"]) == 5


def test_rows_of_dates_and_missing_values():
    frame = pd.DataFrame({"day": [dt.date(2024, 1, 2)], "x": [np.nan], "ok": pd.array([None], "boolean")})
    assert rows_of(frame) == [{"day": "2024-01-02T00:00:00", "x": None, "ok": None}]
