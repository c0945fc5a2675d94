"""Twelve simulated months of lists against known effects: what the policy keeps, and whether its measurement is true.

    python -m benchmarks.policy --seeds 10            # kept value of each policy, and contaminated labels
    python -m benchmarks.policy --coverage 100        # does the effect's 95 % interval cover the truth?

A company of four hidden kinds of customers: persuadable, sure to stay, lost, and driven away by a contact. Each leaves
by a weekly hazard that its kind, a mood that moves from week to week, and a contact in the last eight weeks decide.
Lists are weekly, not nightly, so that a year takes seconds; a listing becomes a contact in 85 of 100 cases. Half a
year without lists comes first, for the first risk model. Kept value is the sum over the contacts of value x (chance of
leaving within eight weeks without the contact - with it) - cost. The oracle knows both chances, the hidden kind
included; no model can.

The product's policy is made of the product's parts: `models.effects.uplift`, `models.effects.control_group` and
`pipeline.outcomes.drawn`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from models.effects.uplift import Uplift, fit_uplift
from numpy.typing import NDArray

from benchmarks.policy_world import (
    COMPLIANCE,
    CONTROL_DAYS,
    COST,
    WARM_UP,
    WINDOW,
    YEAR,
    Company,
    World,
    day_of,
    sigmoid,
    world,
    year_end_truth,
)
from configs.arrays import Floats
from models.effects import learners
from models.effects.control_group import Effect, SaveRate, kept_effect, reached, save_rate
from models.effects.qini import Trial
from pipeline.outcomes.drawn import first_nights
from pipeline.outcomes.draws import control_period

REFIT = 4
PRIOR = SaveRate(2, 18)
CONTROL_SHARE, EXPLORED = 0.1, 0.1
NAMES = ("risk signal", "openness", "tenure", "value", "noise")


@dataclass
class Mind:
    """What the product has learned so far."""

    risk: Floats | None = None
    basis: dict[str, object] | None = None
    rate: SaveRate = PRIOR
    uplift: Uplift | None = None
    rows: list[pd.DataFrame] = field(default_factory=list)
    proven: int | None = None


def risk_model(X: Floats, y: Floats) -> tuple[dict[str, object], Floats]:
    """Logistic regression with shrinkage: a stand-in for the product's churn model, which is measured elsewhere."""
    basis = learners.learn_basis(X)
    D = learners.with_one(learners.terms(basis, X))
    return basis, learners.shrunk(D, y, np.ones(len(y)), [-1, *[0] * (D.shape[1] - 1)], "logit")


def predicted(basis: dict[str, object], coefficient: Floats, X: Floats) -> Floats:
    """Probabilities of `risk_model`."""
    return sigmoid(learners.with_one(learners.terms(basis, X)) @ coefficient)


