"""From signals to actions: which of the playbook fit each customer, and the message that goes with one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Bools, Floats
from configs.base import Range
from configs.errors import ConfigError, Fault
from configs.playbook import Action, Condition, Playbook
from features.matrix import drivers as known_drivers
from features.worse import inside
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said
from pipeline.outreach.sentences import filled


def check_playbook(
    playbook: Playbook, columns: Collection[str], drivers: Collection[str] | None = None
) -> tuple[Said, ...]:
    """What the playbook asks for and the data don't have, a line each.

    Parameters
    ----------
    columns
        Names of the scored columns.
    drivers
        That reasons can have; absent: those of all declared features and of the attributes, whether or not the
        data have them.

    Raises
    ------
    ConfigError
        For drivers that no feature has, with the nearest one, all at once.
    """
    faults, lines = [], []
    if drivers is None:
        drivers = known_drivers()
    for name, action in playbook.actions.items():
        asked = {driver for when in action.when for driver in (*when.drivers, *when.without_drivers)}
        for driver in sorted(asked - set(drivers)):
            near = difflib.get_close_matches(driver, sorted(drivers), n=1, cutoff=0.5)
            fix = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(drivers))}"
            faults.append(Fault(f"actions.{name}.when.drivers", f"unknown driver {driver!r}", fix))
        absent = [sorted((set(when.columns) | set(when.segments)) - set(columns)) for when in action.when]
        if all(absent):
            first = sorted({column for names in absent for column in names})
            lines.append(
                said("action {name} never fits: the data have no {columns}", name=name, columns=first)
            )
    if faults:
        raise ConfigError(f"{len(faults)} fault{'s' * (len(faults) > 1)} in the playbook", faults)
    return tuple(lines)


def fitting(
    action: Action,
    customers: pd.DataFrame,
    probability: Floats,
    value_rank: Floats,
    drivers: Mapping[str, Bools] | None,
) -> Bools:
    """Whether the action fits each customer.

    Parameters
    ----------
    customers
        Shape (n, columns): the scored columns; `left` where customers who have left are among them.
    probability
        Shape (n,).
    value_rank
        Shape (n,): share of the customers who are worth more, 0..1.
    drivers
        Driver to a mask of shape (n,): it is among the customer's reasons. None: nobody was explained yet, and
        conditions on drivers are taken to hold.

    Examples
    --------
    >>> from configs.playbook import load_playbook
    >>> action = load_playbook().actions["onboarding_help"]
    >>> new = pd.DataFrame({"tenure_days": [20.0, 400.0, float("nan")]})
    >>> fitting(action, new, np.full(3, 0.5), np.zeros(3), {"tenure": np.full(3, True)}).tolist()
    [True, False, False]
    """
    n = len(customers)
    left = customers["left"].to_numpy(bool) if "left" in customers else np.zeros(n, bool)
    fits = np.zeros(n, bool)
    for condition in action.when:
        fits |= _holds(condition, customers, probability, value_rank, drivers)
    return np.asarray(fits & (left == (action.audience == "left")))


def _holds(
    condition: Condition,
    customers: pd.DataFrame,
    probability: Floats,
    value_rank: Floats,
    drivers: Mapping[str, Bools] | None,
) -> Bools:
    holds = np.ones(len(customers), bool)
    numbers = {name: (customers.get(name), bounds) for name, bounds in condition.columns.items()}
    if condition.probability is not None:
        numbers[""] = (pd.Series(probability), condition.probability)
    for column, bounds in numbers.values():
        if column is None:
            return np.zeros(len(customers), bool)
        number = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        holds &= inside(number, bounds)
    for name, values in condition.segments.items():
        if name not in customers:
            return np.zeros(len(customers), bool)
        holds &= customers[name].astype("str").isin(values).to_numpy(bool)
    if condition.value_top is not None:
        holds &= value_rank < condition.value_top
    if drivers is not None:
        holds &= _any_of(condition.drivers, drivers) if condition.drivers else True
        holds &= ~_any_of(condition.without_drivers, drivers)
    return holds


def _any_of(names: Collection[str], drivers: Mapping[str, Bools]) -> Bools | np.bool_:
    """Whose reasons have one of the drivers."""
    named = [drivers[name] for name in names if name in drivers]
    return np.logical_or.reduce(named) if named else np.False_


def value_ranks(value: Floats) -> Floats:
    """Share of the customers who are worth more than each, 0..1; equals share the same.

    Examples
    --------
    >>> value_ranks(np.array([5.0, 9.0, 5.0, 1.0])).tolist()
    [0.25, 0.0, 0.25, 0.75]
    """
    above = len(value) - np.searchsorted(np.sort(value), value, side="right")
    return above / max(len(value), 1)


def message(
    action: Action, language: Language, row: Mapping[str, Any], numbers: Mapping[str, Range] | None = None
) -> str:
    """The action's message for one customer, in the language.

    Parameters
    ----------
    row
        Columns of the customer, `name` and `owner`. A sentence that needs an unknown one is left out.
    numbers
        Column to the range in which its number is worth telling; a sentence with another number is left out.

    Examples
    --------
    >>> from configs.playbook import load_playbook
    >>> action = load_playbook().actions["keep_in_touch"]
    >>> message(action, Language("en"), {"contact_gap_days": 74.2})
    'We were last in touch 74 days ago. How are things, and what comes next for you?'
    >>> message(action, Language("en"), {"contact_gap_days": 2.0}, load_playbook().numbers)
    'How are things, and what comes next for you?'
    >>> message(action, Language("fa"), {"contact_gap_days": 74.2})[:31]
    'آخرین تماس ما ۷۴ روز پیش بود. ا'
    """
    telling = {
        name: value
        for name, value in row.items()
        if numbers is None or name not in numbers or _within(value, numbers[name])
    }
    return " ".join(
        sentence
        for template in action.message.get(language.code) or map(language.word, action.message["en"])
        if (sentence := filled(template, language, telling)) is not None
    )


def _within(value: Any, span: Range) -> bool:
    return isinstance(value, int | float | np.number) and bool(inside(np.array([float(value)]), span)[0])


def title(action: Action, language: Language) -> str:
    """The action's title in the language: its own, that of the catalogue, or the English one."""
    return action.title.get(language.code) or language.word(action.title["en"])


def masks(reasons: Sequence[Collection[str]]) -> dict[str, Bools]:
    """Driver to a mask over the customers whose reasons have it.

    Examples
    --------
    >>> masks([["silence"], [], ["silence", "spend"]])["silence"].tolist()
    [True, False, True]
    """
    found: dict[str, Bools] = {}
    for i, drivers in enumerate(reasons):
        for driver in drivers:
            found.setdefault(driver, np.zeros(len(reasons), bool))[i] = True
    return found
