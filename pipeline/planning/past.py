"""What a list's rules would have brought in the past, from the customers whom chance listed or left alone.

Only they are told of, and only by the action that was chosen for them: what another action would have done to them
nobody has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.arrays import Bools, Floats
from configs.outreach import Outreach
from configs.playbook import Playbook
from models.decision.worth import concave
from models.effects.contact import fit_contact_effect
from models.effects.doubly_robust import Brought, brought
from pipeline.outcomes import learned
from pipeline.outcomes.drawn import by_chance
from pipeline.outcomes.learning import drawn_of
from pipeline.outcomes.situation import from_record
from pipeline.outreach.costs import contact_costs

FOLDS = 5


@dataclass(frozen=True)
class Rules:
    """By what the rows of the past are chosen.

    Parameters
    ----------
    settings, playbook
        From the config.
    typical, priced
        Of the valuation: the typical amount, and whether the value of a customer is money.
    margin
        The values of the ledger are multiplied by it: the margin of the config over that of the past.
    """

    settings: Outreach
    playbook: Playbook
    typical: float
    priced: bool
    margin: float = 1.0


@dataclass(frozen=True)
class Past:
    """What would have come of the rows.

    Parameters
    ----------
    nights, rows
        With an outcome that is final, and their randomised rows.
    parts
        `before` and `now`, and those that only the one or the other would have contacted: what a contact brought,
        less its cost.
    """

    nights: int
    rows: int
    parts: Mapping[str, Brought]


def past(rows: pd.DataFrame, before: Rules, now: Rules) -> Past:
    """Judge both rules by the recorded nights whose label window has passed.

    Parameters
    ----------
    rows
        Of `learning.judged`.
    """
    use = by_chance(rows) & rows["inputs"].notna()
    rows = rows.loc[use].reset_index(drop=True)
    known = rows["mature"].to_numpy(bool) & rows["value"].notna().to_numpy()
    if not known.any():
        return Past(0, 0, dict.fromkeys(("before", "now", "only before", "only now"), Brought(0, 0)))
    sides = [_Judged(side, rows, effects_out_of_fold(rows, side.playbook)) for side in (before, now)]
    old, new = (side.chosen(known, other) for side, other in zip(sides, (None, sides[0]), strict=True))
    first, second = sides
    parts = {
        "before": first.brought(old),
        "now": second.brought(new),
        "only before": first.brought(old & ~new),
        "only now": second.brought(new & ~old),
    }
    return Past(int(rows.loc[known, "as_of"].nunique()), int(known.sum()), parts)


def effects_out_of_fold(rows: pd.DataFrame, playbook: Playbook) -> Floats:
    """Effect of each action on each row, learned from other customers alone; shape (rows, actions)."""
    belief, fold = learned.belief(playbook), rows["who"].to_numpy(np.int64) % FOLDS
    seen, found = from_record(rows["inputs"].tolist()), np.zeros((len(rows), len(belief.actions)))
    for k in range(FOLDS):
        at = np.flatnonzero(fold == k)
        if len(at):
            others = rows.loc[fold != k]
            model = fit_contact_effect(belief, drawn_of(others, belief.actions)) if len(others) else belief
            found[at] = model.effect(seen.take(at))[0]
    return found


class _Judged:
    """Rows of the past, by one set of rules."""

    def __init__(self, rules: Rules, rows: pd.DataFrame, effect: Floats) -> None:
        names = list(rules.playbook.actions)
        costs = contact_costs(rules.playbook, rules.settings, rules.priced)
        self.rules, self.rows, self.names = rules, rows, names
        self.value = rows["value"].to_numpy(np.float64) * rules.margin
        worth = concave(np.nan_to_num(self.value), rules.typical)
        self.gains = effect * worth[:, None] - costs.off_the_gain
        place = {name: i for i, name in enumerate(names)}
        number = np.array([place.get(a, -1) for a in rows["action"]], np.int64)
        same = [
            n >= 0 and rules.playbook.actions[a].channel == c
            for n, a, c in zip(number, rows["action"], rows["channel"], strict=True)
        ]
        self.known_action, at = np.array(same, bool), np.maximum(number, 0)
        self.effect, self.gain = (x[np.arange(len(rows)), at] for x in (effect, self.gains))
        self.cost, self.priced_cost = costs.amount[at], costs.off_the_gain[at]

    def better(self) -> list[frozenset[str]]:
        """Of each row, the actions that gain more than its own."""
        above = self.gains > self.gain[:, None]
        return [frozenset(name for name, a in zip(self.names, row, strict=True) if a) for row in above]

    def chosen(self, may: Bools, before: _Judged | None) -> Bools:
        """Rows that the rules contact by the action that was chosen for them.

        Which other actions were open to a customer is not recorded: those that gain more `before` the change too were
        not. Any other that gains more now takes the row's place. Whether chance then left the customer alone has no
        part in the choice: a row uses its chance of a contact of the room.
        """
        take = may & self.known_action & (self.gain > 0)
        if before is not None:
            moved = [now - then for now, then in zip(self.better(), before.better(), strict=True)]
            take &= ~np.array([bool(names) for names in moved])
        settings, chosen = self.rules.settings, np.zeros(len(take), bool)
        chance = self.rows["propensity"].to_numpy(np.float64)
        nights, channels = self.rows["as_of"].to_numpy(), self.rows["channel"].to_numpy(object)
        for night in np.unique(nights[take]):
            room = {
                "": float(settings.capacity),
                "cost": np.inf if settings.budget is None else settings.budget,
            }
            room |= settings.channel_capacity
            among = np.flatnonzero(take & (nights == night))
            for i in among[np.argsort(-self.gain[among], kind="stable")]:
                need = {"": chance[i], "cost": chance[i] * self.cost[i], str(channels[i]): chance[i]}
                if all(used <= room.get(name, np.inf) for name, used in need.items()):
                    chosen[i] = True
                    room = {name: left - need.get(name, 0.0) for name, left in room.items()}
        return chosen

    def brought(self, at: Bools) -> Brought:
        """What a contact of these rows brought."""
        rows = self.rows.loc[at]
        return brought(
            rows["chosen"].to_numpy(np.float64),
            rows["propensity"].to_numpy(np.float64),
            rows["residual"].to_numpy(np.float64),
            self.effect[at],
            self.value[at],
            self.priced_cost[at],
            rows["who"].to_numpy(np.int64),
        )
