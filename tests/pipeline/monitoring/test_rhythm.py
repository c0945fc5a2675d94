"""A source against its own past: quiet years stay quiet, and what happens is found within days."""

import datetime as dt
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitoring_data import END, history

from configs.monitoring import Monitoring
from pipeline.monitoring.history import History, Number
from pipeline.monitoring.rhythm import rhythm_of

SETTINGS = Monitoring()


def night(past, day, settings=SETTINGS):
    seen = past.between(day - dt.timedelta(days=427), day)
    return [check for check in rhythm_of(seen, day, settings) if check.outside]


@pytest.mark.parametrize("a_day", [3, 60, 2_000])
def test_a_quiet_year_says_nothing(a_day):
    past = history(seed=1, a_day=a_day)
    nights = [END - dt.timedelta(days=k) for k in range(0, 365, 3)]
    assert [str(check) for day in nights for check in night(past, day)] == []


def test_rows_that_come_once_a_week_say_nothing():
    past = history(seed=2)
    weekly = np.zeros_like(past.rows)
    weekly[6::7] = past.rows[: len(weekly) // 7 * 7].reshape(-1, 7).sum(axis=1)[: len(weekly[6::7])]
    past = replace(past, rows=weekly, visits=weekly, present={}, numbers={}, categories={})
    assert [str(check) for k in range(60) for check in night(past, END - dt.timedelta(days=k))] == []


def scaled(past, since, *, rows=1.0, visits=None):
    """The counts of the newest days multiplied."""
    part = np.ones(len(past.rows))
    part[-since:] = rows
    own = np.ones(len(past.rows))
    own[-since:] = rows if visits is None else visits
    return replace(
        past,
        rows=past.rows * part,
        visits=past.visits * own,
        hours=past.hours * part[:, None],
        present={c: x * part for c, x in past.present.items()},
        numbers={c: Number(x.known * part, x.sizes * part, x.logs * part) for c, x in past.numbers.items()},
        categories={c: (v, x * part[:, None]) for c, (v, x) in past.categories.items()},
    )


def times(past, since, factor):
    number = past.numbers["amount"]
    logs = number.logs.copy()
    logs[-since:] += np.log(factor) * number.sizes[-since:]
    return replace(past, numbers={"amount": replace(number, logs=logs)})


def shifted(past, since, by):
    hours = past.hours.copy()
    hours[-since:] = np.roll(hours[-since:], by, axis=1)
    return replace(past, hours=hours)


def emptied(past, since):
    present = past.present["note"].copy()
    present[-since:] = 0
    return replace(past, present={**past.present, "note": present})


def renamed(past, since):
    values, counts = past.categories["kind"]
    more = np.concatenate([counts, np.zeros((len(counts), 1))], axis=1)
    more[-since:, 3], more[-since:, 1] = counts[-since:, 1], 0
    return replace(past, categories={"kind": ((*values, "premium"), more)})


FAULTS = {
    "half": (lambda p, k: scaled(p, k, rows=0.5), {"volume"}, 5),
    "twice": (lambda p, k: scaled(p, k, rows=2, visits=1), {"rows_per_customer"}, 1),
    "a tenth": (lambda p, k: scaled(p, k, rows=0.1), {"volume"}, 1),
    "x100": (lambda p, k: times(p, k, 100), {"values"}, 1),
    "x10": (lambda p, k: times(p, k, 10), {"values"}, 1),
    "/ 100": (lambda p, k: times(p, k, 0.01), {"values"}, 1),
    "five hours": (lambda p, k: shifted(p, k, 5), {"hours"}, 3),
    "eight hours back": (lambda p, k: shifted(p, k, -8), {"hours"}, 3),
    "empty": (emptied, {"nulls"}, 1),
    "renamed": (renamed, {"categories"}, 3),
}


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_happens_is_found_within_days_and_named(fault, seed):
    change, names, within = FAULTS[fault]
    end = END - dt.timedelta(days=seed)  # another weekday
    past = history(seed=seed).until(end)
    found = [{c.name for c in night(change(past, k), end)} for k in range(1, within + 1)]
    assert any(names <= one for one in found), found
    assert found[-1] <= names | {"volume"}, "nothing else is said"


def test_a_source_that_stops_is_found_after_its_longest_silence():
    past = history(seed=5).until(dt.date(2026, 5, 1))
    silent = [
        k
        for k in range(1, 22)
        if any(c.name == "silence" for c in night(past, dt.date(2026, 5, 1) + dt.timedelta(k)))
    ]
    assert silent == list(range(9, 22))  # closed for five days at most: 7 days are borne, and 1.5 x 5
    assert rhythm_of(past, dt.date(2026, 5, 22), Monitoring(silent_days=30))[0].outside is False


@pytest.mark.parametrize(("role", "verdict"), [("customers", "not judged"), ("usage", "look")])
def test_customers_who_all_began_on_one_day_are_no_source_that_stopped(role, verdict):
    rows = np.zeros(900)
    rows[0] = 500
    past = History(role, END - dt.timedelta(days=900), rows, rows, np.zeros((900, 24)))
    (check,) = (c for c in rhythm_of(past, END, SETTINGS) if c.name == "silence")
    assert check.verdict == verdict


def test_a_short_past_judges_silence_alone():
    checks = rhythm_of(history(days=60), END, SETTINGS)
    assert [(c.name, c.verdict) for c in checks] == [("silence", "as expected"), ("volume", "not judged")]


def test_a_wider_band_says_less():
    past = times(history(seed=6), 2, 2.5)
    assert night(past, END)
    assert not night(past, END, Monitoring(width=3))


def test_the_words_say_what_was_found_and_expected():
    (check,) = night(times(history(seed=7), 3, 100), END)
    assert str(check).startswith("values transactions.amount: 4,")
    assert "as the typical size in 3 days, expected" in str(check)
    assert "see the unit of the column" in str(check)
    assert check.low < 54.6 < check.high


@given(st.integers(1, 420), st.integers(0, 2**31), st.sampled_from([0, 0.2, 3, 400]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_whatever_the_past_looks_like_the_checks_are_made_without_a_warning(days, seed, a_day, dates_only):
    rng = np.random.default_rng(seed)
    rows = rng.poisson(a_day, days) * rng.integers(0, 2, days).astype(float)
    rows[rng.integers(days)] += 1
    hours = np.zeros((days, 24))
    hours[:, 0 if dates_only else 13] = rows
    known = rows * rng.integers(0, 2, days)
    past = History(
        "transactions",
        END - dt.timedelta(days=days),
        rows,
        rows,
        hours,
        {"amount": known},
        {"amount": Number(known, known, known * rng.choice([0.0, 4.0]))},
        {"kind": (("a", "b"), np.stack([known, rows - known], axis=1))},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checks = rhythm_of(past, END, SETTINGS)
    assert checks
    assert "nan" not in " ".join(map(str, checks))
