"""The tables of what came of it: verdicts, blanks for the unknown, and values that JSON can hold."""

import datetime as dt
import json

import pytest

from models.effects.sequence import NOTHING, Bounds
from pipeline.languages.language import Language
from pipeline.outcomes.learned import NightCheck
from pipeline.outcomes.outcome_tables import (
    Belief,
    Lasting,
    LastingRow,
    OutcomeGroup,
    belief_table,
    check_table,
    group_table,
    lasting_table,
    power_line,
    precision_lines,
)

ENGLISH, NAN = Language("en"), float("nan")


def squeezed(line):
    return " ".join(line.split())


def effect(estimate, low, high):
    """One whose interval for a single look is the given one; the other is twice as wide."""
    return Bounds(100, estimate, 2 * low - estimate, 2 * high - estimate, low, high)


def row(months, kept=NOTHING, money=None, soon=NOTHING, lasts=NOTHING):
    return LastingRow(months, 100, kept, effect(2.0, 1.0, 3.0), money, soon, lasts)


KEPT, UNSURE = effect(0.1, 0.05, 0.15), effect(0.1, -0.01, 0.2)
STAYS, FADES, EITHER = effect(0.04, 0.01, 0.07), effect(-0.04, -0.07, -0.01), effect(0.0, -0.05, 0.05)
DELAY = "the contacts delay: most of what was kept after 3 months is gone after {months}"
PREVENT = "the contacts prevent: what was kept after 3 months is still there after {months}"


def group(name="all", kept=NOTHING, contacted=NAN, **more):
    values = {
        "listed": 20,
        "alone": 10,
        "rate": 0.9,
        "rate_alone": 0.8,
        "value": NOTHING,
        "contacted_alone": NAN,
    }
    return OutcomeGroup(name=name, kept=kept, contacted=contacted, **(values | more))


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([], "nothing is old enough"),
        ([row(3, soon=KEPT)], "too early to tell prevented from delayed"),
        # What newer lists kept says nothing of what became of the customers of the old ones.
        (
            [row(3, kept=KEPT, soon=KEPT), row(6, soon=UNSURE, lasts=FADES)],
            "too early to tell prevented from delayed",
        ),
        ([row(3), row(6, soon=KEPT, lasts=STAYS)], PREVENT.format(months=6)),
        (
            [row(3), row(6, soon=KEPT, lasts=EITHER), row(12, soon=KEPT, lasts=FADES)],
            DELAY.format(months=12),
        ),
        # A year after the first list its few customers say nothing yet; what is known by half a year stays known.
        (
            [row(3), row(6, soon=KEPT, lasts=FADES), row(12, soon=UNSURE, lasts=EITHER)],
            DELAY.format(months=6),
        ),
        (
            [row(3), row(6, soon=KEPT, lasts=STAYS), row(12, soon=KEPT, lasts=EITHER)],
            PREVENT.format(months=6),
        ),
        (
            [row(3), row(6, soon=KEPT, lasts=EITHER)],
            "not clear yet whether the contacts prevent or delay (6 months)",
        ),
    ],
)
def test_delay_or_prevention(rows, verdict):
    assert str(Lasting(tuple(rows)).verdict) == verdict


def test_what_lasts_by_months_and_money_only_where_it_is_known():
    rows = (row(3, effect(0.1, 0.05, 0.15)), row(6, NOTHING, effect(12.0, -1.0, 25.0)))
    lines = lasting_table(Lasting(rows), ENGLISH).splitlines()
    assert [squeezed(line) for line in lines[-2:]] == [
        "3 months 100 +10.0 [+5.0, +15.0] +2.0 [+1.0, +3.0]",
        "6 months 100 not known yet +2.0 [+1.0, +3.0] +12.00 [-1.00, +25.00]",
    ]


def test_no_effect_stands_without_its_interval():
    groups = [group(kept=effect(0.1, 0.05, 0.15), contacted=0.75, contacted_alone=0.0), group("call")]
    lines = group_table(groups, None, ENGLISH).splitlines()
    whole, call = (squeezed(line) for line in lines[-4:-2])
    assert whole == "all 20 10 90.0% 80.0% +10.0 [+0.0, +20.0] +10.0 [+5.0, +15.0] not known yet"
    assert call == "call 20 10 90.0% 80.0%" + 3 * " not known yet"
    assert lines[-1] == "contacted within 14 days: 75.0% of the listed, 0.0% of those left alone"


def test_business_as_usual_has_a_row_and_a_share_of_its_own():
    usual = group("business as usual", contacted_alone=0.25)
    text = group_table([group(contacted=0.5, contacted_alone=0.0)], usual, ENGLISH)
    assert text.splitlines()[-3].startswith("business as usual")
    assert text.endswith("0.0% of those left alone, 25.0% of business as usual")
    assert "contacted within" not in group_table([group()], None, ENGLISH)


def test_the_scores_of_a_night_and_what_the_backtest_promised():
    check = NightCheck(dt.date(2026, 1, 5), 1200, 20, 101.4, 99, 0.71234, NAN, 0.0123, 2.345)
    lines = check_table([check], {"auc": 0.7, "ece": 0.01}, ENGLISH).splitlines()
    assert lines[-2].split() == ["2026-01-05", "1,200", "20", "101", "99", "0.712", "0.012", "2.35"]
    assert lines[-1].split() == ["backtest", "0.700", "0.010"]
    assert "backtest" not in check_table([check], {}, ENGLISH)


def test_beliefs_have_their_spread_and_none_means_the_playbook():
    line = belief_table([Belief("call", 1300, -0.031, 0.012, -0.2)], ENGLISH).splitlines()[-1]
    assert line.split() == ["call", "1,300", "-3.1", "+-", "1.2", "-20.0%"]
    assert belief_table([], ENGLISH) == "no action has results yet: the playbook's save rates stay in use"


def test_precision_is_said_of_whom_it_is_known():
    found = {"left": 0.4, "low": 0.3, "high": 0.5}
    assert precision_lines({"list": found}, ENGLISH) == [
        "list precision (on the list): 40.0% left [30.0%, 50.0%]"
    ]
    assert len(precision_lines({"list": found, "control": found}, ENGLISH)) == 2
    assert precision_lines({}, ENGLISH) == []


def test_how_long_until_an_effect_would_be_seen():
    text = str(power_line(4, {0.02: 3_650, 0.05: 3_651}))
    assert text.endswith(
        "an effect of 2 points would be seen in about 3,650 days, 5 points not within ten years"
    )


def test_values_hold_no_number_that_json_can_not():
    values = group(rate=NAN, kept=effect(0.1, 0.05, 0.15)).values()
    assert (values["rate"], values["contacted"], values["value"]["estimate"]) == (None, None, None)
    assert values["kept"]["estimate"] == 0.1
    json.dumps(values, allow_nan=False)
