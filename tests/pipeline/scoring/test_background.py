import datetime as dt

import ibis
import numpy as np
import pandas as pd

from pipeline.outcomes import ledger
from pipeline.report.view import Talk
from pipeline.scoring.background import background, last_talks, past_chances, spaced

AS_OF = dt.date(2026, 7, 1)


def test_talks_are_those_of_a_plain_sort_whatever_the_log_holds():
    rng = np.random.default_rng(5)
    log = pd.DataFrame(
        {
            "customer_id": rng.choice(["a", "b", "c"], 60),
            "occurred_at": pd.Timestamp(AS_OF) - pd.to_timedelta(rng.permutation(60), unit="h"),
            "channel": rng.choice(["phone", None], 60),
        }
    )
    found = last_talks(ibis.memtable(log), ["a", "c", "nobody"])
    assert set(found) == {"a", "c"}
    for customer, talks in found.items():
        mine = log[log["customer_id"] == customer].sort_values("occurred_at", ascending=False).head(3)
        days, channels = mine["occurred_at"].dt.date, mine["channel"].fillna("")
        assert talks == tuple(Talk(day, channel) for day, channel in zip(days, channels, strict=True))
    assert last_talks(None, ["a"]) == {}


def recorded(folder, night, chances):
    row = dict.fromkeys(ledger.SCHEMA.names[1:])
    ledger.append(
        folder,
        night,
        pd.DataFrame([row | {"customer_id": c, "churn_probability": p} for c, p in chances.items()]),
    )


def test_chances_come_from_the_nights_before_and_from_nobody_else(tmp_path):
    nights = [AS_OF - dt.timedelta(days=days) for days in (0, 3, 7, 20, 400)]
    for i, night in enumerate(nights):
        recorded(tmp_path, night, {"a": i / 10, "b": 0.9})
    found = past_chances(tmp_path, ["a", "nobody"], AS_OF)
    assert found == {"a": ((nights[4], 0.4), (nights[3], 0.3), (nights[2], 0.2))}
    assert past_chances(tmp_path / "none", ["a"], AS_OF) == {}
    assert background(None, tmp_path, [], AS_OF).chances == {}


def test_a_chart_has_few_nights():
    nights = [AS_OF - dt.timedelta(days=days) for days in range(400)]
    assert len(spaced(nights, AS_OF)) == 12
    assert spaced(nights, AS_OF)[-1] == AS_OF - dt.timedelta(days=7)
