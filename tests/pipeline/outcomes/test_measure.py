"""What came of it: the ledger joined with what happened, never without an interval."""

import datetime as dt
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from outcomes_data import ACTION, NIGHT, after, night, record, subscribers

from configs.errors import ConfigError
from configs.playbook import load_playbook
from pipeline.layout import layout_of
from pipeline.outcomes import learned
from pipeline.outcomes.measure import outcomes, resume

LATER = dt.date(2026, 3, 1)
LISTED = np.arange(600) < 200
ALONE = (np.arange(600) >= 200) & (np.arange(600) < 300)


@pytest.fixture
def company(tiny):
    """600 subscribers; of those on the list 20 % leave within 30 days, of those left alone 50 %, of others 10 %."""
    rng = np.random.default_rng(3)
    leaves = rng.random(600) < np.where(LISTED, 0.2, np.where(ALONE, 0.5, 0.1))
    calls = [f"{i:04d},2026-01-07,outbound" for i in range(150)]
    calls += [f"{i:04d},2026-01-08,inbound" for i in range(150, 300)]
    calls += [
        "0599,2025-12-31,inbound",
        "0599,2026-02-28,inbound",
    ]  # the data begin before the night, and are fresh
    config = subscribers(tiny, after(15 + np.arange(600) % 5, leaves), contacts=calls)
    record(config, night(600, LISTED, ALONE, propensity=2 / 3))
    return config, leaves


def test_effect_is_that_of_the_list_against_those_left_alone(company):
    config, leaves = company
    found = outcomes(config, LATER)
    whole, by_action = found.values["effects"]
    assert (whole["name"], whole["listed"], whole["alone"]) == ("all", 200, 100)
    assert whole["rate"] == pytest.approx(1 - leaves[LISTED].mean())
    assert whole["rate_alone"] == pytest.approx(1 - leaves[ALONE].mean())
    effect = leaves[ALONE].mean() - leaves[LISTED].mean()
    assert whole["kept"]["estimate"] == pytest.approx(effect)
    assert whole["kept"]["low"] > 0
    assert whole["kept"]["low"] < whole["kept"]["fixed_low"] < effect
    assert whole["value"]["estimate"] == pytest.approx(100 * effect)
    assert (whole["contacted"], whole["contacted_alone"]) == (0.75, 0.0)
    assert (by_action["name"], by_action["kept"]["estimate"]) == (ACTION, pytest.approx(effect))
    assert found.exit_code == 0
    json.dumps(found.values, allow_nan=False)


def test_scores_are_checked_against_what_happened(company):
    config, leaves = company
    (check,) = outcomes(config, LATER).values["checks"]
    assert (check["night"], check["customers"], check["listed"]) == ("2026-01-05", 600, 200)
    assert (check["expected"], check["churned"]) == (pytest.approx(180), leaves.sum())
    assert check["auc"] == 0.5


def test_what_came_of_past_nights_is_kept_for_the_page_without_ids(company):
    config, leaves = company
    early = NIGHT + dt.timedelta(29)
    outcomes(config, early)
    assert learned.read_learned(layout_of(config).ledger, load_playbook(), early).checks == []
    found = outcomes(config, LATER).values["checks"]
    (check,) = learned.read_learned(layout_of(config).ledger, load_playbook(), LATER).checks
    assert (check.night, check.customers, check.expected, check.churned) == (
        NIGHT, 600, pytest.approx(180), leaves.sum(),
    )  # fmt: skip
    assert check.lift_top_tenth == found[0]["lift_top_tenth"]
    assert '"0042"' not in (layout_of(config).ledger / learned.LEARNED_FILE).read_text()


