"""What is told of one customer: tonight's chance and its reasons, what has changed, and what would have to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from configs.schema import Config
from features.spec import FeatureColumn
from models.prediction.change import SmallestChange
from pipeline.explaining.followed import cell_text
from pipeline.explaining.night import Published
from pipeline.languages.language import Language
from pipeline.languages.said import spoken, together
from pipeline.outreach.reasons import Reason, shown_reasons

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


@dataclass(frozen=True)
class Explanation:
    """All that is known of one customer, in words and as values.

    Parameters
    ----------
    now
        The published night; `chance` is what its model says of the rows as they are read today.
    average
        Mean probability of the others.
    difference
        Against an earlier night; None without one.
    change
        The smallest one that brings the customer to the other side of the average; None where nobody looked at has it.
    row, columns
        The customer's row of the matrix, and what its columns mean.
    """

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
