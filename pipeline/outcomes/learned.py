"""What was learned of the effect of contacts, between the run that measures it and the night that uses it.

Scoring reads this module and never the one that measures, which sees labels.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from configs.errors import ChurnError
from configs.playbook import Playbook
from models.effects.contact import TERMS, ContactEffect
from models.effects.sequence import Bounds
from pipeline.publish import as_json, write_atomic

LEARNED_FILE = "effect.json"
RESUMED = "resumed.json"
ALL = "all"


@dataclass(frozen=True)
class NightCheck:
    """The scores of one night against what happened; nights are a label window apart.

    Parameters
    ----------
    listed
        How many were on the list: they may have stayed because of it.
    expected, churned
        Sum of the probabilities, and how many left.
    """

    night: dt.date
    customers: int
    listed: int
    expected: float
    churned: int
    auc: float
    log_loss: float
    ece: float
    lift_top_tenth: float


@dataclass(frozen=True)
class Evidence:
    """What the randomised rows have shown so far.

    Parameters
    ----------
    nights
        Dates with a list, oldest first.
    bounds
        `all` and each action to the bounds of its effect on the share kept.
    usual
        Of all actions together against business as usual; None where nobody is left to the team.
    checks
        Scores of past nights against what happened, newest first.
    """

    nights: Sequence[dt.date] = ()
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    usual: Bounds | None = None
    checks: Sequence[NightCheck] = ()

    @property
    def every_days(self) -> float:
        """Usual days between lists; 1 before there are two."""
        newest = list(self.nights)[-10:]
        gaps = sorted((b - a).days for a, b in pairwise(newest))
        return float(gaps[len(gaps) // 2]) if gaps else 1.0

    @property
    def stopped(self) -> frozenset[str]:
        """Actions, or `all`, that are proven to drive customers away."""
        return frozenset(name for name, found in self.bounds.items() if found.harms)


@dataclass(frozen=True)
class Learned:
    """What the next list believes.

    Parameters
    ----------
    effect
        Of each action of the playbook, in its order.
    bounds
        `all` and each action to the bounds of its effect.
    measured
        As-of date of the measurement; None when the playbook is all there is.
    usual, checks
        As in `Evidence`.
    """

    effect: ContactEffect
    bounds: Mapping[str, Bounds]
    measured: dt.date | None
    usual: Bounds | None = None
    checks: Sequence[NightCheck] = ()


def belief(playbook: Playbook) -> ContactEffect:
    """The playbook's.

    Examples
    --------
    >>> from configs.playbook import load_playbook
    >>> belief(load_playbook()).rows
    0.0
    """
    actions = playbook.actions.items()
    return ContactEffect.prior(
        {name: a.save_rate.mean for name, a in actions},
        [name for name, a in actions if a.settles_complaints],
    )


def write(ledger: Path, learned: Learned) -> Path:
    """Replace the file in the ledger's folder at once."""
    path = ledger / LEARNED_FILE
    content = {
        "measured": learned.measured,
        "effect": json.loads(learned.effect.to_json()),
        "bounds": {name: asdict(found) for name, found in sorted(learned.bounds.items())},
        "usual": learned.usual and asdict(learned.usual),
        "checks": [asdict(check) for check in learned.checks],
    }
    write_atomic(path, as_json(content))
    return path


def read_learned(ledger: Path, playbook: Playbook, as_of: dt.date) -> Learned:
    """What to believe at a date: what was measured by then, else the playbook.

    When the actions, their save rates or what the belief consists of have changed since, the playbook's belief stands
    until `churn outcomes` or the next `churn score` learns again; what was proven of an action stays.

    Raises
    ------
    ChurnError
        When the file is damaged.
    """
    prior, path = belief(playbook), ledger / LEARNED_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = dt.date.fromisoformat(content["measured"])
        # An earlier version's belief had other terms; the ledger, from which it was learned, is still there.
        earlier = content["effect"].get("terms") != list(TERMS)
        effect = prior if earlier else ContactEffect.from_json(json.dumps(content["effect"]))
        bounds = {name: Bounds(**values) for name, values in content["bounds"].items()}
        # Files of an earlier version lack these two.
        usual = Bounds(**content["usual"]) if content.get("usual") else None
        checks = [_night_check(**values) for values in content.get("checks", [])]
    except FileNotFoundError:
        return Learned(prior, {}, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChurnError(
            f"{path}: not readable as what was learned: {' '.join(str(error).split())[:200]}; "
            "delete it, `churn outcomes` makes it anew from the ledger"
        ) from error
    if measured > as_of:
        return Learned(prior, {}, None)
    same = (effect.actions, effect.saves.tolist(), effect.answers.tolist()) == (
        prior.actions,
        prior.saves.tolist(),
        prior.answers.tolist(),
    )
    return Learned(effect if same else prior, bounds, measured, usual, checks)


def _night_check(night: str, **values: Any) -> NightCheck:
    return NightCheck(dt.date.fromisoformat(night), **values)


def resumed(ledger: Path) -> dict[str, dt.date]:
    """Actions, or `all`, that a person switched on again, and since when only newer rows count.

    Raises
    ------
    ChurnError
        When the file is damaged.
    """
    path = ledger / RESUMED
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): dt.date.fromisoformat(day) for name, day in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ChurnError(
            f"{path}: not readable: {' '.join(str(error).split())[:200]}; delete it and resume again"
        ) from error


def resume_learned(ledger: Path, name: str, as_of: dt.date) -> None:
    """Switch an action, or `all`, on again: what is proven of it before a date counts no longer."""
    write_atomic(ledger / RESUMED, as_json(resumed(ledger) | {name: as_of}))
