"""The rows that a training saw, looked at again: the same, late ones in, halved, doubled, in another unit, renamed."""

import datetime as dt
from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest
from monitoring_data import END, history
from test_rhythm import renamed, scaled, times

from configs.schema import Churn
from pipeline.monitoring.outcome import outcome_of
from pipeline.monitoring.trained import against_training, source_profiles
from pipeline.outcomes import ledger

TRAINED = END - dt.timedelta(days=30)


class Sources:
    """What is asked of the sources, by role."""

    matches = ()
    accounts = {}  # noqa: RUF012

    def __init__(self, columns=("amount", "id")):
        self.fingerprints = {"transactions": {"columns": list(columns)}}


def found(past, then=None, columns=("amount", "id")):
    kept = source_profiles(Sources(), [(then or history(seed=1)).until(TRAINED)], TRAINED)
    checks = against_training(Sources(columns), [past], kept, TRAINED)
    return {c.place: c for c in checks if c.outside}


def test_the_same_rows_and_newer_ones_say_nothing():
    assert found(history(seed=1)) == {}
    assert found(times(history(seed=1), 30, 100)) == {}  # the newer ones are another check's
    assert found(scaled(history(seed=1), 800, rows=1.05)) == {}  # late rows


FAULTS = {
    "half": (lambda p: scaled(p, 800, rows=0.5), "transactions"),
    "twice": (lambda p: scaled(p, 800, rows=2), "transactions"),
    "x10": (lambda p: times(p, 800, 10), "transactions.amount"),
    "renamed": (lambda p: renamed(p, 800), "transactions.kind values"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_whole_file_that_changed_is_said(fault):
    change, place = FAULTS[fault]
    assert set(found(change(history(seed=1)))) == {place}


def test_a_day_that_is_missing_in_the_middle_is_said():
    past = history(seed=1)
    day = (TRAINED - past.first).days - 10
    rows = past.rows.copy()
    rows[day] = 0
    (check,) = found(replace(past, rows=rows)).values()
    assert (check.place, check.unit) == (
        "transactions by week",
        f"rows of the 7 days before {TRAINED - dt.timedelta(weeks=1)}, of what the model learned from",
    )
    assert check.advice == "see whether a file or a day is missing"


def test_columns_gone_and_new_are_said():
    (check,) = found(history(seed=1), columns=("id", "sum")).values()
    assert check.advice == "gone: amount; new: sum; see the export"


def test_what_a_source_has_cleared_away_is_no_fault():
    past = history(seed=1)
    assert found(past.between(TRAINED - dt.timedelta(days=70), END)) == {}


def test_an_earlier_champion_is_not_judged_and_a_lost_source_is_said():
    (check,) = against_training(Sources(), [history()], None, TRAINED)
    assert (check.verdict, "churn train" in check.advice) == ("not judged", True)
    kept = source_profiles(Sources(), [history().until(TRAINED)], TRAINED)
    (check,) = against_training(Sources(), [], kept, TRAINED)
    assert (check.place, check.outside) == ("transactions", True)


def test_the_values_of_single_persons_are_not_kept():
    past = history(seed=1)
    values, counts = past.categories["kind"]
    alone = np.zeros((len(counts), 1))
    alone[-60] = 1
    past = replace(past, categories={"kind": ((*values, "of one"), np.concatenate([counts, alone], axis=1))})
    assert "of one" not in str(source_profiles(Sources(), [past.until(TRAINED)], TRAINED))


CHURN = Churn(kind="non_contractual", horizon_days=30, active_days=90)
NIGHT, AS_OF = dt.date(2024, 5, 1), dt.date(2024, 6, 15)


def recorded(tmp_path, chance, left):
    """A night of the ledger, and purchases by which so many left: all bought before it, the others in its window."""
    who = [f"{k:04d}" for k in range(len(chance))]
    rows = pd.DataFrame({"customer_id": who, "churn_probability": chance, "chosen": False})
    for field in ledger.SCHEMA:
        if field.name not in rows and field.name != "as_of":
            rows[field.name] = pd.Series([None] * len(rows), dtype=pd.ArrowDtype(field.type))
    ledger.append(tmp_path / "ledger", NIGHT, rows)
    bought = [(w, dt.datetime(2024, 4, 1)) for w in who]
    bought += [(w, dt.datetime(2024, 5, 10)) for w, gone in zip(who, left, strict=True) if not gone]
    table = ibis.memtable(pd.DataFrame(bought, columns=["customer_id", "occurred_at"]))
    return list(outcome_of(tmp_path / "ledger", {"transactions": table}, CHURN, AS_OF, 3.0))


def test_what_came_is_held_against_what_was_said(tmp_path):
    rng = np.random.default_rng(0)
    chance = rng.beta(1, 3, 1_500)
    left = rng.random(1_500) < chance
    assert [c.outside for c in recorded(tmp_path / "true", chance, left)] == [False, False]
    more, top = recorded(tmp_path / "more", chance / 3, left)
    assert (more.outside, top.outside) == (True, False)
    assert more.found == pytest.approx(left.mean())
    calibration, blind = recorded(tmp_path / "blind", rng.permutation(chance), left)
    assert (calibration.outside, blind.outside) == (False, True)


def test_a_night_that_is_not_over_is_not_judged(tmp_path):
    rows = recorded(tmp_path, np.full(300, 0.5), np.zeros(300, bool))
    assert len(rows) == 2
    (check,) = outcome_of(tmp_path / "ledger", {}, CHURN, NIGHT + dt.timedelta(days=29), 3.0)
    assert check.verdict == "not judged"
