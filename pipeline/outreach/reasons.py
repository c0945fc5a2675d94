"""From contributions to sentences: why a customer may leave, as an account manager would say it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Bools, Floats, Ints
from configs.base import Range
from features.spec import FeatureColumn
from features.worse import STORIES, USUAL, Times, inside
from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.outreach.sentences import filled

COUNT = 3
# Trouble of which a customer told us is told while it counts so much: four weeks, see `situation.told_us`.
FRESH = 0.25
_COMPLAINTS, _OPEN = "complaint_count_", "open_issue_count"
_NOTHING = N_("Nothing in the records points to a reason for leaving.")
EN = Language("en")
FACT, USUALLY = N_("{label}: {value:2}"), N_("{label}: {value:2}, usually {usual:2}")


@dataclass(frozen=True)
class Reason:
    """One reason of one customer.

    Parameters
    ----------
    push
        What its driver adds to the log-odds of churning.
    says, numbers, days
        The sentence as declared, what goes into its braces, and the length of its window, by which it is told in
        other languages than English.
    """

    driver: str
    sentence: str
    push: float
    says: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    days: int | None = None

    def told(self, language: Language) -> str:
        """The sentence in the language.

        Examples
        --------
        >>> quiet = Reason("silence", "no purchase for 9 days", 0.4, "no purchase for {d:day}", {"d": 9})
        >>> quiet.told(EN), quiet.told(Language("fa")) == quiet.sentence
        ('no purchase for 9 days', True)
        """
        known = language.word(self.says)
        if language.code == EN.code or known == self.says != FACT:
            return self.sentence
        text = known if self.days is None else known.replace("{days}", str(self.days))
        return filled(text, language, self.numbers) or self.sentence


def shown_reasons(
    reasons: Sequence[Reason], first: Collection[str] = (), language: Language = EN
) -> list[str]:
    """The sentences of a customer for `COUNT` places; one plain sentence when nothing speaks for leaving.

    Parameters
    ----------
    first
        Drivers that the customer's action answers: their sentences come first.

    Examples
    --------
    >>> two = [Reason("silence", "no order lately", 0.9), Reason("complaints", "1 complaint", 0.1)]
    >>> shown_reasons(two, ["complaints"])
    ['1 complaint', 'no order lately', '']
    >>> shown_reasons([])
    ['Nothing in the records points to a reason for leaving.', '', '']
    """
    ordered = sorted(reasons, key=lambda reason: reason.driver not in first)
    told = [reason.told(language) for reason in ordered] or [language.word(_NOTHING)]
    return told + [""] * (COUNT - len(told))


def reasons_of(
    contributions: pd.DataFrame,
    rows: pd.DataFrame,
    typical: Mapping[str, Any],
    columns: Sequence[FeatureColumn],
) -> list[tuple[Reason, ...]]:
    """The strongest reasons of each row, actionable ones first.

    Parameters
    ----------
    contributions
        Shape (n, features): log-odds that each matrix column adds for each row.
    rows
        Shape (n, features): the same rows of the matrix.
    typical
        The median of each number over all customers at the snapshot: what is usual.
    columns
        The declarations of the matrix columns.

    Returns
    -------
    list of tuples
        Up to three for each row, of different stories. A reason is a number that its declaration calls worse, of a
        driver that raises the risk; of several such numbers the one that adds most speaks for the driver.
    """
    declared = [column for column in columns if column.name in contributions]
    if not any(column.worse for column in declared):
        return _of_facts(contributions, rows, typical, declared)
    numbers = _Numbers(rows, typical)
    values = contributions[[column.name for column in declared]].to_numpy(np.float64)
    told = np.column_stack([numbers.worse(column) for column in declared])
    stories = _stories({column.driver for column in declared})
    push, speaker = np.full((len(rows), len(stories)), -np.inf), np.zeros((len(rows), len(stories)), np.int64)
    for s, drivers in enumerate(stories):
        for driver in drivers:
            members = np.array([c for c, column in enumerate(declared) if column.driver == driver])
            speaks = np.where(told[:, members], values[:, members], -np.inf)
            added = np.where(told[:, members].any(axis=1), values[:, members].sum(axis=1), -np.inf)
            first = added > push[:, s]
            push[first, s] = added[first]
            speaker[first, s] = members[speaks[first].argmax(axis=1)]
    return [
        tuple(
            numbers.reason(column, i, float(push[i, s]))
            for s, column in _chosen(push[i], speaker[i], declared)
        )
        for i in range(len(rows))
    ]


def _stories(drivers: set[str]) -> list[list[str]]:
    """The drivers by story, in a fixed order."""
    story = {driver: i for i, alike in enumerate(STORIES) for driver in alike}
    found: dict[Any, list[str]] = {}
    for driver in sorted(drivers):
        found.setdefault(story.get(driver, driver), []).append(driver)
    return list(found.values())


def _chosen(push: Floats, speaker: Ints, columns: Sequence[FeatureColumn]) -> list[tuple[int, FeatureColumn]]:
    """The stories that are told of a customer, each with the column that speaks."""
    best = [int(s) for s in np.argsort(-push, kind="stable")[:COUNT] if push[s] > 0]
    told = [(s, columns[speaker[s]]) for s in best]
    return sorted(told, key=lambda pair: not pair[1].actionable)


def with_trouble(
    reasons: Sequence[tuple[Reason, ...]],
    told: Floats,
    rows: pd.DataFrame,
    columns: Sequence[FeatureColumn],
) -> list[tuple[Reason, ...]]:
    """The same, before them the trouble of which a customer told us lately and that none of us has answered.

    The list counts on it whatever the model makes of complaints: who calls has to know, and the actions that answer
    complaints fit.

    Parameters
    ----------
    told
        Of `situation.told_us`; shape (n,).
    rows, columns
        The same customers' columns, and their declarations.
    """
    numbers, found = _Numbers(rows, {}), list(reasons)
    counts = {c.worse.days: c for c in columns if c.name.startswith(_COMPLAINTS) and c.worse and c.worse.days}
    newest = counts[min(counts)] if counts else None
    still = next((c for c in columns if c.name == _OPEN), None)
    for i in np.flatnonzero(told >= FRESH).tolist():
        kept = reasons[i]
        if still is not None and numbers.of(still.name)[i] > 0 and still.driver not in _drivers(kept):
            kept = (numbers.reason(still, i, 0.0), *kept)
        if newest is not None and numbers.of(newest.name)[i] > 0:
            # "In the last 30 days" says more of a complaint of yesterday than "in the last 180 days".
            others = (reason for reason in kept if reason.driver != newest.driver)
            kept = (numbers.reason(newest, i, 0.0), *others)
        found[i] = kept[:COUNT]
    return found


def _drivers(reasons: Sequence[Reason]) -> set[str]:
    return {reason.driver for reason in reasons}


class _Numbers:
    """The customers' numbers by column, and what is usual."""

    def __init__(self, rows: pd.DataFrame, typical: Mapping[str, Any]) -> None:
        self.rows, self.typical, self.known = rows, typical, dict[str, Floats]()

    def of(self, name: str) -> Floats:
        """Shape (n,); NaN for a column that is not there."""
        if name not in self.known:
            column = self.rows.get(name, pd.Series(np.nan, self.rows.index))
            self.known[name] = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return self.known[name]

    def usual(self, name: str) -> float:
        """The median of all customers; NaN where there is none."""
        return float(self.typical.get(name, np.nan))

    def worse(self, column: FeatureColumn) -> Bools:
        """Whose number is worse, and can be told."""
        if column.worse is None:
            return np.zeros(len(self.rows), bool)
        holds = self._inside(column.name, column.worse.range)
        for name, span in column.worse.when.items():
            holds &= self._inside(name, span)
        for name, span in column.worse.unless.items():
            holds &= ~self._inside(name, span)
        for name in column.worse.told():
            holds &= np.isfinite(self.usual(column.name) if name == USUAL else self.of(name))
        return holds

    def _inside(self, name: str, span: Range) -> Bools:
        times: Floats | float = 1.0
        if isinstance(span, Times):
            times = self.usual(name) if span.of == USUAL else self.of(span.of)
        return inside(self.of(name), span, times)

    def reason(self, column: FeatureColumn, row: int, push: float) -> Reason:
        """What the column says of a customer whose number is worse."""
        worse = column.worse
        if worse is None:
            return Reason(column.driver, "", push)
        said = {name: float(self.of(name)[row]) for name in worse.told() - {USUAL}}
        if USUAL in worse.told():
            said[USUAL] = self.usual(column.name)
        return Reason(column.driver, filled(worse.says, EN, said) or "", push, worse.untold, said, worse.days)


