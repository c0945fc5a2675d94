"""`churn explain`: why tonight, why differently from last night, and what would have to be different."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from configs.errors import ConfigError, DataError, UnfitError
from configs.schema import Config
from features.matrix import Matrix
from features.spec import FeatureColumn
from models.prediction.change import smallest_change
from models.prediction.explain import Contributions, contributions
from models.prediction.steps import scoring_steps
from models.tracking.registry import Champion
from pipeline.explaining.explanation import MOST_MOVED, Explanation, Moved, NightDifference
from pipeline.explaining.followed import cell_text, followed
from pipeline.explaining.night import (
    Published,
    at,
    matrix_of_some,
    model_of_night,
    some_others,
    tonight_and_before,
)
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.outreach.reasons import Reason, reasons_of
from pipeline.result import Result
from pipeline.sources.opening import open_sources


def explain(
    config: Config, customer: str, as_of: dt.date, out: Path | None, say: Say, *, steps: bool = False
) -> Result:
    """Explain one customer of the newest published night until `as_of`; nothing is written.

    Parameters
    ----------
    customer
        The id, as it stands in the sources.
    out
        Folder that was given to `churn score --out`; the config's own when None.
    steps
        Follow the customer from the rows to the probability, too.

    Raises
    ------
    ConfigError
        For a table without dates.
    DataError
        No night is published, or the customer is not in it.
    """
    if config.churn.kind == "labelled":
        raise ConfigError(
            "churn explain compares nights; churn.kind labelled has no dates, see the reasons in outreach.csv"
        )
    now, before = tonight_and_before(layout_of(config, out), as_of, customer)
    champion = model_of_night(config, now)
    sources = open_sources(config, now.as_of)
    say(f"features of {customer} and others at {now.as_of}")
    matrix = matrix_of_some(sources, config, [now.as_of], [customer, *some_others(now, config.seed)])
    champion.model.check_columns([c.name for c in matrix.columns])
    row, others = _split(matrix, now.as_of, customer)
    chance = float(champion.model.probability(row)[0])
    average = float(champion.model.probability(others).mean()) if len(others) else chance
    difference = None
    if before is not None:
        # On its own, as the night made it: some features count in periods, which two dates together would cut finer.
        earlier = matrix_of_some(sources, config, [before.as_of], [customer])
        then, _ = _split(earlier, before.as_of, customer, needed=False)
        difference = _difference(config, now, before, champion, row, then, others, matrix.columns)
    found = contributions(champion.model, row, others if len(others) else None)
    reasons = _reasons(found, row, others, matrix.columns)
    change = smallest_change(
        champion.model, row[champion.model.column_names], others, average, _groups(matrix.columns)
    )
    told = Explanation(
        config, customer, now, chance, average, reasons, difference, change, row, matrix.columns
    )
    if not steps:
        return Result(told.text, told.values)
    way = followed(sources, customer, row, matrix.columns, found, scoring_steps(champion.model, row))
    return Result("\n".join([told.text, "", *way.lines]), told.values | {"steps": way.values})


def _split(
    matrix: Matrix, day: dt.date, customer: str, *, needed: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The customer's row at a snapshot, none where it was no customer, and those of the others."""
    ids, features = at(matrix, day)
    own = np.array(ids, dtype=object) == customer
    if needed and not own.any():
        raise DataError(
            f"customer {customer!r}: has no rows any more at {day}, though it was published; "
            "the sources have changed since: run `churn score` again"
        )
    return features.loc[own].reset_index(drop=True), features.loc[~own].reset_index(drop=True)


def _groups(columns: Sequence[FeatureColumn]) -> dict[str, list[str]]:
    """Columns by driver: those that speak of one thing change together."""
    found: dict[str, list[str]] = {}
    for column in columns:
        found.setdefault(column.driver, []).append(column.name)
    return found


def _reasons(
    found: Contributions, row: pd.DataFrame, others: pd.DataFrame, columns: Sequence[FeatureColumn]
) -> tuple[Reason, ...]:
    by_column = pd.DataFrame(found.values, columns=list(found.columns))
    typical = (others if len(others) else row).median(numeric_only=True).to_dict()
    return reasons_of(by_column, row, typical, columns)[0]


def _difference(
    config: Config,
    now: Published,
    before: Published,
    champion: Champion,
    row: pd.DataFrame,
    then: pd.DataFrame,
    others: pd.DataFrame,
    columns: Sequence[FeatureColumn],
) -> NightDifference:
    model, changed = champion.model, now.config_digest != before.config_digest
    if not len(then):
        return NightDifference(
            before.as_of, before.probability, 0.0, 0.0, now.probability - before.probability, changed, ()
        )
    old = champion if now.version == before.version else model_of_night(config, before)
    new_of_old = float(model.probability(then)[0])
    try:
        old.model.check_columns([c.name for c in columns])
        old_of_old = float(old.model.probability(then)[0])
    except UnfitError:  # the config has other columns now: model and config can't be told apart
        old_of_old = new_of_old
    data = float(model.probability(row)[0]) - new_of_old
    version = new_of_old - old_of_old
    return NightDifference(
        before.as_of,
        before.probability,
        data,
        version,
        now.probability - before.probability - data - version,
        changed,
        _moved(champion, row, then, others, columns),
    )


def _moved(
    champion: Champion,
    row: pd.DataFrame,
    then: pd.DataFrame,
    others: pd.DataFrame,
    columns: Sequence[FeatureColumn],
) -> tuple[Moved, ...]:
    found = contributions(champion.model, pd.concat([row, then], ignore_index=True))
    push = pd.Series(found.values[0] - found.values[1], index=list(found.columns))
    label = {c.name: c.label for c in columns}
    values = [(name, cell_text(then[name]), cell_text(row[name]), float(push[name])) for name in push.index]
    changed = sorted((v for v in values if v[1] != v[2]), key=lambda v: -abs(v[3]))
    return tuple(Moved(label[name], was, is_now, p) for name, was, is_now, p in changed[:MOST_MOVED])
