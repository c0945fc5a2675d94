"""Companies with contracts whose past repeats itself, or does not: what the choice of the members' shares is worth.

    python -m benchmarks.calendars
    python -m benchmarks.calendars --companies wave drift --seeds 1

Each company is drawn anew: 4,000 contracts over five years, 24 monthly snapshots, a horizon of 60 days. Printed are the
means over the four test snapshots: log loss of the churn rate alone, of equal shares of the small trees, and of the
model; lift of the top tenth and ECE of the latter two.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tasks import Told, history
from configs.schema import load_config
from models.backtest.best_members import blended
from models.backtest.recipe import run_recipe
from models.prediction.blend import equal_shares
from pipeline.result import table
from pipeline.training.train import backtest_settings

CUSTOMERS, DAYS, WEEK, YEAR = 4_000, 5 * 365, 7, 365
FIRST, AS_OF = np.datetime64("2021-01-01"), dt.date(2025, 6, 1)
CALM = -6.9
CONFIG = """\
name: calendars
as_of: 2025-06-01
churn: {kind: contractual, horizon_days: 60}
snapshots: {step_days: 30, max_count: 24}
sources:
  customers:
    uri: customers.parquet
    columns: {customer_id: customer_id, started_at: started_at, ended_at: ended_at}
    attributes: [plan, region, age, price]
"""
Floats = np.ndarray
# Log-odds that are added: day since the first, days as a customer, whether in a wave of starts that ends.
Change = Callable[[int, Floats, Floats], Floats]


def _wave(height: float) -> Change:
    return lambda day, tenure, ends: np.where(ends & (tenure > YEAR) & (tenure < YEAR + 75), height, 0.0)


def _renewal(day: int, tenure: Floats, ends: Floats) -> Floats:
    return np.where((tenure % YEAR < 28) & (tenure > 300), 3.5, 0.0) - 1.5


# Name to what changes, the share of customers who start in January, and the years whose starts end after one.
COMPANIES: dict[str, tuple[Change, float, tuple[int, ...]]] = {
    "last wave fails to come": (_wave(3.8), 0.75, (0, 1, 2)),
    "wave": (_wave(3.3), 0.45, (1, 2)),
    "rise of prices": (lambda day, tenure, ends: 1.6 * (3 * YEAR + 60 < day < 3 * YEAR + 150), 0.0, ()),
    "drift": (lambda day, tenure, ends: 1.2 * np.sin(2 * np.pi * day / 1_100), 0.0, ()),
    "fall": (lambda day, tenure, ends: -1.2 * (day > 3.7 * YEAR), 0.0, ()),
    "season": (lambda day, tenure, ends: np.sin(2 * np.pi * day / YEAR), 0.0, ()),
    "renewals": (_renewal, 0.0, ()),
    "steady": (lambda day, tenure, ends: 0.0, 0.0, ()),
}


def contracts(name: str, seed: int) -> pd.DataFrame:
    """Draw a company's contracts: `started_at`, `ended_at` and four attributes, of which one tells nothing."""
    change, share, years = COMPANIES[name]
    rng = np.random.default_rng(seed)
    start = rng.integers(-YEAR, DAYS, CUSTOMERS).astype(float)
    in_wave, year = rng.random(CUSTOMERS) < share, rng.integers(0, 5, CUSTOMERS)
    start[in_wave] = (year * YEAR + rng.integers(0, 45, CUSTOMERS))[in_wave]
    ends = in_wave & np.isin(year, years)
    plan = rng.choice(["basic", "plus", "pro"], CUSTOMERS, p=[0.5, 0.3, 0.2])
    age, price = rng.normal(45, 12, CUSTOMERS).round(), rng.gamma(4, 10, CUSTOMERS).round(2)
    own = CALM + 0.5 * (plan == "basic") + 0.008 * (price - 40) - 0.015 * (age - 45)
    own += rng.normal(0, 0.4, CUSTOMERS)
    end = np.full(CUSTOMERS, np.inf)
    for day in range(0, DAYS, WEEK):
        tenure = day - start
        new = np.maximum(tenure, 0)
        z = own + 0.8 * np.exp(-new / 120) - 0.3 * np.log1p(new / YEAR) + change(day, tenure, ends)
        leaves = np.isinf(end) & (tenure >= 0) & (rng.random(CUSTOMERS) < 1 - np.exp(-WEEK * np.exp(z)))
        end[leaves] = day + rng.integers(1, WEEK + 1, int(leaves.sum()))
    moments = [
        pd.Series(FIRST + pd.to_timedelta(days, unit="D"))
        for days in (start, np.where(np.isinf(end), np.nan, end))
    ]
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(CUSTOMERS)],
            "started_at": moments[0],
            "ended_at": moments[1],
            "plan": plan,
            "region": rng.choice(list("nsew"), CUSTOMERS),
            "age": age,
            "price": price,
        }
    )


def judged(name: str, seed: int) -> list[str]:
    """Draw, train, and give one row of the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        contracts(name, seed).to_parquet(folder / "customers.parquet")
        (folder / "calendars.yaml").write_text(CONFIG, encoding="utf-8")
        config = load_config(folder / "calendars.yaml", {})
        sample = history(config, AS_OF)
    training = run_recipe(sample, backtest_settings(config), config.model.test_snapshots, lambda line: None)
    figures = []
    for tested in training.tested:
        usual = blended(tested, equal_shares(tested.probability))
        told = [tested.probability["base rate"], usual, tested.probability["model"]]
        figures.append([Told(tested.y, p, 0.0).figures for p in told])
    nothing, before, after = np.mean(figures, axis=0)
    shares = ", ".join(f"{n} {share:.2f}" for n, share in training.deployed.weights.items())
    return [
        f"{name}, {seed}",
        *(f"{row[2]:.4f}" for row in (nothing, before, after)),
        *(f"{row[4]:.2f}" for row in (before, after)),
        *(f"{row[3]:.3f}" for row in (before, after)),
        shares,
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--companies", nargs="+", default=list(COMPANIES), choices=list(COMPANIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    asked = parser.parse_args()
    header = [
        "company, seed",
        "base rate",
        "equal",
        "model",
        "lift",
        "",
        "ECE",
        "",
        "shares of the deployed model",
    ]
    rows = [judged(name, seed) for seed in asked.seeds for name in asked.companies]
    print(table(header, rows))


if __name__ == "__main__":
    main()
