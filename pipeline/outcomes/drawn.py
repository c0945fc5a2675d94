"""Customers whom chance put on the list or into its control group, and what became of them.

The group lasts for a control period and then is drawn anew. A customer who comes up night after night counts once a
control period, on the first night: until then nobody of the period had been contacted because of it, so that both
groups are still alike; on later nights they are not, since a contact changes who comes up again. The action that
counts is that of this first night.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.schema import Config
from features.matrix import Matrix
from features.snapshots import newest_mature
from models.effects.control_group import reached
from models.effects.qini import Trial
from pipeline.dataset.cluster_jobs import only_of
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.outcomes import ledger
from pipeline.outcomes.draws import control_period
from pipeline.sources.opening import Sources

NIGHTS = 30
Floats = NDArray[np.float64]
COLUMNS = ["as_of", "customer_id", "churn_probability", "chosen", "control", "action", "channel", "value"]


def ledger_folder(config: Config) -> Path:
    """Where the ledger of a config is."""
    return config.path(config.outputs.folder) / "ledger"


def first_nights(rows: pd.DataFrame, control_days: int) -> pd.DataFrame:
    """One row a customer and control period, of those on the list or in the control group.

    Parameters
    ----------
    rows
        Of the ledger.
    control_days
        Length of a control period.

    Returns
    -------
    DataFrame
        The rows, with `period`, and `propensity`: the share of the period's customers who were on the list. Chance
        draws every customer of a period with the same share, whatever brought the customer up.

    Examples
    --------
    >>> rows = pd.DataFrame({"as_of": [dt.date(2026, 1, d) for d in (1, 1, 2, 2)], "customer_id": list("abab"),
    ...                      "chosen": [True, False] * 2, "control": [False, True] * 2})
    >>> first_nights(rows, 180)[["as_of", "customer_id", "propensity"]].values.tolist()
    [[datetime.date(2026, 1, 1), 'a', 0.5], [datetime.date(2026, 1, 1), 'b', 0.5]]
    """
    drawn = rows.loc[rows["chosen"] | rows["control"]]
    period = [control_period(day, control_days) for day in drawn["as_of"]]
    ordered = drawn.assign(period=np.array(period, dtype=np.int64)).sort_values(["as_of", "customer_id"])
    first = ordered.drop_duplicates(["customer_id", "period"]).reset_index(drop=True)
    return first.assign(propensity=first.groupby("period")["chosen"].transform("mean").astype(np.float64))


def mature_rows(config: Config, as_of: dt.date) -> pd.DataFrame:
    """The ledger's rows of nights whose label window has passed, of those on the list or in the control group."""
    end = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days) + dt.timedelta(days=1)
    return ledger.read(
        ledger_folder(config), end=end, columns=COLUMNS, only=lambda field: field("chosen") | field("control")
    )


def churned(sources: Sources, config: Config, rows: pd.DataFrame, as_of: dt.date) -> Floats:
    """Labels of ledger rows by the rules of training: 1 churned, 0 kept, NaN censored or not mature.

    A contractual customer who is no longer in the customers source is unknown.
    """
    frame = pd.DataFrame(
        {"customer_id": rows["customer_id"].to_numpy(), "snapshot": pd.to_datetime(rows["as_of"]).to_numpy()}
    )
    sources = only_of(sources, rows["customer_id"].tolist())
    labels = build_labels(sources, config, Matrix(frame, (), ""), as_of)
    if config.churn.kind == "contractual":
        known = set(sources.tables["customers"].customer_id.to_pyarrow().to_pylist())
        labels = np.where([c in known for c in rows["customer_id"]], labels, np.nan)
    return labels


def contacted(sources: Sources, rows: pd.DataFrame, days: int) -> Floats | None:
    """Whether the contact log has an outbound contact within so many days of each row; None without a log."""
    table = sources.tables.get("contacts")
    if table is None:
        return None
    if "direction" in table.columns:
        table = table.filter(table.direction == "outbound")
    log = table.filter(table.customer_id.isin(rows["customer_id"].unique().tolist()))
    found = log.select("customer_id", "occurred_at").to_pandas()
    return _reached(rows["customer_id"], rows["as_of"], days, found["customer_id"], found["occurred_at"])


def contaminated(config: Config, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows of a matrix whose label was made with our own outreach at work.

    They are those with a listing of the customer between the snapshot and the end of its label window. Left in,
    they teach that whom the list saves was never in danger. What decides on a listing is among the features, and the
    control group remains: leaving these rows out does not bias the probabilities of the others.

    Parameters
    ----------
    frame
        Has `customer_id` and `snapshot`.
    """
    folder = ledger_folder(config)
    if not ledger.dates(folder) or frame.empty:
        return np.zeros(len(frame), dtype=bool)
    days = config.churn.gap_days + config.churn.horizon_days
    first = frame["snapshot"].min().date()
    last = frame["snapshot"].max().date() + dt.timedelta(days=days)
    columns = ["as_of", "customer_id"]
    listed = ledger.read(folder, first, last, columns=columns, only=lambda field: field("chosen"))
    hit = _reached(frame["customer_id"], frame["snapshot"], days, listed["customer_id"], listed["as_of"])
    return hit == 1


def _reached(who: pd.Series, start: pd.Series, days: int, contacted: pd.Series, on: pd.Series) -> Floats:
    codes, _ = pd.factorize(pd.concat([who.astype(object), contacted.astype(object)], ignore_index=True))
    from_day, on_day = (
        pd.to_datetime(times).to_numpy().astype("datetime64[D]").astype(np.int64) for times in (start, on)
    )
    return reached(codes[: len(who)], from_day, days, codes[len(who) :], on_day).astype(np.float64)


def randomised(sources: Sources, config: Config, as_of: dt.date) -> Trial:
    """The randomised history as a test: features on the first night, on the list or not, kept or not.

    `churn_probability`, as it was predicted that night, is among the features.

    Empty when no night is mature.
    """
    rows = first_nights(mature_rows(config, as_of), config.outreach.control.days)
    rows = rows.assign(churned=churned(sources, config, rows, as_of) if len(rows) else np.zeros(0))
    rows = rows.loc[rows["churned"].notna() & rows["propensity"].between(0, 1, inclusive="neither")]
    nights = sorted(rows["as_of"].unique())
    parts = []
    for i in range(0, len(nights), NIGHTS):
        wanted = rows.loc[rows["as_of"].isin(nights[i : i + NIGHTS])]
        theirs = only_of(sources, wanted["customer_id"].tolist())
        matrix = build_matrix(theirs, config, nights[i : i + NIGHTS])
        wanted = wanted.assign(
            snapshot=pd.to_datetime(wanted["as_of"]).astype(matrix.frame["snapshot"].dtype)
        )
        keep = ["customer_id", "snapshot", "chosen", "churned", "propensity"]
        found = [*keep, "churn_probability"]
        names = [c.name for c in matrix.columns]
        parts.append(wanted[found].merge(matrix.frame[["customer_id", "snapshot", *names]], how="inner"))
    if not parts:
        none = np.zeros(0)
        return Trial(pd.DataFrame(), none, none, none)
    every = pd.concat(parts, ignore_index=True)
    return Trial(
        every.drop(columns=keep),
        every["chosen"].to_numpy(np.float64),
        1 - every["churned"].to_numpy(np.float64),
        every["propensity"].to_numpy(np.float64),
    )
