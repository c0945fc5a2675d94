"""Which labels our own list has touched, from the ledger: the model learns who leaves without a contact."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from configs.schema import Config
from models.effects.censoring import Untouched, without_contact
from pipeline.layout import layout_of
from pipeline.outcomes import ledger


def untouched(config: Config, frame: pd.DataFrame) -> Untouched | None:
    """For how many rows each row of a matrix stands; None when no list fell into a label window.

    A choice counts from the snapshot to the end of the label window: what was listed then may have changed the label.

    Parameters
    ----------
    frame
        Has `customer_id` and `snapshot`.
    """
    folder = layout_of(config).ledger
    if not ledger.dates(folder) or frame.empty:
        return None
    days = config.churn.gap_days + config.churn.horizon_days
    first = frame["snapshot"].min().date()
    last = frame["snapshot"].max().date() + dt.timedelta(days=days)
    chosen = ledger.read_ledger(
        folder,
        first,
        last,
        columns=["as_of", "customer_id", "chosen", "propensity"],
        only=lambda field: field("chosen") | field("control"),
    )
    keys = frame[["customer_id", "snapshot"]].astype({"customer_id": object}).reset_index(drop=True)
    met = keys.assign(row=np.arange(len(keys))).merge(
        chosen.astype({"customer_id": object}), on="customer_id"
    )
    since = (pd.to_datetime(met["as_of"]) - pd.to_datetime(met["snapshot"])).dt.days
    met = met.loc[(since >= 0) & (since < days)]
    if met.empty:
        return None
    return without_contact(
        len(frame),
        met["row"].to_numpy(np.int64),
        met["chosen"].to_numpy(bool),
        met["propensity"].to_numpy(np.float64),
    )


def notes_of_labels(found: Untouched, rows: int) -> tuple[str, ...]:
    """What a person should know of the labels, a line each.

    Examples
    --------
    >>> notes_of_labels(Untouched(np.zeros(0), 40, 10, 0, 0), 400)[0].split(";")[0]
    '40 of 400 rows left out because our list was at work on their labels'
    """
    lines = []
    if found.censored or found.weighted:
        lines.append(
            f"{found.censored:,} of {rows:,} rows left out because our list was at work on their labels; "
            f"{found.weighted:,} rows of customers left alone by chance stand for them"
        )
    if found.without_equals:
        lines.append(
            f"{found.without_equals:,} of these rows are of customers who were surely listed: nobody like them was "
            "left alone, so what the model says of such customers rests on others; outreach.control.share above 0 "
            "mends it"
        )
    if found.capped:
        lines.append(f"{found.capped:,} rows stand for more than the model lets one row stand for")
    return tuple(lines)
