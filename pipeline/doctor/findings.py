"""What a check has found, and all of them as lines: the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.result import LOOK

_State = Literal["fault", "look", "later", "not reached", "ok"]
_WORST_FIRST: tuple[_State, ...] = ("fault", "later", "look", "not reached", "ok")
_CODES: dict[_State, int] = {"fault": 1, "look": LOOK, "later": LOOK, "not reached": 0, "ok": 0}


@dataclass(frozen=True)
class Finding:
    """One check.

    Parameters
    ----------
    name
        What was checked, in a word or two.
    state
        'fault': no night will be published; 'later': busy or away; 'look': a person should look; 'not reached': an
        earlier fault hides it.
    told
        What was found, on one line, with the mend where there is one.
    more
        Further lines.
    values
        For machines.
    """

    name: str
    state: _State
    told: str
    more: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def as_values(self) -> dict[str, Any]:
        """The finding as plain values."""
        lines = [self.told, *self.more]
        return {"check": self.name, "state": self.state, "lines": lines, **self.values}


def shown_findings(findings: Sequence[Finding]) -> str:
    """The findings, the worst first, and how many are well.

    Examples
    --------
    >>> print(shown_findings([Finding("disk", "ok", "8 GB free"), Finding("lock", "look", "a night is at work")]))
    look   lock  a night is at work
    ok     disk  8 GB free
    1 of 2 checks passed
    """
    width = max(len(one.name) for one in findings)
    mark = max(len("fault "), *(len(one.state) for one in findings))
    lines = []
    for one in sorted(findings, key=lambda one: _WORST_FIRST.index(one.state)):
        lines.append(f"{one.state:<{mark}} {one.name:<{width}}  {one.told}")
        lines += [f"{'':<{mark}} {'':<{width}}  {line}" for line in one.more]
    well = sum(one.state == "ok" for one in findings)
    return "\n".join([*lines, f"{well} of {len(findings)} checks passed"])


def exit_code_of(findings: Sequence[Finding]) -> int:
    """1 with a fault, 3 where a person should look, else 0."""
    codes = {_CODES[one.state] for one in findings}
    return 1 if 1 in codes else max(codes, default=0)
