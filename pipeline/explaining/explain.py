"""`churn explain`: why tonight, why differently from last night, and what would have to be different."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.errors import ConfigError, DataError, UnfitError
from configs.schema import Config
from features.matrix import Matrix
from features.spec import FeatureColumn
from models.prediction.change import SmallestChange, smallest_change
from models.prediction.explain import Contributions, contributions
from models.prediction.steps import scoring_steps
from models.tracking.registry import Champion
from pipeline.explaining.followed import cell_text, followed
from pipeline.explaining.night import (
    Published,
    at,
    matrix_of_some,
    model_of_night,
    some_others,
    tonight_and_before,
)
from pipeline.languages.language import Language
from pipeline.languages.said import spoken, together
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.outreach.reasons import Reason, reasons_of, shown_reasons
from pipeline.result import Result
from pipeline.sources.opening import open_sources

MOST_MOVED = 3
SAME = 1e-6


@dataclass(frozen=True)
class Moved:
    """A column of the customer that is not as it was, and what that adds to the log-odds."""

    label: str
    before: str
    now: str
    push: float


@dataclass(frozen=True)
class NightDifference:
    """Tonight's probability less that of an earlier night, in parts that add up.

    Parameters
    ----------
    since
        The earlier night.
    before
        Its published probability.
    data
        What the customer did and what time did: the same model and config, the rows of both nights.
    model
        Another version: the same rows, both versions.
    rest
        The config, or rows that came late or were corrected: what the earlier night published, and what its model says
        of its rows as they are read today.
    config_changed
        Whether the config is another one.
    moved
        Columns that account for most of `data`.
    """

    since: dt.date
    before: float
    data: float
    model: float
    rest: float
    config_changed: bool
    moved: tuple[Moved, ...]


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
    told = _Told(config, customer, now, chance, average, reasons, difference, change, row, matrix.columns)
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


@dataclass(frozen=True)
class _Told:
    """All that is known, in words and as values."""

    config: Config
    customer: str
    now: Published
    chance: float
    average: float
    reasons: tuple[Reason, ...]
    difference: NightDifference | None
    change: SmallestChange | None
    row: pd.DataFrame
    columns: Sequence[FeatureColumn]

    @property
    def text(self) -> str:
        """For the terminal."""
        days, now = self.config.churn.horizon_days, self.now
        lines = [
            f"{self.customer} at {now.as_of}: {now.probability:.1%} to leave within {days} days "
            f"(version {now.version}); the average customer {self.average:.1%}",
            _listed(now, self.customer),
            "",
            "why tonight:",
            *(f"- {line}" for line in shown_reasons(self.reasons) if line),
        ]
        if abs(self.chance - now.probability) > SAME:
            lines.append(f"the sources have changed since: the same night would say {self.chance:.1%} now")
        lines += ["", *self._since(), "", self._smallest(), "", "for the customer:", self.for_the_customer]
        return "\n".join(lines)

    def _since(self) -> list[str]:
        if self.difference is None:
            return ["no earlier night has this customer"]
        d = self.difference
        rest = "the config" if d.config_changed else "rows that came late or were corrected"
        return [
            f"since {d.since} ({d.before:.1%}): {self.now.probability - d.before:+.1%}",
            f"- the customer's data and time: {d.data:+.1%}",
            *(
                f"    {m.label}: {m.before} -> {m.now} ({'raises' if m.push > 0 else 'lowers'})"
                for m in d.moved
            ),
            f"- another model version: {d.model:+.1%}",
            f"- {rest}: {d.rest:+.1%}",
        ]

    @property
    def _changes(self) -> list[Moved]:
        """What the smallest change is, column by column, of those that the model reads."""
        if self.change is None:
            return []
        label, driver = {c.name: c.label for c in self.columns}, {c.name: c.driver for c in self.columns}
        values = [(n, cell_text(self.row[n]), cell_text(self.change.row[n])) for n in self.change.row.columns]
        return [
            Moved(label[n], was, now, 0.0)
            for n, was, now in values
            if was != now and driver[n] in self.change.groups
        ]

    def _smallest(self) -> str:
        side = "below" if self.chance > self.average else "above"
        if self.change is None:
            return f"smallest change to come {side} the average: none among the customers looked at"
        groups = ", ".join(self.change.groups)
        head = f"smallest change to come {side} the average ({self.change.probability:.1%}): {groups}"
        return "\n".join(
            [head, *(f"- {m.label}: {m.before} -> {m.now}" for m in self._changes[: 2 * MOST_MOVED])]
        )

    @property
    def for_the_customer(self) -> str:
        """In the language of the list."""
        language = Language(self.config.language)
        said = [
            language.text(
                "From your records we estimate how likely it is that you leave within {days} days: {own}. "
                "For the average customer it is {mean}.",
                days=language.number(self.config.churn.horizon_days),
                own=language.chance(self.now.probability),
                mean=language.chance(self.average),
            )
        ]
        if self.reasons:
            why = spoken(together(reason.told(language) for reason in self.reasons), language)
            said.append(language.text("What counts most: {reasons}.", reasons=why))
        if self.change is not None:
            said.append(
                language.text(
                    "It would be {chance} if only this were as with a customer much like you: {groups}.",
                    chance=language.chance(self.change.probability),
                    groups=language.comma.join(language.word(name) for name in self.change.groups),
                )
            )
        said.append(
            language.word(
                "You may have this explained by a person, have wrong data corrected, and object to it."
            )
        )
        return " ".join(said)

    @property
    def values(self) -> dict[str, Any]:
        """For `--json`."""
        since = (
            None
            if self.difference is None
            else asdict(self.difference) | {"since": str(self.difference.since)}
        )
        change = None
        if self.change is not None:
            columns = [{"label": m.label, "before": m.before, "now": m.now} for m in self._changes]
            change = {
                "groups": list(self.change.groups),
                "probability": self.change.probability,
                "columns": columns,
            }
        return {
            "customer_id": self.customer,
            "as_of": str(self.now.as_of),
            "churn_probability": self.now.probability,
            "average": self.average,
            "as_read_now": self.chance,
            "model_version": self.now.version,
            "reasons": [reason.sentence for reason in self.reasons],
            "since": json.loads(json.dumps(since)),
            "smallest_change": change,
            "for_the_customer": self.for_the_customer,
        }


def _listed(night: Published, customer: str) -> str:
    """Whether the customer is on the night's list, and why not."""
    for name, said in (("outreach", "on the list, to {}"), ("suppressed", "not on the list: {}")):
        file = night.folder / f"{name}.parquet"
        if file.exists():
            rows = pd.read_parquet(file)
            own = rows.loc[rows["customer_id"] == customer]
            if len(own):
                return said.format(own.iloc[0]["title" if name == "outreach" else "rules"])
    return "not considered for the list"
