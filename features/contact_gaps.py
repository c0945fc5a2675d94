"""How long ago, how often and by whom the customer was contacted."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats
from configs.base import Range
from features.spec import At, feature
from features.worse import USUAL, Times, Worse

# Trouble is no reason to leave any more, and nothing to call about, when a quarter has passed without another word.
_PAST = {"contact_inbound_gap_days": Range(above=90), "contact_gap_days": Range(above=90)}


@feature(
    "contacts",
    unit="days",
    driver="contact gap",
    null="has never been in contact",
    worse=Worse(
        range=Range(above=120),
        says="no contact for {contact_gap_days:day}",
        unless={"contact_gap_ratio": Range(below=1.5)},
    ),
)
def contact_gap_days(at: At) -> Floats:
    """Days since the last contact."""
    return at.t - at.contacts.last_at()


@feature("contacts", unit="days", driver="contact gap", null="fewer than two contacts")
def contact_gap_mean_days(at: At) -> Floats:
    """Usual days between contacts."""
    return at.contacts.mean_gap()


@feature(
    "contacts",
    unit="times the usual gap",
    driver="contact gap",
    null="fewer than two contacts",
    worse=Worse(
        range=Range(above=1.5),
        says="no contact for {contact_gap_days:day}, before that one about every {contact_gap_mean_days:day}",
        when={"contact_gap_days": Range(above=30), "contact_gap_mean_days": Range(above=1.5)},
    ),
)
def contact_gap_ratio(at: At) -> Floats:
    """Days since the last contact, in usual gaps.

    A usual gap below a day counts as a day.
    """
    return contact_gap_days.function(at) / np.maximum(contact_gap_mean_days.function(at), 1.0)


@feature("contacts", unit="contacts", driver="contact gap", windows=True)
def contact_count(at: At, days: int) -> Floats:
    """Contacts in the last {days} days."""
    return at.contacts.last(days).count()


@feature("contacts.direction", unit="contacts", driver="inbound contacts", windows=True)
def contact_inbound_count(at: At, days: int) -> Floats:
    """Contacts that the customer began in the last {days} days."""
    return at.contacts.last(days).count(where="inbound")


@feature("contacts.direction", unit="contacts", driver="contact gap", windows=True)
def contact_outbound_count(at: At, days: int) -> Floats:
    """Contacts that we began in the last {days} days."""
    return at.contacts.last(days).count(where="outbound")


@feature(
    "contacts.direction",
    unit="days",
    driver="contact gap",
    null="we have never contacted the customer",
    worse=Worse(
        range=Range(above=120),
        says="we last called or wrote {contact_outbound_gap_days:day} ago",
        unless={"contact_gap_ratio": Range(below=1.5)},
    ),
)
def contact_outbound_gap_days(at: At) -> Floats:
    """Days since we last contacted the customer."""
    return at.t - at.contacts.last_at(where="outbound")


@feature("contacts.direction", unit="days", driver="inbound contacts", null="has never contacted us")
def contact_inbound_gap_days(at: At) -> Floats:
    """Days since the customer last contacted us."""
    return at.t - at.contacts.last_at(where="inbound")


@feature(
    "contacts.agent",
    unit="people",
    driver="relationship",
    worse=Worse(
        range=Times(below=0.75, of=USUAL),
        says="knows only one person of ours",
        when={"contact_people_count": Range(above=0.5, below=1.5)},
    ),
)
def contact_people_count(at: At) -> Floats:
    """People of ours who have been in contact with the customer."""
    return at.events("our_people").count()


@feature(
    "contacts.topic",
    unit="complaints",
    driver="complaints",
    windows=True,
    worse=Worse(
        range=Times(above=1, of=USUAL),
        says="{complaint_count_{days}d:complaint} in the last {days} days",
        unless=_PAST,
    ),
)
def complaint_count(at: At, days: int) -> Floats:
    """Complaints in the last {days} days."""
    return at.contacts.last(days).count(where="complaint")


@feature(
    "contacts.issue",
    unit="issues",
    driver="slow answers",
    worse=Worse(range=Range(above=0.5), says="{open_issue_count:request} still open", unless=_PAST),
)
def open_issue_count(at: At) -> Floats:
    """Issues that the customer raised and that are not resolved."""
    return at.contacts.count(where="issue") - at.events("resolutions").count()


@feature(
    "contacts.issue",
    unit="days",
    driver="slow answers",
    null="no issue was resolved yet",
    worse=Worse(
        range=Range(above=5),
        says="had to wait about {resolve_wait_mean_days:day} for a solution",
        unless=_PAST,
    ),
)
def resolve_wait_mean_days(at: At) -> Floats:
    """Mean days until an issue was resolved."""
    return at.events("resolutions").mean("wait_days")
