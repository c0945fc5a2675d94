"""Labels at the edges of their window, on tables of a screen."""

import datetime as dt

import numpy as np
import pytest

from pipeline.dataset.labelling import build_labels
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
