import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.prediction.ridge import ridge_regressions

RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def problem():
    """9,000 rows, more than the curvature is taken from; two columns say nearly the same, one nothing."""
    design = RNG.normal(size=(9_000, 12))
    design[:, 1] = design[:, 0] + 0.01 * design[:, 1]
    design[:, 2] = 0.0
    z = design[:, 0] - 0.5 * design[:, 3] - 2
    return design, (RNG.random(9_000) < 1 / (1 + np.exp(-z))).astype(float), RNG.uniform(0.2, 3, 9_000)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_log_odds_are_those_of_newtons_method(problem, weighted, order):
    design, y, weight = problem
    weight = weight if weighted else None
    strengths = [300.0, 3.0]
    for strength, found in zip(
        strengths, ridge_regressions(np.asarray(design, order=order), y, strengths, weight), strict=True
    ):
        slow = LogisticRegression(C=1 / strength, solver="newton-cholesky", tol=1e-10).fit(design, y, weight)
        away = design @ (found[:-1] - slow.coef_[0]) + found[-1] - slow.intercept_[0]
        assert np.abs(away).max() < 2e-3


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_alone_has_no_slopes_and_is_nearly_sure(label):
    design = RNG.normal(size=(50, 2))
    (found,) = ridge_regressions(design, np.full(50, label), [1e3])
    assert np.abs(found[:2]).max() < 0.01
    assert np.sign(found[2]) == 2 * label - 1
    assert abs(found[2]) > 3


def test_classes_that_a_column_separates_end_where_the_ridge_holds_them():
    x = np.linspace(-1, 1, 3_000)[:, None]
    y = (x[:, 0] > 0).astype(float)
    (found,) = ridge_regressions(x, y, [0.1])
    slow = LogisticRegression(C=10.0, solver="newton-cholesky", tol=1e-10, max_iter=1_000).fit(x, y)
    assert found[0] == pytest.approx(slow.coef_[0, 0], rel=1e-3)
