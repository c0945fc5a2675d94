import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.schema import Churn
from models.effects.sequence import NOTHING, Bounds
from pipeline.outcomes.learned import ALL, Evidence
from pipeline.outreach.context import Context
from pipeline.report.overview import Overview
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
    from configs.outreach import Outreach
    from pipeline.outcomes.learned import belief

    return Context(AS_OF, Outreach(), playbook, b"key", 60, belief(playbook), Evidence([], bounds, usual))


@pytest.fixture(scope="module")
def playbook():
    from configs.playbook import load_playbook

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
