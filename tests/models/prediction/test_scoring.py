"""From a row to a probability: literal rows, members against loops, and rows that score one by one."""

import inspect
import json
import subprocess
import sys
from math import exp, log, log1p

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.prediction import scoring
from models.prediction.scoring import calibrate, encode, input_names, linear_terms, log_odds, member_score

INPUTS = 7


def test_a_row_has_the_same_score_among_any_number_of_others(monkeypatch):
    rng = np.random.default_rng(3)
    member = {"kind": "linear", "inputs": [4, 0, 6, 2], "intercept": -0.7}
    member |= {name: rng.normal(size=4).tolist() for name in ("fill", "mean", "slope", "square", "missing")}
    member["scale"] = [0.5, 1.0, 2.0, 3.0]
    X = rng.normal(size=(997, INPUTS)) * 10
    X[rng.random(X.shape) < 0.2] = np.nan
    whole = scoring.member_score(member, [], X)
    for size in (1, 10, 996, 997, 998):
        monkeypatch.setattr(scoring, "_ROWS_IN_CACHE", size)
        np.testing.assert_allclose(scoring.member_score(member, [], X), whole, rtol=1e-13)
    terms = scoring.linear_terms(member, X[:, member["inputs"]])
    np.testing.assert_allclose(whole, member["intercept"] + terms.sum(axis=1), rtol=1e-13)
    assert scoring.member_score(member, [], X[:0]).shape == (0,)


def test_the_scoring_file_runs_where_the_project_is_not_installed(tmp_path):
    code = tmp_path / "alone.py"
    code.write_text(inspect.getsource(scoring), encoding="utf-8")
    refuse = "import sys; sys.modules.update(dict.fromkeys(('configs', 'models', 'features', 'pipeline')))"
    say = (
        f"sys.path.insert(0, {str(tmp_path)!r}); import alone; print(alone.calibrate({{'kind': 'none'}}, 2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{refuse}; {say}"], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["2"], done.stderr


COLUMNS = [
    {"name": "age", "kind": "number"},
    {"name": "plan", "kind": "text", "levels": ["a", "b"]},
    {"name": "spend", "kind": "number"},
]


def test_numbers_keep_their_place_and_texts_have_a_column_a_level():
    frame = pd.DataFrame({"spend": [1.5, None], "plan": ["b", "z"], "age": [7, 9], "more": [0, 0]})
    assert input_names(COLUMNS) == ["age", "plan=a", "plan=b", "spend"]
    np.testing.assert_array_equal(encode(COLUMNS, frame), [[7, 0, 1, 1.5], [9, 0, 0, np.nan]])


def test_both_orders_in_memory_hold_the_same_numbers():
    frame = pd.DataFrame({"spend": [1.5, 2.0], "plan": ["b", "a"], "age": [7, 9]})
    rows, columns = encode(COLUMNS, frame), encode(COLUMNS, frame, "F")
    np.testing.assert_array_equal(rows, columns)
    assert rows.flags.c_contiguous
    assert columns.flags.f_contiguous


def test_a_column_that_is_absent_is_unknown_in_every_row():
    found = encode(COLUMNS, pd.DataFrame({"age": [1.0, 2.0]}))
    np.testing.assert_array_equal(found, [[1, 0, 0, np.nan], [2, 0, 0, np.nan]])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["3", "x", None], [3, np.nan, np.nan]),  # one word among the numbers
        ([np.inf, -np.inf, 2], [np.nan, np.nan, 2]),
        (pd.array([1, None, 3], dtype="Int64"), [1, np.nan, 3]),
        (pd.Categorical([1.0, 2.0, 1.0]), [1, 2, 1]),
        ([True, False, True], [1, 0, 1]),
    ],
)
def test_whatever_today_exports_becomes_numbers(values, found):
    frame = pd.DataFrame({"age": values})
    np.testing.assert_array_equal(encode(COLUMNS[:1], frame)[:, 0], found)


def test_levels_that_came_as_numbers_are_the_texts_of_the_training():
    column = [{"name": "plan", "kind": "text", "levels": ["1", "2.5", "30"]}]
    found = encode(column, pd.DataFrame({"plan": [30.0, 1.0, 2.5, 4.0, np.nan]}))
    np.testing.assert_array_equal(found, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]])


def test_a_text_without_frequent_levels_has_no_inputs():
    column = [{"name": "plan", "kind": "text", "levels": []}]
    assert encode(column, pd.DataFrame({"plan": ["a"]})).shape == (1, 0)


