"""What came of it: the ledger joined with what happened, once a control period, never without an interval."""

import datetime as dt
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from models.effects.uplift import fit_uplift
from pipeline.outcomes.save_rates import SaveRates
from pipeline.outcomes.uplift_training import train_uplift

from configs.errors import ChurnError
from configs.playbook import load_playbook
from models.effects.control_group import SaveRate
from models.effects.qini import Trial
from pipeline.outcomes import ledger, save_rates
from pipeline.outcomes.drawn import contaminated, first_nights, ledger_folder, randomised
from pipeline.outcomes.measure import outcomes
from pipeline.sources.opening import open_sources

NIGHT = dt.date(2026, 1, 5)
ACTION = "service_recovery"


def _night(ids, listed, control, **columns):
    rows = pd.DataFrame(dict.fromkeys(ledger.SCHEMA.names[1:]), index=range(len(ids)))
    return rows.assign(
        customer_id=ids,
        churn_probability=0.3,
        chosen=listed,
        control=control,
        eligible=np.asarray(listed) | np.asarray(control),
        action=np.where(np.asarray(listed) | np.asarray(control), ACTION, None),
        value=100.0,
        **columns,
    )


@pytest.fixture
def company(tiny):
    """600 subscribers; of those on the list 20 % leave within 30 days, of the control group 50 %, of others 10 %."""
    rng = np.random.default_rng(3)
    ids = np.array([f"{i:04d}" for i in range(600)])
    listed, control = np.arange(600) < 200, (np.arange(600) >= 200) & (np.arange(600) < 300)
    leaves = rng.random(600) < np.where(listed, 0.2, np.where(control, 0.5, 0.1))
    ended = [f"2026-01-{20 + i % 5}" if gone else "" for i, gone in enumerate(leaves)]
    lines = [f"{c},2025-0{1 + i % 6}-01,{e}" for i, (c, e) in enumerate(zip(ids, ended, strict=True))]
    calls = [f"{c},2026-01-07,outbound" for c in ids[:150]] + [
        f"{c},2026-01-08,inbound" for c in ids[150:300]
    ]
    config = tiny(
        kind="contractual",
        customers="customer_id,started_at,ended_at\n" + "\n".join(lines) + "\n",
        contacts="customer_id,occurred_at,direction\n" + "\n".join(calls) + "\n",
        churn={"active_days": 180},
    )
    ledger.append(ledger_folder(config), NIGHT, _night(ids, listed, control))
    return config, leaves, listed, control


def test_effect_is_that_of_the_list_against_its_control_group(company):
    config, leaves, listed, control = company
    found = outcomes(config, dt.date(2026, 3, 1))
    whole = found.values["effects"][0]
    assert whole["kept"]["listed"] == 200
    assert whole["kept"]["control"] == 100
    assert whole["kept"]["effect"] == pytest.approx(leaves[control].mean() - leaves[listed].mean())
    assert whole["kept"]["low"] > 0.1
    assert whole["customers_kept"]["estimate"] == pytest.approx(200 * whole["kept"]["effect"])
    assert whole["value_kept"]["estimate"] == pytest.approx(100 * whole["customers_kept"]["estimate"])
    assert (whole["contacted"], whole["contacted_control"]) == (0.75, 0.0)
    assert found.exit_code == 0
    json.dumps(found.values, allow_nan=False)


def test_scores_are_checked_against_what_happened(company):
    config, leaves, *_ = company
    (check,) = outcomes(config, dt.date(2026, 3, 1)).values["checks"]
    assert (check["customers"], check["churned"]) == (600, int(leaves.sum()))
    assert check["expected"] == pytest.approx(180)
    assert check["auc"] == 0.5


def test_save_rates_are_learned_and_the_priors_weight_is_shown(company):
    config, *_ = company
    found = outcomes(config, dt.date(2026, 3, 1))
    prior = load_playbook().actions[ACTION].save_rate
    learned = save_rates.read(ledger_folder(config), load_playbook(), dt.date(2026, 3, 2))
    assert learned.rates[ACTION].mean > prior.mean
    assert 0 < learned.rates[ACTION].prior_weight < 1
    assert ACTION in found.text
    assert "playbook's weight" in found.text
    others = [rate for name, rate in learned.rates.items() if name != ACTION]
    assert all(rate.prior_weight == 1 for rate in others)


def test_the_same_ledger_gives_the_same_rates(company):
    config, *_ = company
    outcomes(config, dt.date(2026, 3, 1))
    first = (ledger_folder(config) / save_rates.FILE).read_bytes()
    outcomes(config, dt.date(2026, 3, 1))
    assert (ledger_folder(config) / save_rates.FILE).read_bytes() == first


def test_nothing_is_claimed_before_the_window_has_passed(company):
    config, *_ = company
    found = outcomes(config, NIGHT + dt.timedelta(days=29))
    assert "can be judged from 2026-02-04 on" in found.text
    assert not (ledger_folder(config) / save_rates.FILE).exists()
    assert outcomes(config, NIGHT + dt.timedelta(days=30)).values["nights"] == 1


