"""What the model of a contact's effect is told of each customer, tonight and in the ledger."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Floats
from configs.outreach import Outreach
from models.effects.contact import Situation

CHANCE, THERE, REST, RECENT, GONE = "churn_probability", "still_there", "rest", "recent_contacts", "left"
TOLD, CALLED = "told_us_of_trouble", "called_for"
_WINDOWED = re.compile(r"(.+)_(\d+)d")
NEAREST = 90
# Half of those who have left answer to a contact as if they wavered: the save rate of a win-back is of all of them.
_HALF = 0.5
LEVELS = 8
FADES = 14.0
# Usual gaps shorter or longer than these multiples of the agreed rhythm are taken for accidents of the log.
SHORTEST, LONGEST = 1 / 3, 3.0


def rested(
    known: pd.DataFrame, history: pd.DataFrame | None, ids: pd.Series[Any], settings: Outreach, as_of: dt.date
) -> tuple[Floats, Floats, Floats]:
    """Days since our last contact (infinite without one), the same in usual or agreed gaps, and our contacts lately.

    A recommendation counts as a contact, whether or not the log has it.

    Parameters
    ----------
    known
        Of `contact_facts`, in the order of `ids`.
    history
        Of `ledger.recommended`.
    """
    today = pd.Timestamp(as_of)
    last = known["last_ours"].reset_index(drop=True)
    recent = known["recent_contacts"].to_numpy(np.float64)
    if history is not None and len(history):
        listed = history[~history["control"].astype(bool)]
        days = pd.to_datetime(listed["as_of"])
        newest = ids.reset_index(drop=True).map(days.groupby(listed["customer_id"]).max())
        last = pd.concat([last, newest], axis=1).max(axis=1)
        lately = days >= today - pd.Timedelta(days=settings.max_contacts.days)
        counts = ids.map(lately.groupby(listed["customer_id"]).sum()).fillna(0.0).to_numpy(np.float64)
        recent = np.maximum(recent, counts)
    agreed = float(settings.rhythm_days)
    usual = known["usual_gap_days"].fillna(agreed).to_numpy(np.float64)
    usual = np.clip(usual, SHORTEST * agreed, LONGEST * agreed)
    gap = ((today - last) / pd.Timedelta(days=1)).to_numpy(np.float64)
    days = np.where(np.isnan(gap), np.inf, np.maximum(gap, 0.0))
    return days, days / usual, recent


def told_us(customers: pd.DataFrame, days: Floats) -> Floats:
    """1 for a customer with an open issue; less for one who complained lately and had no contact of ours since.

    A complaint counts half as much after two weeks (`FADES`), a quarter after four: a late answer mends little. An
    issue that is open in the records and of which the customer has not spoken for a quarter was forgotten there.

    Parameters
    ----------
    customers
        With the matrix's columns.
    days
        Since our last contact; shape (rows,).

    Examples
    --------
    >>> frame = pd.DataFrame({"complaint_count_90d": [1, 1, 0], "contact_inbound_gap_days": [5.0, 5.0, 5.0]})
    >>> told_us(frame, np.array([40.0, 2.0, 40.0])).round(2).tolist()
    [0.78, 0.0, 0.0]
    """

    def column(name: str) -> Floats:
        unknown = np.full(len(customers), np.nan)
        return customers[name].to_numpy(np.float64) if name in customers else unknown

    since = column("contact_inbound_gap_days")
    told = (column("complaint_count_90d") > 0) & (since < days)
    fresh = np.where(told, 0.5 ** (np.where(told, since, 0.0) / FADES), 0.0)
    return np.where((column("open_issue_count") > 0) & ~(since > NEAREST), 1.0, fresh)


def inputs_of(customers: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns that may change an effect: one window of each feature, and a yes or no for each value of an attribute.

    Parameters
    ----------
    columns
        Of the matrix.

    Examples
    --------
    >>> frame = pd.DataFrame({"spend_sum_30d": [1.0], "spend_sum_90d": [2.0], "plan": ["gold"]})
    >>> inputs_of(frame, list(frame)).to_dict("list")
    {'spend_sum_90d': [2.0], 'plan: gold': [1.0]}
    """
    numbers = [c for c in columns if pd.api.types.is_numeric_dtype(customers[c])]
    found = customers[_one_window(numbers)]
    words = {c: customers[c].astype("category") for c in columns if c not in numbers}
    flags = {
        f"{name}: {level}": (word == level).to_numpy(np.float64)
        for name, word in words.items()
        if word.nunique() <= LEVELS
        for level in sorted(word.dropna().unique(), key=str)
    }
    return pd.concat([found, pd.DataFrame(flags, index=found.index)], axis=1) if flags else found


