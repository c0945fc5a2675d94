"""When lists begin there are more contacts, and other ones: no night to look at for that."""

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from monitoring_data import END, history

from configs.monitoring import Monitoring
from pipeline.monitoring.own_lists import asked_for, explained
from pipeline.monitoring.rhythm import rhythm_of
from pipeline.outcomes import ledger

SINCE, A_NIGHT = 14, 40


def lists(folder, nights=SINCE, left_alone=10):
    """A ledger of so many nights, the newest on the last day."""
    n = A_NIGHT + left_alone
    columns = dict.fromkeys(("eligible", "usual", "trial"), False)
    rows = pd.DataFrame({"customer_id": [f"c{k}" for k in range(n)], "churn_probability": 0.5, **columns})
    rows = rows.assign(chosen=np.arange(n) < A_NIGHT, control=np.arange(n) >= A_NIGHT, model_version="1")
    for name in ledger.SCHEMA.names:
        if name not in rows and name != "as_of":
            rows[name] = None
    for back in range(1, nights + 1):
        ledger.append(folder, END - dt.timedelta(days=back), rows)
    return folder


@cache
def usual():
    return history(role="contacts", a_day=15)


def log(more=A_NIGHT, times=1.0, kinds=None):
    """A log of contacts in which so many more a day stand since the lists began, all of one kind."""
    past = usual()
    rows, counts = past.rows.copy(), past.categories["kind"][1].copy()
    rows[-SINCE:] = np.floor(rows[-SINCE:] * times) + more
    counts[-SINCE:] = np.floor(counts[-SINCE:] * times)
    counts[-SINCE:, 2] += more
    if kinds is not None:
        counts[:-SINCE, 2] = 0
        counts[-SINCE:] = kinds(rows[-SINCE:])
    seen = {"kind": (("a", "b", "c"), counts)}
    return replace(past, rows=rows, visits=rows * 0.98, present={}, numbers={}, categories=seen)


def outside(past, record):
    checks = rhythm_of(past, END, Monitoring())
    return [{c.name for c in found if c.outside} for found in (checks, list(explained(checks, past, record)))]


def test_what_the_lists_asked_for_is_no_finding(tmp_path):
    before, after = outside(log(), lists(tmp_path))
    assert before >= {"volume", "categories"}
    assert not after & {"volume", "categories"}


def test_without_lists_it_stays_one(tmp_path):
    before, after = outside(log(), tmp_path / "none")
    assert before == after


@pytest.mark.parametrize("past", [log(more=8 * A_NIGHT), log(more=0, times=0.1)], ids=["far more", "fewer"])
def test_other_numbers_stay_findings(past, tmp_path):
    assert "volume" in outside(past, lists(tmp_path))[1]


def test_words_that_are_all_new_stay_findings(tmp_path):
    """An export that writes its values anew."""
    past = log(kinds=lambda rows: np.stack([0 * rows, 0 * rows, rows], axis=1))
    assert "categories" in outside(past, lists(tmp_path))[1]


def test_once_all_that_is_compared_with_had_lists_nothing_is_excused(tmp_path):
    assert asked_for(log(), lists(tmp_path / "new")) > 0.3
    assert asked_for(log(), lists(tmp_path / "old", nights=90)) < 0.1
