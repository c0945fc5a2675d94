"""Tables without dates: folds by the customer's id, and every row predicted by a model that does not know it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import HistoryError
from models.backtest import undated
from models.backtest.undated import (
    CROSS_VALIDATION_FOLDS,
    WARNING,
    fold_of,
    out_of_fold,
    run_undated,
    stratifying_salt,
)
from models.prediction.boosted import Settings
from models.prediction.scoring import SURE_LOGIT
from models.statistics.metrics import auc
from tests.models.model_data import random_sample

SETTINGS = Settings(horizon_days=30, trees=15, seeds=1, threads=1, learning_rate=0.2)


def one_table(seed=0, customers=400, **more):
    """Rows of one snapshot."""
    return random_sample(seed, customers=customers, snapshots=1, **more)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=20), st.integers(0, 99), st.integers(2, 9))
def test_the_fold_of_a_customer_hangs_on_the_id_alone(ids, salt, folds):
    found = fold_of(ids, salt, folds)
    assert ((found >= 0) & (found < folds)).all()
    assert [fold_of([name], salt, folds)[0] for name in ids] == found.tolist()


def test_folds_are_about_as_large_and_another_salt_draws_others():
    ids = [f"c{i}" for i in range(5_000)]
    counts = np.bincount(fold_of(ids, 3, 5), minlength=5)
    assert counts.min() > 900
    assert (fold_of(ids, 3, 5) != fold_of(ids, 4, 5)).mean() > 0.7


def unevenness(sample, salt):
    of = fold_of(sample.customer, salt, CROSS_VALIDATION_FOLDS)
    rows, ones = (np.bincount(of, weights=w, minlength=5) for w in (np.ones(len(of)), sample.churned))
    return np.ptp(ones) / ones.mean() + np.ptp(rows) / rows.mean()


def test_the_salt_spreads_rows_and_churners_more_evenly_than_any_other_that_is_tried():
    sample = one_table(customers=100)
    best = stratifying_salt(sample)
    tried = [unevenness(sample, salt) for salt in range(undated.SALTS)]
    assert tried[best] == min(tried)
    assert tried[best] < 0.6 * np.median(tried)


def test_large_tables_are_even_without_a_search(monkeypatch):
    sample = one_table(customers=100)
    monkeypatch.setattr(undated, "SALTED_ROWS", 99)
    assert stratifying_salt(sample) == 0


@pytest.fixture(scope="module")
def run():
    said = []
    sample = one_table()
    return sample, run_undated(sample, SETTINGS, said.append), said


def test_every_row_is_predicted_once_by_the_model_of_its_fold(run):
    sample, result, _ = run
    (test,) = result.tested
    assert set(result.held) == {f"fold_{i}" for i in range(CROSS_VALIDATION_FOLDS)}
    salt = result.held["fold_0"].spec["fold"]["salt"]
    of = fold_of(sample.customer, salt, CROSS_VALIDATION_FOLDS)
    for i in range(CROSS_VALIDATION_FOLDS):
        model = result.held[f"fold_{i}"]
        assert model.spec["fold"] == {"index": i, "of": CROSS_VALIDATION_FOLDS, "salt": salt}
        np.testing.assert_array_equal(
            test.probability["model"][of == i], model.probability(sample.X.loc[of == i])
        )
    assert all(np.isfinite(p).all() for p in test.probability.values())
    np.testing.assert_array_equal(test.y, sample.churned)
    assert len(test.fold.test_rows) == len(sample)
    assert test.fold.crossed == CROSS_VALIDATION_FOLDS


def test_the_model_has_learned_and_says_so_without_time(run):
    sample, result, said = run
    (test,) = result.tested
    assert auc(sample.churned, test.probability["model"]) > 0.7
    assert result.notes[0] == WARNING
    assert result.training_rows == len(sample)
    assert sorted(line for line in said if line.startswith("fold ")) == [
        line for line in said if line.startswith("fold ")
    ]
    assert said[-1] == f"fit deployed model on {len(sample):,} rows"


def test_no_answer_of_a_customer_reaches_the_model_that_predicts_it(run):
    """The labels of a fold are turned round: its members' predictions of that fold stay the same."""
    sample, result, _ = run
    fold = result.held["fold_2"].spec["fold"]
    mine = fold_of(sample.customer, fold["salt"], fold["of"]) == 2
    parts, _ = undated._cross(
        replace(sample, churned=np.where(mine, 1 - sample.churned, sample.churned)),
        fold_of(sample.customer, fold["salt"], fold["of"]),
        SETTINGS,
        lambda line: None,
        undated.no_progress,
    )
    scores = parts[2].scores(sample.X.loc[mine])
    for name, z in scores.items():
        said = np.clip(z, -SURE_LOGIT, SURE_LOGIT)
        np.testing.assert_allclose(
            result.tested[0].probability[name][mine], 1 / (1 + np.exp(-said)), atol=1e-9
        )


def test_rows_of_one_customer_are_in_one_fold(run):
    _, result, _ = run
    ids = np.array(["a", "b", "a", "c"])
    frame = one_table().X.head(4)
    p = out_of_fold(result.held, frame, ids)
    alone = out_of_fold(result.held, frame.iloc[[2]], ids[[2]])
    assert np.isfinite(p).all()
    assert p[2] == alone[0]


def test_of_a_fold_without_its_model_nothing_is_known(run):
    sample, result, _ = run
    some = {name: model for name, model in result.held.items() if name != "fold_1"}
    salt = result.held["fold_1"].spec["fold"]["salt"]
    p = out_of_fold(some, sample.X, sample.customer)
    np.testing.assert_array_equal(np.isnan(p), fold_of(sample.customer, salt, CROSS_VALIDATION_FOLDS) == 1)


def test_too_many_rows_are_sampled_by_customer_and_only_those_are_tested():
    sample = one_table()
    result = run_undated(sample, replace(SETTINGS, max_rows=200, trees=5), lambda line: None)
    assert result.training_rows <= 200
    assert result.notes[1] == f"fitted on a sample of customers: {result.training_rows} of 400 rows"
    kept = sample.at_most(200, SETTINGS.seed)
    np.testing.assert_array_equal(sample.customer[result.tested[0].fold.test_rows], kept.customer)


def test_one_class_is_refused():
    sample = one_table()
    with pytest.raises(HistoryError, match="labelled rows: no customer churned"):
        run_undated(replace(sample, churned=np.zeros(len(sample))), SETTINGS, lambda line: None)