def test_the_list_is_compared_with_those_left_to_the_team(company):
    config, leaves = company
    assert outcomes(config, LATER).values["usual"] is None
    team = ALONE & (np.arange(600) % 2 == 0)
    record(config, night(600, LISTED, ALONE, propensity=2 / 3, usual=team))
    values = outcomes(config, LATER).values
    usual = learned.read_learned(layout_of(config).ledger, load_playbook(), LATER).usual
    effect = leaves[team].mean() - leaves[LISTED].mean()
    assert (usual.rows, usual.estimate) == (250, pytest.approx(effect))
    assert values["usual"]["kept"]["estimate"] == pytest.approx(effect)
    assert usual.low < usual.fixed_low < effect < usual.fixed_high < usual.high


def test_what_the_next_list_believes_is_shown_and_kept_for_it(company):
    config, _ = company
    found = outcomes(config, LATER)
    (belief,) = found.values["beliefs"]
    assert (belief["action"], belief["rows"]) == (ACTION, 300)
    assert belief["effect"] > load_playbook().actions[ACTION].save_rate.mean * 0.3
    kept = learned.read_learned(layout_of(config).ledger, load_playbook(), LATER)
    assert kept.measured == LATER
    assert kept.effect.rows > 0
    assert kept.bounds["all"].helps


def test_the_same_ledger_teaches_the_same(company):
    config, _ = company
    outcomes(config, LATER)
    first = (layout_of(config).ledger / learned.LEARNED_FILE).read_bytes()
    outcomes(config, LATER)
    assert (layout_of(config).ledger / learned.LEARNED_FILE).read_bytes() == first


def test_nothing_is_claimed_before_the_window_has_passed(company):
    config, _ = company
    early = outcomes(config, NIGHT)
    assert "the first night, 2026-01-05, can be judged from 2026-02-04 on" in early.text
    assert not (layout_of(config).ledger / learned.LEARNED_FILE).exists()
    for days in (3, 29):  # too young to know anything of; some have left
        found = outcomes(config, NIGHT + dt.timedelta(days))
        assert "the first list is younger than 30 days" in found.text
        assert found.values["effects"][0]["kept"]["estimate"] is None
        json.dumps(found.values, allow_nan=False)
    assert outcomes(config, NIGHT + dt.timedelta(30)).values["effects"][0]["listed"] == 200


