"""Companies whose lists are written into the ledger by hand, for the tests of what came of them."""

import datetime as dt

import numpy as np
import pandas as pd

from pipeline.layout import layout_of
from pipeline.outcomes import ledger

NIGHT = dt.date(2026, 1, 5)
ACTION = "service_recovery"


def ids(n):
    return np.array([f"{i:04d}" for i in range(n)])


def night(
    n, listed, alone, *, propensity=0.5, probability=0.3, action=ACTION, usual=False, trial=True, **inputs
):
    """Rows of a night: `listed` and `alone` are masks over the customers, or whatever NumPy takes for one."""
    listed, alone = (np.broadcast_to(mask, n) for mask in (listed, alone))
    drawn = listed | alone
    told = [("churn_probability", probability), ("still_there", 1.0), ("rest", 2.0), ("recent_contacts", 0.0)]
    more = [[(name, float(values[i])) for name, values in inputs.items()] for i in range(n)]
    rows = pd.DataFrame(dict.fromkeys(ledger.SCHEMA.names[1:]), index=range(n))
    return rows.assign(
        customer_id=ids(n),
        churn_probability=probability,
        eligible=drawn,
        chosen=listed,
        control=alone,
        usual=alone & np.broadcast_to(usual, n),
        trial=drawn & trial,
        propensity=np.where(drawn, propensity, 0.0),
        action=np.where(drawn, action, None),
        value=100.0,
        inputs=pd.Series([told + more[i] if drawn[i] else None for i in range(n)], dtype=object),
    )


def record(config, rows, day=NIGHT):
    ledger.append(layout_of(config).ledger, day, rows)


def subscribers(tiny, ended, *, contacts=None, churn=None, **more):
    """A company of contracts: `ended` is the day of the ending of each customer, None for those who stay."""
    lines = [
        f"{c},2025-0{1 + i % 6}-01,{'' if e is None else e}"
        for i, (c, e) in enumerate(zip(ids(len(ended)), ended, strict=True))
    ]
    roles = {"customers": "customer_id,started_at,ended_at\n" + "\n".join(lines) + "\n"}
    if contacts is not None:
        roles["contacts"] = "customer_id,occurred_at,direction\n" + "\n".join(contacts) + "\n"
    return tiny(kind="contractual", churn={"active_days": 180, **(churn or {})}, **roles, **more)


def after(days, leaves, night_=NIGHT):
    """Days of the endings: so many days after the night for those who leave."""
    days = np.broadcast_to(days, len(leaves))
    return [
        (night_ + dt.timedelta(int(d))).isoformat() if gone else None
        for d, gone in zip(days, leaves, strict=True)
    ]
