import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from configs.errors import ChurnError
from configs.playbook import load_playbook
from models.effects.sequence import NOTHING, Bounds
from pipeline.outcomes import learned
from pipeline.outcomes.learned import Evidence, Learned, NightCheck, belief

DAY = dt.date(2026, 7, 1)
HARM = Bounds(500, -0.1, -0.15, -0.05, -0.14, -0.06)
HELP = Bounds(500, 0.1, 0.05, 0.15, 0.06, 0.14)


def measured(**bounds):
    known = belief(load_playbook())
    return Learned(replace(known, mean=known.mean + 0.25, rows=700.0), bounds, DAY)


def test_what_was_written_is_read_from_its_date_on(tmp_path):
    written = measured(all=HELP, win_back=NOTHING)
    learned.write(tmp_path, written)
    for day in (DAY, DAY + dt.timedelta(90)):
        back = learned.read_learned(tmp_path, load_playbook(), day)
        assert back.effect.to_json() == written.effect.to_json()
        assert (back.bounds["all"], back.measured) == (HELP, DAY)
        assert np.isnan(back.bounds["win_back"].estimate)
    earlier = learned.read_learned(tmp_path, load_playbook(), DAY - dt.timedelta(1))
    assert (earlier.effect.rows, earlier.bounds, earlier.measured) == (0, {}, None)


def test_past_nights_and_business_as_usual_are_kept_with_the_rest(tmp_path):
    check = NightCheck(DAY - dt.timedelta(60), 900, 40, 88.5, 91, 0.7, 0.4, 0.02, 2.5)
    nobody = NightCheck(DAY - dt.timedelta(120), 0, 0, 0.0, 0, *[np.nan] * 4)
    learned.write(tmp_path, replace(measured(all=HELP), usual=HARM, checks=(check, nobody)))
    back = learned.read_learned(tmp_path, load_playbook(), DAY)
    assert (back.usual, back.checks[0], back.checks[1].night) == (HARM, check, nobody.night)
    assert np.isnan(back.checks[1].lift_top_tenth)
    earlier = learned.read_learned(tmp_path, load_playbook(), DAY - dt.timedelta(1))
    assert (earlier.usual, list(earlier.checks)) == (None, [])


def test_a_file_of_an_earlier_version_is_read(tmp_path):
    learned.write(tmp_path, measured(all=HELP))
    path = tmp_path / learned.LEARNED_FILE
    content = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in ("usual", "checks")}))
    back = learned.read_learned(tmp_path, load_playbook(), DAY)
    assert (back.bounds, back.usual, back.checks) == ({"all": HELP}, None, [])


def test_nothing_measured_is_the_playbook(tmp_path):
    found = learned.read_learned(tmp_path, load_playbook(), DAY)
    assert found.effect.to_json() == belief(load_playbook()).to_json()
    assert found.measured is None


def test_another_playbook_begins_with_its_own_belief_and_keeps_what_is_proven(tmp_path):
    learned.write(tmp_path, measured(win_back=HARM))
    book = load_playbook()
    fewer = book.model_copy(update={"actions": {"win_back": book.actions["win_back"]}})
    found = learned.read_learned(tmp_path, fewer, DAY)
    assert (found.effect.actions, found.effect.rows) == (("win_back",), 0)
    assert found.bounds == {"win_back": HARM}


def test_a_belief_of_an_earlier_version_begins_anew_and_keeps_what_is_proven(tmp_path):
    file = learned.write(tmp_path, measured(win_back=HARM))
    content = json.loads(file.read_text())
    del content["effect"]["terms"]
    file.write_text(json.dumps(content))
    found = learned.read_learned(tmp_path, load_playbook(), DAY)
    assert found.effect.to_json() == belief(load_playbook()).to_json()
    assert found.bounds == {"win_back": HARM}


GOOD = {
    "measured": "2026-07-01",
    "effect": json.loads(belief(load_playbook()).to_json()),
    "bounds": {},
}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        json.dumps(GOOD | {"measured": "yesterday"}).encode(),
        json.dumps(GOOD | {"measured": None}).encode(),
        json.dumps(GOOD | {"effect": None}).encode(),
        json.dumps(GOOD | {"effect": GOOD["effect"] | {"mean": [1.0]}}).encode(),
        json.dumps(GOOD | {"effect": GOOD["effect"] | {"covariance": [[1.0]]}}).encode(),
        json.dumps(GOOD | {"effect": GOOD["effect"] | {"columns": [{"name": "x"}]}}).encode(),
        json.dumps(GOOD | {"bounds": {"all": {"rows": 1}}}).encode(),
        json.dumps(GOOD | {"bounds": [1]}).encode(),
    ],
)
def test_a_damaged_file_is_refused_with_the_way_out(tmp_path, content):
    file = tmp_path / learned.LEARNED_FILE
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    assert learned.read_learned(tmp_path, load_playbook(), DAY).measured == DAY
    file.write_bytes(content)
    with pytest.raises(
        ChurnError, match=r"effect\.json: .*delete it, `churn outcomes` makes it anew"
    ) as caught:
        learned.read_learned(tmp_path, load_playbook(), DAY)
    assert "\n" not in str(caught.value)


def test_what_is_proven_to_harm_is_stopped():
    bounds = {"all": HELP, "call": HARM, "mail": NOTHING, "visit": replace(HARM, high=0.01)}
    assert Evidence(bounds=bounds).stopped == {"call"}


@pytest.mark.parametrize(
    ("days", "usual"),
    [([], 1), ([0], 1), ([0, 1, 2, 3], 1), ([0, 7, 14, 21], 7), ([0, 1, 2, 3, *range(10, 80, 7)], 7)],
)
def test_the_usual_days_between_lists_are_those_of_the_newest(days, usual):
    assert Evidence(tuple(DAY + dt.timedelta(d) for d in days)).every_days == usual


def test_who_was_resumed_and_when(tmp_path):
    assert learned.resumed(tmp_path) == {}
    learned.resume_learned(tmp_path, "call", DAY)
    learned.resume_learned(tmp_path, "all", DAY)
    learned.resume_learned(tmp_path, "call", DAY + dt.timedelta(9))
    assert learned.resumed(tmp_path) == {"call": DAY + dt.timedelta(9), "all": DAY}


@pytest.mark.parametrize("content", ["{", "[1]", '{"call": "soon"}', '{"call": 3}'])
def test_a_damaged_note_of_what_was_resumed_is_refused(tmp_path, content):
    (tmp_path / learned.RESUMED).write_text(content, encoding="utf-8")
    with pytest.raises(ChurnError, match=r"resumed\.json: .*delete it and resume again"):
        learned.resumed(tmp_path)
