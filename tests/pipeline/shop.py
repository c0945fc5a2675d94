"""A shop of purchases and plans on files, and its tables as the commands show them."""

import datetime as dt

import numpy as np
import pandas as pd

from pipeline.retention.registry import table_of
from pipeline.retention.results import asked, result_of

AS_OF = dt.date(2024, 7, 1)
GOALS = [{"metric": "adjusted_rate", "at_least": 65}, {"metric": "engagement", "change": "rising"}]


def purchases(customers=120, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        days = np.cumsum(rng.exponential(rng.gamma(2, 15) + 3, 80)) + rng.uniform(0, 200)
        rows += [(f"{k:03d}", float(d), float(rng.integers(5, 90))) for d in days[days < 540]]
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    at = pd.Timestamp("2023-01-08") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame.assign(occurred_at=at.dt.floor("s"))


def people(customers=120, seed=0):
    rng = np.random.default_rng(seed)
    ids = [f"{k:03d}" for k in range(customers)]
    mails = [f"{k}@example.org" for k in ids]
    return pd.DataFrame({"customer_id": ids, "plan": rng.choice(["basic", "plus"], customers), "mail": mails})


def maker(tiny):
    """The config of the shop: `make(goals, segments, margin, more of the section retention)`."""

    def make(goals=GOALS, segments=("plan",), margin=1.0, **more):
        return tiny(
            transactions=purchases(),
            customers=people(),
            mapped={"customers": {"customer_id": "customer_id"}},
            settings={"customers": {"attributes": ["plan"], "facts": ["mail"]}},
            sections={
                "margin": margin,
                "retention": {"goals": list(goals), "segments": list(segments), **more},
            },
        )

    return make


def result(name, config, *, out=None, picture=None, own=None, **scope):
    """What `churn retention NAME` prints; `own` are the table's own options."""
    table = table_of(name)
    question = asked(table, config, AS_OF, **scope)
    return result_of(table.show(question, **(own or {})), question, out, picture)
