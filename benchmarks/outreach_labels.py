"""What a model learns from labels that our own list has touched, where the truth is known.

    python -m benchmarks.outreach_labels --seeds 10

A simulated company makes a list every week: of those with the highest probability x value some are listed with chance
.9, others with .5, and whoever chance keeps from it is left alone for a label window. A contact lowers the chance of
leaving. The truth is the chance of leaving without any further contact, simulated 20 times from each customer's state.
Each method is fitted on the same snapshots, and predicts the newest one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.prediction.boosted import Settings
from models.prediction.classifier import fit_members
from models.prediction.sample import Sample

Floats = NDArray[np.float64]
WEEKS, WARM, STEP, WINDOW = 100, 40, 4, 8
CAPACITY, REST, HELD = 0.06, 4, WINDOW
SURE, TRIAL = 0.9, 0.5
REPEATS = 20
CAP = 5.0


@dataclass
class Company:
    """The state of every customer, and what its records show."""

    rng: np.random.Generator
    contract: bool
    rate: Floats
    value: Floats
    mood: Floats
    alive: NDArray[np.bool_]
    since: Floats
    recent: Floats
    age: Floats
    helped_until: Floats
    born: Floats

    @classmethod
    def start(cls, n: int, contract: bool, seed: int) -> Company:
        """So many customers, who come all at once."""
        rng = np.random.default_rng(seed)
        nothing = np.zeros(n)
        return cls(
            rng,
            contract,
            rng.gamma(2.0, 0.2, n),
            rng.lognormal(4, 1, n),
            rng.normal(0, 1, n),
            np.ones(n, bool),
            nothing.copy(),
            nothing.copy(),
            nothing.copy(),
            np.full(n, -1.0),
            nothing.copy(),
        )

    def copy(self, seed: int) -> Company:
        """The same state with a future of its own."""
        return replace(
            self,
            rng=np.random.default_rng(seed),
            **{
                k: getattr(self, k).copy()
                for k in ("mood", "alive", "since", "recent", "age", "helped_until")
            },
        )

    def week(self, now: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Go on by a week; who bought, and who left."""
        n = len(self.rate)
        self.mood = 0.97 * self.mood + 0.24 * self.rng.normal(0, 1, n)
        hazard = 1 / (1 + np.exp(4.0 + 1.1 * self.mood))
        hazard = np.where(self.helped_until > now, 0.3 * hazard, hazard)
        leaves = self.alive & (self.rng.random(n) < hazard)
        self.alive &= ~leaves
        bought = self.alive & (self.rng.random(n) < 1 - np.exp(-self.rate))
        self.since = np.where(bought, 0.0, self.since + 1)
        self.recent = 0.9 * self.recent + bought
        self.age += 1
        return bought, leaves

    def renew(self, now: int) -> None:
        """Newcomers take the place of those who have gone for good."""
        gone = ~self.alive & ((self.since > 26) | self.contract)
        self.alive |= gone
        self.mood = np.where(gone, self.rng.normal(0.5, 1, len(gone)), self.mood)
        for name in ("since", "recent", "age"):
            setattr(self, name, np.where(gone, 0.0, getattr(self, name)))
        self.helped_until = np.where(gone, -1.0, self.helped_until)
        self.born = np.where(gone, now, self.born)

    def seen(self) -> pd.DataFrame:
        """What the records show: no mood, but an answer that depends on it."""
        said = self.mood + self.rng.normal(0, 0.7, len(self.mood))
        columns = {
            "since": self.since,
            "recent": self.recent,
            "age": self.age,
            "answer": said,
            "value": self.value,
        }
        return pd.DataFrame(columns)

    @property
    def customers(self) -> NDArray[np.bool_]:
        """Who counts as one: a contract that runs, or a purchase in half a year."""
        return self.alive if self.contract else self.since <= 26


@dataclass(frozen=True)
class Rows:
    """Rows of one snapshot: what is known then, the label that came, and what our list did meanwhile."""

    at: int
    who: NDArray[np.int64]
    X: pd.DataFrame
    churned: Floats
    listed: NDArray[np.bool_]
    weight: Floats
    early_listed: NDArray[np.bool_]
    early_weight: Floats
    truth: Floats
    one_truth: Floats


