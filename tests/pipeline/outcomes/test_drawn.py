"""Whom chance listed or left alone, and what can be known of them by now: ages, gaps, contacts, endings."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from outcomes_data import NIGHT, after, night, record, subscribers

from models.effects.expected import alive
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outcomes.drawn import (
    OLDEST,
    YOUNGEST,
    days_counted,
    drawn_rows,
    in_contact_log,
    is_mature,
    kept_so_far,
    mature_nights,
    of_customers,
    still_there_now,
)
from pipeline.sources.opening import open_sources


def later(days):
    return NIGHT + dt.timedelta(days=days)


@pytest.fixture
def company(tiny):
    """Four subscribers, of whom 0 and 1 were listed and 2 left alone; the label looks from day 5 to day 35."""

    def make(*ended, contacts=None):
        config = subscribers(tiny, list(ended) or [None] * 4, contacts=contacts, churn={"gap_days": 5})
        record(config, night(4, [True, True, False, False], [False, False, True, False]))
        return config

    return make


@pytest.mark.parametrize(
    ("days", "age"), [(4 + YOUNGEST, None), (5 + YOUNGEST, YOUNGEST), (34, 29), (35, 30), (90, 30)]
)
def test_an_outcome_is_as_old_as_its_window_which_begins_after_the_gap(company, days, age):
    config = company()
    rows = drawn_rows(layout_of(config).ledger, config, later(days))
    assert rows["customer_id"].tolist() == ([] if age is None else ["0000", "0001", "0002"])
    assert set(rows["age"]) == (set() if age is None else {age})
    assert is_mature(config, rows).all() == (age is None or age == 30)


def test_nights_of_an_earlier_version_teach_nothing(company):
    config = company()
    record(config, night(4, [True] * 4, [False] * 4).assign(trial=None), later(1))
    rows = drawn_rows(layout_of(config).ledger, config, later(60))
    assert set(pd.to_datetime(rows["as_of"]).dt.date) == {NIGHT}
    assert list(rows.index) == list(range(len(rows)))
    assert set(rows) <= {*ledger.SCHEMA.names, "age", "days"}


def test_only_endings_after_the_gap_and_by_now_count_as_lost(company):
    """Endings on the last day of the gap, its first day after, the last day of the window and the day after it."""
    listed = [True] * 4
    config = company(*after([4, 5, 34, 35], [True] * 4))
    record(config, night(4, listed, [False] * 4), NIGHT)
    known = open_sources(config, later(60))
    rows = drawn_rows(layout_of(config).ledger, config, later(60))
    np.testing.assert_array_equal(kept_so_far(known, config, rows, later(60)), [np.nan, 0, 0, 1])
    early = drawn_rows(layout_of(config).ledger, config, later(20))
    np.testing.assert_array_equal(
        kept_so_far(open_sources(config, later(20)), config, early, later(20)), [np.nan, 0, 1, 1]
    )


def test_only_our_own_contacts_within_so_many_days_count(company):
    log = [
        f"0000,{later(0)},outbound",
        f"0001,{later(0)},inbound",
        f"0002,{later(14)},outbound",
        f"0003,{later(-1)},outbound",
        # Who writes no direction means a contact by us, which starts a rest, too.
        f"0004,{later(3)},",
    ]
    config = company(contacts=log)
    sources = open_sources(config, later(60))
    rows = pd.DataFrame({"customer_id": ["0000", "0001", "0002", "0003", "0004"], "as_of": [NIGHT] * 5})
    assert in_contact_log(sources, rows, 14).tolist() == [1, 0, 0, 0, 1]
    assert in_contact_log(sources, rows, 15).tolist() == [1, 0, 1, 0, 1]
    without = company()
    assert in_contact_log(open_sources(without, later(60)), rows, 14) is None


def test_the_rows_of_some_customers_alone_tell_the_same_of_them(company):
    sources = open_sources(company(), later(60))
    theirs = of_customers(sources, ["0001", "0003", "0001", "9999"])
    assert sorted(theirs.tables["customers"].customer_id.to_pyarrow().to_pylist()) == ["0001", "0003"]


def test_nights_whose_window_has_passed_oldest_first(company):
    config = company()
    for day in (3, 1):
        record(config, night(4, [True] * 4, [False] * 4), later(day))
    folder = layout_of(config).ledger
    assert mature_nights(folder, config, later(35)) == [NIGHT]
    assert mature_nights(folder, config, later(34)) == []
    assert mature_nights(folder, config, later(60)) == [NIGHT, later(1), later(3)]


def test_who_is_still_there_is_asked_beyond_the_label_window(company):
    """An ending after the window is no loss of the window, but one of the customer; after three windows nobody asks."""
    config = company(*after([40, 94, 96, 3], [True] * 4))
    record(config, night(4, [True] * 4, [False] * 4))
    for days, found in ((39, [1, 1, 1, np.nan]), (60, [0, 1, 1, np.nan]), (200, [0, 0, 1, np.nan])):
        rows = drawn_rows(layout_of(config).ledger, config, later(days))
        sources = of_customers(open_sources(config, later(days)), rows["customer_id"].tolist())
        kept = kept_so_far(sources, config, rows, later(days))
        np.testing.assert_array_equal(still_there_now(sources, config, rows, kept, later(days)), found)


def test_of_contracts_few_windows_are_asked_for_and_of_purchases_every_day_counts(company, tiny):
    contracts = days_counted(company(), np.arange(1, 200))
    assert contracts[:30].tolist() == list(range(1, 31))
    assert len(set(contracts[30:])) <= 2 * (OLDEST - 1) * 4 + 1
    assert (contracts <= np.minimum(np.arange(1, 200), 90)).all()
    shop = tiny(transactions="customer_id,occurred_at\n0000,2025-12-01\n")
    assert days_counted(shop, np.array([1, 31, 32, 500])).tolist() == [
        1,
        31,
        32,
        OLDEST * shop.churn.horizon_days,
    ]


def test_without_a_contract_the_silence_since_the_last_purchase_says_it(tiny):
    """Both bought before the list; one of them after it too, and again on the day of the look, which is not seen."""
    bought = ["0000,2025-12-01", "0001,2025-12-01", "0001,2026-02-10", f"0001,{later(60)}"]
    config = tiny(transactions="customer_id,occurred_at\n" + "\n".join(bought) + "\n")
    record(config, night(2, listed=[True, False], alone=[False, True], probability=0.2))
    rows = drawn_rows(layout_of(config).ledger, config, later(60))
    sources = of_customers(open_sources(config, later(60)), rows["customer_id"].tolist())
    silent, buying = still_there_now(sources, config, rows, np.ones(2), later(60))
    days = np.array([(later(60) - day).days for day in (dt.date(2025, 12, 1), dt.date(2026, 2, 10))])
    expected = alive(np.full(2, 0.2), np.ones(2), days / config.churn.horizon_days)
    assert [silent, buying] == pytest.approx(expected.tolist())
    assert (silent < 0.3, buying > 0.8) == (True, True)
