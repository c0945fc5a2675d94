"""Who may be contacted at all, and by which channel: every rule that stands against it, of every customer."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools
from configs.errors import DataError, Fault
from configs.outreach import EVERY_CHANNEL, Outreach
from pipeline.languages import N_

YES = frozenset({"1", "1.0", "true", "yes", "y", "t", "on", "x", "ja", "oui", "بله", "होय"})
NO = frozenset({"0", "0.0", "false", "no", "n", "f", "off", "nein", "non", "خیر", "नाही", ""})
# What mail tools write for the state of a permission: it says the same in a column of consents and of opt-outs.
ALLOWED = frozenset({"subscribed", "opted in", "opted-in", "opt-in", "opt in", "optin", "granted", "given"})
REFUSED = frozenset(
    {
        *("unsubscribed", "never subscribed", "never_subscribed", "non-subscribed", "not subscribed"),
        *("not_subscribed", "opted out", "opted-out", "opt-out", "opt out", "optout"),
        *("denied", "withdrawn", "revoked", "suppressed", "cleaned"),
    }
)


SEVERAL_RULES = "; "


class Rule(StrEnum):
    """Why a customer is not on the list; `suppressed.csv` says all that apply."""

    DO_NOT_CONTACT = N_("on the do-not-contact list")
    NO_RECORD = N_("no record that says whether a contact is allowed")
    OPTED_OUT = N_("opted out of every channel")
    QUIET = N_("quiet time after a contact")
    TOO_MANY = N_("contacted often enough lately")
    REPEAT = N_("recommended a short time ago")
    HELD = N_("control group, until its outcome is known")
    STOPPED = N_("the list is switched off: it drives customers away")
    COMPLAINT = N_("open complaint goes to service first")
    NO_ACTION = N_("no action of the playbook fits")
    NO_GAIN = N_("no action is worth its cost")
    CONTROL = N_("control group")
    USUAL = N_("left to the team, as usual")
    HOUSEHOLD = N_("another of the household comes first")
    NOT_SURE = N_("its gain is not sure enough yet, others are tried first")
    FULL = N_("capacity or budget used up")


def said_yes(column: pd.Series[Any], *, unknown: bool, missing: bool) -> Bools:
    """A yes-or-no column as a mask.

    Parameters
    ----------
    unknown
        What a word stands for that means neither: True where a yes stops contacts, False where it permits them.
        Words that permit by themselves, such as `subscribed`, stand for the opposite.
    missing
        What an empty cell stands for.

    Examples
    --------
    >>> said_yes(pd.Series(["Yes", "0", "maybe", None]), unknown=True, missing=False).tolist()
    [True, False, True, False]
    >>> said_yes(pd.Series(["SUBSCRIBED", "UNSUBSCRIBED"]), unknown=False, missing=False).tolist()
    [True, False]
    """
    text = column.astype("object").where(column.notna(), None)
    answers = {}
    for word in text.unique():
        plain = "" if word is None else str(word).strip().casefold()
        neither = plain not in NO and unknown
        answers[word] = (
            missing if not plain else plain in YES or (not unknown if plain in ALLOWED else neither)
        )
    return np.array([answers[word] for word in text], dtype=bool)


def check_columns(columns: Collection[str], settings: Outreach) -> None:
    """Refuse a list whose columns are not there: a missing opt-out would let everybody through.

    Raises
    ------
    DataError
        With every column that the config names and the customers don't have.
    """
    named = {f"outreach.columns.{key}": name for key, name in settings.columns.model_dump().items() if name}
    named |= {f"outreach.opt_out.{key}": name for key, name in settings.opt_out.items()}
    named |= {f"outreach.consent.{key}": name for key, name in settings.consent.items()}
    if settings.value.segment:
        named["outreach.value.segment"] = settings.value.segment
    faults = []
    for key, name in named.items():
        if name not in columns:
            near = difflib.get_close_matches(name, list(columns), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "add it to the attributes of sources.customers"
            faults.append(Fault(key, f"the customers have no column {name!r}", hint))
    if faults:
        raise DataError("the list needs columns that the customers don't have", faults)


def asks_consent(settings: Outreach) -> bool:
    """Whether a column of the customers says who may be contacted."""
    return bool(settings.opt_out or settings.consent or settings.columns.do_not_contact)


def open_channels(channels: Sequence[str], customers: pd.DataFrame, settings: Outreach) -> Bools:
    """Shape (n, channels): whether the customer may be contacted by each channel.

    A word that is neither yes nor no counts as an opt-out, and as no consent.
    """
    allowed = np.ones((len(customers), len(channels)), bool)
    for rules, opts_out in ((settings.opt_out, True), (settings.consent, False)):
        for channel, name in rules.items():
            yes = said_yes(customers[name], unknown=opts_out, missing=False)
            columns = [i for i, c in enumerate(channels) if channel in (c, EVERY_CHANNEL)]
            allowed[:, columns] &= (yes != opts_out)[:, None]
    return allowed


def contact_units(people: pd.DataFrame, settings: Outreach) -> list[str]:
    """The household of each customer, or the customer where none is known: one of it is contacted, then all rest."""
    ids = people["customer_id"]
    if settings.columns.household is None:
        return [f"customer {name}" for name in ids]
    homes = people[settings.columns.household]
    known = homes.notna() & (homes.astype("str").str.strip() != "")
    return [f"household {h}" if k else f"customer {c}" for h, k, c in zip(homes, known, ids, strict=True)]


def blocked(
    customers: pd.DataFrame,
    facts: pd.DataFrame,
    channels: Bools,
    history: pd.DataFrame | None,
    do_not_contact: Collection[str],
    settings: Outreach,
    as_of: dt.date,
    hold_days: int,
    unrecorded: Bools | None = None,
) -> dict[Rule, Bools]:
    """Rules that stand against any contact, as masks over the customers.

    An open complaint is heard at any time: neither quiet time nor the number of contacts stands against it, nor that
    the customer was left alone.

    Parameters
    ----------
    customers
        With `customer_id`.
    facts
        Of `contact_facts`, in the same order.
    channels
        Of `open_channels`.
    history
        Of `ledger.recommended`, of dates before `as_of`.
    hold_days
        Days in which a customer who was left alone stays so, until the outcome is known.
    unrecorded
        Customers without a row in the source that carries consent; they count where the config asks for consent.
    """
    ids = customers["customer_id"]
    today = pd.Timestamp(as_of)
    calm = ~facts["open_complaint"].to_numpy()
    listed = ids.isin(list(do_not_contact))
    column = settings.columns.do_not_contact
    if column is not None:
        listed |= said_yes(customers[column], unknown=True, missing=False)
    resting = [
        ids.reset_index(drop=True).isin(who) if len(who) else pd.Series(False, range(len(ids)))
        for who in _resting(history, as_of, settings.repeat_days, hold_days)
    ]
    if settings.columns.household is not None:
        home = pd.Series(contact_units(customers, settings), dtype="object")
        resting = [each.groupby(home).transform("any") for each in resting]
    repeat, alone, usual = (each.to_numpy(bool) for each in resting)
    return {
        Rule.DO_NOT_CONTACT: listed.to_numpy(bool),
        Rule.NO_RECORD: np.zeros(len(ids), bool)
        if unrecorded is None or not asks_consent(settings)
        else unrecorded,
        Rule.OPTED_OUT: ~channels.any(axis=1),
        Rule.QUIET: (facts["quiet_until"] > today).to_numpy(bool) & calm,
        Rule.TOO_MANY: (facts["recent_contacts"] >= settings.max_contacts.count).to_numpy(bool) & calm,
        Rule.REPEAT: repeat,
        Rule.HELD: alone & calm,
        Rule.USUAL: usual & calm,
    }


def _resting(
    history: pd.DataFrame | None, as_of: dt.date, repeat_days: int, hold_days: int
) -> tuple[Collection[str], ...]:
    """Customers whose last list is too young for another: listed, left alone, and left to the team.

    The control group of the contacts whose gain is sure says what the list is worth: it is left alone until the
    outcome is known. A trial asks only what a contact does now, so who was left alone for it rests as long as who was
    contacted, and may be tried again.
    """
    if history is None or history.empty:
        return (), (), ()
    days = (pd.Timestamp(as_of) - pd.to_datetime(history["as_of"])).dt.days
    control = history["control"].astype(bool)
    measured = control & ~history["trial"].astype(bool)
    rests = (days > 0) & (days < np.where(measured, max(hold_days, repeat_days), repeat_days))
    usual = control & history["usual"].astype(bool)
    return tuple(set(history["customer_id"].loc[rests & who]) for who in (~control, control & ~usual, usual))


def joined(rules: Mapping[Rule, Bools], n: int) -> NDArray[Any]:
    """Shape (n,): the rules that apply to each customer, joined by '; '.

    Examples
    --------
    >>> quiet, full = np.array([True, True, False]), np.array([False, True, False])
    >>> joined({Rule.QUIET: quiet, Rule.FULL: full}, 3).tolist()
    ['quiet time after a contact', 'quiet time after a contact; capacity or budget used up', '']
    """
    code = np.zeros(n, np.int64)
    for place, mask in enumerate(rules.values()):
        code |= mask.astype(np.int64) << place
    combinations, of = np.unique(code, return_inverse=True)
    texts = [SEVERAL_RULES.join(rule for i, rule in enumerate(rules) if c >> i & 1) for c in combinations]
    return np.array(texts, dtype=object)[of] if n else np.zeros(0, object)