def _of_facts(
    contributions: pd.DataFrame,
    rows: pd.DataFrame,
    typical: Mapping[str, Any],
    columns: Sequence[FeatureColumn],
) -> list[tuple[Reason, ...]]:
    """Reasons from a table whose columns nobody declared: what raises the risk, and is not as usual."""
    values = contributions[[column.name for column in columns]].to_numpy(np.float64)
    result = []
    for i, record in enumerate(rows.to_dict("records")):
        told: list[Reason] = []
        for c in np.argsort(-values[i], kind="stable"):
            fact = _fact(columns[c], record, typical) if values[i, c] > 0 else None
            if fact is not None and len(told) < COUNT:
                says, said = fact
                sentence = filled(says, EN, said) or ""
                told.append(Reason(columns[c].driver, sentence, float(values[i, c]), says, said))
        result.append(tuple(told))
    return result


def _fact(
    column: FeatureColumn, record: Mapping[str, Any], typical: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """Sentence and what goes into its braces."""
    value, usual = record[column.name], typical.get(column.name)
    if isinstance(value, str):
        return FACT, {"label": column.label, "value": value}
    number, as_usual = (filled("{n:2}", EN, {"n": n}) for n in (value, usual))
    if number is None or number == as_usual:
        return None
    said = {"label": column.label, "value": value}
    return (FACT, said) if as_usual is None else (USUALLY, {**said, "usual": usual})
