"""A small company and a small playbook for the tests of the outreach list."""

import datetime as dt

import numpy as np
import pandas as pd

from configs.outreach import Outreach
from configs.playbook import Playbook
from pipeline.outreach.context import Context
from pipeline.outreach.decide import decide, prepare
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


def night(
    scores, book=None, *, key=b"key", as_of=DAY, save_rates=None, why=None, drivers=("silence",), **given
):
    """The decision; settings of the section by name, other arguments of `prepare` too."""
    direct = {"contacts", "facts", "history", "listed", "effect"}
    settings = Outreach.model_validate(
        {"exploration": 0, "control": {"share": 0}, "value": {"method": "own"}}
        | {name: value for name, value in given.items() if name not in direct}
    )
    context = Context(as_of, settings, book or playbook(), key, 60, save_rates or {})
    inputs = {name: value for name, value in given.items() if name in direct}
    if "listed" in inputs:
        inputs["do_not_contact"] = inputs.pop("listed")
    prepared = prepare(scores, context, **inputs)
    reasons = tuple(Reason(driver, f"because of {driver}", 0.5) for driver in drivers)
    return decide(prepared, why or [reasons] * len(prepared.candidates))


def rules(decision):
    return dict(zip(decision.suppressed["customer_id"], decision.suppressed["rules"], strict=True))


def contacts(*rows):
    names = ["customer_id", "occurred_at", "channel", "direction", "agent", "topic", "resolved_at"]
    frame = pd.DataFrame([row + (None,) * (len(names) - len(row)) for row in rows], columns=names)
    return frame.assign(
        occurred_at=pd.to_datetime(frame["occurred_at"]), resolved_at=pd.to_datetime(frame["resolved_at"])
    )
