"""Goals: reached or missed, by how much, since when."""

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.retention.results import asked
from pipeline.retention.tables.goals import TABLE, Goal, goal_table, history
from tests.pipeline.shop import AS_OF as SHOP_AS_OF
from tests.pipeline.shop import GOALS, result

HISTORY = pd.DataFrame(
    {
        "period": ["2024-01", "2024-02", "2024-03", "2024-04"],
        "complete": [True, True, True, False],
        "rate": [70.0, 64.0, 61.0, np.nan],
        "engagement": [1.0, 2.0, 3.0, 9.0],
    }
)


@pytest.mark.parametrize(
    ("goal", "status", "by", "since", "periods"),
    [
        (Goal("rate", at_least=65), "missed", -4.0, "2024-02", 2),
        (Goal("rate", at_least=61), "reached", 0.0, "2024-01", 3),
        (Goal("rate", at_most=65), "reached", 4.0, "2024-02", 2),
        (Goal("engagement", change="rising"), "reached", 1.0, "2024-02", 2),
        (Goal("rate", change="rising"), "missed", -3.0, "2024-02", 2),
        (Goal("rate", change="falling"), "reached", 3.0, "2024-02", 2),
    ],
)
def test_goals(goal, status, by, since, periods):
    row = goal_table([goal], {"month": HISTORY}).iloc[0]
    assert (row.status, row["by"], row.since, row.periods, row.period) == (
        status,
        by,
        since,
        periods,
        "2024-03",
    )


def test_goals_without_a_value_are_unknown():
    early = HISTORY.assign(complete=False)
    row = goal_table([Goal("rate", at_least=65)], {"month": early}).iloc[0]
    assert (row.status, row.periods) == ("unknown", 0)
    first = goal_table([Goal("rate", change="rising")], {"month": HISTORY.head(1)}).iloc[0]
    assert first.status == "unknown"


def test_goals_that_nothing_measures_are_all_named():
    with pytest.raises(ConfigError) as caught:
        goal_table([Goal("nps", at_least=1), Goal("rate", at_least=1, unit="quarter")], {"month": HISTORY})
    assert "goals: nps: is not measured by month; known: rate, engagement" in str(caught.value)
    assert "goals: rate: is not measured by quarter" in str(caught.value)
    with pytest.raises(ConfigError, match="exactly one"):
        Goal("rate", at_least=1, at_most=2)


def test_goals_are_judged_where_the_records_are_full(shop):
    wanted = [
        *GOALS,
        {"metric": "net_retention", "at_most": 500},
        {"metric": "S", "at_least": 0, "unit": "quarter"},
    ]
    config = shop(goals=wanted)
    rows = result("goals", config).values["rows"]
    assert [row["metric"] for row in rows] == ["adjusted_rate", "engagement", "net_retention", "S"]
    whole = result("rate", config).values["rows"]
    assert rows[0]["value"] == pytest.approx(whole[-1]["adjusted_rate"])
    assert rows[3]["period"] == "2024-Q2"
    found = history(asked(TABLE, config, SHOP_AS_OF, periods=18), {"net_retention"})
    assert not found.complete[:3].any()
    assert found.complete[5:].all()


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        (Goal("rate", at_least=65), "at least 65"),
        (Goal("rate", at_most=2.5), "at most 2.5"),
        (Goal("rate", at_least=0), "at least 0"),
        (Goal("rate", change="rising"), "up every month"),
        (Goal("rate", change="falling", unit="quarter"), "down every quarter"),
    ],
)
def test_a_goal_in_words(goal, wanted):
    assert goal.wanted == wanted


@pytest.mark.parametrize(
    ("values", "goal", "status", "since", "periods", "by"),
    [
        ([60.0, 65.0, 65.0], Goal("rate", at_least=65), "reached", "b", 2, 0.0),
        ([65.1, 65.0, 64.9], Goal("rate", at_most=65), "reached", "b", 2, pytest.approx(0.1)),
        ([-1.0, 0.0, 0.0], Goal("rate", at_most=0), "reached", "a", 3, 0.0),
        ([1.0, 1.0, 1.0], Goal("rate", change="rising"), "missed", "b", 2, 0.0),
        ([1.0, 1.0, 1.0], Goal("rate", change="falling"), "missed", "b", 2, 0.0),
        ([3.0, np.nan, 2.0], Goal("rate", change="falling"), "unknown", "a", 3, np.nan),
        ([70.0, np.nan, 70.0], Goal("rate", at_least=65), "reached", "c", 1, 5.0),
    ],
)
def test_a_run_begins_where_the_status_does(values, goal, status, since, periods, by):
    history = pd.DataFrame({"period": list("abc"), "complete": True, "rate": values})
    row = goal_table([goal], {"month": history}).iloc[0]
    assert (row.status, row.since, row.periods, row.period) == (status, since, periods, "c")
    assert row["by"] == by or (np.isnan(row["by"]) and np.isnan(by))
    assert row.value == values[2]


@pytest.mark.parametrize("given", [{}, {"change": "up"}, {"at_most": 1, "change": "rising"}])
def test_a_goal_is_one_line_or_one_direction(given):
    with pytest.raises(ConfigError, match="goal for 'rate' needs exactly one of"):
        Goal("rate", **given)
