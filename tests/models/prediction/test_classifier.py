import numpy as np
import pandas as pd
import pytest

from configs.errors import ModelError
from models.prediction import classifier
from models.prediction.blend import FoldForecast, mean_loss
from models.prediction.boosted import FADING, Settings
from models.prediction.calibration import UNCALIBRATED, learn_calibrator
from models.prediction.classifier import FittedModel, cost_of_fit, fit_members
from models.prediction.sample import Sample
from models.prediction.scoring import calibrate
from models.prediction.steps import scoring_steps
from tests.models.model_data import random_sample

SETTINGS = Settings(horizon_days=30, trees=30)
WEIGHTS = {
    "boosted": 0.2,
    "linear + trees": 0.2,
    "linear": 0.3,
    "bg/nbd": 0.2,
    "recency rule": 0.05,
    "base rate": 0.05,
}
CALIBRATORS = [
    UNCALIBRATED,
    {"kind": "linear", "slope": 0.7, "intercept": -0.4},
    {"kind": "beta", "a": 0.8, "b": 1.3, "c": 0.1},
]


@pytest.fixture(scope="module")
def sample():
    return random_sample()


@pytest.fixture(scope="module")
def parts(sample):
    return fit_members(sample, SETTINGS, seeds=2)


@pytest.fixture(scope="module", params=CALIBRATORS, ids=lambda c: c["kind"])
def model(request, parts):
    return FittedModel.assemble(parts, WEIGHTS, request.param)


def test_the_steps_of_a_row_are_those_of_its_probability(model, sample):
    for row in (0, 7):
        one = sample.X.iloc[[row]]
        steps = scoring_steps(model, one)
        assert steps.probability == model.probability(one)[0]
        assert steps.calibrated == pytest.approx(model.log_odds(one)[0])
        assert steps.blended == pytest.approx(model.log_odds(one, calibrated=False)[0])
        assert {m.name: m.share for m in steps.members} == WEIGHTS
        boosted = next(m for m in steps.members if m.name == "boosted")
        assert boosted.log_odds == pytest.approx(np.mean(boosted.boosters))
        assert len(boosted.boosters) == 2


def test_a_loaded_model_gives_the_same_probabilities_and_bytes(model, sample, tmp_path):
    model.save(tmp_path)
    again = FittedModel.load(tmp_path)
    assert (again.probability(sample.X) == model.probability(sample.X)).all()
    assert again.files() == model.files()
    assert again.digest == model.digest
    assert sorted(f.suffix for f in tmp_path.iterdir()) == [".json", *[".txt"] * 4]


def test_the_same_rows_give_the_same_bytes_whatever_the_threads(sample, parts):
    one = fit_members(sample, Settings(horizon_days=30, trees=30, threads=1), seeds=2)
    assert one == parts
    assert fit_members(sample, SETTINGS, seeds=2) == parts


def test_fitting_changes_no_argument(sample):
    before = sample.X.copy(), sample.churned.copy()
    fit_members(sample, SETTINGS, seeds=1)
    pd.testing.assert_frame_equal(sample.X, before[0])
    assert (sample.churned == before[1]).all()


def test_the_blend_is_the_weighted_sum_of_the_members(sample, parts):
    model = FittedModel.assemble(parts, WEIGHTS, UNCALIBRATED)
    scores = parts.scores(sample.X)
    np.testing.assert_allclose(model.log_odds(sample.X), sum(w * scores[n] for n, w in WEIGHTS.items()))


def test_only_the_boosters_of_members_with_a_share_are_kept(sample, parts, tmp_path):
    model = FittedModel.assemble(parts, {"linear + trees": 1.0}, UNCALIBRATED)
    model.save(tmp_path)
    assert len(list(tmp_path.glob("*.txt"))) == 2
    np.testing.assert_array_equal(
        FittedModel.load(tmp_path).log_odds(sample.X), parts.scores(sample.X)["linear + trees"]
    )


def test_column_order_and_unused_columns_do_not_matter(model, sample):
    other = sample.X[sample.X.columns[::-1]].assign(more=1.0)
    assert (model.probability(other) == model.probability(sample.X)).all()


def test_unknown_levels_nulls_and_infinities_get_a_probability(model, sample):
    odd = sample.X.head(3).astype({"plan": "object"})
    odd.loc[:, "plan"] = ["new", None, np.nan]
    odd.loc[1, "recency_days"] = np.inf
    odd.loc[2] = np.nan
    said = model.probability(odd)
    assert ((said > 0) & (said < 1)).all()


def test_missing_columns_are_listed(model, sample):
    with pytest.raises(ModelError, match=r"(?s)- noise.*\+ other"):
        model.check_columns([*sample.X.columns.drop("noise"), "other"])


def test_a_damaged_folder_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="churn train"):
        FittedModel.load(tmp_path)


def test_probabilities_never_fall_where_the_uncalibrated_score_rises(model, sample):
    raw, said = model.log_odds(sample.X, calibrated=False), model.probability(sample.X)
    assert (np.diff(said[np.argsort(raw)]) >= 0).all()


def forecast(month, z, y):
    return FoldForecast(np.datetime64(f"2025-{month:02d}-01"), {"boosted": z}, y)


