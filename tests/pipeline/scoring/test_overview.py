"""The executive's half of the page: against the commands, and from tables that stand in the test."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.outreach import Outreach
from configs.playbook import load_playbook
from configs.schema import Churn
from models.effects.sequence import NOTHING, Bounds
from pipeline.outcomes.learned import ALL, Evidence, belief
from pipeline.outreach.context import Context
from pipeline.report.overview import (
    AuditRow,
    Cohort,
    GoalRow,
    Overview,
    PeriodRevenue,
    SegmentRow,
    StatedRow,
    SurveyRow,
)
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.activity import activity_table
from pipeline.retention.tables.rate import retention_of
from pipeline.retention.tables.revenue import revenue_table
from pipeline.retention.tables.value import point_value
from pipeline.scoring.night_rates import no_rates
from pipeline.scoring.overview import overview_of

AS_OF = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def company():
    rng = np.random.default_rng(3)
    bought = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 60, 900).astype(str),
            "occurred_at": pd.Timestamp(2025, 7, 1)
            + pd.to_timedelta(rng.integers(0, 365 * 24, 900), unit="h"),
            "amount": rng.gamma(2.0, 20.0, 900).round(2),
        }
    )
    people = pd.DataFrame({"customer_id": [str(i) for i in range(60)], "plan": ["a", "b", "c"] * 20})
    return {"transactions": ibis.memtable(bought), "customers": ibis.memtable(people)}


@pytest.fixture(scope="module")
def tables(company):
    churn, periods = (
        Churn(kind="non_contractual", horizon_days=30, active_days=40),
        periods_until(AS_OF, "month", 10),
    )
    by_plan = retention_of(company, churn, periods, AS_OF, "plan")
    by_plan.insert(0, "attribute", "plan")
    return {
        "rate": retention_of(company, churn, periods, AS_OF),
        "by_segment": by_plan,
        "revenue": revenue_table(company, AS_OF, periods=10),
    }


def context(playbook, usual=None, **bounds):
    return Context(AS_OF, Outreach(), playbook, b"key", 60, belief(playbook), Evidence([], bounds, usual))


@pytest.fixture(scope="module")
def playbook():
    return load_playbook()


def test_the_change_is_that_of_the_rate_and_its_parts_add_up(tables, playbook):
    change = overview_of(tables, "month", 1.0, context(playbook)).change
    rates = tables["rate"]["rate"]
    assert change.total == pytest.approx(rates.iloc[-1] - rates.iloc[-2])
    assert change.mix + change.behaviour == pytest.approx(change.total)
    assert (change.attribute, change.before, change.after) == ("plan", "2026-05", "2026-06")


def test_a_point_is_worth_what_the_command_says(tables, company, playbook):
    periods = periods_until(AS_OF, "month", 10)
    moves = activity_table(company, periods, AS_OF, tables["rate"])
    said = point_value(tables["rate"], moves, margin=0.4)
    point = overview_of(tables, "month", 0.4, context(playbook)).point
    assert (point.customers, point.revenue, point.margin) == pytest.approx(
        (said.extra_customers, said.extra_revenue, said.extra_margin)
    )


def test_effects_are_told_with_their_interval_or_not_at_all(tables, playbook):
    action = next(iter(playbook.actions))
    wide = Bounds(12, 0.2, -1.0, 1.0, 0.0, 0.4)
    known = context(playbook, **{ALL: Bounds(900, 0.03, 0.01, 0.05, 0.02, 0.04), action: wide, "gone": wide})
    effects = overview_of(tables, "month", 1.0, known).effects
    assert [(e.name, e.rows) for e in effects] == [("", 900), (playbook.actions[action].title["en"], 12)]
    assert (effects[0].estimate, effects[0].low, effects[0].high) == pytest.approx((3.0, 1.0, 5.0))
    assert effects[1].low is None
    assert overview_of(tables, "month", 1.0, context(playbook, **{ALL: NOTHING})).effects == ()


def test_the_effect_against_business_as_usual_is_told_in_points(tables, playbook):
    for usual, told in (
        (None, None),
        (Bounds(12, 0.2, -1.0, 1.0, 0.0, 0.4), (12, None)),
        (Bounds(900, 0.03, 0.01, 0.05, 0.02, 0.04), (900, pytest.approx(3.0))),
    ):
        row = overview_of(tables, "month", 1.0, context(playbook, usual)).usual
        assert (row and (row.rows, row.estimate)) == told


def test_periods_that_the_records_do_not_reach_are_doubtful(tables, playbook):
    found = overview_of(tables, "month", 1.0, context(playbook)).doubtful
    short = tables["rate"].loc[~tables["rate"]["full_history"], "period"]
    assert found == set(short)


def test_a_table_without_dates_has_no_overview(playbook):
    assert overview_of(no_rates().tables, "month", 1.0, context(playbook)) == Overview()


RATE = pd.DataFrame({"period": ["2026-05", "2026-06", "2026-07"], "complete": [True, True, False]})


@pytest.fixture(scope="module")
def told():
    """The overview of some tables, the rate among them."""
    return lambda rate=RATE, **tables: overview_of(
        {"rate": rate, **tables}, "month", 1.0, context(load_playbook())
    )


def test_of_the_rate_alone_nothing_else_is_told(told):
    assert told() == Overview()


def test_goals_that_were_missed_stand_first_and_the_unknown_before_the_reached(told):
    names = ["metric", "wanted", "period", "value", "by", "since", "periods", "status"]
    rows = [
        ["rate", "at least 65", "2026-06", 70.0, 5.0, "2026-05", 2, "reached"],
        ["nps", "at least 8", "", np.nan, np.nan, "", 0, "unknown"],
        ["engagement", "up every month", "2026-06", 1.0, -0.5, "2026-06", 1, "missed"],
    ]
    assert told(goals=pd.DataFrame(rows, columns=names)).goals == (
        GoalRow("engagement", "up every month", "2026-06", 1.0, False, -0.5, "2026-06", 1),
        GoalRow("nps", "at least 8", "", None, None, None, "", 0),
        GoalRow("rate", "at least 65", "2026-06", 70.0, True, 5.0, "2026-05", 2),
    )


def test_revenue_is_that_of_the_newest_period_whose_past_is_on_record(told):
    revenue = pd.DataFrame(
        {
            "period": ["2026-05", "2026-06"],
            "revenue": [10.0, 20.0],
            "gross_retention": [80.0, 90.0],
            "net_retention": [95.0, np.nan],
            "repeat_share": [50.0, 60.0],
            "full_history": [True, True],
        }
    )
    assert told(revenue=revenue).money == PeriodRevenue("2026-06", 90.0, None, 60.0)
    older = revenue.assign(full_history=[True, False])
    assert told(revenue=older).money == PeriodRevenue("2026-05", 80.0, 95.0, 50.0)
    assert told(revenue=revenue.assign(full_history=False)).money is None


SEGMENTS = pd.DataFrame(
    {
        "attribute": "plan",
        "segment": ["basic", "plus", "basic", "plus", "basic"],
        "period": ["2026-05", "2026-05", "2026-06", "2026-06", "2026-07"],
        "start": pd.to_datetime(["2026-05-01", "2026-05-01", "2026-06-01", "2026-06-01", "2026-07-01"]),
        "complete": [True, True, True, True, False],
        "S": [50, 50, 25, 75, 10],
        "kept": [40, 45, 20, 75, 0],
        "lost": [10, 5, 5, 0, 0],
        "not_churn": 0,
        "rate": [80.0, 90.0, 80.0, 100.0, np.nan],
        "adjusted_rate": [80.0, 90.0, 80.0, 100.0, np.nan],
        "rate_low": [70.0, 80.0, 60.0, 95.0, np.nan],
        "rate_high": [90.0, 95.0, 90.0, np.nan, np.nan],
    }
)


def test_segments_are_those_of_the_newest_period_that_is_over(told):
    found = told(by_segment=SEGMENTS)
    assert found.segments_of == "2026-06"
    assert found.segments == (
        SegmentRow("plan", "basic", 25, 80.0, 60.0, 90.0),
        SegmentRow("plan", "plus", 75, 100.0, 95.0, None),
    )


def test_a_change_needs_two_periods(told):
    """From 85 to 95: plus, which keeps more, has grown from half to three quarters, and keeps more itself."""
    change = told(by_segment=SEGMENTS).change
    assert (change.attribute, change.before, change.after) == ("plan", "2026-05", "2026-06")
    assert change.total == pytest.approx(10.0)
    # Kitagawa: shares move by a quarter, mean rates are 80 and 95; rates move by 0 and 10, mean shares are 3/8 and 5/8.
    assert change.mix == pytest.approx(0.25 * (95 - 80))
    assert change.behaviour == pytest.approx(10 * 5 / 8)
    # What a segment is called changes nothing, whatever stands before the total in a list or has its name.
    for name in ("#1", "(total)"):
        assert told(by_segment=SEGMENTS.replace({"segment": {"plus": name}})).change == change
    assert told(by_segment=SEGMENTS[SEGMENTS.period != "2026-05"]).change is None
    assert told(by_segment=SEGMENTS[:0]).change is None


def test_of_each_survey_the_newest_period_with_an_answer_is_told(told):
    names = ["kind", "measure", "period", "complete", "answered", "answer_rate", "value", "low", "high"]
    rows = [
        ["nps", "mean", "2026-05", True, 4, 40.0, 7.0, 6.0, 8.0],
        ["nps", "mean", "2026-06", True, 0, 0.0, np.nan, np.nan, np.nan],
        ["nps", "mean", "2026-07", False, 9, 90.0, 9.0, 8.0, 10.0],
        ["csat", "rate", "2026-06", True, 2, 20.0, 50.0, np.nan, np.nan],
        ["never", "mean", "2026-06", True, 0, 0.0, np.nan, np.nan, np.nan],
    ]
    assert told(feedback=pd.DataFrame(rows, columns=names)).surveys == (
        SurveyRow("csat", "rate", "2026-06", 2, 20.0, 50.0, None, None),
        SurveyRow("nps", "mean", "2026-05", 4, 40.0, 7.0, 6.0, 8.0),
    )


def test_stated_reasons_of_all_periods_stand_together_the_most_frequent_first(told):
    rows = [("price", "yes", 3), ("moved", "no", 2), ("price", "yes", 1), ("died", "no", 2)]
    reasons = pd.DataFrame(rows, columns=["reason", "controllable", "customers"])
    assert told(reasons=reasons).stated == (
        StatedRow("price", "yes", 4, 50.0),
        StatedRow("died", "no", 2, 25.0),
        StatedRow("moved", "no", 2, 25.0),
    )
    many = pd.DataFrame({"reason": list("abcdefgh"), "controllable": "no", "customers": range(8)})
    assert [row.reason for row in told(reasons=many).stated] == list("hgfedc")


def test_of_an_audit_only_what_is_sure_is_told(told):
    audit = pd.DataFrame(
        {
            "period": "2026-06",
            "fact": "plan",
            "value": ["basic", "plus", "gold"],
            "customers": [10, 20, 30],
            "lost_share": [50.0, 20.0, 10.0],
            "risk_ratio": [2.0, 1.0, 0.5],
            "low": [1.5, 0.8, 0.3],
            "high": [3.0, 1.2, 0.9],
            "p_adjusted": [0.001, 0.049, 0.05],
        }
    )
    found = told(audit=audit)
    assert found.audit == (
        AuditRow("plan", "basic", 10, 50.0, 2.0, 1.5, 3.0),
        AuditRow("plan", "plus", 20, 20.0, 1.0, 0.8, 1.2),
    )
    assert found.audit_of == "2026-06"
    unsure = told(audit=audit.assign(p_adjusted=0.05))
    assert (unsure.audit, unsure.audit_of) == ((), "")
    assert len(told(audit=pd.concat([audit[:1]] * 9)).audit) == 5


def test_of_cohorts_the_newest_dozen_with_a_dozen_ages_are_drawn(told):
    rows = [
        (f"{2024 + m // 12}-{m % 12 + 1:02d}", age, 10, 100.0 - age)
        for m in range(14)
        for age in range(13, -1, -1)
    ]
    found = told(cohorts=pd.DataFrame(rows, columns=["cohort", "age", "size", "rate"])).cohorts
    assert [cohort.name for cohort in found][:2] == ["2024-03", "2024-04"]
    assert len(found) == 12
    assert found[0] == Cohort("2024-03", 10, tuple(100.0 - age for age in range(12)))


def test_past_forecasts_are_counted_where_it_is_known_what_came(told):
    inside = pd.Series([True, False, True, None], dtype="object")
    found = told(forecast=pd.DataFrame({"inside": inside}))
    assert (found.held, found.past) == (2, 3)
    assert (told(forecast=pd.DataFrame({"rate": [1.0]})).past) == 0


def test_periods_over_whose_start_is_not_on_record_are_doubtful(told):
    assert told(RATE.assign(full_history=[False, True, False])).doubtful == {"2026-05"}
