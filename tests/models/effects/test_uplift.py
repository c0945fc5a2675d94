"""Rankings by effect: Q against brute force, known effects found, no effect not used."""

import json

import numpy as np
import pandas as pd
import pytest

from models.effects import learners
from models.effects.qini import DEPTHS, Trial, bootstrap, curve, q_value
from models.effects.uplift import Uplift, fit_uplift


def _trial(seed, n, strength, share=0.5, columns=4):
    """The effect on the chance of the outcome is 0.05 + strength x tanh(x1)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    treated = (rng.random(n) < share).astype(float)
    effect = 0.05 + strength * np.tanh(X[:, 1])
    chance = np.clip(1 / (1 + np.exp(0.8 - X[:, 0])) + treated * effect, 0, 1)
    outcome = (rng.random(n) < chance).astype(float)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)])
    return Trial(frame, treated, outcome, np.full(n, share)), effect


def _brute_q(score, trial):
    """Q by its definition, for scores without ties and rows that the depths divide."""
    order = sorted(range(len(score)), key=lambda i: -score[i])

    def effect(rows):
        means = []
        for arm in (1, 0):
            inside = [i for i in rows if trial.treated[i] == arm]
            chance = [trial.propensity[i] if arm else 1 - trial.propensity[i] for i in inside]
            if not inside:
                return None
            weights = [1 / c for c in chance]
            means.append(
                sum(w * trial.outcome[i] for w, i in zip(weights, inside, strict=True)) / sum(weights)
            )
        return means[0] - means[1]

    average, total = effect(order), 0.0
    for depth in DEPTHS:
        found = effect(order[: round(depth * len(order))])
        total += 0.0 if found is None else 1000 * (depth * found - depth * average)
    return total / len(DEPTHS)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_q_is_its_definition(seed):
    rng, n = np.random.default_rng(seed), 400
    treated = (rng.random(n) < 0.4).astype(float)
    propensity = rng.uniform(0.2, 0.8, n)
    trial = Trial(pd.DataFrame(index=range(n)), treated, rng.random(n), propensity)
    score = rng.permutation(n).astype(float)
    assert q_value(score, trial) == pytest.approx(_brute_q(score, trial))


def test_ties_count_in_part_and_do_not_depend_on_the_order_of_rows():
    trial, _ = _trial(1, 1_000, 0.1)
    score = np.round(trial.X["x1"].to_numpy())
    order = np.random.default_rng(2).permutation(1_000)
    assert q_value(score[order], trial.rows(order)) == pytest.approx(q_value(score, trial))
    assert q_value(np.zeros(1_000), trial) == pytest.approx(0, abs=1e-9)


def test_bootstrap_surrounds_the_estimate():
    trial, effect = _trial(3, 5_000, 0.1)
    drawn = bootstrap(effect, trial, seed=1, draws=300)
    assert drawn.q.mean() == pytest.approx(q_value(effect, trial), abs=0.5)
    assert drawn.top(0.2).mean() == pytest.approx(curve(effect, trial).top(0.2)[0], abs=0.01)


@pytest.mark.parametrize("name", list(learners.LEARNERS))
def test_every_learner_ranks_a_clear_effect(name):
    trial, effect = _trial(4, 8_000, 0.2)
    basis = learners.learn_basis(trial.X.to_numpy())
    Z = learners.terms(basis, trial.X.to_numpy())
    said = learners.effect(learners.LEARNERS[name](Z, trial), Z)
    assert np.corrcoef(said, effect)[0, 1] > (0.2 if name == "response" else 0.7)


def test_a_known_effect_is_recovered_and_calibrated():
    trial, effect = _trial(5, 20_000, 0.15)
    found = fit_uplift(trial, draws=200)
    said = found.effect(trial.X)
    assert found.used
    assert found.missing == 0
    assert np.corrcoef(said, effect)[0, 1] > 0.9
    assert np.polyfit(said, effect, 1)[0] == pytest.approx(1, abs=0.15)
    assert found.calibration == pytest.approx(1, abs=0.2)
    assert said.mean() == pytest.approx(effect.mean(), abs=0.02)


def test_an_amount_can_be_the_outcome():
    rng, (trial, effect) = np.random.default_rng(6), _trial(6, 6_000, 0.2)
    spend = trial.treated * (10 + 20 * np.tanh(trial.X["x1"])) + rng.gamma(2, 10, 6_000)
    found = fit_uplift(Trial(trial.X, trial.treated, spend.to_numpy(), trial.propensity), draws=100)
    assert found.used
    assert np.corrcoef(found.effect(trial.X), effect)[0, 1] > 0.9


@pytest.mark.slow
def test_no_difference_in_effect_is_not_used():
    """About 5 in 100 at most; 40 trials."""
    assert sum(fit_uplift(_trial(100 + s, 2_000, 0.0)[0], s, draws=150).used for s in range(40)) <= 5


def test_too_few_rows_are_said_so():
    trial, _ = _trial(7, 300, 0.2)
    found = fit_uplift(trial)
    assert not found.used
    assert found.name == "none"
    assert found.missing > 0
    assert f"{found.missing:,} more" in found.reason
    assert np.unique(found.effect(trial.X)).tolist() == [pytest.approx(trial.average())]


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_hardly_any_rows_are_no_error(rows):
    trial, _ = _trial(8, 10, 0.2)
    assert not fit_uplift(trial.rows(np.arange(rows))).used


def test_with_the_missing_rows_it_is_proven():
    few = [fit_uplift(_trial(s, 1_500, 0.08)[0], s, draws=100) for s in range(8)]
    enough = int(np.median([1_500 + u.missing for u in few if not u.used]))
    assert 2_500 < enough < 25_000
    assert sum(fit_uplift(_trial(20 + s, enough, 0.08)[0], s, draws=100).used for s in range(5)) >= 3


def test_text_columns_and_unknown_values():
    rng, (trial, _) = np.random.default_rng(9), _trial(9, 4_000, 0.2)
    X = trial.X.assign(plan=pd.Categorical(rng.choice(["a", "b"], 4_000)))
    X.loc[rng.random(4_000) < 0.2, "x1"] = np.nan
    found = fit_uplift(Trial(X, trial.treated, trial.outcome, trial.propensity), draws=100)
    assert np.isfinite(found.effect(X)).all()
    assert np.isfinite(found.effect(pd.DataFrame({"x1": [1.0], "plan": ["never seen"]}))).all()


def test_json_and_back_gives_the_same_effects():
    trial, _ = _trial(10, 3_000, 0.2)
    found = fit_uplift(trial, draws=100)
    again = Uplift.from_json(found.to_json())
    assert np.array_equal(again.effect(trial.X), found.effect(trial.X))
    assert again == found or again.to_json() == found.to_json()
    assert "pickle" not in json.dumps(json.loads(found.to_json()))


def test_the_same_rows_give_the_same_model():
    trial, _ = _trial(11, 3_000, 0.2)
    assert fit_uplift(trial, 3, draws=100).to_json() == fit_uplift(trial, 3, draws=100).to_json()


def test_nobody_can_be_saved_who_would_not_leave():
    trial, _ = _trial(12, 4_000, 0.2)
    seen = Trial(
        trial.X.assign(churn_probability=np.linspace(0.2, 0.6, 4_000)),
        trial.treated,
        trial.outcome,
        trial.propensity,
    )
    found = fit_uplift(seen, draws=100)
    frame = seen.X.iloc[:3].assign(x1=3.0, churn_probability=[0.01, 0.3, 0.9])
    probability = frame["churn_probability"].to_numpy()
    fall = found.fall(frame, probability, save_rate=0.1)
    assert found.supported(probability).tolist() == [False, True, False]
    assert fall[[0, 2]] == pytest.approx([0.001, 0.09])
    assert 0 < fall[1] <= 0.3


@pytest.mark.parametrize(("arm", "rows"), [("Womens E-Mail", 42_693), (None, 64_000)])
def test_the_real_trial_is_proven(datasets, monkeypatch, arm, rows):
    from benchmarks.uplift import hillstrom

    monkeypatch.setenv("CHURN_DATASETS", str(datasets))
    trial = hillstrom(arm)
    found = fit_uplift(trial, draws=200)
    assert len(trial) == rows
    assert found.used
    assert found.q > (5 if arm else 3)
    assert found.calibration > 0.75
    assert max(c.q for c in found.contenders.values()) > (6.5 if arm else 3.8)
