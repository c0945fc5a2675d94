"""A night's selection as tables: the list, who is not on it, the rows of the ledger, the figures of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.outcomes.draws import control_period, key_id
from pipeline.outcomes.ledger import REASON_JOINT
from pipeline.outreach.context import Prepared
from pipeline.outreach.eligibility import Rule, joined
from pipeline.outreach.playbook import message, title
from pipeline.outreach.reasons import COUNT, Reason
from pipeline.outreach.selection import Night, Selection

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Decision:
    """The list, who is not on it and why, and what the ledger keeps.

    Parameters
    ----------
    chosen
        The outreach list, best first.
    suppressed
        `customer_id` and `rules`, every customer who is not on the list.
    ledger
        Rows for `ledger.append`, but for the model's version.
    figures
        For the manifest: value, control group, limits, gain and its bound.
    notes
        Lines that a person should read.
    """

    chosen: pd.DataFrame
    suppressed: pd.DataFrame
    ledger: pd.DataFrame
    figures: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """The selection among the candidates.

    Parameters
    ----------
    people, reasons
        The candidates, and why each is at risk.
    customer, action
        Shape (options,): place among the candidates, and in the playbook.
    gain, fits
        Shape (candidates, actions).
    owners
        Shape (options,): who would make the contact.
    """

    prepared: Prepared
    people: pd.DataFrame
    reasons: tuple[tuple[Reason, ...], ...]
    customer: Ints
    action: Ints
    gain: Floats
    owners: NDArray[Any]
    night: Night
    found: Selection
    fits: Bools

    def decision(self) -> Decision:
        """All of it."""
        notes = (*self.prepared.worth.notes, *self.prepared.costs.notes)
        return Decision(self.chosen(), self.suppressed(), self.ledger(), self.figures(), notes)

    def chosen(self) -> pd.DataFrame:
        """The list, best first."""
        context, people = self.prepared.context, self.people
        options = self.found.listed
        best = np.lexsort((self.customer[options], -self.night.options.gain[options]))
        options = options[best]
        who, what = self.customer[options], self.action[options]
        rows = self.prepared.candidates[who]
        value = self.prepared.worth.amount[rows]
        probability = people["churn_probability"].to_numpy(np.float64)[who]
        actions, names = context.actions, list(context.playbook.actions)
        last = self.prepared.facts["last_contact"].iloc[rows].reset_index(drop=True)
        gap = (pd.Timestamp(context.as_of) - last) / pd.Timedelta(days=1)
        frame = pd.DataFrame(
            {
                "rank": np.arange(1, len(who) + 1),
                "customer_id": people["customer_id"].iloc[who].to_numpy(),
                "churn_probability": probability,
                "value": value,
                "value_at_risk": probability * value,
                "expected_gain": self.night.options.gain[options],
            }
        )
        for i in range(COUNT):
            told = [self.reasons[w][i].sentence if i < len(self.reasons[w]) else "" for w in who]
            frame[f"reason_{i + 1}"] = pd.Series(told, dtype="str")
        language, records = context.settings.language, self._records(who)
        frame["action"] = pd.Series([names[a] for a in what], dtype="str")
        frame["title"] = pd.Series([title(actions[a], language) for a in what], dtype="str")
        frame["channel"] = pd.Series([actions[a].channel for a in what], dtype="str")
        frame["owner"] = pd.Series(self.owners[options].tolist(), dtype="str")
        texts = [
            message(actions[a], language, {**record, "owner": owner})
            for a, record, owner in zip(what, records, frame["owner"], strict=True)
        ]
        frame["message"] = pd.Series(texts, dtype="str")
        frame["last_contact"] = last.dt.floor("D")
        frame["contact_gap_days"] = np.floor(gap.to_numpy(np.float64))
        days = np.array([actions[a].within_days for a in what], "timedelta64[D]")
        frame["due_date"] = (np.datetime64(context.as_of, "D") + days).astype("datetime64[s]")
        frame["propensity"] = self._propensity()[who]
        return frame.join(self._extra(who))

    def _records(self, who: Ints) -> list[dict[str, Any]]:
        column = self.prepared.context.settings.columns.name
        records = self.people.iloc[who].to_dict("records")
        if column is not None:
            return [{**record, "name": record[column]} for record in records]
        return [dict(record) for record in records]

    def _extra(self, who: Ints) -> pd.DataFrame:
        """Columns that a CRM import asks for."""
        asked = {c for columns in self.prepared.context.settings.crm.values() for c in columns.values()}
        kept = [c for c in self.people.columns if c in asked and c not in LIST_COLUMNS]
        return self.people[kept].iloc[who].reset_index(drop=True)

    def _propensity(self) -> Floats:
        """Shape (candidates,): chance of being on the list, before the draws."""
        chance = self.found.chance * self.prepared.sample_share
        sure = np.concatenate([self.found.listed, self.found.left_alone])
        chance[self.customer[sure[~self.found.explored[sure]]]] = 1.0
        return chance * (1 - self.prepared.context.settings.control.share)

    def suppressed(self) -> pd.DataFrame:
        """Everybody who is not on the list, with every rule that applied."""
        prepared, n = self.prepared, len(self.prepared.customers)
        rows = prepared.candidates
        listed, rules = np.zeros(n, bool), {rule: mask.copy() for rule, mask in prepared.rules.items()}
        listed[rows[self.customer[self.found.listed]]] = True
        has = np.zeros(len(rows), bool)
        has[self.customer] = True
        fit = self.fits.any(axis=1)
        rules[Rule.NO_ACTION][rows[~fit]] = True
        rules[Rule.NO_GAIN][rows[fit & ~has]] = True
        control = np.zeros(n, bool)
        control[rows[self.customer[self.found.left_alone]]] = True
        taken_units = self.night.options.unit[np.concatenate([self.found.listed, self.found.left_alone])]
        of_unit = np.zeros(n, bool)
        of_unit[rows[self.customer[np.isin(self.night.options.unit, taken_units)]]] = True
        rules |= {Rule.CONTROL: control, Rule.HOUSEHOLD: of_unit & ~control & ~listed}
        rules[Rule.FULL] = ~listed & ~np.logical_or.reduce(list(rules.values()))
        out = np.flatnonzero(~listed)
        told = joined({rule: mask[out] for rule, mask in rules.items()}, len(out))
        ids = prepared.customers["customer_id"].iloc[out].reset_index(drop=True)
        return pd.DataFrame({"customer_id": ids, "rules": pd.Series(told, dtype="str")})

    def ledger(self) -> pd.DataFrame:
        """A row for every scored customer."""
        prepared, context = self.prepared, self.prepared.context
        n, rows = len(prepared.customers), prepared.candidates
        taken = np.concatenate([self.found.listed, self.found.left_alone])
        at = rows[self.customer[taken]]
        free = ~np.logical_or.reduce(list(prepared.rules.values()))
        eligible = free.copy()
        eligible[rows] = False
        eligible[rows[self.customer]] = True
        propensity = np.zeros(n)
        # Who was not looked at could still have been in the sample that the random part is drawn from.
        drawn = self.found.explored.sum() / max(int(prepared.sampled.sum()), 1)
        propensity[free] = drawn * prepared.sample_share * (1 - context.settings.control.share)
        propensity[rows] = self._propensity()
        names, actions = list(context.playbook.actions), context.actions
        columns: dict[str, Any] = {"action": names, "channel": [a.channel for a in actions]}
        frame = pd.DataFrame(
            {
                "customer_id": prepared.customers["customer_id"],
                "churn_probability": prepared.customers["churn_probability"].astype("float64"),
                "eligible": eligible,
                "chosen": _mark(n, rows[self.customer[self.found.listed]]),
                "control": _mark(n, rows[self.customer[self.found.left_alone]]),
                "explored": _mark(n, at[self.found.explored[taken]]),
                "propensity": propensity,
                "value": prepared.worth.amount,
            }
        )
        for name, values in columns.items():
            column = np.full(n, None, object)
            column[at] = [values[a] for a in self.action[taken]]
            frame[name] = column
        gain, told = np.full(n, np.nan), np.full(n, None, object)
        best = self.gain.max(axis=1, initial=-np.inf)
        gain[rows] = np.where(best > 0, best, np.nan)
        gain[at] = self.night.options.gain[taken]
        told[rows] = [REASON_JOINT.join(reason.sentence for reason in each) or None for each in self.reasons]
        return frame.assign(expected_gain=gain, reasons=told)

    def figures(self) -> dict[str, Any]:
        """For the manifest and the tracking server; neither the key nor who is in the control group."""
        context, found, control = self.prepared.context, self.found, self.prepared.context.settings.control
        listed, alone = found.listed, found.left_alone
        return {
            "value": dict(self.prepared.worth.parameters),
            "listed": len(listed),
            "explored": int(found.explored[listed].sum()),
            "left_alone": len(alone),
            "expected_gain": float(self.night.options.gain[listed].sum()),
            "cost": float(self.night.options.cost[listed].sum()),
            "costs_known": self.prepared.costs.known,
            "first_choice_gain": found.gain,
            "first_choice_bound": found.bound,
            "candidates": len(self.prepared.candidates),
            "control": {
                "share": control.share,
                "days": control.days,
                "period": control_period(context.as_of, control.days),
                "hold_days": context.hold_days,
                "key_id": key_id(context.key),
            },
            "exploration": context.settings.exploration,
            "save_rates": {
                name: {"mean": float(mean), "measured": name in context.save_rates}
                for name, mean in zip(context.playbook.actions, context.saves, strict=True)
            },
        }


def _mark(n: int, places: Ints) -> Bools:
    mask = np.zeros(n, bool)
    mask[places] = True
    return mask


LIST_COLUMNS = frozenset(
    ["rank", "customer_id", "churn_probability", "value", "value_at_risk", "expected_gain"]
    + [f"reason_{i + 1}" for i in range(COUNT)]
    + ["action", "title", "channel", "owner", "message"]
    + ["last_contact", "contact_gap_days", "due_date", "propensity"]
)
