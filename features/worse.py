"""When a feature speaks for leaving: in which direction it is worse, from which number on, and in which words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from configs.base import Range, Section
from configs.sentence_fields import fields_of

USUAL = "usual"

# Drivers that tell the same story: a customer gets one reason of each line at most.
STORIES: tuple[frozenset[str], ...] = (
    frozenset({"silence", "frequency", "falling frequency", "rhythm"}),
    frozenset({"usage", "falling usage"}),
    frozenset({"spend", "falling spend"}),
    frozenset({"low feedback", "falling feedback"}),
    frozenset({"contact gap", "inbound contacts"}),
)


class Times(Range):
    """A range whose bounds are multiples of another number of the same customer, or of what is usual."""

    of: str = Field(description="a column, or `usual`: the median of all customers of the column at hand")


class Worse(Section):
    """What makes a customer's number a reason to leave.

    Parameters
    ----------
    range
        The numbers that are worse, against a fixed bound or, with `Times`, against the customer's own past or what
        is usual.
    says
        The sentence for a manager, see `configs.sentence_fields`; `{usual}` is the median of all customers.
    when
        What must hold of other columns too.
    unless
        What must not hold of other columns; a number that is unknown holds nowhere.

    template, days
        The sentence before the length of a window was filled in, by which its translation is found, and that length.

    `{days}` stands for the length of the window, in every text.
    """

    range: Times | Range
    says: str
    when: Mapping[str, Times | Range] = Field(default_factory=dict)
    unless: Mapping[str, Times | Range] = Field(default_factory=dict)
    template: str = ""
    days: int | None = None

    @field_validator("says")
    @classmethod
    def _fields(cls, value: str) -> str:
        fields_of(value.replace("{days}", "30"))
        return value

    def over(self, days: int) -> Worse:
        """The same for the window of so many days.

        Examples
        --------
        >>> seldom = Worse(range=Range(below=1), says="{visits_{days}d:visit} in the last {days} days")
        >>> seldom.over(30).says
        '{visits_30d:visit} in the last 30 days'
        """
        text = self.model_dump_json().replace("{days}", str(days))
        return Worse.model_validate_json(text).model_copy(update={"template": self.says, "days": days})

    @property
    def untold(self) -> str:
        """The sentence as it is declared: with `{days}`, where it has a window."""
        return self.template or self.says

    def told(self) -> set[str]:
        """Names in the sentence's braces: columns, and `usual`."""
        return {name for _, name, _ in fields_of(self.says) if name}

    def columns(self) -> set[str]:
        """The columns that it reads, beside its own."""
        ranges = (self.range, *self.when.values(), *self.unless.values())
        bounds = {part.of for part in ranges if isinstance(part, Times)}
        return (bounds | self.told() | set(self.when) | set(self.unless)) - {USUAL}


def inside(
    numbers: NDArray[np.float64], span: Range, times: NDArray[np.float64] | float = 1.0
) -> NDArray[np.bool_]:
    """Whether each number lies in the range; an unknown one does not.

    Parameters
    ----------
    times
        What the bounds are multiples of. Nothing lies in the range when it is negative: a part of it would be more.

    Examples
    --------
    >>> inside(np.array([1.0, 5.0, np.nan]), Range(above=2)).tolist()
    [False, True, False]
    >>> inside(np.array([1.0, 5.0]), Range(below=0.5), np.array([4.0, 4.0])).tolist()
    [True, False]
    """
    with np.errstate(invalid="ignore"):
        holds = np.isfinite(numbers) & (times >= 0)
        holds &= numbers > span.above * times if span.above is not None else True
        holds &= numbers < span.below * times if span.below is not None else True
    return np.asarray(holds)
