"""The section of the classic rate: how surveys are read, what a goal is, and where midnight is."""

import pytest
from pydantic import ValidationError

from configs.retention import GoalRule, Reasons, Retention, SurveyRule


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"measure": "nps", "top": 9, "bottom": 6}, None),
        ({"measure": "csat", "top": 4}, None),
        ({"measure": "pmf", "top": 3}, None),
        ({"measure": "mean"}, None),
        ({"measure": "nps", "top": 9}, r"nps needs exactly \['bottom', 'top'\]; has \['top'\]"),
        ({"measure": "mean", "top": 9}, r"mean needs exactly no score; has \['top'\]"),
        ({"measure": "pmf", "top": 3, "bottom": 1}, r"pmf needs exactly \['top'\]"),
        ({"measure": "nps", "top": 6, "bottom": 6}, "bottom 6 is not below top 6"),
    ],
)
def test_a_survey_has_the_scores_of_its_measure(given, says):
    if says is None:
        assert SurveyRule(**given).model_dump(exclude_none=True) == given
    else:
        with pytest.raises(ValidationError, match=says):
            SurveyRule(**given)


@pytest.mark.parametrize(
    ("given", "has"),
    [({}, "none"), ({"at_least": 0, "at_most": 1}, "'at_least', 'at_most'")],
)
def test_a_goal_has_one_wish(given, has):
    with pytest.raises(ValidationError, match=has):
        GoalRule(metric="rate", **given)


def test_zero_is_a_wish():
    assert GoalRule(metric="rate", at_least=0).at_least == 0


@pytest.mark.parametrize("zone", ["Mars/North", "../../etc/passwd", "", "/etc/localtime", "Europe"])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(ValidationError, match=r"is unknown; use a name such as Europe/London"):
        Retention(time_zone=zone)


def test_every_code_that_can_be_acted_on_is_a_code():
    with pytest.raises(ValidationError, match="controllable"):
        Reasons(controllable=["price"])
    assert Reasons().model_dump()["codes"] == {}
