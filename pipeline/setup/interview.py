"""What can't be guessed: asked on a terminal, at most three times, else taken and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MOST_QUESTIONS = 3

Ask = Callable[[str, str], str]


@dataclass
class Interview:
    """The questions of one `churn init`.

    Parameters
    ----------
    ask
        Puts a question with its guess to a person and returns the answer; None where nobody can be asked.
    doubts
        What was taken without an answer, with the option that settles it.
    asked
        Number of questions so far.

    Examples
    --------
    >>> silent = Interview(None)
    >>> silent.settle("days that the label speaks of", "30", "--horizon-days", None)
    '30'
    >>> silent.doubts
    ['days that the label speaks of: took 30; --horizon-days says otherwise']
    """

    ask: Ask | None
    doubts: list[str] = field(default_factory=list)
    asked: int = 0

    def settle(self, what: str, guess: str, option: str, given: str | None) -> str:
        """The answer: the option's, else a person's, else the guess."""
        if given is not None:
            return given
        if self.ask is not None and self.asked < MOST_QUESTIONS:
            self.asked += 1
            return self.ask(what, guess).strip() or guess
        self.doubt(f"{what}: took {guess}", option)
        return guess

    def doubt(self, what: str, option: str) -> None:
        """Say what is not sure."""
        self.doubts.append(f"{what}; {option} says otherwise")


@dataclass(frozen=True)
class Given:
    """What the command line says, each None or empty where it says nothing.

    Parameters
    ----------
    customer
        Column of the customer's id.
    kind
        Of churn.
    dates
        'dmy' or 'mdy', where both read.
    roles
        Table to role.
    """

    customer: str | None = None
    kind: str | None = None
    dates: str | None = None
    horizon_days: int | None = None
    churned_value: str | None = None
    name: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
