"""What happens or becomes known at t or later changes no feature at t, bit for bit; nor does the order of rows."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from features_data import IDS, STEP, T, company, opened
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.dataset.matrix import build_matrix

EARLIER, LATER = T - dt.timedelta(days=STEP), T + dt.timedelta(days=2 * STEP)
AS_OF = T + dt.timedelta(days=40)
CUSTOMERS = 80  # an example takes as long with ten
EVENTS = ("transactions", "cancellations", "feedback", "contacts", "usage", "failed_payments")

SLOW_CONTRACTUAL = pytest.param("contractual", marks=pytest.mark.slow)
thorough = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def features_at(frames, kind, snapshots=(EARLIER, T, LATER), as_of=AS_OF):
    with opened(frames, kind, as_of) as (sources, config):
        frame = build_matrix(sources, config, snapshots).frame
    frame = frame[frame.snapshot <= pd.Timestamp(T)].reset_index(drop=True)
    return frame.astype({"plan": "str"})  # the categories may name what nobody in the rows has


def same(left, right):
    """Equal bit for bit, nulls at the same places."""
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def later_rows(frame, t):
    return (frame.occurred_at >= t) | (frame.known_at >= t)


def rewrite_future(frames, rng):
    """Change, delete and add rows that no feature at T may see."""
    t = pd.Timestamp(T)
    other = company(int(rng.integers(1_000_000)), CUSTOMERS)
    result = {}
    for role in EVENTS:
        frame = frames[role]
        late = later_rows(frame, t)
        keep = frame[~late]
        changed = frame[late & (rng.random(len(frame)) < 0.5)]
        if "amount" in changed:
            changed = changed.assign(amount=changed.amount * 7 + 0.1)
        added = other[role][later_rows(other[role], t)]
        result[role] = pd.concat([keep, changed, added], ignore_index=True)
        if role == "contacts":
            contacts = result[role]
            unsolved = (contacts.resolved_at >= t) & (rng.random(len(contacts)) < 0.7)
            contacts["resolved_at"] = contacts.resolved_at.mask(
                unsolved, rng.choice([pd.NaT, t, t + pd.Timedelta("9D")])
            )
    customers = frames["customers"].copy()
    ends_later = customers.ended_at >= t
    customers["ended_at"] = customers.ended_at.mask(
        ends_later, rng.choice([pd.NaT, t, t + pd.Timedelta("3D")])
    )
    customers["end_reason"] = customers.end_reason.mask(ends_later, "left")
    starts_later = customers.started_at >= t
    customers["plan"] = customers.plan.mask(starts_later, "gold")
    customers["size"] = customers["size"].mask(starts_later, 99.0)
    customers["ended_at"] = customers.ended_at.mask(starts_later, pd.NaT)
    customers = customers[~starts_later | (rng.random(len(customers)) < 0.7)]
    return {"customers": customers, **result}


@pytest.mark.parametrize("kind", ["non_contractual", pytest.param("contractual", marks=pytest.mark.slow)])
@thorough
@given(seed=st.integers(0, 10**6))
def test_the_future_changes_nothing(kind, seed):
    frames = company(seed, CUSTOMERS)
    same(features_at(frames, kind), features_at(rewrite_future(frames, np.random.default_rng(seed)), kind))


@pytest.mark.parametrize("kind", ["non_contractual", SLOW_CONTRACTUAL])
@thorough
@given(seed=st.integers(0, 10**6))
def test_the_files_of_that_day_give_the_same_as_the_files_of_today(kind, seed):
    frames = company(seed, CUSTOMERS)
    day = pd.Timestamp(T)
    then = {role: f[~later_rows(f, day)] for role, f in frames.items() if role != "customers"}
    then["customers"] = frames["customers"][frames["customers"].started_at < day]
    ended = then["customers"].ended_at < day
    then["customers"] = then["customers"].assign(ended_at=then["customers"].ended_at.where(ended))
    same(features_at(frames, kind), features_at(then, kind, as_of=T))


@pytest.mark.parametrize("kind", ["non_contractual", SLOW_CONTRACTUAL])
@thorough
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_changes_nothing(kind, seed):
    frames = company(seed, CUSTOMERS)
    shuffled = {role: frame.sample(frac=1, random_state=seed) for role, frame in frames.items()}
    same(features_at(frames, kind), features_at(shuffled, kind))


@pytest.mark.slow
@thorough
@given(seed=st.integers(0, 10**6))
def test_other_customers_change_nothing(seed):
    frames = company(seed, CUSTOMERS)
    other = company(seed + 1, CUSTOMERS)
    mine = sorted({*IDS[:8], *frames["customers"].customer_id[:30]})
    mixed = {
        role: pd.concat([f[f.customer_id.isin(mine)], other[role][~other[role].customer_id.isin(mine)]])
        for role, f in frames.items()
    }
    before, after = (features_at(f, "contractual") for f in (frames, mixed))
    same(*(f[f.customer_id.isin(mine)].reset_index(drop=True) for f in (before, after)))


@pytest.mark.slow
@thorough
@given(seed=st.integers(0, 10**6))
def test_doubling_every_event_doubles_the_counts_and_sums(seed):
    frames = company(seed, CUSTOMERS)
    doubled = {role: f if role == "customers" else pd.concat([f, f]) for role, f in frames.items()}
    once, twice = (features_at(f, "non_contractual").drop(columns=["plan"]) for f in (frames, doubled))
    added = [
        c
        for c in once
        if any(word in c for word in ("_count", "_sum", "spend_change", "_intensity", "purchase_rate"))
        and not c.endswith("people_count")
    ]
    unchanged = [
        "recency_days", "recency_share", "purchase_regularity", "purchase_tenure_days", "spend_mean", "spend_max",
        "cancellation_share", "feedback_score_last", "feedback_score_mean_ever", "feedback_low_share",
        "feedback_answered_share", "contact_gap_days", "contact_people_count", "resolve_wait_mean_days",
        "usage_active_days_30d", "usage_breadth", "tenure_days", "usage_kinds_30d", "usage_rate_ratio_90d",
        "usage_streak_days", "usage_active_share", "cancellation_spend_share", "points_redeemed_gap_days",
        "contact_customer_people_count", "contact_new_person_days",
    ]  # fmt: skip
    assert len(added) == 43
    same(once[added] * 2, twice[added])
    same(once[unchanged], twice[unchanged])


def test_sums_do_not_depend_on_the_order_of_cents():
    """In floats 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1; the change between them is nought all the same."""
    at = pd.Timestamp(T) - pd.to_timedelta([1, 1, 1, 40, 40, 40], unit="D")
    amounts = [0.1, 0.2, 0.3, 0.3, 0.2, 0.1]
    frames = company(0)
    frames["transactions"] = pd.DataFrame(
        {"customer_id": "1", "occurred_at": at, "known_at": at, "amount": amounts, "points": 0.0}
    )
    assert features_at(frames, "non_contractual", [T]).spend_change_30d.tolist() == [0.0]


def test_one_snapshot_gives_the_same_as_many():
    frames = company(5)
    many = features_at(frames, "non_contractual", [T - dt.timedelta(days=STEP * i) for i in range(6)])
    alone = features_at(frames, "non_contractual", [T])
    newest = many[many.snapshot == pd.Timestamp(T)].reset_index(drop=True)
    pd.testing.assert_frame_equal(newest, alone, rtol=1e-6)


def test_more_kinds_than_bits_do_not_leak():
    """A hundred kinds of use: the last forty, first in the alphabet, come after t."""
    at = pd.Timestamp(T) + pd.to_timedelta(np.arange(-60, 40), unit="D")
    names = [f"k{999 - i}" for i in range(100)]
    frames = company(0)
    frames["usage"] = pd.DataFrame(
        {"customer_id": "1", "occurred_at": at, "known_at": at, "event": names, "value": 1.0}
    )
    frame = features_at(frames, "non_contractual", [T, LATER])
    assert frame.set_index("customer_id").usage_breadth["1"] == 60
