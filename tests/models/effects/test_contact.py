"""The effect of a contact: the first belief, what the rows of a trial do to it, and that it never jumps."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.effects import contact
from models.effects.contact import (
    WIDER,
    ContactEffect,
    Drawn,
    Situation,
    called_for,
    fit_contact_effect,
    prevented,
)

SAVES = {"call": 0.1, "write": 0.03}
chances = st.floats(0, 1)


def people(n, seed=0, columns=0, **given):
    rng = np.random.default_rng(seed)
    inputs = pd.DataFrame(rng.normal(size=(n, columns)), columns=[f"x{i}" for i in range(columns)])
    return Situation.of(
        given.get("p", rng.uniform(0.1, 0.9, n)),
        np.ones(n),
        np.ones(n),
        np.zeros(n),
        given.get("inputs", inputs),
        given.get("told"),
        given.get("called"),
    )


def trial(s, effect, seed=1, action=None):
    """Half of the rows are treated; the outcome follows the effect, an array of shape (rows,)."""
    rng, n = np.random.default_rng(seed), len(s.there)
    w = rng.integers(0, 2, n) * 1.0
    m = np.full(n, 0.6)
    y = (rng.random(n) < m + w * effect) * 1.0
    at = np.zeros(n, np.int64) if action is None else action
    return Drawn(s, at, w, np.full(n, 0.5), y - m - 0.5 * effect, np.full(n, 0.24), np.ones(n))


@given(chances, chances, st.floats(0, 50), st.integers(0, 5))
def test_the_belief_is_a_share_of_those_still_there(p, there, rest, recent):
    one = [np.array([float(x)]) for x in (p, there, rest, recent)]
    found = prevented(*one)[0]
    assert 0 <= found <= 2 * there
    assert prevented(one[0], one[1], one[2] + 1, one[3])[0] >= found
    assert prevented(one[0], one[1], one[2], one[3] + 1)[0] == pytest.approx(found / 2)


def test_the_wavering_come_before_the_gone_and_the_safe():
    p = np.array([0.05, 0.3, 0.5, 0.98])
    safe, wavering, even, gone = prevented(p, np.ones(4), np.ones(4), np.zeros(4))
    assert wavering > safe
    assert even > safe
    assert gone < safe


def test_nothing_was_drawn_nothing_is_learned():
    belief, nobody = ContactEffect.prior(SAVES), people(0)
    empty = np.zeros(0)
    assert (
        fit_contact_effect(belief, Drawn(nobody, empty.astype(int), empty, empty, empty, empty, empty))
        is belief
    )


def test_without_columns_it_is_the_regression_in_closed_form():
    """By the normal equations, row by row, for both widths of the belief; the likelier one is taken."""
    called = np.column_stack([np.arange(300) % 5 / 5, np.arange(300) % 7 / 7])
    s = people(300, told=(np.arange(300) % 3 == 0) * 1.0, called=called)
    action = np.arange(300) % 2
    rows = trial(s, np.full(300, 0.1), action=action)
    belief = ContactEffect.prior(SAVES, ["call"])
    means = []
    for wider in WIDER:
        A = np.linalg.inv(np.diag(np.diag(belief.covariance)) * wider**2)
        b = A @ belief.mean
        for i in range(300):
            base, x = s.shape[i] * list(SAVES.values())[action[i]] * (1 - called[i, action[i]]), np.zeros(8)
            x[0] = x[1 + action[i]] = base
            x[3] = x[4 + action[i]] = s.there[i]
            x[6] = base * s.told[i] * (action[i] == 0)
            x[7] = s.risk[i] * called[i, action[i]] * list(SAVES.values())[action[i]]
            x *= (rows.treated[i] - 0.5) / np.sqrt(0.24)
            A, b = A + np.outer(x, x), b + x * rows.residual[i] / np.sqrt(0.24)
        means.append(np.linalg.solve(A, b))
    found = fit_contact_effect(belief, rows)
    assert min(np.abs(found.mean - mean).max() for mean in means) < 1e-8
    assert found.rows == 300


def test_mean_and_spread_are_those_of_the_draws():
    s = people(400, columns=2)
    found = fit_contact_effect(
        ContactEffect.prior(SAVES), trial(s, 0.2 * (s.inputs["x0"].to_numpy() > 0) - 0.1)
    )
    few, rng = s.take(np.arange(5)), np.random.default_rng(3)
    draws = np.stack([found.drawn(few, rng) for _ in range(4_000)])
    mean, spread = found.effect(few)
    assert draws.mean(axis=0) == pytest.approx(mean, abs=4 * spread.max() / np.sqrt(4_000) + 2e-3)
    assert draws.std(axis=0) == pytest.approx(spread, rel=0.15)


def test_a_contact_that_harms_is_seen_below_zero():
    s = people(4_000)
    mean, spread = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, np.full(4_000, -0.15))).effect(s)
    assert mean[:, 0].mean() == pytest.approx(-0.15, abs=0.05)
    assert (mean[:, 0] + 2 * spread[:, 0] < 0).all()


def test_who_told_us_of_trouble_is_believed_to_be_kept_more_often_and_judged_apart():
    told = (np.arange(4_000) % 2) * 1.0
    s = people(4_000, p=np.full(4_000, 0.5), told=told)
    belief = ContactEffect.prior(SAVES, ["call"])
    mean, spread = belief.effect(s.take(np.arange(2)))
    assert mean[1] == pytest.approx([3.5, 1.0] * mean[0])
    assert mean[1, 0] / spread[1, 0] > mean[0, 0] / spread[0, 0]
    found = fit_contact_effect(belief, trial(s, np.where(told > 0, 0.1, -0.1))).effect(s)[0][:, 0]
    assert found[told > 0].mean() > 0.03
    assert found[told == 0].mean() < -0.03


def test_actions_learn_from_each_other_and_apart():
    s, action = people(6_000), np.arange(6_000) % 2
    effect = np.where(action == 0, 0.12, -0.06)
    before, after = (
        b.effect(s)[0].mean(axis=0)
        for b in (
            ContactEffect.prior(SAVES),
            fit_contact_effect(ContactEffect.prior(SAVES), trial(s, effect, action=action)),
        )
    )
    assert after[0] == pytest.approx(0.12, abs=0.04)
    assert after[1] == pytest.approx(-0.06, abs=0.04)
    only = trial(s, np.full(6_000, 0.12), action=np.zeros(6_000, int))
    other = fit_contact_effect(ContactEffect.prior(SAVES), only).effect(s)[0].mean(axis=0)[1]
    assert other > before[1]  # never tried, but the same kind of thing


def test_beyond_what_was_tried_nothing_grows():
    s = people(2_000, columns=1)
    found = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, 0.1 * np.sign(s.inputs["x0"].to_numpy())))
    edge = s.inputs["x0"].max()
    far = replace(s.take(np.zeros(3, int)), inputs=pd.DataFrame({"x0": [edge, 10 * edge, 1e9]}))
    mean = found.effect(far)[0][:, 0]
    assert mean[1] == mean[0]
    assert mean[2] == mean[0]


def test_a_column_that_nobody_has_tonight_is_unknown_not_an_error():
    s = people(2_000, columns=2)
    found = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, 0.1 * np.sign(s.inputs["x0"].to_numpy())))
    without = replace(s, inputs=s.inputs.drop(columns="x0"))
    assert np.isfinite(found.effect(without)[0]).all()


def test_kept_as_text_and_read_again_it_is_the_same():
    s = people(500, columns=3)
    found = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, np.full(500, 0.1)))
    again = ContactEffect.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    for ours, theirs in zip(found.effect(s), again.effect(s), strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize("name", ["saves", "mean", "covariance"])
def test_a_text_of_other_shapes_is_refused(name):
    values = json.loads(ContactEffect.prior(SAVES).to_json())
    values[name] = values[name][:-1]
    with pytest.raises(ValueError, match=name):
        ContactEffect.from_json(json.dumps(values))


def test_an_action_is_called_for_by_the_risk_that_goes_with_its_sign():
    """Signs of one in ten: leaving four times as often, as often, and less; and an action for anybody."""
    sign = np.arange(2_000) % 10 == 0
    other, third = np.roll(sign, 1), np.roll(sign, 2)
    p = np.where(sign, 0.4, np.where(third, 0.05, 0.1))
    found = called_for(np.column_stack([sign, other, third, np.ones(2_000, bool)]), p)
    assert found[sign, 0].min() == found[sign, 0].max() == pytest.approx(0.7, abs=0.05)
    assert not found[~sign, 0].any()
    assert found[:, 1:].max() < 0.02


def test_what_is_called_for_is_believed_to_prevent_more_of_that_action_alone():
    called = np.array([[0.0, 0.0], [0.7, 0.0]])
    mean, spread = ContactEffect.prior(SAVES).effect(people(2, p=np.full(2, 0.3), called=called))
    assert mean[1, 0] > 2 * mean[0, 0]
    assert mean[1, 1] == mean[0, 1]
    assert (mean - spread)[1, 0] > 0 > (mean - spread)[0, 0]  # sure enough for a pilot, without any row


def test_a_sign_brings_in_proportion_to_the_risk_and_speaks_once():
    """Hardly anything can be kept of who hardly leaves, and what the sign explains counts no second time."""
    belief, called = ContactEffect.prior(SAVES, ["call"]), np.full((2, 2), 0.7)
    risk = np.array([0.4, 0.02])
    quiet, told = (
        [
            belief.effect(people(2, p=risk, told=spoke, called=asked))[0][:, 0]
            for asked in (0 * called, called)
        ]
        for spoke in (np.zeros(2), np.ones(2))
    )
    sign = quiet[1] - 0.3 * quiet[0]
    assert sign[1] > 0
    assert sign[0] == pytest.approx(20 * sign[1])
    assert told[1] == pytest.approx(0.3 * told[0] + sign)
    assert (told[0] > quiet[0]).all()


def test_rows_of_a_trial_tell_whether_to_answer_what_is_called_for():
    s = people(3_000, p=np.full(3_000, 0.4), called=np.tile([[0.8], [0.0]], (1_500, 1)))
    helps = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, 0.15 * s.called[:, 0]))
    harms = fit_contact_effect(ContactEffect.prior(SAVES), trial(s, -0.15 * s.called[:, 0]))
    some = s.take(np.arange(2))
    assert helps.effect(some)[0][0, 0] > 0.08
    assert harms.effect(some)[0][0, 0] < -0.08


def test_the_fit_goes_on_until_the_parts_agree(monkeypatch):
    """Coefficients of everybody and those of columns are taken in turn; one turn is not enough, and forty are."""
    s = people(800, columns=3)
    rows, belief = trial(s, 0.3 * (s.inputs["x0"].to_numpy() > 0) - 0.1), ContactEffect.prior(SAVES)
    found = {}
    for rounds in (1, 40, 400):
        monkeypatch.setattr(contact, "_ROUNDS", rounds)
        found[rounds] = fit_contact_effect(belief, rows).mean
    assert np.abs(found[40] - found[400]).max() < 1e-4
    assert np.abs(found[40] - found[1]).max() > 1e-3


@pytest.mark.parametrize(("actions", "own"), [(1, 0.0), (2, 0.4), (5, 0.4)])
def test_the_chances_of_all_terms_are_one_half_of_an_effect(actions, own):
    """Of that half some 60 % are effects that all actions share, where there are several."""
    found = contact._chances(4, actions)
    assert found.shape == (4 * (1 + actions),)
    assert found.sum() == pytest.approx(0.5)
    assert found[:4] == pytest.approx((1 - own) * 0.5 / 4)
    assert found[4:] == pytest.approx(own * 0.5 / (4 * actions), abs=1e-8)
    assert contact._chances(0, actions).tolist() == []


def test_swing_is_twice_the_standard_deviation_of_who_leaves():
    """Of even odds 1, of a tenth .6, of who is sure to leave or to stay none."""
    p = np.array([0.5, 0.1, 1.0, 0.0])
    found = Situation.of(p, np.ones(4), np.full(4, np.inf), np.zeros(4), pd.DataFrame(index=range(4)))
    assert found.swing.tolist() == pytest.approx([1.0, 0.6, 0.0, 0.0])
