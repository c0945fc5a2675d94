"""Labelled rows and their guards: whole customers, enough of each class, time held back, columns that tell too much."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import HistoryError
from models.prediction.sample import (
    SHORTEST_ID,
    Sample,
    enough,
    faded,
    held_back,
    inspect_columns,
    require_enough,
    single_auc,
)

DAY = np.datetime64("2026-01-01")


def sample_of(customer, churned=None, day=None, weight=None, **columns):
    n = len(customer)
    frame = pd.DataFrame(columns or {"place": np.arange(n, dtype=float)})
    days = np.full(n, DAY) if day is None else np.asarray(day, "datetime64[D]")
    y = np.zeros(n) if churned is None else np.asarray(churned, float)
    return Sample(frame, y, np.asarray(customer, str), days, weight)


def test_rows_are_chosen_by_mask_or_by_place_with_all_that_belongs_to_them():
    whole = sample_of(list("abc"), [0, 1, 0], [DAY, DAY + 1, DAY + 2], np.array([1.0, 2.0, 3.0]))
    for keep in (np.array([True, False, True]), np.array([0, 2])):
        part = whole.rows(keep)
        assert part.customer.tolist() == ["a", "c"]
        assert part.X["place"].tolist() == [0.0, 2.0]
        assert part.weight.tolist() == [1.0, 3.0]
        assert part.snapshot.tolist() == [DAY.item(), (DAY + 2).item()]
    assert whole.rows(np.array([2, 0])).customer.tolist() == ["c", "a"]
    assert whole.snapshots == [DAY + 2, DAY + 1, DAY]


def test_columns_are_chosen_with_all_rows():
    whole = sample_of(list("ab"), a=[1.0, 2.0], b=[3.0, 4.0], weight=np.array([1.0, 5.0]))
    part = whole.columns(["b"])
    assert list(part.X) == ["b"]
    assert (part.customer is whole.customer, part.weight is whole.weight) == (True, True)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 40), st.integers(0, 5))
def test_customers_are_kept_or_dropped_whole_up_to_the_bound(owners, rows, seed):
    whole = sample_of([str(o) for o in owners])
    part = whole.at_most(rows, seed)
    assert len(part) <= rows or len(whole) <= rows
    counts, all_counts = (pd.Series(s.customer).value_counts() for s in (part, whole))
    assert all(counts[name] == all_counts[name] for name in counts.index)
    assert part.X["place"].is_monotonic_increasing
    mask = whole.chosen(rows, seed)
    np.testing.assert_array_equal(whole.customer[mask], part.customer)
    if len(whole) <= rows:
        assert part is whole


def test_another_seed_keeps_others():
    whole = sample_of([str(i) for i in range(100)])
    kept = {tuple(whole.at_most(10, seed).customer) for seed in range(5)}
    assert {len(names) for names in kept} == {10}
    assert len(kept) == 5


@pytest.mark.parametrize(
    ("churned", "kept", "may"),
    [(10, 40, True), (40, 10, True), (9, 41, False), (41, 9, False), (10, 39, False), (0, 500, False)],
)
def test_a_fit_takes_50_rows_with_10_of_each(churned, kept, may):
    y = np.r_[np.ones(churned), np.zeros(kept)]
    assert enough(y) is may
    if may:
        require_enough(y, "rows")


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (
            np.zeros(1_234),
            r"here: no customer churned \(1,234 rows, 0 churned and 1,234 kept\); a model needs both",
        ),
        (np.ones(60), r"here: every customer churned \(60 rows, 60 churned and 0 kept\)"),
        (
            np.r_[np.ones(9), np.zeros(60)],
            "here: 69 rows, 9 churned and 60 kept; at least 50 rows with 10 of each",
        ),
        (np.zeros(0), "here: 0 rows, 0 churned and 0 kept; at least 50 rows"),
    ],
)
def test_too_few_are_refused_with_numbers_and_the_next_step(y, said):
    with pytest.raises(HistoryError, match=said) as raised:
        require_enough(y, "here")
    assert "churn.horizon_days" in str(raised.value)


def two_snapshots(apart, customers=100):
    owners = np.tile(np.arange(customers), 2).astype(str)
    days = np.repeat([DAY, DAY + apart], customers)
    return sample_of(owners, np.tile([0.0, 1.0], customers), days)


def test_the_newest_snapshot_is_held_back_from_rows_whose_labels_were_known_by_then():
    window = np.timedelta64(30, "D")
    whole = two_snapshots(30)
    fitted, back = held_back(whole, window)
    assert set(whole.snapshot[fitted]) == {DAY}
    assert set(whole.snapshot[back]) == {DAY + 30}


def test_without_time_a_fifth_of_the_customers_is_held_back():
    whole = two_snapshots(29, customers=150)
    fitted, back = held_back(whole, np.timedelta64(30, "D"))
    assert (fitted ^ back).all()
    assert not set(whole.customer[fitted]) & set(whole.customer[back])
    assert back.sum() == len(whole) // 5
    again = held_back(two_snapshots(29, customers=150), np.timedelta64(30, "D"))
    np.testing.assert_array_equal(again[1], back)


def test_nothing_is_held_back_where_neither_way_leaves_enough():
    assert held_back(two_snapshots(29, customers=20), np.timedelta64(30, "D")) is None


def test_a_row_counts_half_for_each_window_that_it_is_older():
    whole = sample_of(list("abc"), day=[DAY, DAY + 30, DAY + 60])
    weights = faded(whole, np.timedelta64(30, "D"))
    assert weights.tolist() == [0.25, 0.5, 1.0]
    heavy = sample_of(list("abc"), day=whole.snapshot, weight=np.array([2.0, 2.0, 3.0]))
    assert faded(heavy, np.timedelta64(30, "D")).tolist() == [0.5, 1.0, 3.0]
    assert faded(whole, np.timedelta64(61, "D")) is None


def report(n=200, customers=None, **columns):
    owners = np.arange(n) if customers is None else np.arange(n) % customers
    return inspect_columns(sample_of(owners.astype(str), np.arange(n) % 2, **columns))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Categorical([f"n{i}" for i in range(200)]), "identifying"),
        (pd.Categorical([f"n{i % 100}" for i in range(200)]), "used"),  # two share each name
        (pd.Categorical([f"n{i % 102}" for i in range(200)]), "identifying"),
        (np.arange(7.0, 207.0), "identifying"),  # running numbers
        (np.arange(200) * 1.5, "used"),
        (SHORTEST_ID + np.arange(200) * 31.0, "identifying"),  # ids of one length
        (np.arange(200) * 31.0, "used"),  # amounts of many lengths
        (np.where(np.arange(200) == 3, 4.0, np.arange(200) * 1.0), "used"),  # one value twice
        (np.full(200, 7.0), "constant"),
        (np.where(np.arange(200) < 3, np.nan, 7.0), "used"),  # it is known of some only
        (np.full(200, np.nan), "empty"),
    ],
)
def test_columns_that_can_not_help_are_told_from_those_that_can(values, kind):
    found = report(x=values)
    assert {name: getattr(found, name) for name in ("used", "constant", "empty", "identifying")} == {
        name: ("x",) if name == kind else () for name in ("used", "constant", "empty", "identifying")
    }


def test_an_id_is_told_by_a_customers_first_row():
    """Seen at ten snapshots each, 100 customers have 100 ids in 1,000 rows."""
    ids = np.arange(1_000) % 100 + 1.0
    assert report(1_000, customers=100, x=ids).identifying == ("x",)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([None, 1.0, 2.0, 3.0])), min_size=2, max_size=30))
@settings(max_examples=40)
def test_a_number_alone_is_ranked_either_way_with_the_unknown_at_either_end(rows):
    y, x = np.array([float(c) for c, _ in rows]), pd.Series([v for _, v in rows], dtype="float64")
    if 0 < y.sum() < len(y):

        def pairs(score):
            left, right = score[y == 1][:, None], score[y == 0][None, :]
            return float(((left > right) + 0.5 * (left == right)).mean())

        ways = [pairs(x.fillna(fill).to_numpy()) for fill in (-9.0, 9.0)] + [pairs(x.isna().to_numpy(float))]
        assert single_auc(x, y) == pytest.approx(max(max(way, 1 - way) for way in ways))


def test_a_text_is_ranked_by_the_rate_of_its_levels():
    y = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    assert single_auc(pd.Series(pd.Categorical(list("zzaamm"))), y) == pytest.approx((9 - 0.5) / 9)
    assert single_auc(pd.Series(pd.Categorical([None, None, "a", "a", None, "a"])), y) == 1.0