def test_an_empty_ledger_is_said_so(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n")
    assert "the ledger is empty, run `churn score` first" in outcomes(config, dt.date(2024, 6, 1)).text


def test_harm_asks_for_a_person_and_says_how_to_go_on(company):
    config, _ = company
    record(config, night(600, ALONE, LISTED, propensity=1 / 3))
    found = outcomes(config, LATER)
    assert found.exit_code == 3
    assert found.values["stopped"] == ["all", ACTION]
    assert (
        f"switched off: {ACTION} is proven to drive customers away; `churn outcomes --resume {ACTION}`"
        in found.text
    )


def test_what_was_resumed_is_judged_by_newer_lists_only(company):
    config, _ = company
    record(config, night(600, ALONE, LISTED, propensity=1 / 3))
    outcomes(config, LATER)
    said = resume(config, ACTION, LATER)
    assert said.text == f"action {ACTION} is on again: only rows from 2026-03-01 on can switch it off"
    assert learned.read_learned(layout_of(config).ledger, load_playbook(), LATER).bounds.keys() == {"all"}
    assert outcomes(config, LATER).values["stopped"] == ["all"]
    assert resume(config, "all", LATER).text.startswith("the list is on again")
    assert outcomes(config, LATER).exit_code == 0


def test_only_what_exists_can_be_resumed(company):
    config, _ = company
    with pytest.raises(ConfigError, match=r"--resume cal: no such action; known: all, .*service_recovery"):
        resume(config, "cal", LATER)


def test_with_nobody_left_alone_there_is_no_effect(company):
    config, _ = company
    record(config, night(600, LISTED, alone=False, propensity=1.0))
    found = outcomes(config, LATER)
    assert found.values["effects"][0]["kept"]["estimate"] is None
    assert "not known yet" in found.text
    assert "power: nobody was drawn yet, no effect can be seen" in found.text
    off = config.model_copy(update={"outreach": config.outreach.model_validate({"control": {"share": 0}})})
    assert "no control group (outreach.control.share is 0)" in outcomes(off, LATER).text


def test_days_until_an_effect_is_seen_come_from_the_real_inflow(company):
    config, _ = company
    power = outcomes(config, LATER).values["power"]
    assert power["rows_a_day"] == pytest.approx(300 / 7)  # one night counts as a week
    one, five = power["days_until"]["0.01"], power["days_until"]["0.05"]
    assert one == pytest.approx(25 * five, rel=0.2)
    assert five > 0


def test_a_list_a_week_stands_for_seven_days(tiny):
    config = subscribers(tiny, [None] * 60)
    for weeks in range(6):
        day = NIGHT + dt.timedelta(weeks=weeks)
        record(config, night(60, np.arange(60) < 14, np.arange(60) >= 46), day)
    assert outcomes(config, LATER).values["power"]["rows_a_day"] == pytest.approx(28 / 7)


def test_who_was_listed_for_certain_is_not_counted_among_those_whom_chance_listed(company):
    config, _ = company
    chance = np.where(np.arange(600) < 50, 1.0, 2 / 3)
    record(config, night(600, LISTED, ALONE, propensity=chance))
    found = outcomes(config, LATER)
    (whole, *_) = found.values["effects"]
    assert (whole["listed"], whole["alone"]) == (150, 100)
    assert "250 customers whom chance listed or left alone" in found.text


def test_precision_is_of_the_list_and_of_those_whom_nobody_held_back(company):
    config, leaves = company
    found = outcomes(config, LATER).values["precision"]
    assert found["list"]["left"] == pytest.approx(leaves[LISTED].mean())
    assert found["control"]["left"] == pytest.approx(leaves[ALONE].mean())
    assert found["control"]["low"] < found["control"]["left"] < found["control"]["high"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fa", "mr"])
def test_no_english_is_left_in_what_is_printed(company, tiny, language):
    config, leaves = company
    ours = config.model_copy(update={"language": language})
    record(config, night(600, ALONE, LISTED, propensity=1 / 3, usual=LISTED & (np.arange(600) % 2 == 0)))
    found = outcomes(ours, LATER)
    uncontrolled = ours.model_copy(
        update={"outreach": config.outreach.model_validate({"control": {"share": 0}})}
    )
    told = [found.text, outcomes(ours, NIGHT).text, outcomes(ours, NIGHT + dt.timedelta(3)).text]
    told += [resume(ours, name, LATER).text for name in ("all", ACTION)]
    told.append(outcomes(ours, LATER).text)
    record(config, night(600, LISTED, alone=False, propensity=1.0))
    told += [outcomes(each, LATER).text for each in (ours, uncontrolled)]
    old = subscribers(tiny, after(15, leaves), contacts=["0599,2026-08-30,inbound"])
    told.append(outcomes(old.model_copy(update={"language": language}), dt.date(2026, 9, 1)).text)
    record(old, night(600, LISTED, ALONE, propensity=2 / 3))
    told.append(outcomes(old.model_copy(update={"language": language}), dt.date(2026, 9, 1)).text)
    for line in "\n".join(told).replace(config.name, "").splitlines():
        # Without commands, keys of the config and of the playbook, and the short name of the ranking's measure.
        said = re.sub(r"`[^`]*`|\w+(\.\w+)+|\w+_\w+|\(AUC\)", "", line)
        assert not re.search("[A-Za-z0-9]", said), line
    assert not re.search(
        r"[^\W\d_a-zA-Z]", json.dumps({**found.values, "in_words": None}, ensure_ascii=False)
    )


def test_scoring_can_read_what_was_learned_without_the_labels():
    code = "import sys, pipeline.outcomes.learned; sys.exit('features.labels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
