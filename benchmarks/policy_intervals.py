"""Do the intervals of what the list changes hold the truth, and how often does a year of nightly looks claim too much?

    python -m benchmarks.policy_intervals --seeds 200            # companies with an effect: coverage and width
    python -m benchmarks.policy_intervals --null 1000 --jobs 2   # companies without one: false claims in a year

A company's ledger is simulated, and judged by the product's functions. Customers differ in their chance of leaving, and
are not drawn again before their outcome is known; the predicted chance is wrong in level and slope, different for each
company; the chance of being listed differs between rows; the effect of a contact differs between customers and, in
every second company, falls with each contact.
"""

from __future__ import annotations

import argparse
import datetime as dt
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from configs.arrays import Floats, Ints
from models.effects.sequence import MIN_ROWS, Bounds, bounds

START = dt.date(2025, 1, 1)
HORIZON, YEAR = 60, 365
KINDS = ("survives every look", "one look at the end")


@dataclass(frozen=True)
class Ledger:
    """A year of randomised rows, oldest first; all arrays of shape (rows,).

    Parameters
    ----------
    night
        Days since the first list.
    chance
        Of being listed.
    effect
        What being listed truly adds to the chance of being kept.
    residual
        Kept, 1 or 0, less what was expected.
    """

    night: Ints
    who: Ints
    chance: Floats
    listed: Floats
    effect: Floats
    residual: Floats


def ledger(seed: int, *, null: bool) -> Ledger:
    """Draw a company and live a year of nightly lists."""
    rng = np.random.default_rng([seed, int(null)])
    people, a_night = int(rng.integers(600, 4_000)), int(rng.integers(4, 20))
    leaves = rng.beta(rng.uniform(0.6, 2), rng.uniform(2, 6), people)
    own = np.zeros(people) if null else rng.normal(rng.uniform(-0.06, 0.10), rng.uniform(0, 0.1), people)
    tires = rng.random() < 0.5
    level, slope = rng.normal(0, 0.05), rng.uniform(0.6, 1.3)
    free, contacts = np.zeros(people, np.int64), np.zeros(people, np.int64)
    columns = []
    for night in range(YEAR):
        able = np.flatnonzero(free <= night)
        who = rng.choice(able, min(a_night, len(able)), replace=False)
        chance = np.where(rng.random(len(who)) < 0.5, 0.5, rng.uniform(0.2, 0.95, len(who)))
        listed = rng.random(len(who)) < chance
        effect = own[who] / (1 + contacts[who] * tires)
        kept = rng.random(len(who)) < np.clip(1 - leaves[who] + effect * listed, 0, 1)
        true = np.clip(1 - leaves[who] + effect, 0, 1) - (1 - leaves[who])
        expected = np.clip(1 - slope * leaves[who] - level, 0.01, 0.99)
        free[who], contacts[who] = night + HORIZON, contacts[who] + listed
        columns.append((np.full(len(who), night), who, chance, listed * 1.0, true, kept - expected))
    return Ledger(*map(np.concatenate, zip(*columns, strict=True)))


def looks(found: Ledger, every: int) -> list[tuple[Bounds, float]]:
    """Bounds at each look within the year, and the true mean effect on the rows of that look."""
    weight = found.chance * (1 - found.chance)
    scores = (found.listed - found.chance) * found.residual
    target = int((found.night < HORIZON).sum()) * YEAR / HORIZON
    result = []
    for night in range(HORIZON, YEAR + 1, every):
        n = int(np.searchsorted(found.night, night - HORIZON, side="right"))
        if n >= MIN_ROWS:
            information = float(weight[:n].sum())
            truth = float(weight[:n] @ found.effect[:n]) / information
            result.append((bounds(scores[:n], information, found.who[:n], target), truth))
    return result


def covers(seed: int) -> tuple[bool, bool, float, float]:
    """Whether the truth was within at all looks, and at the last one; half widths at the end."""
    seen = looks(ledger(seed, null=False), 7)
    last, truth = seen[-1]
    return (
        all(b.low <= t <= b.high for b, t in seen),
        last.fixed_low <= truth <= last.fixed_high,
        (last.high - last.low) / 2,
        (last.fixed_high - last.fixed_low) / 2,
    )


def claims(seed: int) -> tuple[bool, bool, bool]:
    """Of a company without an effect: whether a year of nightly looks ever said that the list works, or harms.

    The third: whether somebody who looks every night at the interval for one look would have said either.
    """
    seen = [b for b, _ in looks(ledger(seed, null=True), 1)]
    return (
        any(b.helps for b in seen),
        any(b.harms for b in seen),
        any(b.fixed_low > 0 or b.fixed_high < 0 for b in seen),
    )


def main() -> None:
    """Print coverage and widths, or false claims."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=0, help="companies with an effect")
    parser.add_argument("--null", type=int, default=0, help="companies without one")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        if given.seeds:
            found = np.array(list(pool.map(covers, range(given.seeds), chunksize=10)))
            share, width = found[:, :2].mean(axis=0), 100 * found[:, 2:].mean(axis=0)
            for name, held, half in zip(KINDS, share, width, strict=True):
                print(
                    f"{name:22} holds the truth in {held:6.1%} of {given.seeds} companies, +-{half:.2f} points"
                )
            print(f"width at the end: {np.median(found[:, 2] / found[:, 3]):.2f} times that for one look")
        if given.null:
            helps, harms, naive = np.mean(list(pool.map(claims, range(given.null), chunksize=10)), axis=0)
            print(f"{given.null} companies without an effect, a year of nightly looks: ", end="")
            print(f"'it works' in {helps:.1%}, 'it harms' in {harms:.1%}")
            print(f"by the interval for one look, one of the two in {naive:.1%}")


if __name__ == "__main__":
    main()
