"""How much of a perfect list's gain the records can show at all, whoever reads them.

    python -m benchmarks.policy_bound --seeds 2 --first-seed 10 --customers 2000

The companies of `benchmarks.policy`, half a year without lists. Every fourth week the true gain of each contact is
computed from the hidden state, and trees are fitted to it on the product's own columns, the customers of a fifth left
out each time: a list by these estimates knows the truth of four fifths of the customers, and of the others what their
records say. No policy that learns from outcomes can know as much, so its share of the perfect list's gain is what
the shares in `benchmarks.policy` are to be read against.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

FOLDS, WEEKS, EVERY = 5, 26, 4
TREES = {"n_estimators": 150, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 30}
DRAWN = {"subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.5, "verbose": -1, "n_jobs": 2}


def bound(name: str, seed: int, customers: int | None) -> tuple[float, dict[str, float]]:
    """Share of the perfect list's gain, mean over the weeks, and the part of it that each action brings."""
    from benchmarks.policy import company_of
    from benchmarks.policy_company import HISTORY, NOBODY
    from benchmarks.policy_year import settled

    company = company_of(name, seed, WEEKS, customers)
    with tempfile.TemporaryDirectory() as folder:
        setting = settled(company, Path(folder) / "history")
        lists, state = [], setting.state
        records, product = _installed(setting, Path(folder) / "product")
        for week in range(HISTORY, HISTORY + WEEKS):
            if (week - HISTORY) % EVERY == 0:
                records.customers(state, week)
                lists.append(_known(product, company, state, week))
            state, events = company.week(state, week, np.full(len(company.born), NOBODY), None)
            records.note(week, events)
    columns = pd.concat([known for known, _ in lists], ignore_index=True)
    gains = np.vstack([gain for _, gain in lists])
    told, brought = _told(columns, gains), np.zeros(gains.shape[1])
    week_of, perfect = np.repeat(np.arange(len(lists)), [len(gain) for _, gain in lists]), 0.0
    for number in range(len(lists)):
        here, guess = gains[week_of == number], told[week_of == number]
        perfect += np.sort(np.maximum(here.max(axis=1), 0))[-setting.capacity :].sum()
        best = np.argsort(-guess.max(axis=1), kind="stable")[: setting.capacity]
        best = best[guess[best].max(axis=1) > 0]
        action = guess[best].argmax(axis=1)
        np.add.at(brought, action, here[best, action])
    parts = dict(zip(company.means, (brought / perfect).tolist(), strict=True))
    return float(brought.sum() / perfect), parts


def _installed(setting, folder: Path):
    """The product on the company's records, trained when its first list is due."""
    from benchmarks.policy_company import HISTORY, day_of
    from benchmarks.policy_product import SMALL, Product
    from benchmarks.policy_year import records_of

    records = records_of(setting, folder)
    records.customers(setting.state, HISTORY)
    product = Product(records.config(setting.capacity, SMALL), setting.company.seed)
    product.train(day_of(HISTORY))
    return records, product


def _known(product, company, state, week: int) -> tuple[pd.DataFrame, np.ndarray]:
    """What the records tell of each customer, and the true gain of each action; of who is gone only the cost."""
    from benchmarks.policy_company import day_of

    columns, probability = product.seen(day_of(week))
    place = pd.Series(np.arange(len(company.ids)), company.ids)[columns["customer_id"]].to_numpy()
    gain = company.gains(state, week)[place]
    numbers = columns.drop(columns=["customer_id", "snapshot"])
    words = numbers.select_dtypes(exclude="number").columns
    numbers = numbers.astype(dict.fromkeys(words, "category")).assign(
        churn_probability=probability, who=place
    )
    return numbers, np.where(np.isfinite(gain), gain, -company.costs)


def _told(columns: pd.DataFrame, gains: np.ndarray) -> np.ndarray:
    """Estimates of the gains, shape (rows, actions), each by trees that have not seen the customer."""
    import lightgbm as lgb

    fold, scale = pd.util.hash_array(columns["who"].to_numpy()) % FOLDS, np.abs(gains).mean()
    known, told = columns.drop(columns="who"), np.zeros_like(gains)
    for part in range(FOLDS):
        out = fold == part
        for action in range(gains.shape[1]):
            trees = lgb.LGBMRegressor(**TREES, **DRAWN).fit(known[~out], gains[~out, action] / scale)
            told[out, action] = trees.predict(known[out])
    return told


def main() -> None:
    """One line a company and seed."""
    from benchmarks.policy import COMPANIES

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--companies", nargs="+", choices=COMPANIES, default=COMPANIES[:3])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--customers", type=int, help="in the beginning; drawn when not given")
    given = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="2", MLFLOW_DISABLE_TELEMETRY="true")
    for name in given.companies:
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            share, parts = bound(name, seed, given.customers)
            by = ", ".join(f"{action} {part:+.2f}" for action, part in parts.items())
            print(f"{name:12}{seed:3}{share:+7.2f}   {by}", flush=True)


if __name__ == "__main__":
    main()