def test_the_terms_of_a_linear_member_by_hand():
    """An unknown takes the fill, 1, and its own flag; e^8 - 1 is clipped from (8 - 1) / .5 to 4."""
    member = {
        "fill": [1.0],
        "mean": [1.0],
        "scale": [0.5],
        "slope": [2.0],
        "square": [-1.0],
        "missing": [0.25],
    }
    found = linear_terms(member, np.array([[np.e - 1], [np.nan], [np.exp(8) - 1], [1 - np.exp(1)]]))
    z = (log1p(1.0) - 1) / 0.5
    assert found[:, 0].tolist() == pytest.approx([0.0, 2 * z - z**2 + 0.25, 8 - 16, -8 - 16])


def test_steps_are_closed_below_and_open_above():
    rule = {"kind": "steps", "inputs": [1], "edges": [10.0, 20.0], "values": [-1, 0, 1], "missing": 0.5}
    X = np.array([[0, 9.9], [0, 10], [0, 19.9], [0, 20], [0, np.nan], [0, np.inf]])
    assert member_score(rule, [], X).tolist() == [-1, 0, 0, 1, 0.5, 1]


class Told:
    """Stands for a booster: says one column times a factor."""

    def __init__(self, factor):
        self.factor, self.threads = factor, []

    def predict(self, X, raw_score, num_threads):
        assert raw_score
        self.threads.append(num_threads)
        return self.factor * X[:, 0]


def test_boosters_are_averaged_on_top_of_what_they_start_from():
    boosters = [Told(100.0), Told(1.0), Told(3.0)]
    member = {"kind": "boosted", "boosters": [1, 2], "inputs": []}
    X = np.array([[1.0], [2.0]])
    assert member_score(member, boosters, X, threads=5).tolist() == [2, 4]
    assert [b.threads for b in boosters] == [[], [5], [5]]
    start = {"kind": "constant", "value": -1.0}
    assert member_score(member | {"start": start}, boosters, X).tolist() == [1, 3]


@given(st.floats(0, 5), st.floats(-3, 3), st.floats(-30, 30))
def test_calibrators_are_their_formulas(slope, level, z):
    p = 1 / (1 + exp(-z))
    linear = {"kind": "linear", "slope": slope, "intercept": level}
    assert calibrate(linear, np.array([z]))[0] == pytest.approx(slope * z + level)
    assert calibrate({"kind": "none"}, np.array([z]))[0] == z
    if 1e-9 < p < 1 - 1e-9:
        beta = {"kind": "beta", "a": slope, "b": 0.5, "c": level}
        expected = slope * log(p) - 0.5 * log(1 - p) + level
        assert calibrate(beta, np.array([z]))[0] == pytest.approx(expected, abs=1e-5)


def blended():
    """Half a constant and a quarter of a rule, then doubled."""
    rule = {"kind": "steps", "inputs": [0], "edges": [5.0], "values": [-4.0, 4.0], "missing": 0.0}
    return {
        "columns": [{"name": "age", "kind": "number"}],
        "members": [{"kind": "constant", "value": 2.0, "weight": 0.5}, rule | {"weight": 0.25}],
        "calibrator": {"kind": "linear", "slope": 2.0, "intercept": -1.0},
    }


def test_members_are_blended_before_they_are_calibrated():
    frame = pd.DataFrame({"age": [1.0, 9.0, None]})
    assert log_odds(blended(), [], frame, calibrated=False).tolist() == [0, 2, 1]
    assert log_odds(blended(), [], frame).tolist() == [-1, 3, 1]
    expected = [1 / (1 + exp(-z)) for z in (-1, 3, 1)]
    assert scoring.probability(blended(), [], frame).tolist() == pytest.approx(expected)


def test_nothing_is_ever_certain():
    frame = pd.DataFrame({"age": [1.0, 9.0]})
    steep = blended() | {"calibrator": {"kind": "linear", "slope": 1e6, "intercept": -1e5}}
    expected = [1 / (1 + exp(14)), 1 / (1 + exp(-14))]
    assert scoring.probability(steep, [], frame).tolist() == pytest.approx(expected, rel=1e-12)


def test_no_rows_have_no_scores():
    assert scoring.probability(blended(), [], pd.DataFrame({"age": []})).shape == (0,)


def test_a_folder_has_the_document_and_its_boosters_in_their_order(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"boosters": ["b.txt", "a.txt"], "more": 1}))
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"trees of {name}")
    spec, texts = scoring.read_folder(tmp_path)
    assert spec["more"] == 1
    assert texts == ("trees of b", "trees of a")
