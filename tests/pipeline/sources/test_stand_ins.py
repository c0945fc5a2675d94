"""Days and scores that stand for none: said with the two lines of the config, both of which do what they say."""

import datetime as dt
import re

import pandas as pd
import pytest
import yaml

from configs.schema import Config
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2025, 1, 1)


def config_of(home, uri, days, **source):
    """A company with contracts, whose file has times as `days` says."""
    times = {"started_at": {"column": "since", **days}, "ended_at": {"column": "until", **days}}
    columns = {"customer_id": "id", **times}
    customers = {"uri": uri, "columns": columns, **source}
    churn = {"kind": "contractual", "horizon_days": 30}
    return Config.model_validate(
        {"name": "shop", "home": home, "churn": churn, "sources": {"customers": customers}}
    )


def written(home, until, form):
    """Four customers, the last two with an end; the config's `uri`."""
    rows = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "since": pd.to_datetime(["2024-01-05"] * 4),
            "until": pd.to_datetime([until, until, "2024-06-01", "2024-07-01"]),
        }
    )
    if form == "parquet":
        rows.to_parquet(home / "c.parquet")
        return "c.parquet"
    rows.to_csv(home / "c.csv", index=False, date_format="%d.%m.%Y")
    return "c.csv"


def ends(sources):
    found = sources.tables["customers"].order_by("customer_id").to_pandas().ended_at
    return [None if pd.isna(at) else f"{at:%Y-%m-%d}" for at in found]


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_both_lines_of_the_advice_do_what_they_say(tmp_path, day, form):
    uri = written(tmp_path, day, form)
    days = {"format": "%d.%m.%Y"} if form == "csv" else {}

    def opened(**source):
        return open_sources(config_of(tmp_path, uri, days, **source), AS_OF)

    sources = opened()
    stand_in, backwards = sources.look[:2]
    assert stand_in.startswith("customers: 2 rows have a value in `ended_at` that often stands for none")
    assert backwards.startswith("customers: 2 rows end before they start, and never count")
    none, meant = (yaml.safe_load(line) for line in re.findall(r"null_values: (\[.*?\])`", stand_in))
    mended = opened(null_values=none)
    assert ends(mended) == [None, None, "2024-06-01", "2024-07-01"]
    assert not [line for line in mended.look if "stands for none" in line or "before they start" in line]
    kept = opened(null_values=meant)
    assert ends(kept) == [day, day, "2024-06-01", "2024-07-01"]
    assert not [line for line in kept.look if "stands for none" in line]


@pytest.mark.parametrize("day", ["1900-01-04", "1971-01-01", "2000-01-01"])
def test_other_days_of_long_ago_are_days(tmp_path, day):
    sources = open_sources(config_of(tmp_path, written(tmp_path, day, "parquet"), {}), AS_OF)
    assert not [line for line in sources.look if "stands for none" in line]


def test_the_day_zero_of_a_database_is_no_day(tmp_path):
    lines = [
        "id,since,until",
        "a,2024-01-05,0000-00-00",
        "b,2024-01-05,0000-00-00 00:00:00",
        "c,2024-01-05,2024-06-01",
    ]
    (tmp_path / "c.csv").write_text("\n".join(lines))
    sources = open_sources(config_of(tmp_path, "c.csv", {}), AS_OF)
    assert ends(sources) == [None, None, "2024-06-01"]


def test_purchases_of_day_one_are_said_and_can_be_left_out(tmp_path):
    rows = "".join(f"{who},{day},5\n" for who in "ab" for day in ("2024-10-01", "2024-12-01"))
    (tmp_path / "o.csv").write_text("id,at,amount\n" + rows + "a,1900-01-01 00:00:00,5\n")

    def config(**source):
        columns = {"customer_id": "id", "occurred_at": "at", "amount": "amount"}
        churn = {"kind": "non_contractual", "horizon_days": 30, "active_days": 90}
        given = {"transactions": {"uri": "o.csv", "columns": columns, **source}}
        return Config.model_validate({"name": "shop", "home": tmp_path, "churn": churn, "sources": given})

    look, *others = open_sources(config(), AS_OF).look
    assert look.startswith("transactions: 1 rows have a value in `occurred_at`")
    none = yaml.safe_load(re.search(r"null_values: (\[.*?\])`", look)[1])
    where = [{"column": "at", "is_null": False}]
    mended = open_sources(config(null_values=none, where=where), AS_OF)
    assert list(mended.look) == others
    assert mended.first_day == dt.date(2024, 10, 1)


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("scores", "codes"),
    [
        ([7, 9, 99, 10, -1, 3], ["-1", "99"]),
        ([4, 5, 1, -9, 2, 3], ["-9"]),
        ([70, 99, 100, -1, 55, 0], ["-1"]),
        ([70, 99, 100, 12, 55, 0], []),
        ([-3, 2, -1, 3, 0, 1], []),
        ([1, 5, 999, 4, 3, 2], ["999"]),
    ],
)
def test_scores_that_nobody_gave_are_said_and_can_be_emptied(tmp_path, form, scores, codes):
    days = pd.date_range("2024-10-01", periods=len(scores), freq="7D")
    bought = pd.DataFrame({"id": list("aabbcc"), "at": days, "amount": 5.0})
    bought.to_parquet(tmp_path / "o.parquet")
    answers = bought.drop(columns="amount").assign(score=scores)
    answers.to_csv(tmp_path / "f.csv", index=False)
    answers.to_parquet(tmp_path / "f.parquet")
    times = {"customer_id": "id", "occurred_at": "at"}

    def opened(**source):
        churn = {"kind": "non_contractual", "horizon_days": 30, "active_days": 90}
        given = {
            "transactions": {"uri": "o.parquet", "columns": {**times, "amount": "amount"}},
            "feedback": {"uri": f"f.{form}", "columns": {**times, "score": "score"}, **source},
        }
        config = Config.model_validate({"name": "shop", "home": tmp_path, "churn": churn, "sources": given})
        return open_sources(config, AS_OF)

    looks = [line for line in opened().look if "stands for none" in line]
    if not codes:
        assert looks == []
        return
    (look,) = looks
    count = sum(str(score) in codes for score in scores)
    assert look.startswith(f"feedback: {count} rows have a value in `score`")
    none, meant = (yaml.safe_load(line) for line in re.findall(r"null_values: (\[.*?\])`", look))
    for words, kept in ((none, [s for s in scores if str(s) not in codes]), (meant, scores)):
        sources = opened(null_values=words)
        assert not [line for line in sources.look if "stands for none" in line]
        found = sources.tables["feedback"].to_pandas().score
        assert sorted(found.dropna()) == sorted(kept)
