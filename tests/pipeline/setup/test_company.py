"""What churn means in a company, from its tables: kind, label, horizon, as-of date and snapshots."""

import datetime as dt

import numpy as np
import pytest
from given import given_table

from features.snapshots import EPOCH
from pipeline.setup import company
from pipeline.setup.columns import RolePart
from pipeline.setup.draft import Draft
from pipeline.setup.interview import Interview

AS_OF = dt.date(2024, 7, 1)
FAR = np.iinfo(np.int64).max // 2


def part(role, columns, **values):
    return RolePart(role, given_table(role, values or {"x": ["a", "b"]}), dict.fromkeys(columns, "x"))


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([("customers", ["started_at", "ended_at"]), ("usage", ["occurred_at"])], "contractual"),
        ([("contracts", ["started_at", "ended_at"])], "contractual"),
        ([("customers", ["churned"])], "labelled"),
        ([("customers", ["churned"]), ("transactions", ["occurred_at"])], "non_contractual"),
        ([("customers", ["started_at"]), ("transactions", ["occurred_at"])], "non_contractual"),
    ],
)
def test_how_leaving_shows(parts, kind):
    assert company.kind_of([part(*one) for one in parts]) == kind


@pytest.mark.parametrize(
    ("values", "given", "words", "doubted"),
    [
        (["Yes", "No"], None, [], False),
        (["Existing Customer", "Attrited Customer"], None, ["Attrited Customer"], False),
        (["green", "red"], "red", ["red"], False),
        (["Stayed", "Churned", "Joined"], None, ["Churned"], False),
    ],
)
def test_the_words_of_a_label(values, given, words, doubted):
    interview = Interview(None)
    assert company.label_words(part("customers", ["churned"], x=values), interview, given) == words
    assert bool(interview.doubts) == doubted


def test_a_label_of_unknown_words_is_asked_for():
    interview = Interview(lambda what, guess: "red")
    assert company.label_words(part("customers", ["churned"], x=["green", "red"]), interview, None) == ["red"]
    assert interview.asked == 1


def spells(*days):
    """Start and end of contracts, in days before the as-of date; an end of None has not come."""
    last = (AS_OF - EPOCH).days
    return (
        np.array([last - start for start, _ in days]),
        np.array([FAR if end is None else last - end for _, end in days]),
    )


def draft(horizon=30, **remarks):
    return Draft({"churn": {"kind": "contractual", "horizon_days": horizon}, "sources": {}}, dict(remarks))


def test_the_shortest_horizon_with_enough_endings():
    found = draft()
    history = AS_OF - dt.timedelta(days=1_200)
    # An ending every two days of the newest half-year: 45 in ninety days are too few, 90 in 180 enough.
    company._by_contracts(found, spells(*[(1_200, 2 * k + 1) for k in range(90)]), AS_OF, history)
    assert found.values["churn"]["horizon_days"] == 180
    assert found.remarks["churn.horizon_days"] == "about 90 contracts end in so many days"


def test_a_horizon_is_never_longer_than_a_third_of_the_history():
    found = draft()
    company._by_contracts(found, spells((199, 1)), AS_OF, AS_OF - dt.timedelta(days=200))
    assert found.values["churn"]["horizon_days"] == 60


def test_what_the_option_says_is_not_changed():
    found = draft(45, **{"churn.horizon_days": "by --horizon-days"})
    company._by_contracts(found, spells((100, None)), AS_OF, AS_OF - dt.timedelta(days=1_200))
    assert found.values["churn"]["horizon_days"] == 45


@pytest.mark.parametrize(("history", "snapshots"), [(90, 1), (1_000, 0)])
def test_snapshots_are_denser_where_the_history_is_short(history, snapshots):
    found = draft()
    company._snapshots(found, AS_OF - dt.timedelta(days=history), AS_OF)
    assert ("snapshots" in found.values) == bool(snapshots)
    if snapshots:
        assert found.values["snapshots"] == {"step_days": 7, "min_history_days": 30}
        assert found.remarks["snapshots"].startswith("90 days of history are few")


def test_an_export_that_ends_with_all_contracts_is_looked_at_a_horizon_before():
    running = spells(*[(400, None)] * 10)
    assert company._while_running(*running, AS_OF, 30) == AS_OF
    over = spells(*[(400, 100)] * 10)
    assert company._while_running(*over, AS_OF, 30) == AS_OF - dt.timedelta(days=101 + 30)


def test_reasons_that_are_nobodys_loss():
    reasons = part("customers", ["end_reason"], x=["price", "Completed", "died", "moved"])
    assert company.not_churn(reasons) == ["Completed", "died"]
    assert company.not_churn(part("customers", ["started_at"])) == []
