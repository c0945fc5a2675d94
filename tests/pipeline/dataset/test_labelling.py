"""Labels at the edges of their window, on tables of a screen."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from pipeline.dataset.labelling import build_labels, build_waits
from pipeline.dataset.matrix import build_matrix
from pipeline.sources.opening import open_sources

T = dt.date(2024, 3, 1)
NAN = float("nan")


def labels(config, as_of, snapshots=(T,)):
    """Customer -> label, in the order of the matrix; with several snapshots (customer, snapshot) -> label."""
    sources = open_sources(config, as_of)
    matrix = build_matrix(sources, config, list(snapshots))
    found = build_labels(sources, config, matrix, as_of)
    keys = matrix.frame[["customer_id", "snapshot"]].itertuples(index=False)
    return {
        (k.customer_id if len(snapshots) == 1 else (k.customer_id, str(k.snapshot.date()))): label
        for k, label in zip(keys, found.tolist(), strict=True)
    }


def equal(found, wanted):
    assert list(found) == list(wanted)
    np.testing.assert_array_equal(list(found.values()), list(wanted.values()))


# T + 7 days of gap = 2024-03-08; + 30 days of horizon = 2024-04-07. Everybody bought on 2024-02-20.
BUYERS = {
    "at the start": ("2024-03-08 00:00:00", 0.0),
    "before the start": ("2024-03-07 23:59:59", 1.0),
    "before the end": ("2024-04-06 23:59:59", 0.0),
    "at the end": ("2024-04-07 00:00:00", 1.0),
    "half a second early": ("2024-03-07 23:59:59.5", 1.0),
    "never again": (None, 1.0),
}


def test_bought_at_the_edges_of_the_window(tiny):
    rows = [f"{name},2024-02-20" for name in BUYERS]
    rows += [f"{name},{again}" for name, (again, _) in BUYERS.items() if again]
    config = tiny(transactions="\n".join(["customer_id,occurred_at", *rows]), churn={"gap_days": 7})
    equal(labels(config, dt.date(2024, 5, 1)), {name: BUYERS[name][1] for name in sorted(BUYERS)})


@pytest.mark.parametrize(("as_of", "label"), [(dt.date(2024, 4, 6), NAN), (dt.date(2024, 4, 7), 1.0)])
def test_a_label_needs_the_whole_window(tiny, as_of, label):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-02-20", churn={"gap_days": 7})
    equal(labels(config, as_of), {"1": label})


def test_a_purchase_counts_even_when_it_became_known_after_the_window(tiny):
    text = "customer_id,occurred_at,known_at\n1,2024-02-20,2024-02-20\n1,2024-03-30,2024-04-20"
    equal(labels(tiny(transactions=text), dt.date(2024, 5, 1)), {"1": 0.0})
    equal(labels(tiny(transactions=text), dt.date(2024, 4, 10)), {"1": 1.0})


def test_each_snapshot_has_its_own_window(tiny):
    """[03-01, 03-31) is empty, [03-08, 04-07) has a purchase, [04-02, 05-02) is not over."""
    text = "customer_id,occurred_at\n1,2024-02-20\n1,2024-04-01"
    days = [T, dt.date(2024, 3, 8), dt.date(2024, 4, 2)]
    found = labels(tiny(transactions=text), dt.date(2024, 5, 1), days)
    equal(found, {("1", "2024-03-01"): 1.0, ("1", "2024-03-08"): 0.0, ("1", "2024-04-02"): NAN})


ENDINGS = {
    "01 before t": ("2024-02-29 23:59:59", "left", None),
    "02 at t": ("2024-03-01", "left", NAN),
    "03 in the gap": ("2024-03-07 23:59:59", "left", NAN),
    "04 at the start": ("2024-03-08", "left", 1.0),
    "05 before the end": ("2024-04-06 23:59:59.5", "left", 1.0),
    "06 at the end": ("2024-04-07", "left", 0.0),
    "07 completed": ("2024-03-20", "completed", NAN),
    "08 completed in the gap": ("2024-03-02", "completed", NAN),
    "09 completed later": ("2024-04-07", "completed", 0.0),
    "10 no reason": ("2024-03-20", "", 1.0),
    "11 stays": ("", "", 0.0),
}


def test_endings_at_the_edges_of_the_window(tiny):
    rows = [f"{name},2023-01-01,{end},{reason}" for name, (end, reason, _) in ENDINGS.items()]
    config = tiny(
        kind="contractual",
        churn={"gap_days": 7, "not_churn_reasons": ["completed"]},
        customers="\n".join(["customer_id,started_at,ended_at,end_reason", *rows]),
    )
    wanted = {name: label for name, (_, _, label) in ENDINGS.items() if label is not None}
    equal(labels(config, dt.date(2024, 5, 1)), wanted)
    equal(labels(config, dt.date(2024, 4, 6)), dict.fromkeys(wanted, NAN))


def test_who_starts_at_t_is_no_customer_yet(tiny):
    text = "customer_id,started_at,ended_at\n1,2024-02-29 23:59:59,\n2,2024-03-01,"
    equal(labels(tiny(kind="contractual", customers=text), dt.date(2024, 5, 1)), {"1": 0.0})


def test_active_days_at_their_edges(tiny):
    """Customer at t = 2024-03-01: a purchase in [2023-12-02, 2024-03-01)."""
    text = "customer_id,occurred_at\nin,2023-12-02\nout,2023-12-01 23:59:59\nlast,2024-02-29 23:59:59\nat t,2024-03-01"
    assert list(labels(tiny(transactions=text), dt.date(2024, 5, 1))) == ["in", "last"]


WAIT_EDGES = [0, 1, 3, 7, 15, 30, 60, 90]
WAIT_SNAPSHOTS = ["2024-01-01", "2024-01-31", "2024-03-01"]


def slow_wait(events, start, as_of):
    """First event from the start on, as the day between whose edges it lies: (first, end, counts), or None."""
    days = [(pd.Timestamp(at) - start).total_seconds() / 86_400 for at, _ in events]
    ahead = sorted((d, not counts, counts) for d, (_, counts) in zip(days, events, strict=True) if d >= 0)
    known = [e for e in WAIT_EDGES if start + pd.Timedelta(days=e) <= as_of]
    if not ahead or ahead[0][0] >= known[-1]:
        return len(known) - 1, False
    day, _, counts = ahead[0]
    return max(k for k, e in enumerate(known) if e <= day), counts


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["non_contractual", "contractual"])
def test_waits_equal_a_slow_loop(tiny, kind, seed):
    rng = np.random.default_rng(seed)
    ids = [f"c{i:02}" for i in range(30)]
    moment = pd.Timestamp("2023-11-01") + pd.to_timedelta(rng.integers(0, 200 * 24, 90), "h")
    owner = np.array(ids)[rng.integers(0, 30, 90)]
    as_of, gap = dt.date(2024, 5, 1), 4
    if kind == "contractual":
        reason = rng.choice(["withdrawn", "completed"], 30)
        ended = [None if i % 4 == 0 else moment[i] for i in range(30)]
        rows = pd.DataFrame(
            {"customer_id": ids, "started_at": "2023-01-01", "ended_at": ended, "end_reason": reason}
        )
        churn = {"gap_days": gap, "not_churn_reasons": ["completed"]}
        config = tiny(kind=kind, churn=churn, customers=rows.to_csv(index=False))
        events = {
            c: [] if e is None else [(e, r == "withdrawn")]
            for c, e, r in zip(ids, ended, reason, strict=True)
        }
    else:
        rows = pd.DataFrame({"customer_id": owner, "occurred_at": moment})
        config = tiny(transactions=rows.to_csv(index=False), churn={"gap_days": gap})
        events = {c: [(at, True) for at in moment[owner == c]] for c in ids}
    customer = np.repeat(ids, len(WAIT_SNAPSHOTS))
    snapshot = np.tile(np.array(WAIT_SNAPSHOTS, "datetime64[D]"), len(ids))
    found = build_waits(open_sources(config, as_of), config, customer, snapshot, as_of, WAIT_EDGES)
    survived, event = found.intervals(WAIT_EDGES)
    for row, (who, day) in enumerate(zip(customer, snapshot, strict=True)):
        start = pd.Timestamp(day) + pd.Timedelta(days=gap)
        inside = [(at, counts) for at, counts in events[who] if at < pd.Timestamp(as_of)]
        assert (survived[row], event[row]) == slow_wait(inside, start, pd.Timestamp(as_of)), (who, day)