def history(company: Company) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Mature rows, a window apart by half: features, left or not, contaminated by a contact, week."""
    weeks = np.arange(0, company.week - WINDOW + 1, WINDOW // 2)
    X = np.concatenate([company.seen[t] for t in weeks])
    y = np.concatenate([company.churned(t) for t in weeks]).astype(np.float64)
    ids = np.concatenate([company.ids[t] for t in weeks])
    week = np.repeat(weeks, len(company.born))
    who = np.concatenate([one[at] for one, at in zip(company.ids, company.listed, strict=True)])
    when = np.repeat(np.arange(company.week), [at.sum() for at in company.listed])
    return X, y, reached(ids, week, WINDOW, who, when), week


@dataclass
class Year:
    """A year under a policy.

    Parameters
    ----------
    gain
        Kept value less cost.
    contacts
        How many customers were contacted.
    measured
        Effect on the share kept, as `churn outcomes` measures it; None without a control group.
    truth
        The true effect on the same customers.
    """

    company: Company
    gain: float = 0.0
    contacts: int = 0
    measured: Effect | None = None
    truth: float = np.nan
    proven: int | None = None
    mind: Mind = field(default_factory=Mind)


def live(policy: str, world_: World, capacity: int, seed: int, *, with_uplift: bool = True) -> Year:
    """Half a year without lists, then a year under a policy."""
    company, rng = Company(world_), np.random.default_rng([seed, 1])
    nobody = np.zeros(world_.kind.shape[1], dtype=bool)
    for _ in range(WARM_UP):
        company.live(nobody, nobody)
    X, y, *_ = history(company)
    year = Year(company)
    year.mind.basis, year.mind.risk = risk_model(X, y)
    for week in range(WARM_UP, WARM_UP + YEAR):
        if policy == "product" and week > WARM_UP and (week - WARM_UP) % REFIT == 0:
            learn(year, with_uplift, seed)
        without, with_ = company.chances()
        value, free = company.of(world_.value), company.quiet <= week
        listed, control = choose(policy, year, without - with_, free, capacity, rng)
        if policy == "product":
            note(year, listed, control, without - with_)
        contacted = listed & world_.complies[week]
        year.gain += float(((without - with_) * value - COST)[contacted].sum())
        year.contacts += int(contacted.sum())
        # The control group rests like those on the list, or it would fill the next lists.
        company.quiet = np.where(listed | control, week + WINDOW, company.quiet)
        company.live(listed, contacted)
    for _ in range(WINDOW):
        company.live(nobody, nobody)
    if policy == "product":
        judge(year)
    return year


def choose(
    policy: str, year: Year, truth: Floats, free: NDArray[np.bool_], capacity: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """This week's list and its control group."""
    company, mind, none = year.company, year.mind, np.zeros(len(free), dtype=bool)
    if policy == "nobody":
        return none, none
    X, value = company.features(), company.of(company.world.value)
    if policy == "oracle":
        return _top(np.where(free, truth * value - COST, -np.inf), capacity, least=0.0), none
    if policy == "random":
        return _top(np.where(free, rng.random(len(free)), -np.inf), capacity, least=0.0), none
    assert mind.basis is not None
    assert mind.risk is not None
    risk = predicted(mind.basis, mind.risk, X)
    if policy in ("risk", "risk x value"):
        return _top(
            np.where(free, risk if policy == "risk" else risk * value, -np.inf), capacity, least=0.0
        ), none
    used = mind.uplift is not None and mind.uplift.used
    effect = risk * mind.rate.mean
    if used and mind.uplift:
        effect = mind.uplift.fall(known(X, risk), risk, mind.rate.mean)
    gain = np.where(free, effect * value - COST, -np.inf)
    best = _top(gain, round(capacity * (1 - EXPLORED)), least=0.0)
    drawn = _top(
        np.where((gain > 0) & ~best, rng.random(len(free)), -np.inf), capacity - int(best.sum()), least=0.0
    )
    drawn &= rng.random(len(free)) < (EXPLORED * capacity / max(int(drawn.sum()), 1))
    period = control_period(day_of(company.week), CONTROL_DAYS) - control_period(day_of(0), CONTROL_DAYS)
    alone = (best | drawn) & (company.world.control[period] < CONTROL_SHARE)
    return (best | drawn) & ~alone, alone


def known(X: Floats, risk: Floats) -> pd.DataFrame:
    """What a model of the effect sees: the features and the predicted chance of leaving."""
    return pd.DataFrame(X, columns=NAMES).assign(churn_probability=risk)


def _top(score: Floats, capacity: int, least: float) -> NDArray[np.bool_]:
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:capacity]] = True
    return chosen & (score > least)


def note(year: Year, listed: NDArray[np.bool_], control: NDArray[np.bool_], truth: Floats) -> None:
    """Write the week into the ledger."""
    company, at, mind = year.company, np.flatnonzero(listed | control), year.mind
    assert mind.basis is not None
    assert mind.risk is not None
    X = company.features()[at]
    mind.rows.append(
        known(X, predicted(mind.basis, mind.risk, X)).assign(
            as_of=day_of(company.week),
            week=company.week,
            place=at,
            customer_id=company.born[at] * len(listed) + at,
            chosen=listed[at],
            control=control[at],
            truth=truth[at] * COMPLIANCE,
        )
    )


def counted(year: Year) -> pd.DataFrame:
    """Customers who were drawn, once a control period, whose window has passed, with `kept`."""
    rows = first_nights(pd.concat(year.mind.rows, ignore_index=True), CONTROL_DAYS)
    rows = rows.loc[
        (rows["week"] <= year.company.week - WINDOW) & rows["propensity"].between(0, 1, "neither")
    ]
    kept = [not year.company.churned(t)[i] for t, i in zip(rows["week"], rows["place"], strict=True)]
    return rows.assign(kept=np.array(kept, dtype=np.float64))


def learn(year: Year, with_uplift: bool, seed: int) -> None:
    """Refit what can be refitted: risk without contaminated rows, the save rate, the effect."""
    mind, rows = year.mind, counted(year)
    X, y, contaminated, _ = history(year.company)
    mind.basis, mind.risk = risk_model(X[~contaminated], y[~contaminated])
    groups = [rows.loc[rows[name], "kept"] for name in ("chosen", "control")]
    (kept, n), (kept_0, n_0) = ((float(g.sum()), float(len(g))) for g in groups)
    mind.rate = save_rate(PRIOR, kept, n, kept_0, n_0)
    if with_uplift:
        arrays = (rows[name].to_numpy(np.float64) for name in ("chosen", "kept", "propensity"))
        mind.uplift = fit_uplift(Trial(rows[[*NAMES, "churn_probability"]], *arrays), seed, draws=200)
        if mind.uplift.used and mind.proven is None:
            mind.proven = year.company.week - WARM_UP


