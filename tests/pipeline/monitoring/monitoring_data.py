"""Sources as their histories show them: a shop with weekends, a holiday, growth and a campaign each quarter."""

import datetime as dt

import numpy as np

from pipeline.monitoring.history import History, Number

END = dt.date(2026, 7, 1)
DAYS = 800
WEEK = np.array([1.2, 1.1, 1.0, 1.1, 1.3, 0.5, 0.3])


def history(seed=0, a_day=60, days=DAYS, role="transactions"):
    """A source of so many rows a day, with amounts, a category and a column that is half empty."""
    rng = np.random.default_rng(seed)
    first = END - dt.timedelta(days=days)
    ahead = np.arange(days)
    weekday = (first.weekday() + ahead) % 7
    mean = a_day * WEEK[weekday] * (1 + 0.4 * ahead / days) * rng.gamma(80, 1 / 80, days)
    mean[ahead % 91 == 45] *= 4  # a campaign
    mean[(ahead % 365 > 190) & (ahead % 365 < 196)] = 0  # closed
    rows = rng.poisson(mean).astype(float)
    hours = np.stack([rng.multinomial(int(n), OPEN) for n in rows]).astype(float)
    kinds = np.stack([rng.multinomial(int(n), [0.6, 0.3, 0.1]) for n in rows]).astype(float)
    logs = 4 * rows + rng.normal(0, 1, days) * np.sqrt(rows)
    present = rng.binomial(rows.astype(int), 0.5).astype(float)
    return History(
        role,
        first,
        rows,
        rows * 0.98,
        hours,
        {"amount": rows, "note": present},
        {"amount": Number(rows, rows, logs)},
        {"kind": (("basic", "plus", "pro"), kinds)},
    )


OPEN = np.zeros(24)
OPEN[8:19] = [1, 2, 3, 4, 4, 3, 3, 3, 3, 2, 1]
OPEN /= OPEN.sum()
