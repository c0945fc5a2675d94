"""How long the decision takes, and how close to the best it is: `python -m benchmarks.outreach`.

First the choice alone, among 100,000 candidates with eight actions each, four channels, many owners and a budget;
then a whole night of a company with a million customers and three million contacts.
"""

import datetime as dt
import time

import numpy as np
import pandas as pd

from configs.outreach import Outreach
from configs.playbook import load_playbook
from models.decision.assignment import Options, assign
from pipeline.outcomes.learned import Evidence, belief
from pipeline.outreach.competing import prepare
from pipeline.outreach.context import Context
from pipeline.outreach.decide import decide
from pipeline.outreach.files import outreach_files
from pipeline.outreach.reasons import Reason

DAY = dt.date(2026, 7, 1)
DRIVERS = [
    "silence",
    "falling frequency",
    "spend",
    "low feedback",
    "contact gap",
    "usage",
    "tenure",
    "complaints",
]


def clocks():
    """Seconds of the wall's clock, and of all threads of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def candidates(size, owners, customers=100_000, actions=8):
    rng = np.random.default_rng(1)
    at_risk = rng.beta(2, 5, customers) * rng.lognormal(5, 1, customers)
    cost = rng.uniform(0.2, 15, actions)
    gain = (at_risk[:, None] * rng.uniform(0.02, 0.15, (customers, actions)) - cost).ravel()
    kept = gain > 0
    groups = [
        (np.tile(np.arange(actions) % 4, customers)[kept], np.array([0.2, 0.3, 0.4, 0.5]) * size),
        (
            np.repeat(rng.integers(0, owners, customers), actions)[kept],
            np.full(owners, np.ceil(1.2 * size / owners)),
        ),
    ]
    unit = np.repeat(np.arange(customers), actions)[kept]
    return Options(unit, gain[kept], np.tile(cost, customers)[kept], groups)


def company(customers):
    rng = np.random.default_rng(0)
    ids = np.array([f"{i:07d}" for i in range(customers)])

    def number(values):
        return values.astype(np.float32)

    scores = pd.DataFrame(
        {
            "customer_id": pd.Series(ids, dtype="str"),
            "churn_probability": rng.beta(2, 5, customers),
            "net_spend_180d": number(rng.lognormal(5, 1, customers)),
            "net_spend_before_180d": number(rng.lognormal(5, 1, customers)),
            "kept_spend_share_180d": number(np.ones(customers)),
            "tenure_days": number(rng.uniform(1, 2_000, customers)),
            "recency_ratio": number(rng.lognormal(0, 1, customers)),
            "contact_gap_ratio": number(rng.lognormal(0, 1, customers)),
            "contact_outbound_gap_days": number(rng.uniform(1, 200, customers)),
            "purchase_count_ever": number(rng.poisson(6, customers)),
        }
    )
    rows = 3 * customers
    ago = pd.to_timedelta(rng.integers(1, 200 * 86_400, rows), unit="s")
    contacts = pd.DataFrame(
        {
            "customer_id": ids[rng.integers(0, customers, rows)],
            "occurred_at": pd.Timestamp(DAY) - ago,
            "channel": rng.choice(["phone", "email", "chat"], rows),
            "direction": rng.choice(["inbound", "outbound"], rows),
            "agent": rng.choice(["Eva", "Tom", "Ann"], rows),
        }
    )
    return scores, contacts


def main():
    print("choice among 100,000 candidates")
    print(f"{'options':>9} {'list':>6} {'owners':>6} {'budget':>7} {'seconds':>8} {'below the bound':>16}")
    for size, owners, budget in (
        (200, 30, 600),
        (1_000, 30, np.inf),
        (1_000, 300, 3_000),
        (5_000, 30, 15_000),
    ):
        options = candidates(size, owners)
        start = time.perf_counter()
        found = assign(options, size, budget)
        took = time.perf_counter() - start
        short = 1 - found.gain / found.bound
        print(f"{len(options.gain):9,} {size:6,} {owners:6} {budget:7,.0f} {took:8.1f} {short:16.4%}")
    scores, contacts = company(1_000_000)
    settings = Outreach(
        capacity=500,
        channel_capacity={"phone": 150},
        owner_capacity={"default": 120},
        budget=2_500,
        hour_cost=5,
        start="full",
    )
    playbook = load_playbook()
    context = Context(DAY, settings, playbook, b"key", 60, belief(playbook), Evidence())
    rng = np.random.default_rng(3)
    start = clocks()
    prepared = prepare(scores, context, columns=list(scores.columns[2:]), contacts=contacts)
    ready = clocks()
    why = [
        tuple(Reason(driver, f"because of {driver}", 0.5) for driver in rng.choice(DRIVERS, 3, replace=False))
        for _ in prepared.candidates
    ]
    again = clocks()
    decision = decide(prepared, why)
    decided = clocks()
    files = outreach_files(prepared, decision, "benchmark")
    done = clocks()
    print("a night with 1,000,000 customers and 3,000,000 contacts")
    for part, (begun, ended) in {
        "prepare": (start, ready),
        "decide": (again, decided),
        "files": (decided, done),
    }.items():
        wall, cpu = ended - begun
        print(f"{part:8s} {wall:6.1f} s {cpu:6.1f} CPU s")
    print(
        f"{len(decision.chosen)} listed, {sum(map(len, files.values())) / 1e6:.0f} MB in {len(files)} files"
    )


if __name__ == "__main__":
    main()
