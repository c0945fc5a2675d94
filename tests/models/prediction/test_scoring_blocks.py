"""Members score rows one by one, however many are scored together."""

import inspect
import subprocess
import sys

import numpy as np

from models.prediction import scoring

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
