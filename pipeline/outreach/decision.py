"""A night's selection as tables: the list, who is not on it, the rows of the ledger, the figures of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Floats, Ints
from pipeline.languages.said import Said, said
from pipeline.outcomes.draws import draw, key_id
from pipeline.outcomes.ledger import REASON_JOINT
from pipeline.outcomes.situation import CALLED
from pipeline.outreach.context import Prepared
from pipeline.outreach.eligibility import Rule, joined
from pipeline.outreach.exports import column_of
from pipeline.outreach.playbook import message, title
from pipeline.outreach.reasons import COUNT, Reason, shown_reasons
from pipeline.outreach.selection import Choice, Selection
from pipeline.outreach.shortage import why_short

KEEP, WIN_BACK = "keep", "win back"
Z_LOW = 1.645


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
    notes: tuple[Said, ...]


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
    size
        How large the parts of the list may be.
    """

    prepared: Prepared
    people: pd.DataFrame
    reasons: tuple[tuple[Reason, ...], ...]
    customer: Ints
    action: Ints
    gain: Floats
    owners: NDArray[Any]
    choice: Choice
    found: Selection
    fits: Bools

    def decision(self) -> Decision:
        """All of it."""
        chosen, suppressed = self.chosen(), self.suppressed()
        notes = (
            *why_short(suppressed, len(chosen)),
            *self.prepared.stage.notes,
            *self._size(),
            *self.prepared.worth.notes,
            *self.prepared.costs.notes,
        )
        return Decision(chosen, suppressed, self.ledger(), self.figures(), notes)

    def _size(self) -> tuple[Said, ...]:
        """What the trial part of tonight's list may cost, where there is one."""
        listed = self.found.listed
        tried = listed[self.found.trial[listed]]
        if not len(tried):
            return ()
        cost, harm = float(self.choice.options.cost[tried].sum()), self._harm(tried)
        if not self.prepared.worth.priced:
            return (
                said(
                    "trial: {tried} of {listed} contacts try what is not sure yet",
                    tried=len(tried),
                    listed=len(listed),
                ),
            )
        return (
            said(
                "trial: {tried} of {listed} contacts try what is not sure yet; they cost {cost:.2f}, and at worst "
                "{harm:.2f} by driving customers away",
                tried=len(tried),
                listed=len(listed),
                cost=cost,
                harm=harm,
            ),
        )

    def _harm(self, options: Ints) -> float:
        """What the contacts lose at the lower 5 % bound of their effects together."""
        at = self.customer[options], self.action[options]
        worth = self.prepared.worth.amount[self.prepared.candidates[at[0]]]
        low = self.prepared.effect[at] - Z_LOW * self.prepared.spread[at]
        return float(-(np.minimum(low, 0.0) * worth).sum())

    def _usual(self) -> Bools:
        """Shape (left alone,): whom the team treats as if there were no list."""
        context = self.prepared.context
        names = self.people["customer_id"].iloc[self.customer[self.found.left_alone]].tolist()
        share = context.settings.control.usual
        return np.asarray(draw(context.key, f"usual {context.as_of}", names) < share)

    def chosen(self) -> pd.DataFrame:
        """The list, best first."""
        context, people = self.prepared.context, self.people
        options = self.found.listed
        gone = self.people["left"].to_numpy(bool)[self.customer[options]]
        best = np.lexsort((self.customer[options], -self.choice.options.gain[options], gone))
        options = options[best]
        who, what = self.customer[options], self.action[options]
        rows = self.prepared.candidates[who]
        value = self.prepared.worth.amount[rows]
        probability = people["churn_probability"].to_numpy(np.float64)[who]
        actions, names = context.actions, list(context.playbook.actions)
        last = self.prepared.facts["last_contact"].iloc[rows].reset_index(drop=True)
        # Rounded as in the reasons, which count from the hour: "no contact for 237 days" stands beside the message.
        gap = np.round(((pd.Timestamp(context.as_of) - last) / pd.Timedelta(days=1)).to_numpy(np.float64))
        frame = pd.DataFrame(
            {
                "rank": np.arange(1, len(who) + 1),
                "block": pd.Series(np.where(people["left"].to_numpy(bool)[who], WIN_BACK, KEEP), dtype="str"),
                "customer_id": people["customer_id"].iloc[who].to_numpy(),
                "churn_probability": probability,
                "value": value,
                "value_at_risk": probability * value,
                "expected_gain": self.choice.options.gain[options],
            }
        )
        answered = [{driver for case in action.when for driver in case.drivers} for action in actions]
        owners = self.owners[options].tolist()
        spoken = {owner: context.language_of(owner) for owner in set(owners)}
        told = [
            shown_reasons(self.reasons[w], answered[a], spoken[owner])
            for w, a, owner in zip(who, what, owners, strict=True)
        ]
        for i in range(COUNT):
            frame[f"reason_{i + 1}"] = pd.Series([texts[i] for texts in told], dtype="str")
        records = self._records(who)
        frame["action"] = pd.Series([names[a] for a in what], dtype="str")
        titles = [title(actions[a], spoken[owner]) for a, owner in zip(what, owners, strict=True)]
        frame["title"] = pd.Series(titles, dtype="str")
        frame["channel"] = pd.Series([actions[a].channel for a in what], dtype="str")
        frame["owner"] = pd.Series(owners, dtype="str")
        texts = [
            message(
                actions[a],
                spoken[owner],
                # The last contact may have been marked in the report, of which the features know nothing.
                {**record, "owner": owner, "contact_gap_days": since},
                context.playbook.numbers,
            )
            for a, record, owner, since in zip(what, records, frame["owner"], gap, strict=True)
        ]
        frame["message"] = pd.Series(texts, dtype="str")
        frame["last_contact"] = last.dt.floor("D")
        frame["contact_gap_days"] = gap
        days = np.array([actions[a].within_days for a in what], "timedelta64[D]")
        frame["due_date"] = (np.datetime64(context.as_of, "D") + days).astype("datetime64[s]")
        return frame.join(self._extra(who))

    def _records(self, who: Ints) -> list[dict[str, Any]]:
        column = self.prepared.context.settings.columns.name
        records = self.people.iloc[who].to_dict("records")
        if column is not None:
            return [{**record, "name": record[column]} for record in records]
        return [dict(record) for record in records]

    def _extra(self, who: Ints) -> pd.DataFrame:
        """Columns that a CRM import asks for."""
        asked = {
            column_of(r) for columns in self.prepared.context.settings.crm.values() for r in columns.values()
        }
        kept = [c for c in self.people.columns if c in asked and c not in LIST_COLUMNS]
        return self.people[kept].iloc[who].reset_index(drop=True)

    def suppressed(self) -> pd.DataFrame:
        """Everybody who is not on the list, with every rule that applied."""
        prepared, n = self.prepared, len(self.prepared.customers)
        rows = prepared.candidates
        listed, rules = np.zeros(n, bool), {rule: mask.copy() for rule, mask in prepared.rules.items()}
        listed[rows[self.customer[self.found.listed]]] = True
        gains, sure = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        gains[self.customer[self.choice.options.gain > 0]] = True
        sure[self.customer[self.choice.sure]] = True
        fit = self.fits.any(axis=1)
        rules[Rule.NO_ACTION][rows[~fit]] = True
        control, usual = np.zeros(n, bool), np.zeros(n, bool)
        alone = rows[self.customer[self.found.left_alone]]
        control[alone], usual[alone] = ~self._usual(), self._usual()
        taken_units = self.choice.options.unit[self.found.taken]
        of_unit = np.zeros(n, bool)
        of_unit[rows[self.customer[np.isin(self.choice.options.unit, taken_units)]]] = True
        rules |= {
            Rule.CONTROL: control,
            Rule.USUAL: rules[Rule.USUAL] | usual,
            Rule.HOUSEHOLD: of_unit & ~control & ~usual & ~listed,
        }
        passed = ~(listed | control | usual | rules[Rule.HOUSEHOLD])
        rules[Rule.NO_GAIN] |= _mark(n, rows[fit & ~gains]) & passed
        rules[Rule.NOT_SURE] = _mark(n, rows[gains & ~sure]) & passed
        if prepared.stage.name == "pilot" and listed.sum() < prepared.context.settings.capacity:
            # There was room: the others have not even competed, since so many more promising ones wait to be tried.
            others = ~(listed | np.logical_or.reduce(list(rules.values())))
            others[rows] = False
            rules[Rule.NOT_SURE] |= others
        rules[Rule.FULL] = ~listed & ~np.logical_or.reduce(list(rules.values()))
        out = np.flatnonzero(~listed)
        told = joined({rule: mask[out] for rule, mask in rules.items()}, len(out))
        ids = prepared.customers["customer_id"].iloc[out].reset_index(drop=True)
        return pd.DataFrame({"customer_id": ids, "rules": pd.Series(told, dtype="str")})

    def ledger(self) -> pd.DataFrame:
        """A row for every scored customer."""
        prepared, context = self.prepared, self.prepared.context
        n, rows = len(prepared.customers), prepared.candidates
        taken = self.found.taken
        at = rows[self.customer[taken]]
        free = ~np.logical_or.reduce(list(prepared.rules.values()))
        eligible = free.copy()
        eligible[rows] = False
        eligible[rows[self.customer]] = True
        propensity, inputs, usual = np.zeros(n), np.full(n, None, object), np.zeros(n, bool)
        propensity[at] = self.found.chance[taken]
        for place, customer, action in zip(at, self.customer[taken], self.action[taken], strict=True):
            called = float(prepared.seen.called[customer, action])
            inputs[place] = [*prepared.inputs[customer], (CALLED, called)]
        usual[rows[self.customer[self.found.left_alone]]] = self._usual()
        names, actions = list(context.playbook.actions), context.actions
        columns: dict[str, Any] = {"action": names, "channel": [a.channel for a in actions]}
        frame = pd.DataFrame(
            {
                "customer_id": prepared.customers["customer_id"],
                "churn_probability": prepared.customers["churn_probability"].astype("float64"),
                "eligible": eligible,
                "chosen": _mark(n, rows[self.customer[self.found.listed]]),
                "control": _mark(n, rows[self.customer[self.found.left_alone]]),
                "usual": usual,
                "trial": _mark(n, at[self.found.trial[taken]]),
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
        gain[at] = self.choice.options.gain[taken]
        told[rows] = [REASON_JOINT.join(reason.sentence for reason in each) or None for each in self.reasons]
        return frame.assign(expected_gain=gain, reasons=told, inputs=inputs)

    def figures(self) -> dict[str, Any]:
        """For the manifest and the tracking server; neither the key nor who is in the control group."""
        context, found, now = self.prepared.context, self.found, self.prepared.stage
        listed, alone = found.listed, found.left_alone
        return {
            "value": dict(self.prepared.worth.parameters),
            "listed": len(listed),
            "trial": int(found.trial[listed].sum()),
            "left_alone": len(alone),
            "expected_gain": float(self.choice.options.gain[listed].sum()),
            "cost": float(self.choice.options.cost[listed].sum()),
            "costs_known": self.prepared.costs.known,
            "first_choice_gain": found.gain,
            "first_choice_bound": found.bound,
            "candidates": len(self.prepared.candidates),
            "stage": now.name,
            "stopped": sorted(now.stopped),
            "control": {
                "share": now.control,
                "usual": context.settings.control.usual,
                "hold_days": context.hold_days,
                "key_id": key_id(context.key),
            },
            "randomised_rows": context.effect.rows,
        }


def _mark(n: int, places: Ints) -> Bools:
    mask = np.zeros(n, bool)
    mask[places] = True
    return mask


LIST_COLUMNS = frozenset(
    ["rank", "block", "customer_id", "churn_probability", "value", "value_at_risk", "expected_gain"]
    + [f"reason_{i + 1}" for i in range(COUNT)]
    + ["action", "title", "channel", "owner", "message"]
    + ["last_contact", "contact_gap_days", "due_date"]
)