def test_an_empty_ledger_is_said_so(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n")
    assert "the ledger is empty" in outcomes(config, dt.date(2024, 6, 1)).text


def test_harm_asks_for_a_person(company):
    config, _leaves, listed, control = company
    ids = np.array([f"{i:04d}" for i in range(600)])
    ledger.append(ledger_folder(config), NIGHT, _night(ids, control, listed))
    found = outcomes(config, dt.date(2026, 3, 1))
    assert found.exit_code == 3
    assert "drives customers away" in found.text


def test_without_a_control_group_there_is_no_effect(company):
    config, _leaves, listed, _control = company
    ids = np.array([f"{i:04d}" for i in range(600)])
    ledger.append(ledger_folder(config), NIGHT, _night(ids, listed, np.zeros(600, bool)))
    found = outcomes(config, dt.date(2026, 3, 1))
    assert found.values["effects"][0]["kept"]["effect"] is None
    assert "not known" in found.text


def test_a_customer_counts_once_a_control_period():
    nights = [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 9, 1)]
    rows = pd.DataFrame(
        [(night, c, c != "b", c == "b", a) for night, a in zip(nights, "xyz", strict=True) for c in "abc"],
        columns=["as_of", "customer_id", "chosen", "control", "action"],
    )
    found = first_nights(rows, 180)
    assert list(zip(found["as_of"], found["customer_id"], found["action"], strict=True)) == [
        (night, c, a) for night, a in ((nights[0], "x"), (nights[2], "z")) for c in "abc"
    ]
    assert found["propensity"].tolist() == pytest.approx([2 / 3] * 6)


def test_rows_are_contaminated_from_the_snapshot_to_the_end_of_the_window(company):
    config, *_ = company
    days = [NIGHT + dt.timedelta(days=d) for d in (-30, -29, 0, 1)]
    rows = pd.DataFrame([(c, day) for c in ("0000", "0250", "0500") for day in days])
    frame = rows.set_axis(["customer_id", "snapshot"], axis=1).astype({"snapshot": "datetime64[s]"})
    assert contaminated(config, frame).reshape(3, 4).tolist() == [
        [False, True, True, False],
        [False] * 4,
        [False] * 4,
    ]


def test_the_randomised_history_is_a_test_with_features(company):
    config, leaves, listed, control = company
    trial = randomised(open_sources(config, dt.date(2026, 3, 1)), config, dt.date(2026, 3, 1))
    assert len(trial) == 300
    assert trial.treated.sum() == 200
    assert np.unique(trial.propensity) == pytest.approx([2 / 3])
    assert trial.average() == pytest.approx(leaves[control].mean() - leaves[listed].mean())
    assert "tenure_days" in trial.X.columns
    assert trial.X["tenure_days"].notna().all()


def test_rates_measured_later_are_not_used_before(tmp_path):
    playbook = load_playbook()
    rates = SaveRates({ACTION: SaveRate(30, 10, 0.5), "gone": SaveRate(1, 1, 0.5)}, NIGHT)
    save_rates.write(tmp_path, rates)
    assert save_rates.read(tmp_path, playbook, NIGHT).rates[ACTION] == SaveRate(30, 10, 0.5)
    assert "gone" not in save_rates.read(tmp_path, playbook, NIGHT).rates
    earlier = save_rates.read(tmp_path, playbook, NIGHT - dt.timedelta(days=1))
    assert (earlier.rates[ACTION].prior_weight, earlier.measured) == (1, None)


def test_damaged_rates_are_refused(tmp_path):
    (tmp_path / save_rates.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ChurnError, match="delete it"):
        save_rates.read(tmp_path, load_playbook(), NIGHT)


def test_uplift_is_learned_from_the_randomised_history_and_used_only_when_proven(company):
    config, *_ = company
    found = train_uplift(config, dt.date(2026, 3, 1))
    assert found.values["used"] is False
    assert "more" in found.text
    assert "the playbook's save rates are used" in found.text
    json.dumps(found.values, default=str)
    assert (ledger_folder(config) / save_rates.UPLIFT_FILE).exists()
    assert save_rates.read_uplift(ledger_folder(config), dt.date(2026, 3, 1)) is None


def test_a_proven_uplift_is_read_from_its_night_on(tmp_path):
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=3000), (rng.random(3000) < 0.5).astype(float)
    y = (rng.random(3000) < 0.4 + 0.3 * w * (x > 0)).astype(float)
    model = fit_uplift(Trial(pd.DataFrame({"x": x}), w, y, np.full(3000, 0.5)), draws=100)
    save_rates.write_uplift(tmp_path, model, NIGHT)
    again = save_rates.read_uplift(tmp_path, NIGHT)
    assert again is not None
    assert again.to_json() == model.to_json()
    assert save_rates.read_uplift(tmp_path, NIGHT - dt.timedelta(days=1)) is None


def test_scoring_can_read_what_was_learned_without_the_labels():
    code = "import sys, pipeline.outcomes.save_rates; sys.exit('features.labels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