def history(n: int, contract: bool, seed: int) -> Iterator[Rows]:
    """Run the company with its lists, and look at each snapshot a window later."""
    company = Company.start(n, contract, seed)
    dice = np.random.default_rng(seed + 10_000)
    free_at = np.zeros(n)
    told, pending = [], []
    last = max(week for week in range(WARM, WEEKS - WINDOW) if week % STEP == 0)
    for now in range(WEEKS):
        company.renew(now)
        seen = company.seen()
        if WARM <= now <= last and now % STEP == 0:
            seeds = [1_000 * seed + 31 * now + k for k in range(REPEATS if now == last else 1)]
            futures = np.stack([_future(company.copy(each), now) for each in seeds])
            truth = (futures.mean(axis=0), futures[0])
            pending.append((now, np.flatnonzero(company.customers), seen, *truth))
        listed, chance = _list(company, seen, free_at, now, dice)
        free_at = np.where(listed, now + REST, np.where(chance > 0, now + HELD, free_at))
        company.helped_until = np.where(listed, now + 8, company.helped_until)
        event = company.week(now)[1 if contract else 0]
        told.append((listed, chance, event, company.born))
        for at, *known in [p for p in pending if p[0] + WINDOW - 1 == now]:
            meanwhile = [np.array(each) for each in zip(*told[at:], strict=True)]
            yield _rows(at, *known, contract, *meanwhile)


def _future(company: Company, now: int) -> Floats:
    """Whether each customer leaves in the window when nobody is contacted any more."""
    seen = np.zeros(len(company.rate), bool)
    for week in range(now, now + WINDOW):
        seen |= company.week(week)[1 if company.contract else 0]
    return np.where(seen, 1.0, 0.0) if company.contract else np.where(seen, 0.0, 1.0)


def _list(
    company: Company, seen: pd.DataFrame, free_at: Floats, now: int, dice: np.random.Generator
) -> tuple[NDArray[np.bool_], Floats]:
    """The week's list: the valuable and wavering by a plain rule, and some at random for the trial."""
    n = len(free_at)
    chance = np.zeros(n)
    if now < WARM:
        return np.zeros(n, bool), chance
    open_ = company.customers & (free_at <= now)
    risk = 1 / (1 + np.exp(-(-1.0 - 0.8 * seen["answer"] + 0.12 * seen["since"] - 0.1 * seen["recent"])))
    gain = np.where(open_, risk * seen["value"], -1.0)
    size = int(CAPACITY * company.customers.sum())
    best = np.argsort(-gain)[: 2 * size]
    chance[best[: int(0.6 * size)]] = SURE
    chance[best[int(0.6 * size) : int(1.4 * size)]] = TRIAL
    chance[~open_] = 0.0
    return dice.random(n) < chance, chance


def _rows(
    at: int,
    who: NDArray[np.int64],
    seen: pd.DataFrame,
    truth: Floats,
    one: Floats,
    contract: bool,
    listed: NDArray[np.bool_],
    chance: Floats,
    events: NDArray[np.bool_],
    births: Floats,
) -> Rows:
    same = births == births[0]  # a newcomer takes no part in what became of another
    listed, events, chance = listed & same, events & same, chance * same
    came = events.any(axis=0)
    churned = np.where(came, 1.0, 0.0) if contract else np.where(came, 0.0, 1.0)
    first = np.where(came, events.argmax(axis=0), WINDOW)
    # A list is made before its week goes by: one in the week of the event could still change it.
    counts = np.arange(len(events))[:, None] <= first
    alone = np.where(listed, 1.0, 1 - chance)
    return Rows(
        at,
        who,
        seen.iloc[who].reset_index(drop=True),
        churned[who],
        listed.any(axis=0)[who],
        1 / alone.prod(axis=0)[who],
        (listed & counts).any(axis=0)[who],
        1 / np.where(counts, alone, 1.0).prod(axis=0)[who],
        truth[who],
        one[who],
    )


