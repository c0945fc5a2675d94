"""Rankings by effect on a real randomised test (Hillstrom 2008, outcome visit), out of fold.

    python -m benchmarks.uplift --seeds 5
    python -m benchmarks.uplift --file TEST.parquet --treatment COLUMN --outcome COLUMN --features A,B,C

For each ranking: Q (visits per 1,000 customers above random targeting, mean over the depth), the effect per 1,000 in
the top 10, 20 and 30 %, each with a 95 % bootstrap interval over rows, and the slope of observed on predicted
effects. `churn` is the product's model of a contact's effect (`models.effects.contact`), given the trial as its ledger
gives it a night's randomised customers. Lines of causalml and econml come when these libraries can be imported. The
data are read from CHURN_DATASETS (default ../shared/datasets), or from any other test: CSV or Parquet, one row a
customer, treatment and outcome 0 or 1, the treatment with the same chance for all.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import uplift_learners as learners
from benchmarks.uplift_qini import Trial, bootstrap, curve
from configs.arrays import Floats
from models.effects import columns as cols
from models.effects.contact import ContactEffect, Drawn, Situation, fit_contact_effect
from models.prediction.classifier import learn_columns
from models.prediction.scoring import encode
from pipeline.outcomes.situation import inputs_of

ROOT = Path(__file__).parents[1]
COLUMNS = ["recency", "history", "mens", "womens", "zip_code", "newbie", "channel"]
FOLDS = 5
DEPTHS = (0.1, 0.2, 0.3)
# What is believed before the trial: a contact keeps so many of the leavers. It hardly matters with thousands of rows.
SAVED = 0.1
LEAST_NOISE = 0.02
Rank = Callable[[Trial, pd.DataFrame, int], Floats]


def hillstrom(arm: str | None) -> Trial:
    """One e-mail against none, or any e-mail when `arm` is None."""
    folder = Path(os.environ.get("CHURN_DATASETS", ROOT.parent / "shared" / "datasets"))
    rows = pd.read_parquet(folder / "hillstrom" / "hillstrom.parquet")
    if arm is not None:
        rows = rows[rows["segment"].isin([arm, "No E-Mail"])]
    treated = (rows["segment"] != "No E-Mail").to_numpy(np.float64)
    share = np.full(len(rows), treated.mean())
    return Trial(rows[COLUMNS].reset_index(drop=True), treated, rows["visit"].to_numpy(np.float64), share)


def other(file: Path, treatment: str, outcome: str, features: str) -> Trial:
    """A test from a file; features are all other columns when none are named."""
    rows = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    names = features.split(",") if features else [c for c in rows if c not in (treatment, outcome)]
    treated = rows[treatment].to_numpy(np.float64)
    share = np.full(len(rows), treated.mean())
    return Trial(rows[names].reset_index(drop=True), treated, rows[outcome].to_numpy(np.float64), share)


def _random(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    return np.random.default_rng(seed).random(len(test))


def _risk(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    columns = learn_columns(trial.X)
    X = encode(columns, trial.X)
    basis, off = learners.learn_basis(X), trial.treated == 0
    D = learners.with_one(learners.terms(basis, X))
    c = learners.shrunk(D[off], trial.outcome[off], trial.weight[off], [-1, *[0] * (D.shape[1] - 1)], "logit")
    return -(learners.with_one(learners.terms(basis, encode(columns, test))) @ c)


def _recency(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    return -test["recency"].to_numpy(np.float64)


def _learner(name: str) -> Rank:
    def rank(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
        columns = learn_columns(trial.X)
        X = encode(columns, trial.X)
        basis = learners.learn_basis(X)
        document = learners.LEARNERS[name](learners.terms(basis, X), trial)
        return learners.effect(document, learners.terms(basis, encode(columns, test)))

    return rank


def _product(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    inputs = inputs_of(trial.X, list(trial.X))
    columns = cols.learn_terms(inputs)
    D = learners.with_one(cols.terms_of(columns, inputs))
    c = learners.shrunk(D, trial.outcome, np.ones(len(trial)), [-1, *[0] * (D.shape[1] - 1)], "logit")

    def seen(inputs: pd.DataFrame) -> tuple[Floats, Situation]:
        odds = learners.with_one(cols.terms_of(columns, inputs)) @ c
        m = learners.mean_of("logit", odds)
        one = np.ones(len(m))
        return m, Situation.of(m, one, one, 0 * one, inputs.assign(log_odds=odds))

    m, situation = seen(inputs)
    drawn = Drawn(
        situation,
        np.zeros(len(trial), np.int64),
        trial.treated,
        trial.propensity,
        residual=trial.outcome - m,
        noise=np.maximum(m * (1 - m), LEAST_NOISE),
        share=np.ones(len(trial)),
    )
    learned = fit_contact_effect(ContactEffect.prior({"contact": SAVED}), drawn)
    return learned.effect(seen(inputs_of(test, list(test)))[1])[0][:, 0]


def _numbers(trial: Trial, test: pd.DataFrame) -> tuple[Floats, Floats]:
    columns = learn_columns(trial.X)
    return encode(columns, trial.X), encode(columns, test)


def _causalml(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    from causalml.inference.tree import UpliftRandomForestClassifier

    X, X_test = _numbers(trial, test)
    arm = np.where(trial.treated == 1, "treated", "control")
    forest = UpliftRandomForestClassifier(
        "control", n_estimators=100, min_samples_leaf=200, random_state=seed
    )
    forest.fit(X, arm, trial.outcome.astype(int))
    return np.asarray(forest.predict(X_test)).reshape(len(test), -1)[:, 0]


def _econml(trial: Trial, test: pd.DataFrame, seed: int) -> Floats:
    from econml.dml import CausalForestDML

    X, X_test = _numbers(trial, test)
    forest = CausalForestDML(
        discrete_treatment=True, n_estimators=400, min_samples_leaf=100, random_state=seed, n_jobs=2
    )
    forest.fit(trial.outcome, trial.treated, X=X)
    return np.asarray(forest.effect(X_test)).ravel()


def rankings(columns: list[str]) -> dict[str, tuple[Rank, bool]]:
    """Name to (how to rank, whether its values are effects and so have a slope)."""
    found: dict[str, tuple[Rank, bool]] = {
        "random": (_random, False),
        "risk": (_risk, False),
        **{name: (_learner(name), True) for name in learners.LEARNERS},
        "churn": (_product, True),
    }
    if "recency" in columns:
        found["low recency"] = (_recency, False)
    for library, rank in (("causalml", _causalml), ("econml", _econml)):
        if find_spec(library):
            found[library] = (rank, True)
    return found


def out_of_fold(rank: Rank, trial: Trial, seed: int) -> Floats:
    """Predictions of each row by a model that has not seen it, levelled between the folds."""
    fold = np.random.default_rng(seed).permutation(len(trial)) % FOLDS
    said = np.zeros(len(trial))
    for k in range(FOLDS):
        use = np.flatnonzero(fold == k)
        said[use] = rank(trial.rows(np.flatnonzero(fold != k)), trial.X.iloc[use], seed)
        said[use] -= said[use].mean()
    return said


def noisy_effects(trial: Trial) -> Floats:
    """Unbiased noisy effects of the rows; what they are compared with is learned out of fold."""
    X = encode(learn_columns(trial.X), trial.X)
    fold, seen = np.random.default_rng(99).permutation(len(trial)) % FOLDS, np.zeros(len(trial))
    for k in range(FOLDS):
        fit, use = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        basis = learners.learn_basis(X[fit])
        document = learners.t_learner(learners.terms(basis, X[fit]), trial.rows(fit))
        seen[use] = learners.row_effects(document, learners.terms(basis, X[use]), trial.rows(use))
    return seen


def lines(trial: Trial, seeds: int, draws: int) -> Iterator[str]:
    """One line a ranking; values are means over the seeds, intervals those of the first seed's, moved there."""
    seen = noisy_effects(trial)
    for name, (rank, is_effect) in rankings(list(trial.X.columns)).items():
        begun, values, low, high = time.perf_counter(), [], None, None
        for seed in range(seeds):
            said = out_of_fold(rank, trial, seed)
            by_depth = curve(said, trial)
            slope = float(said @ seen / (said @ said)) if is_effect and said.any() else np.nan
            values.append([by_depth.q[0], *(1000 * by_depth.top(d)[0] for d in DEPTHS), slope])
            if seed == 0:
                drawn = bootstrap(said, trial, 1, draws)
                each = np.stack([drawn.q, *(1000 * drawn.top(d) for d in DEPTHS)])
                low, high = np.quantile(each, [0.025, 0.975], axis=1) - np.array(values[0][:4])
        mean = np.mean(values, axis=0)
        cells = [f"{m:5.1f} [{m + a:5.1f}, {m + b:5.1f}]" for m, a, b in zip(mean, low, high, strict=False)]
        seconds = (time.perf_counter() - begun) / seeds
        yield f"{name:12} {'  '.join(cells)}  {'' if np.isnan(mean[4]) else f'{mean[4]:.2f}':5} {seconds:6.1f} s"


def main() -> None:
    """Print a table for each comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--treatment", default="treatment")
    parser.add_argument("--outcome", default="outcome")
    parser.add_argument("--features", default="")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.file:
        trials = {given.file.name: other(given.file, given.treatment, given.outcome, given.features)}
    else:
        trials = {
            "women's e-mail against none": hillstrom("Womens E-Mail"),
            "men's e-mail against none": hillstrom("Mens E-Mail"),
            "any e-mail against none": hillstrom(None),
        }
    for title, trial in trials.items():
        if not learners.binary(trial.outcome):
            parser.error(f"{title}: --outcome {given.outcome} must be 0 or 1 in every row")
        print(f"\n{title}: {len(trial):,} rows, average effect {1000 * trial.average():.1f} per 1,000")
        head = "".join(f"{h:23}" for h in ("Q", *(f"top {d:.0%}" for d in DEPTHS)))
        print(f"{'ranking':13}{head}slope")
        for line in lines(trial, given.seeds, given.draws):
            print(line, flush=True)


if __name__ == "__main__":
    main()
