"""Random companies with every role and column, and awkward times; written to Parquet and opened by the door."""

import datetime as dt
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from configs.schema import Config
from pipeline.sources.opening import open_sources

T = dt.date(2024, 7, 1)
IDS = ("0001", "1", "۱۲۳", "a b", 'quo"te', "it's", "né,e", "007", "x-7", "Zoë")
STEP = 15
MAPPED = {
    "transactions": ["amount", "points"],
    "cancellations": ["amount"],
    "feedback": ["score", "kind"],
    "contacts": ["channel", "direction", "agent", "contact_person", "topic", "resolved_at"],
    "usage": ["event", "value"],
    "failed_payments": ["amount", "recovered_at"],
}


def midnight(day):
    return pd.Timestamp(day)


def company(seed, customers=10, history_days=420):
    """Frames of a company with events before, at and after T, many of them at the same moments.

    The last two customers have no events; some rows become known long after they occurred.
    """
    rng = np.random.default_rng(seed)
    ids = [*(f"c{i}" for i in range(customers - len(IDS))), *IDS]
    events = 16 * customers
    start = midnight(T) - pd.Timedelta(days=history_days)

    def times(n):
        day = rng.integers(0, history_days + 60, n)
        day = np.where(rng.random(n) < 0.2, rng.choice([history_days, history_days - 30, 5], n), day)
        second = rng.choice([0.0, 0.0, 0.25, 1.0, 43_200.0, 43_200.0, 86_399.75], n)
        return start + pd.to_timedelta(day, unit="D") + pd.to_timedelta(second, unit="s")

    def role(n):
        at = times(n)
        late = pd.to_timedelta(rng.choice([0, 0, 0, 0.5, 1, 35, 200], n), unit="D")
        known = np.where(rng.random(n) < 0.1, (at + late).ceil("D"), at + late)
        return pd.DataFrame({"customer_id": rng.choice(ids[:-2], n), "occurred_at": at, "known_at": known})

    def texts(values, n):
        return pd.Series(rng.choice(np.array(values, dtype=object), n), dtype="str")

    ended = pd.Series(times(len(ids)))
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "started_at": times(len(ids)) - pd.Timedelta(days=int(rng.choice([0, 200, 700]))),
            "ended_at": ended.where(rng.random(len(ids)) < 0.5),
            "plan": texts(["basic", "plus", None], len(ids)),
            "size": rng.choice([1.0, 25.5, np.nan], len(ids)),
        }
    )
    customers["ended_at"] = customers.ended_at.clip(lower=customers.started_at)
    customers["end_reason"] = texts(["left", "completed"], len(ids)).where(customers.ended_at.notna())
    cents = rng.integers(0, 20_000, events) / 100
    points = rng.choice([np.nan, 0.0, 10.0, 25.5, -20.0], events)
    transactions = role(events).assign(amount=cents, points=points)
    cancellations = role(events // 4).assign(amount=cents[: events // 4])
    feedback = role(events).assign(
        score=rng.choice([1.0, 4.0, 7.5, 10.0, np.nan, np.nan], events), kind=texts(["nps", None], events)
    )
    contacts = role(events).assign(
        channel=texts(["mail", "phone"], events),
        direction=texts(["inbound", "Outbound", None], events),
        agent=texts(["Ada", "Bo", "سارا", None], events),
        contact_person=texts(["Eve", "Finn", None, None], events),
        topic=texts(["Complaint", "price", "How to pay", None], events),
    )
    wait = pd.to_timedelta(rng.choice([-1.0, 0.0, 0.5, 3.0, 90.0, np.nan], events), unit="D")
    contacts["resolved_at"] = contacts.occurred_at + wait
    usage = role(events).assign(
        event=texts([f"e{i}" for i in range(9)] + [None], events),
        value=rng.choice([0.0, -1.5, 3.25, np.nan], events),
    )
    failed = role(events // 4).assign(amount=cents[: events // 4])
    failed["recovered_at"] = failed.occurred_at + wait[: events // 4]
    return {
        "customers": customers,
        "transactions": transactions,
        "cancellations": cancellations,
        "feedback": feedback,
        "contacts": contacts,
        "usage": usage,
        "failed_payments": failed,
    }


def config_of(folder, kind, windows=(30, 90), extra=(), **churn):
    """The config that maps every column of the frames' files in a folder."""
    sources = {
        role: {
            "uri": f"{role}.parquet",
            "columns": {name: name for name in ["customer_id", "occurred_at", "known_at", *names]},
        }
        for role, names in MAPPED.items()
    }
    sources["feedback"]["low_score"] = 4
    columns = {name: name for name in ["customer_id", "started_at", "ended_at", "end_reason"]}
    sources["customers"] = {"uri": "customers.parquet", "columns": columns, "attributes": ["plan", "size"]}
    return Config.model_validate(
        {
            "name": "random",
            "home": folder,
            "churn": {"kind": kind, "horizon_days": 30, "active_days": 180, **churn},
            "sources": sources,
            "features": {"windows_days": list(windows), "extra": list(extra)},
            "snapshots": {"step_days": STEP},
            "model": {"threads": 1},
        }
    )


@contextmanager
def written(frames, kind, features=None, **options):
    """The config of the frames' files, in a folder that lasts as long; `features` is code for `features.extra`."""
    with tempfile.TemporaryDirectory() as name:
        for role, frame in frames.items():
            frame.to_parquet(Path(name) / f"{role}.parquet", index=False)
        if features is not None:
            (Path(name) / "mine.py").write_text(features, encoding="utf-8")
        extra = [] if features is None else ["mine.py"]
        yield config_of(Path(name), kind, extra=extra, **options)


@contextmanager
def opened(frames, kind, as_of, **options):
    """The frames through `open_sources`, and the config that it took."""
    with written(frames, kind, **options) as config:
        yield open_sources(config, as_of), config