def _one_window(names: Sequence[str]) -> list[str]:
    """Of each windowed feature the column whose window is nearest to a quarter; the others as they are."""
    best: dict[str, tuple[int, str]] = {}
    for name in names:
        match = _WINDOWED.fullmatch(name)
        base, far = (match[1], abs(int(match[2]) - NEAREST)) if match else (name, 0)
        if base not in best or far < best[base][0]:
            best[base] = (far, name)
    return [name for _, name in best.values()]


def situation(
    customers: pd.DataFrame,
    inputs: pd.DataFrame,
    rest: Floats,
    recent: Floats,
    told: Floats,
    called: Floats | None = None,
) -> Situation:
    """Customers as the model of the effect sees them.

    Parameters
    ----------
    customers
        With `churn_probability`; `still_there` and `left` where known.
    inputs
        Of `inputs_of`.
    rest, recent
        Of `rested`.
    told
        Of `told_us`.
    called
        Of `called_for`.
    """
    n = len(customers)
    gone = customers[GONE].to_numpy(bool) if GONE in customers else np.zeros(n, bool)
    there = customers[THERE].to_numpy(np.float64) if THERE in customers else np.ones(n)
    chance = customers[CHANCE].to_numpy(np.float64)
    more = inputs.assign(
        **{CHANCE: chance, THERE: there, REST: np.minimum(rest, 10.0), RECENT: recent, TOLD: told}
    )
    chance, there = np.where(gone, _HALF, chance), np.where(gone, 1.0, there)
    return Situation.of(chance, there, rest, recent, more, told, called)


def recorded(found: Situation, customers: pd.DataFrame, rest: Floats, rows: NDArray[np.int64]) -> list[Any]:
    """What the ledger keeps of some customers, whatever is done: lists of names and numbers, without the unknown."""
    told = found.inputs.iloc[rows].assign(**{REST: rest[rows]})
    if GONE in customers:
        told = told.assign(**{GONE: customers[GONE].to_numpy(np.float64)[rows]})
    values = told.to_numpy(np.float64)
    names = [str(c) for c in told.columns]
    return [[(n, v) for n, v in zip(names, row, strict=True) if not np.isnan(v)] for row in values.tolist()]


def from_record(rows: Sequence[Any]) -> Situation:
    """The situations that `recorded` kept."""
    frame = pd.DataFrame([dict(row) for row in rows])
    for name, usual in (
        (THERE, 1.0),
        (REST, np.inf),
        (RECENT, 0.0),
        (TOLD, 0.0),
        (CALLED, 0.0),
        (GONE, 0.0),
        (CHANCE, np.nan),
    ):
        frame[name] = frame[name].fillna(usual) if name in frame else usual
    gone = frame.pop(GONE).to_numpy(np.float64) > 0
    rest, recent, told = (frame[name].to_numpy(np.float64) for name in (REST, RECENT, TOLD))
    called = frame[CALLED].to_numpy(np.float64)[:, None]
    customers = pd.DataFrame({CHANCE: frame[CHANCE], THERE: frame[THERE], GONE: gone})
    inputs = frame.drop(columns=[CHANCE, THERE, REST, RECENT, TOLD, CALLED])
    return situation(customers, inputs, rest, recent, told, called)


def there_of(rows: Sequence[Any]) -> Floats:
    """Chance that each customer had not left in silence when the list was made; 1 where it was not recorded."""
    return np.array([1.0 if row is None else dict(row).get(THERE, 1.0) for row in rows], np.float64)
