"""The history of a source: what pandas counts in a loop, the same on databases, and never the rows of later nights."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.monitoring.history import history_of
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 7, 1)


def contacts(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    at = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.sort(rng.uniform(0, 120 * 24, rows)), unit="h")
    late = pd.to_timedelta(np.where(rng.random(rows) < 0.2, rng.uniform(0, 200, rows), 0), unit="h")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, rows).astype(str),
            "occurred_at": at.floor("s"),
            "known_at": (at + late).floor("s"),
            "channel": rng.choice(["mail", "phone", None], rows),
            "agent": rng.choice(["Eva", "Tom"], rows),
            "resolved_at": at + pd.Timedelta(days=1),
        }
    )


def feedback(rows=300, seed=1):
    rng = np.random.default_rng(seed)
    at = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.uniform(0, 120, rows), unit="D")
    score = np.where(rng.random(rows) < 0.3, np.nan, rng.integers(-2, 10, rows).astype(float))
    return pd.DataFrame({"customer_id": "1", "occurred_at": at.floor("s"), "score": score})


@pytest.fixture
def company(tiny):
    purchases = pd.DataFrame(
        {"customer_id": [str(k) for k in range(40)], "occurred_at": pd.Timestamp("2024-03-01")}
    )
    people = purchases[["customer_id"]].assign(plan=["basic", "plus"] * 20, mail="a@example.org")
    return tiny(
        transactions=purchases,
        contacts=contacts(),
        feedback=feedback(),
        customers=people,
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {"attributes": ["plan"], "facts": ["mail"]}},
    )


def test_a_history_equals_the_sums_of_a_loop(company):
    sources = open_sources(company, AS_OF)
    found = history_of("contacts", sources.tables["contacts"], AS_OF)
    frame = contacts()
    frame["day"] = frame[["occurred_at", "known_at"]].max(axis=1).dt.date
    frame = frame[frame["day"] < AS_OF]
    assert found.first == frame["day"].min()
    assert found.newest == frame["day"].max()
    values, counts = found.categories["channel"]
    for k in range(len(found.rows)):
        day = frame[frame["day"] == found.first + dt.timedelta(days=k)]
        assert found.rows[k] == len(day)
        assert found.visits[k] == day.groupby(day["occurred_at"].dt.hour)["customer_id"].nunique().sum()
        np.testing.assert_array_equal(found.hours[k], np.bincount(day["occurred_at"].dt.hour, minlength=24))
        assert found.present["channel"][k] == day["channel"].notna().sum()
        assert dict(zip(values, counts[k], strict=True)) == {v: (day["channel"] == v).sum() for v in values}


def test_numbers_are_summed_by_the_logarithm_of_their_size(company):
    found = history_of("feedback", open_sources(company, AS_OF).tables["feedback"], AS_OF).numbers["score"]
    score = feedback()["score"].dropna()
    assert found.known.sum() == len(score)
    assert found.sizes.sum() == (score != 0).sum()
    assert found.logs.sum() == pytest.approx(np.log(score[score != 0].abs()).sum())


def test_columns_of_people_and_what_is_known_later_are_no_part(company):
    sources = open_sources(company, AS_OF)
    assert set(history_of("contacts", sources.tables["contacts"], AS_OF).present) == {"channel"}
    found = history_of("customers", sources.tables["customers"], AS_OF, sources.attributes)
    assert (set(found.present), found.dated, found.rows.tolist()) == ({"plan"}, False, [40])


@pytest.mark.parametrize("day", [dt.date(2024, 4, 15), dt.date(2024, 6, 1)])
def test_the_past_of_today_is_what_an_earlier_night_saw(company, day):
    now, then = (history_of("contacts", open_sources(company, d).tables["contacts"], d) for d in (AS_OF, day))
    past = now.until(day)
    np.testing.assert_array_equal(past.rows, then.rows)
    np.testing.assert_array_equal(past.hours, then.hours)
    np.testing.assert_array_equal(past.present["channel"], then.present["channel"])


def test_free_text_is_no_category(tiny):
    names = [f"word {k}" for k in range(60)]
    frame = pd.DataFrame(
        {"customer_id": "1", "occurred_at": pd.Timestamp("2024-06-01"), "event": names, "value": 1.0}
    )
    config = tiny(transactions="customer_id,occurred_at\n1,2024-06-01\n", usage=frame)
    found = history_of("usage", open_sources(config, AS_OF).tables["usage"], AS_OF)
    assert found.categories == {}
    assert found.present["event"].sum() == 60
