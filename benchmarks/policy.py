"""Half a year and a year of weekly lists on simulated companies: what each policy gains, of what is possible.

    python -m benchmarks.policy --seeds 10 --jobs 2                                  # all companies
    python -m benchmarks.policy --companies shops --seeds 1 --weeks 26 --policies nobody product oracle

The companies: shops (no contracts, silent leaving), contracts (renewals, four actions, each for a need of its own),
market (a contact drives many away), and variants of the shops: delay, prevent, null and small (500 customers). Every
parameter of a company's structure is drawn anew for each seed. After sixty weeks with the company's own sporadic
contacts, lists of at most 4 % of the customers come out every week; 87 % of those listed are really contacted.

Gain: worth under a policy less worth when nobody is listed, with the same chance at work. Worth: margin earned - cost
of contacts and discounts + what those who are there at the end will bring within a year. The oracle knows the hidden
state and takes, of all contacts that are truly expected to bring more than they cost, the best. Random draws lots
among the customers by the records, risk and risk x value take the product's probabilities; all three take any action.
The plain rules read the same records as the product. The product is the product: see `benchmarks.policy_product`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.policy_year import Year

COMPANIES = ("shops", "contracts", "market", "needs", "delay", "prevent", "null", "small")
FIRST = 8

Row = dict[str, object]


def company_of(name: str, seed: int, weeks: int, customers: int | None = None):
    """A company by its name."""
    from benchmarks import policy_shops
    from benchmarks.policy_company import HISTORY
    from benchmarks.policy_contracts import Contracts, Needs
    from benchmarks.policy_market import Market

    shops = (
        policy_shops.Shops,
        policy_shops.Delay,
        policy_shops.Prevent,
        policy_shops.Null,
        policy_shops.Small,
    )
    kinds = {kind.name: kind for kind in (*shops, Contracts, Needs, Market)}
    return kinds[name](seed, customers, HISTORY + weeks)


def one(job: tuple[str, int, int, int | None, tuple[str, ...]]) -> list[Row]:
    """All policies on one company at one seed."""
    os.environ.update(OMP_NUM_THREADS="1", MLFLOW_DISABLE_TELEMETRY="true")
    from benchmarks.policy_year import run

    name, seed, weeks, customers, only = job
    return rows_of(name, seed, run(company_of(name, seed, weeks, customers), weeks, only))


def rows_of(name: str, seed: int, years: Mapping[str, Year]) -> list[Row]:
    """What `table` prints, a row a policy."""
    return [
        {
            "company": name,
            "seed": seed,
            "policy": p,
            "worth": y.worth,
            "seconds": y.seconds,
            "told": y.told,
            **asdict(y.money),
            "spent": y.spent,
        }
        for p, y in years.items()
    ]


def gains(rows: list[Row], seed: int, policy: str) -> dict[int, float]:
    """Worth less that of nobody, by week."""
    worth = {r["policy"]: r["worth"] for r in rows if r["seed"] == seed}
    return {week: value - worth["nobody"][week] for week, value in worth[policy].items()}


def worst(gain: dict[int, float], first: int, last: int) -> float:
    """The lowest point from one week to another."""
    return min((g for week, g in gain.items() if first <= week <= last), default=np.nan)


def table(rows: list[Row], weeks: int) -> str:
    """One line a policy: share of the oracle's gain at 26 and at the last week, and where it was lowest.

    The last columns: the gain as a share of what is worth with nobody listed; and, as shares of the oracle's gain in
    the end and of the worst seed, the lowest point up to week 8, what contacts had cost by then, and the lowest point
    after.
    """
    seeds = sorted({int(r["seed"]) for r in rows})
    ends = sorted({26, weeks} & set(rows[0]["worth"]))
    head = "".join(f"{f'{end} weeks':>15}" for end in ends)
    lines = [f"{'':24}{head}  contacts  there  of worth  lowest to {FIRST}  spent by {FIRST}  lowest after"]
    top = {s: gains(rows, s, "oracle") for s in seeds}
    full = {s: top[s][ends[-1]] if top[s][ends[-1]] > 0 else np.nan for s in seeds}
    worth = {r["seed"]: r["worth"][ends[-1]] for r in rows if r["policy"] == "nobody"}
    for policy in dict.fromkeys(r["policy"] for r in rows):
        by = {s: gains(rows, s, policy) for s in seeds}
        cells = []
        for end in ends:
            share = np.array([by[s][end] / top[s][end] if top[s][end] > 0 else np.nan for s in seeds])
            cells.append(f"{_mean(share):+8.2f} +-{_error(share):5.2f}")
        mine = {int(r["seed"]): r for r in rows if r["policy"] == policy}
        listed = sum(int(r["listed"]) for r in mine.values())
        there = sum(int(r["still_there"]) for r in mine.values()) / listed if listed else np.nan
        low = [min(worst(by[s], a, b) / full[s] for s in seeds) for a, b in ((0, FIRST), (FIRST, 999))]
        spent = max(mine[s]["spent"].get(FIRST, np.nan) / full[s] for s in seeds)
        contacts = np.mean([int(r["contacts"]) for r in mine.values()])
        gain = np.mean([by[s][ends[-1]] / worth[s] for s in seeds])
        lines.append(
            f"{policy:24}{''.join(f'{c:>15}' for c in cells)}{contacts:10,.0f}{there:7.0%}{gain:+10.2%}"
            f"{low[0]:13.2f}{spent:12.2f}{low[1]:14.2f}"
        )
    return "\n".join(lines)


def _mean(values: np.ndarray) -> float:
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else np.nan


def _error(values: np.ndarray) -> float:
    found = values[np.isfinite(values)]
    return float(1.96 * found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else np.nan


def main() -> None:
    """Print a table for each company."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--companies", nargs="+", choices=COMPANIES, default=COMPANIES[:4])
    parser.add_argument("--policies", nargs="+", default=[], help="nobody and oracle are always among them")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--customers", type=int, help="in the beginning; drawn when not given")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    only = ("nobody", *given.policies, "oracle") if given.policies else ()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    begun = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        for name in given.companies:
            found = pool.map(one, [(name, s, given.weeks, given.customers, only) for s in seeds])
            rows = [row for rows in found for row in rows]
            print(f"\n{name}: share of the oracle's gain over nobody, {given.seeds} seeds", flush=True)
            print(table(rows, given.weeks), flush=True)
            for row in rows:
                if row["told"]:
                    print(f"seed {row['seed']}, what lasts: {row['told']}", flush=True)
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