def predictions(rows: list[Rows], settings: Settings) -> dict[str, Floats]:
    """What each method says of the newest snapshot."""
    newest, old = rows[-1], [r for r in rows if r.at + WINDOW <= rows[-1].at]
    X, y = pd.concat([r.X for r in old], ignore_index=True), np.concatenate([r.churned for r in old])

    def all_of(name: str) -> NDArray:
        return np.concatenate([getattr(r, name) for r in old])

    listed, early = all_of("listed"), all_of("early_listed")
    who = np.concatenate([r.who for r in old]).astype(str)
    days = np.repeat(np.array([r.at for r in old]), [len(r.who) for r in old]).astype("datetime64[D]")
    ones = np.ones(len(y))

    def said(
        keep: NDArray[np.bool_], weight: Floats, labels: Floats = y, flag: Floats | None = None
    ) -> Floats:
        more, then = ({}, {}) if flag is None else ({"flag": flag[keep]}, {"flag": 0.0})
        sample = Sample(X[keep].assign(**more), labels[keep], who[keep], days[keep], weight[keep])
        scores = fit_members(sample, settings, 1).scores(newest.X.assign(**then))
        return 1 / (1 + np.exp(-(scores["boosted"] + scores["linear + trees"]) / 2))

    every = np.ones(len(y), bool)
    found = {
        "truth": said(every, ones, all_of("one_truth")),
        "keep": said(every, ones),
        "exclude": said(~listed, ones),
        "mark": said(every, ones, flag=listed.astype(float)),
        "weigh": said(~listed, all_of("weight")),
    }
    found["weigh, at most 5"] = said(~listed, np.minimum(all_of("weight"), CAP))
    return found | {"weigh early": said(~early, all_of("early_weight"))}


def judged(said: dict[str, Floats], newest: Rows) -> dict[str, dict[str, float]]:
    """Mean distance to the best model, on all, on the valuable quarter at p .1 to .6 and on the riskiest tenth.

    The best model is that of the untouched labels: `root mean square` is the size of the distance to it. `error of all`
    is the mean of the predictions less the truth.
    """
    value, best = newest.X["value"].to_numpy(), said["truth"]
    middle = (value >= np.quantile(value, 0.75)) & (best >= 0.1) & (best <= 0.6)
    top = best >= np.quantile(best, 0.9)
    return {
        name: {
            "error of all": float((p - newest.truth).mean()),
            "all": float((p - best).mean()),
            "valuable, .1-.6": float((p - best)[middle].mean()),
            "top tenth": float((p - best)[top].mean()),
            "root mean square": float(np.sqrt(((p - best) ** 2).mean())),
        }
        for name, p in said.items()
    }


def main() -> None:
    """Print the table of each company."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--customers", type=int, default=3_000)
    given = parser.parse_args()
    settings = Settings(horizon_days=7 * WINDOW, threads=1, trees=80)
    for contract in (False, True):
        tables = []
        for seed in range(given.seeds):
            rows = list(history(given.customers, contract, seed))
            tables.append(pd.DataFrame(judged(predictions(rows, settings), rows[-1])).T)
        stacked = np.stack([t.to_numpy() for t in tables])
        touched = np.mean([r.listed.mean() for r in rows])
        kind = "contracts" if contract else "purchases"
        print(f"\n{kind}: the model of each label less that of untouched ones; {given.seeds} companies of")
        print(f"{given.customers:,}, {touched:.0%} of the labels touched; +- standard error of the mean")
        error = stacked.std(axis=0, ddof=1) / np.sqrt(given.seeds) if given.seeds > 1 else 0 * stacked[0]
        shown = [
            [f"{m:+.4f} +-{e:.4f}" for m, e in zip(mean, some, strict=True)]
            for mean, some in zip(stacked.mean(axis=0), error, strict=True)
        ]
        print(pd.DataFrame(shown, tables[0].index, tables[0].columns).to_string())


if __name__ == "__main__":
    main()