def drawn(rng, z):
    return (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(float)


def test_a_lasting_error_is_corrected_and_a_drifting_one_is_not():
    rng = np.random.default_rng(0)
    scores = [rng.normal(0, 1.5, 4_000) for _ in range(8)]
    window = np.timedelta64(60, "D")
    lasting = [forecast(i + 1, 2 * z, drawn(rng, z)) for i, z in enumerate(scores)]
    name, learned = learn_calibrator(lasting, {"boosted": 1.0}, window)
    assert name != "none"
    np.testing.assert_allclose(calibrate(learned, np.array([-2.0, 2.0])), [-1, 1], atol=0.15)
    sway = [0.6, -0.6, 0.7, -0.5, 0.6, -0.7, 0.5, -0.6]
    drifting = [
        forecast(i + 1, z, drawn(rng, z + s)) for i, (z, s) in enumerate(zip(scores, sway, strict=True))
    ]
    # Shrinking is right when the base rate sways; moving the level would chase the drift.
    assert learn_calibrator(drifting, {"boosted": 1.0}, window)[0] in ("none", "temperature")


def test_a_fold_that_lacks_a_member_of_the_blend_teaches_no_correction():
    y = np.array([0.0, 1.0] * 50)
    folds = [forecast(month, 2 * y - 1, y) for month in range(1, 11)]
    whole = [FoldForecast(f.at, {**f.scores, "large trees": f.scores["boosted"]}, f.y) for f in folds]
    weights, window = {"boosted": 0.5, "large trees": 0.5}, np.timedelta64(30, "D")
    assert learn_calibrator([*whole[:6], *folds[6:]], weights, window) == learn_calibrator(
        whole[:6], weights, window
    )


def test_calibrators_never_fall():
    z = np.linspace(-20, 20, 500)
    assert all((np.diff(calibrate(c, z)) >= 0).all() for c in CALIBRATORS)


def test_fading_trees_follow_what_has_changed():
    """Until the last quarter one sign tells who leaves, and then the opposite."""
    rng = np.random.default_rng(9)
    days = np.datetime64("2025-01-01") + np.timedelta64(30, "D") * np.arange(13)
    sign = rng.choice([-1.0, 1.0], 13 * 400)
    at = np.repeat(np.arange(13), 400)
    y = drawn(rng, np.where(at > 8, 2.0, -2.0) * sign)
    X = pd.DataFrame({"sign": sign, "noise": rng.normal(size=len(y))}).astype("float32")
    whole = Sample(X, y, np.tile(np.arange(400), 13).astype(str), days[at])
    settings = Settings(horizon_days=30, contractual=True)
    scores = fit_members(whole.rows(at < 12), settings, 1, optional=(FADING,)).scores(X[at == 12])
    loss = {n: mean_loss(y[at == 12], scores[n]) for n in ("boosted", FADING)}
    assert loss[FADING] < 0.6
    assert loss["boosted"] > 0.69


@pytest.mark.parametrize(
    "settings", [Settings(horizon_days=30), Settings(horizon_days=365, contractual=True)]
)
def test_nothing_fades_without_contracts_or_within_one_window(settings, sample):
    assert FADING not in fit_members(sample, settings, 1, optional=(FADING,)).members


def test_large_trees_learn_an_interaction_that_small_ones_miss():
    """One row a customer; who leaves is a matter of three signs at once."""
    rng = np.random.default_rng(4)
    X = pd.DataFrame({f"x{i}": rng.normal(size=2_400) for i in range(8)}).astype("float32")
    z = 2.5 * np.sign(X["x0"] * X["x1"] * X["x2"]).to_numpy()
    y, day = drawn(rng, z), np.full(2_400, np.datetime64("2026-01-01"))
    whole = Sample(X, y, np.arange(2_400).astype(str), day)
    first = np.arange(2_400) < 1_800
    scores = fit_members(whole.rows(first), Settings(horizon_days=30), 1).scores(X[~first])
    loss = {n: mean_loss(y[~first], scores[n]) for n in ("boosted", "large trees")}
    assert loss["large trees"] < 0.75 * loss["boosted"]


def test_blocks_of_rows_give_the_same_probabilities(monkeypatch):
    sample = random_sample()
    parts = fit_members(sample, SETTINGS, 1)
    model = FittedModel.assemble(parts, {"boosted": 0.6, "linear": 0.4}, {"kind": "none"})
    whole = model.probability(sample.X, 2)
    monkeypatch.setattr(classifier, "BLOCK", 101)
    np.testing.assert_array_equal(model.probability(sample.X, 2), whole)


@pytest.mark.parametrize("rows", [1_000, 40_000, 400_000])
def test_a_fit_of_more_seeds_or_large_trees_costs_more_but_not_what_is_fitted_once(rows):
    def cost(**change):
        return cost_of_fit(**{"rows": rows, "columns": 40, "rate": 0.3, "seeds": 1, "large": 0.0} | change)

    assert cost() < cost(seeds=3) < 3 * cost()
    assert cost() < cost(large=0.5) < cost(large=1.0)
    # Of twice the rows a small tree draws the same number once they hold enough of the rarer class.
    assert cost() < cost(rows=2 * rows) < 2 * cost()
    assert cost(columns=100) <= cost()
