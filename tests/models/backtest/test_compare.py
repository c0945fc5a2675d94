import numpy as np
import pytest

from configs.errors import Fault, ModelError, UnfitError
from models.backtest.compare import judge, paired
from models.statistics.metrics import auc, log_loss

RNG = np.random.default_rng(0)
Z = RNG.normal(0, 1.5, 3_000)
TRUTH = 1 / (1 + np.exp(-Z))
Y = (RNG.random(3_000) < TRUTH).astype(float)
WHO = np.arange(3_000).astype(str)
WEAK = 1 / (1 + np.exp(-(Z + RNG.normal(0, 2, 3_000))))
BASE = {"base rate": np.full(3_000, Y.mean()), "recency rule": WEAK}


def verdict(challenger, champion, min_gain=0.0, rules=None):
    return judge(Y, challenger, champion, WHO, BASE if rules is None else rules, min_gain, seed=1)


def test_differences_are_those_of_the_metrics():
    d = paired(Y, TRUTH, WEAK, WHO, seed=1, list_size=100)
    assert d.log_loss == pytest.approx(log_loss(Y, TRUTH) - log_loss(Y, WEAK))
    assert d.auc == pytest.approx(auc(Y, TRUTH) - auc(Y, WEAK))
    assert d.log_loss_interval[0] < d.log_loss < d.log_loss_interval[1] < 0


def test_a_better_challenger_is_promoted_and_an_equal_or_worse_one_is_not():
    assert verdict(TRUTH, lambda: WEAK).promote
    assert not verdict(TRUTH, lambda: TRUTH).promote
    assert not verdict(WEAK, lambda: TRUTH).promote


def refit(challenger, champion):
    return judge(Y, challenger, lambda: champion, WHO, BASE, 0.0, seed=1, list_size=100, refit=lambda: True)


def test_a_refit_replaces_the_champion_unless_it_is_proven_worse():
    """Neither is better here: the newer one stays, where a new recipe would need proof."""
    other = 1 / (1 + np.exp(-(Z + RNG.normal(0, 0.05, len(Z)))))
    assert not verdict(other, lambda: TRUTH).promote
    assert refit(other, TRUTH).promote
    assert refit(TRUTH, TRUTH).promote
    worse = refit(WEAK, TRUTH)
    assert (worse.promote, worse.failed) == (False, False)
    assert "proven worse in log loss, ranking, lift of the top tenth" in worse.reason


def broken_top(share=0.1):
    """The truth, but for the surest tenth, which stands in the middle of the ranking."""
    spoilt = TRUTH.copy()
    spoilt[np.argsort(-TRUTH)[: int(share * len(Y))]] = np.median(TRUTH)
    return spoilt


@pytest.mark.parametrize("newer_rows", [False, True])
def test_a_challenger_that_is_proven_worse_at_the_top_is_not_promoted(newer_rows):
    # The champion is right about the surest, and knows little of all others; the challenger is right but for them.
    blurred = np.where(np.quantile(Z, 0.85) < Z, Z, 0.2 * Z + RNG.normal(0, 0.3, len(Z)))
    champion, challenger = 1 / (1 + np.exp(-blurred)), broken_top(0.04)
    said = judge(
        Y, challenger, lambda: champion, WHO, BASE, 0.0, seed=1, list_size=100, refit=lambda: newer_rows
    )
    assert said.difference.log_loss_interval[1] < 0
    assert said.difference.auc > 0
    assert not said.promote
    assert "worse in lift of the top tenth" in said.reason
    assert {"lift of the top tenth", "lift at the list's size"} & set(said.difference.worse_at_top)


def test_value_counts_at_the_top_as_the_list_does():
    """Both rankings find as many churners; one finds those who are worth something."""
    worth = np.where(np.arange(len(Y)) % 2 == 0, 100.0, 1.0)
    rich_first = np.clip(TRUTH + np.where(worth > 1, 0.2, -0.2), 0.01, 0.99)
    d = paired(Y, TRUTH, rich_first, WHO, seed=1, list_size=300, value=worth)
    assert "value captured at the list's size" in d.worse_at_top
    assert paired(Y, TRUTH, rich_first, WHO, seed=1, list_size=300).top["value_at_list"][0] > -0.02


def test_the_margin_counts():
    assert not verdict(TRUTH, lambda: WEAK, min_gain=5.0).promote


def test_better_ranking_with_worse_calibration_is_not_promoted():
    champion = np.full(3_000, Y.mean())
    shifted = 1 / (1 + np.exp(-(Z + 0.6)))
    assert log_loss(Y, shifted) < log_loss(Y, champion)
    said = verdict(shifted, lambda: champion)
    assert not said.promote
    assert "calibrated" in said.reason


@pytest.mark.parametrize(
    "broken",
    [lambda: 1 / 0, lambda: TRUTH[:10], lambda: np.full(3_000, np.nan)],
    ids=["raises", "wrong length", "not numbers"],
)
def test_any_fault_in_the_comparison_leaves_the_champion(broken):
    said = verdict(TRUTH, broken)
    assert not said.promote
    assert said.failed
    assert "champion stays" in said.reason


def test_the_first_champion_must_beat_the_simple_rules():
    assert verdict(TRUTH, None).promote
    poor = verdict(1 - TRUTH, None)
    assert not poor.promote
    assert poor.failed
    assert verdict(TRUTH, None, rules={}).failed


def test_a_failure_with_many_faults_is_told_in_one_line():
    def broken():
        raise ModelError("9 columns are missing", [Fault(f"- c{i}", "not there") for i in range(9)])

    y, who = np.array([0.0, 1.0] * 50), np.arange(100).astype(str)
    reason = judge(y, 0.2 + 0.6 * y, broken, who, {}, 0.0, 1).reason
    assert reason.startswith("comparison failed, champion stays: 9 columns are missing (- - c0: not there; ")
    assert reason.endswith("; ...)")
    assert "\n" not in reason


def test_a_champion_that_cannot_be_used_is_said_and_replaced_by_what_beats_the_rules():
    def broken():
        raise UnfitError("1 columns of the model are missing", [Fault("- plan", "not there")])

    said = verdict(TRUTH, broken)
    assert (said.promote, said.failed, said.unfit) == (
        False,
        True,
        "1 columns of the model are missing (- - plan: not there)",
    )
    better = judge(Y, TRUTH, None, WHO, BASE, 0.0, 1, unfit=said.unfit)
    assert (better.promote, better.vacant) == (True, False)
    assert better.reason.startswith(
        "in place of a champion that can't be used any more (1 columns of the model"
    )
    poor = judge(Y, 1 - TRUTH, None, WHO, BASE, 0.0, 1, unfit=said.unfit)
    assert (poor.promote, poor.failed, poor.vacant) == (False, True, True)
    assert "the champion can't be used any more (1 columns of the model are missing" in poor.reason