def judge(year: Year) -> None:
    """Measure the effect of being on the list as `churn outcomes` does, and look up the truth."""
    rows = counted(year)
    year.measured = kept_effect(
        rows["kept"].to_numpy(),
        rows["chosen"].to_numpy(bool),
        rows["propensity"].to_numpy(),
        pd.factorize(rows["customer_id"])[0],
    )
    year.truth = float(rows["truth"].mean())
    year.proven = year.mind.proven


def contamination(year: Year) -> dict[str, tuple[float, float, float]]:
    """Risk models of one year's history, with contaminated labels kept, left out, or marked by a column.

    Returns
    -------
    dict
        Predicted less true chance of leaving without a contact: mean, mean over the tenth with the highest true
        chance, and root mean square, at the end of the year.
    """
    company = year.company
    X, y, hit, _ = history(company)
    # The last weeks of a world have no window left to compute chances in: look back at the newest that has.
    now, truth = company.seen[WARM_UP + YEAR - 1], year_end_truth(company)
    top = truth >= np.quantile(truth, 0.9)
    found = {}
    for name, rows, mark in (
        ("kept", hit | True, False),
        ("left out", ~hit, False),
        ("marked", hit | True, True),
    ):
        design = np.column_stack([X, hit]) if mark else X
        basis, c = risk_model(design[rows], y[rows])
        p = predicted(basis, c, np.column_stack([now, np.zeros(len(now))]) if mark else now)
        error = p - truth
        found[name] = (float(error.mean()), float(error[top].mean()), float(np.sqrt((error**2).mean())))
    return found


def coverage(seeds: int, customers: int, capacity: int, *, with_uplift: bool) -> tuple[int, Floats]:
    """How many of the intervals cover the truth, and (estimate, truth) of each seed."""
    pairs, covered = [], 0
    for seed in range(seeds):
        year = live("product", world(1_000 + seed, customers), capacity, seed, with_uplift=with_uplift)
        assert year.measured is not None
        covered += year.measured.low <= year.truth <= year.measured.high
        pairs.append((year.measured.effect, year.truth))
    return covered, np.array(pairs)


def main() -> None:
    """Print what each policy keeps, or how often the interval covers the truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--capacity", type=int, default=250)
    parser.add_argument("--coverage", type=int, default=0)
    given = parser.parse_args()
    begun = time.perf_counter()
    if given.coverage:
        covered, pairs = coverage(given.coverage, given.customers, given.capacity, with_uplift=True)
        estimate, truth = 100 * pairs.mean(axis=0)
        print(f"{covered} of {given.coverage} intervals cover the truth")
        print(f"mean effect on the share kept {estimate:+.2f} points, truth {truth:+.2f}")
        print(f"{time.perf_counter() - begun:.0f} s")
        return
    policies = ("nobody", "random", "risk", "risk x value", "product", "oracle")
    gains: dict[str, list[float]] = {p: [] for p in policies}
    contacts: dict[str, list[int]] = {p: [] for p in policies}
    proven, errors = [], []
    for seed in range(given.seeds):
        drawn = world(seed, given.customers)
        for policy in policies:
            year = live(policy, drawn, given.capacity, seed)
            gains[policy].append(year.gain)
            contacts[policy].append(year.contacts)
            if policy == "product":
                proven.append(year.proven)
                errors.append(contamination(year))
    oracle = np.mean(gains["oracle"])
    for policy in policies:
        mean, contacted = np.mean(gains[policy]), np.mean(contacts[policy])
        error = 1.96 * np.std(gains[policy], ddof=1) / np.sqrt(given.seeds)
        print(
            f"{policy:13} {mean:10,.0f} +- {error:6,.0f} {mean / oracle:6.0%} of the oracle {contacted:7,.0f} contacts"
        )
    when = [p for p in proven if p is not None]
    print(
        f"a model of the effect is in use in {len(when)} of {given.seeds} years"
        + (f", from week {np.median(when):.0f} on" if when else "")
    )
    print("predicted less true chance of leaving (mean, top tenth, root mean square), contaminated labels")
    for name in errors[0]:
        print(f"  {name:9}" + "".join(f" {x:+.4f}" for x in np.mean([e[name] for e in errors], axis=0)))
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
