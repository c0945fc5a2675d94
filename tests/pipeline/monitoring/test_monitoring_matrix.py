"""Drift of features and scores: silent while the population is the same, however large; found when it moves."""

import bisect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.monitoring import matrix
from pipeline.monitoring.matrix import drift_of, feature_profiles, health_of, score_profile
from pipeline.monitoring.trained import SHARED_BY

DAYS = np.datetime64("2025-01-01", "D") + 70 * np.arange(6)
PLANS = ["basic", "plus", "pro"]


def rows(count, seed, *, shift=0.0, age=0.0, plans=(0.6, 0.3, 0.1)):
    rng = np.random.default_rng(seed)
    spend = np.where(rng.random(count) < 0.2, np.nan, rng.normal(shift, 1, count))
    return pd.DataFrame(
        {
            "spend": spend.astype(np.float32),
            "tenure": (age + rng.uniform(0, 10, count)).astype(np.float32),
            "plan": pd.Categorical(rng.choice(PLANS, count, p=plans), categories=PLANS),
        }
    )


def kept(count=800):
    """Six snapshots of a company that brings nobody new: its tenure grows from each to the next."""
    frame = pd.concat([rows(count, k, age=30 * k) for k in range(6)], ignore_index=True)
    scores = [np.random.default_rng(k).beta(2, 5, count) for k in range(4)]
    return {
        "features": feature_profiles(frame, np.repeat(DAYS, count), 70),
        "scores": score_profile(scores, DAYS[2:], young=False),
    }


def outside(frame, scores=None, width=1.0):
    scores = np.random.default_rng(99).beta(2, 5, len(frame)) if scores is None else scores
    return {c.place for c in drift_of(frame, scores, kept(), width) if c.outside}


@pytest.mark.parametrize("count", [60, 800, 60_000])
@pytest.mark.parametrize("seed", [50, 51, 52])
def test_the_same_population_says_nothing_however_many_there_are(count, seed):
    assert outside(rows(count, seed, age=240)) == set()


@pytest.mark.parametrize("count", [300, 60_000])
def test_what_moves_is_named_and_nothing_else(count):
    assert outside(rows(count, 60, shift=1.0, age=240)) == {"spend"}
    assert outside(rows(count, 61, age=240, plans=(0.1, 0.3, 0.6))) == {"plan"}
    assert outside(rows(count, 62, age=240).assign(spend=np.float32(np.nan))) == {"spend"}
    renamed = rows(count, 63, age=240)
    renamed["plan"] = renamed["plan"].cat.rename_categories({"basic": "Basic"})
    assert outside(renamed) == {"plan"}
    assert outside(rows(count, 64, age=240), np.random.default_rng(0).beta(5, 2, count)) == {
        "churn_probability"
    }


NUMBERS = st.lists(st.floats(width=32) | st.integers(-3, 3).map(float), max_size=30)


@given(
    NUMBERS,
    st.lists(st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6), max_size=9, unique=True).map(sorted),
)
def test_a_number_falls_into_the_piece_that_a_search_for_it_finds(numbers, edges):
    found = matrix._pieces(pd.Series(numbers, dtype="float32"), {"edges": edges})
    want = [len(edges) + 1 if np.isnan(x) else bisect.bisect_left(edges, x) for x in numbers]
    assert found.tolist() == want


def test_a_value_falls_into_its_own_piece_or_that_of_the_others_or_of_the_empty():
    values = pd.Series(["b", None, "x", "a", "b"], dtype=pd.CategoricalDtype(["x", "a", "b", "unused"]))
    assert matrix._pieces(values, {"values": ["a", "b"]}).tolist() == [1, 3, 2, 0, 1]
    assert matrix._pieces(values[:0], {"values": ["a", "b"]}).tolist() == []
    assert matrix._pieces(values, {"values": []}).tolist() == [0, 1, 0, 0, 0]
    numbers = pd.Series([2.0, None, 7.0]).astype(pd.CategoricalDtype([2.0, 7.0]))
    assert matrix._pieces(numbers, {"values": ["2.0"]}).tolist() == [0, 2, 1]


def test_the_distance_is_the_same_for_a_sample_and_for_all():
    big = rows(60_000, 70, shift=0.5, age=240)
    said = np.full(len(big), 0.2)
    one, other = (
        next(c for c in drift_of(frame, said[: len(frame)], kept(), 1.0) if c.place == "spend")
        for frame in (big, big.head(6_000))
    )
    assert one.found == pytest.approx(other.found, abs=0.02)


def test_what_a_single_person_has_is_not_kept():
    frame = rows(500, 1)
    frame["plan"] = pd.Categorical([f"plan of {k}" if k < 50 else "basic" for k in range(500)])
    found = feature_profiles(frame, np.repeat(DAYS[:1], 500), 60)
    assert found["plan"]["values"] == ["basic"]
    assert SHARED_BY > 1


def test_without_a_profile_and_with_few_customers_nothing_is_judged():
    few = rows(20, 1)
    assert [c.verdict for c in drift_of(few, np.full(20, 0.5), None, 1.0)] == ["not judged"]
    assert [c.verdict for c in drift_of(few, np.full(20, 0.5), kept(), 1.0)] == ["not judged"]


def test_numbers_that_are_none_are_said():
    frame = rows(100, 1)
    assert not any(c.outside for c in health_of(frame, np.linspace(0, 1, 100)))
    (same,) = [c for c in health_of(frame, np.full(100, 0.3)) if c.outside]
    assert "the same score" in same.advice
    (bad,) = [c for c in health_of(frame, np.append(np.linspace(0, 1, 98), [np.nan, np.inf])) if c.outside]
    assert (bad.found, "no numbers" in bad.unit) == (2, True)
    (infinite,) = [c for c in health_of(frame.assign(spend=np.inf), np.linspace(0, 1, 100)) if c.outside]
    assert (infinite.place, infinite.found) == ("spend", 100)
    (all_bad,) = [c for c in health_of(frame, np.full(100, np.nan)) if c.outside]
    assert all_bad.found == 100


def test_features_of_a_young_company_are_not_judged_but_its_attributes_are():
    young = pd.concat([rows(400, k) for k in range(6)], ignore_index=True)
    profile = feature_profiles(young, np.repeat(DAYS[0] + 30 * np.arange(6), 400), 30)
    assert "span less than" in profile["spend"]["why"]
    assert profile["plan"]["why"] == ""


def test_a_feature_that_came_up_within_the_training_is_not_judged():
    frame = pd.concat([rows(400, k) for k in range(6)], ignore_index=True)
    frame.loc[:799, "spend"] = np.nan
    profile = feature_profiles(frame, np.repeat(DAYS, 400), 70)
    assert ("empty for most" in profile["spend"]["why"], profile["tenure"]["why"]) == (True, "")
