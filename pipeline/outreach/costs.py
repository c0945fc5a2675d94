"""What a contact costs: money that the playbook states, and minutes of work that the config prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from configs.arrays import Floats
from configs.errors import ConfigError
from configs.outreach import Outreach
from configs.playbook import Action, Playbook
from pipeline.languages.said import Said, said


@dataclass(frozen=True)
class Costs:
    """What one contact by each action costs.

    Parameters
    ----------
    amount
        Shape (actions,), in the money of the sources: what is known of it, 0 where nothing is.
    off_the_gain
        Shape (actions,): what is taken off the gain of a contact; 0 where the value of a customer is no money.
    known
        Whether the cost of every action is.
    notes
        Lines that a person should read.
    """

    amount: Floats
    off_the_gain: Floats
    known: bool
    notes: tuple[Said, ...]

    def gain(self, effect: Floats, worth: Floats) -> Floats:
        """Gain of each action when it has such an effect; minus infinity where it can't be taken.

        Parameters
        ----------
        effect
            Shape (n, actions); NaN where an action can't be taken.
        worth
            What keeping each customer is worth, shape (n,).

        Examples
        --------
        >>> costs = Costs(np.array([1.0, 2.0]), np.array([1.0, 2.0]), True, ())
        >>> costs.gain(np.array([[0.1, np.nan]]), np.array([50.0])).tolist()
        [[4.0, -inf]]
        """
        gain = effect * worth[:, None] - self.off_the_gain
        return np.where(np.isnan(gain), -np.inf, gain)


def contact_costs(playbook: Playbook, settings: Outreach, priced: bool) -> Costs:
    """Money and work of one contact: `cost` + `minutes` / 60 x `outreach.hour_cost`.

    Parameters
    ----------
    priced
        Whether the value of a customer is money.

    Raises
    ------
    ConfigError
        When there is a budget, and the cost of some action is not known.

    Examples
    --------
    >>> from configs.playbook import load_playbook
    >>> contact_costs(load_playbook(), Outreach(hour_cost=30), priced=True).amount[:2].tolist()
    [7.5, 7.5]
    >>> contact_costs(load_playbook(), Outreach(), priced=True).known
    False
    """
    actions = playbook.actions
    amount = np.array([_known_part(action, settings.hour_cost) for action in actions.values()])
    unknown = [name for name, action in actions.items() if not _is_known(action, settings.hour_cost)]
    if unknown and settings.budget is not None:
        raise ConfigError(
            f"outreach.budget: {_whose(unknown, len(actions))} are unknown, so no budget can be kept; "
            f"{_next_step(playbook, unknown, settings)}, or remove the budget"
        )
    note = said(
        "{whose} are unknown and count as 0: the list is ranked by the loss that a contact prevents; {step}",
        whose=_whose(unknown, len(actions)),
        step=_next_step(playbook, unknown, settings),
    )
    return Costs(
        amount,
        amount if priced else np.zeros(len(amount)),
        not unknown,
        (note,) if unknown and priced else (),
    )


def _known_part(action: Action, hour_cost: float | None) -> float:
    return (action.cost or 0.0) + (action.minutes or 0.0) / 60 * (hour_cost or 0.0)


def _is_known(action: Action, hour_cost: float | None) -> bool:
    if action.minutes is None:
        return action.cost is not None
    return hour_cost is not None or action.minutes == 0


def _whose(unknown: list[str], actions: int) -> Said:
    if len(unknown) == actions:
        return said("the costs of contacts")
    return said("the costs of {actions}", actions=unknown)


def _next_step(playbook: Playbook, unknown: list[str], settings: Outreach) -> Said:
    """What makes them known: the price of an hour, a cost in the playbook, or both."""
    bare = [name for name in unknown if playbook.actions[name].minutes is None]
    hour = said("set `outreach.hour_cost`, what an hour of work costs")
    if not bare:
        return hour
    if settings.hour_cost is None and len(bare) == len(unknown):
        return said("give {actions} a cost in the playbook", actions=bare)
    each = said("give {actions} a cost, or minutes, in the playbook", actions=bare)
    return said("{one} and {other}", one=hour, other=each) if len(bare) < len(unknown) else each
