"""Everything that can go wrong, as one tree.

    ChurnError            exit 1   a clear line for a person; nothing was published
    ├── ConfigError       exit 2   the config, an option or an environment variable is wrong
    ├── DataError         exit 1   a source breaks its contract; every fault found is listed
    │   └── HistoryError  exit 1   the data are sound but too few to train on
    ├── ModelError        exit 1   no champion, a damaged model, or columns that differ from the model's
    │   ├── UnfitError    exit 1  the champion is damaged, or fits the data or the config no more
    │   └── StoreError    exit 1   the tracking store refuses, or does not hold what it should
    └── TryAgainError     exit 75  another run holds the lock, or a system is away for now

A message says what is wrong, where, what was expected, and the next step. `Fault` holds one such line, so
that all faults of a file or config are reported together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and what to do about it.

    Parameters
    ----------
    where
        The file and column, or the config key.
    what
        What is wrong, with numbers.
    fix
        The next step.

    Examples
    --------
    >>> print(Fault("churn.horizon_days", "is -1, expected a number above 0", "set it to the days to look ahead"))
    churn.horizon_days: is -1, expected a number above 0; set it to the days to look ahead
    """

    where: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.fix}" if self.fix else "")


class ChurnError(Exception):
    """Base of every error that a user can act on."""

    exit_code = 1

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([message, *(f"  - {fault}" for fault in self.faults)]))


class ConfigError(ChurnError):
    """The config file, an option or an environment variable is wrong."""

    exit_code = 2


class DataError(ChurnError):
    """A source is missing, unreadable or breaks the contract of its role."""


class HistoryError(DataError):
    """The data are sound, but too short or too uniform to learn from."""


class ModelError(ChurnError):
    """There is no usable model, or the data do not fit it."""


class UnfitError(ModelError):
    """The champion can't be used: damaged, or made for other columns or another definition; a training replaces it."""


class StoreError(ModelError):
    """The tracking store refuses, answers nonsense, or has no champion; to wait does not help."""


class TryAgainError(ChurnError):
    """Something is busy or away; the same command may work later."""

    exit_code = 75
