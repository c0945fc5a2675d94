"""The smallest change: it crosses, it is nobody's invention, and nothing smaller does."""

import itertools

import numpy as np
import pandas as pd
import pytest

from models.prediction.change import smallest_change
from models.prediction.classifier import FittedModel

NAMES = ["a", "b", "c"]
GROUPS = {"first": ["a", "b"], "second": ["c"], "third": ["plan"]}
COLUMNS = [{"name": n, "kind": "number"} for n in NAMES] + [
    {"name": "plan", "kind": "text", "levels": ["x", "y"]}
]


def model(seed):
    """A linear member with random slopes."""
    slope = np.random.default_rng(seed).normal(size=5)
    zero, one = np.zeros(5).tolist(), np.ones(5).tolist()
    terms = {
        "slope": slope.tolist(),
        "square": zero,
        "missing": zero,
        "fill": zero,
        "mean": zero,
        "scale": one,
    }
    member = {
        "name": "l",
        "weight": 1.0,
        "kind": "linear",
        "inputs": [0, 1, 2, 3, 4],
        "intercept": 0.0,
        **terms,
    }
    spec = {"columns": COLUMNS, "boosters": [], "members": [member], "calibrator": {"kind": "none"}}
    return FittedModel(spec, ())


def people(seed, count=60):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(count, 3)).round(1), columns=NAMES)
    return rows.assign(plan=pd.Categorical(rng.choice(["x", "y"], count)))


@pytest.mark.parametrize("seed", range(12))
def test_it_crosses_with_as_few_groups_as_suffice_and_values_of_one_customer(seed):
    fitted, rows = model(seed), people(seed)
    target = float(fitted.probability(rows).mean())
    row, others = rows.iloc[[0]], rows.iloc[1:]
    before = fitted.probability(row)[0]
    found = smallest_change(fitted, row, others, target, GROUPS)
    after = fitted.probability(found.row)[0]
    assert after == pytest.approx(found.probability)
    assert (before > target) != (after > target)
    moved = [name for group in found.groups for name in GROUPS[group]]
    kept = [name for name in row if name not in moved]
    assert found.row[kept].iloc[0].tolist() == row[kept].iloc[0].tolist()
    assert (others[moved].astype(str) == found.row[moved].astype(str).iloc[0]).all(axis=1).any()
    if len(found.groups) > 1:  # then no part of it was enough
        for group in found.groups[:-1]:
            part = row.assign(**{n: found.row[n].to_numpy() for n in GROUPS[group]})
            assert (fitted.probability(part)[0] > target) == (before > target)


def test_nobody_on_the_other_side_is_no_change():
    rows = people(1)
    assert smallest_change(model(1), rows.iloc[[0]], rows.iloc[1:], 1.0, GROUPS) is None


def test_arguments_stay_as_they_are():
    rows, groups = people(2), dict(GROUPS)
    copies = rows.copy(deep=True)
    smallest_change(model(2), rows.iloc[[0]], rows.iloc[1:], 0.5, groups)
    pd.testing.assert_frame_equal(rows, copies)
    assert groups == GROUPS
    assert list(itertools.chain(*groups.values())) == ["a", "b", "c", "plan"]
