"""What was learned of the effect of contacts, between the night that measures it and the night that uses it.

Scoring reads this module and never the one that measures, which sees labels.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.errors import ChurnError
from configs.playbook import Playbook
from models.effects.control_group import SaveRate
from models.effects.uplift import Uplift
from pipeline.publish import as_json, write_atomic

FILE = "save_rates.json"
UPLIFT_FILE = "uplift.json"


@dataclass(frozen=True)
class SaveRates:
    """What is known of each action's success.

    Parameters
    ----------
    rates
        Action to its save rate; its `prior_weight` is 1 where nothing was measured.
    measured
        As-of date of the measurement; None when the playbook is all there is.
    """

    rates: Mapping[str, SaveRate]
    measured: dt.date | None

    def __str__(self) -> str:
        if self.measured is None:
            return "save rates: the playbook's, nothing is measured yet"
        learned = {action: rate for action, rate in self.rates.items() if rate.prior_weight < 1}
        said = ", ".join(
            f"{action} {rate.mean:.1%} (playbook's weight {rate.prior_weight:.0%})"
            for action, rate in sorted(learned.items())
        )
        return f"save rates measured {self.measured}: {said or 'no action has a control group yet'}"


def priors(playbook: Playbook) -> dict[str, SaveRate]:
    """The playbook's beliefs.

    Examples
    --------
    >>> from configs.playbook import load_playbook
    >>> all(rate.prior_weight == 1 for rate in priors(load_playbook()).values())
    True
    """
    return {name: SaveRate(a.save_rate.saved, a.save_rate.lost) for name, a in playbook.actions.items()}


def write(ledger: Path, rates: SaveRates) -> Path:
    """Replace the file in the ledger's folder at once."""
    actions = {
        name: {"saved": r.saved, "lost": r.lost, "mean": r.mean, "prior_weight": r.prior_weight}
        for name, r in rates.rates.items()
    }
    path = ledger / FILE
    write_atomic(path, as_json({"measured": rates.measured, "actions": actions}))
    return path


def read(ledger: Path, playbook: Playbook, as_of: dt.date) -> SaveRates:
    """The rates to use at a date: the playbook's, and where they were measured by then, the measured ones.

    An action that is new in the playbook has its belief; one that has left it is forgotten.

    Raises
    ------
    ChurnError
        When the file is damaged.
    """
    believed, path = priors(playbook), ledger / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = dt.date.fromisoformat(content["measured"])
        found = {
            name: SaveRate(float(r["saved"]), float(r["lost"]), float(r["prior_weight"]))
            for name, r in content["actions"].items()
            if name in believed
        }
    except FileNotFoundError:
        return SaveRates(believed, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChurnError(
            f"{path}: not readable as save rates: {' '.join(str(error).split())[:200]}; "
            "delete it, `churn outcomes` makes it anew from the ledger"
        ) from error
    if measured > as_of:
        return SaveRates(believed, None)
    return SaveRates(believed | found, measured)


def write_uplift(ledger: Path, model: Uplift, measured: dt.date) -> Path:
    """Replace the model of the effect in the ledger's folder at once."""
    path = ledger / UPLIFT_FILE
    write_atomic(path, as_json({"measured": measured, "model": json.loads(model.to_json())}))
    return path


def read_uplift(ledger: Path, as_of: dt.date) -> Uplift | None:
    """The model of the effect to use at a date; None when there is none, or none that was proven by then.

    Raises
    ------
    ChurnError
        When the file is damaged.
    """
    path = ledger / UPLIFT_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = dt.date.fromisoformat(content["measured"])
        model = Uplift.from_json(json.dumps(content["model"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChurnError(
            f"{path}: not readable as a model of the effect: {' '.join(str(error).split())[:200]}; "
            "delete it, `churn train --uplift` makes it anew from the ledger"
        ) from error
    return model if model.used and measured <= as_of else None
