"""How large a list may be for what is known."""

import datetime as dt

import pytest

from configs.outreach import Outreach
from models.effects.sequence import Bounds
from pipeline.outcomes.learned import ALL, Evidence
from pipeline.outreach.stage import SURE, stage

WEEKLY = [dt.date(2026, 1, 5) + dt.timedelta(7 * i) for i in range(5)]
HARMS, HELPS = Bounds(900, -0.1, -0.2, -0.01, -0.2, -0.05), Bounds(900, 0.1, 0.01, 0.2, 0.05, 0.2)


def found(rows=0.0, customers=5_000, bounds=None, nights=(), **settings):
    section = Outreach.model_validate({"capacity": 100} | settings)
    return stage(section, Evidence(nights, bounds or {}), rows, customers, risk=0.3, hold_days=60)


def test_it_begins_as_a_pilot_that_asks_for_less_certainty_as_rows_come_in_and_ends():
    first, later, late = (found(rows) for rows in (0, 200, 520))
    assert first.sure == SURE > later.sure > late.sure >= 0
    assert first.trial == later.trial == late.trial
    assert "a chance of 84%" in first.notes[0]
    assert f"{520} of 528" in late.notes[0]
    done = found(100_000)
    assert (done.name, done.trial, done.sure) == ("full", 10, 0.0)


def test_the_pilot_is_larger_where_lists_are_rarer_and_never_above_half_of_the_list():
    assert found().trial < found(nights=WEEKLY).trial <= 50


@pytest.mark.parametrize("start", ["pilot", "full"])
def test_what_is_proven_to_harm_is_off_and_the_way_back_is_said(start):
    now = found(bounds={"call": HARMS, ALL: HARMS, "mail": HELPS}, start=start)
    assert now.stopped == {"call", ALL}
    assert sum("churn outcomes --resume" in note for note in now.notes) == 2


def test_the_control_group_shrinks_once_the_list_is_proven_to_work():
    assert found(bounds={ALL: HELPS}).control == found().control / 2


@pytest.mark.parametrize("given", [{"customers": 40}, {"control": {"share": 0.0}}])
def test_where_nothing_can_be_learned_nobody_is_left_alone_and_it_is_said(given):
    now = found(**given)
    assert (now.name, now.trial, now.control, now.sure) == ("belief", 0, 0.0, 0.0)
    assert "nothing is learned" in now.notes[0]


def test_a_whole_list_from_the_first_night_when_asked_for():
    assert found(start="full").name == "full"
