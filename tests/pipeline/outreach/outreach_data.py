"""A small company and a small playbook for the tests of the outreach list."""

import datetime as dt

import numpy as np
import pandas as pd

from configs.outreach import Outreach
from configs.playbook import Playbook
from pipeline.outcomes.learned import Evidence, belief
from pipeline.outreach.competing import prepare
from pipeline.outreach.context import Context
from pipeline.outreach.decide import decide
from pipeline.outreach.reasons import Reason

DAY = dt.date(2026, 7, 1)


def action(channel="phone", cost=1.0, rate=0.1, **more):
    return {
        "title": {"en": "Do it"},
        "channel": channel,
        "cost": cost,
        "save_rate": {"saved": rate * 100, "lost": (1 - rate) * 100},
        "when": [{"drivers": ["silence"]}],
        "message": {"en": "Quiet for {recency_days} days, says {owner}."},
        **more,
    }


def playbook(**actions):
    return Playbook.model_validate({"actions": actions or {"call": action()}})


def customers(n, seed=1, **columns):
    rng = np.random.default_rng(seed)
    given = {
        "customer_id": pd.Series([f"{i:04d}" for i in range(n)], dtype="str"),
        "churn_probability": rng.uniform(0.05, 0.95, n),
        "spend_sum_180d": rng.lognormal(5, 0.7, n),
        "recency_days": rng.uniform(1, 90, n),
        "tenure_days": np.full(n, 900.0),
    }
    frame = pd.DataFrame(given | columns)
    steady = dict.fromkeys(("net_spend_180d", "net_spend_before_180d"), frame["spend_sum_180d"])
    return frame.assign(**steady, kept_spend_share_180d=1.0)


def context(book=None, *, key=b"key", as_of=DAY, bounds=None, effect=None, nights=(), **settings):
    """What a night rests on; nobody is left alone unless `control` says so, and a value is the customer's own."""
    book = book or playbook()
    usual = {"control": {"share": 0}, "value": {"method": "own"}, "value_days": 180}
    section = Outreach.model_validate(usual | settings)
    evidence = Evidence(tuple(nights), bounds or {})
    return Context(as_of, section, book, key, 60, effect or belief(book), evidence)


def night(scores, book=None, *, why=None, drivers=("silence",), matrix=(), **given):
    """The decision; other arguments are those of `prepare` or of `context`.

    `why` gives the reasons of customers by id; the others have one for each of `drivers`. `matrix` are the columns
    that an effect may depend on.
    """
    direct = {"contacts", "facts", "history", "do_not_contact"}
    inputs = {"columns": matrix} | {name: value for name, value in given.items() if name in direct}
    rest = {name: value for name, value in given.items() if name not in direct}
    prepared = prepare(scores, context(book, **rest), **inputs)
    usual = tuple(Reason(driver, f"because of {driver}", 0.5) for driver in drivers)
    ids = prepared.customers["customer_id"].iloc[prepared.candidates]
    return decide(prepared, [(why or {}).get(name, usual) for name in ids])


def rules(decision):
    return dict(zip(decision.suppressed["customer_id"], decision.suppressed["rules"], strict=True))


def contacts(*rows):
    names = ["customer_id", "occurred_at", "channel", "direction", "agent", "topic", "resolved_at"]
    frame = pd.DataFrame([row + (None,) * (len(names) - len(row)) for row in rows], columns=names)
    return frame.assign(
        occurred_at=pd.to_datetime(frame["occurred_at"]), resolved_at=pd.to_datetime(frame["resolved_at"])
    )
