"""How long ago, how often and by whom the customer was contacted."""

from __future__ import annotations

import numpy as np

from features.panel import Floats
from features.spec import At, feature


@feature(
    "contacts",
    unit="days",
    driver="contact gap",
    null="has never been in contact",
    reason="no contact for {contact_gap_days:.0f} days; usual gap {contact_gap_mean_days:.0f} days",
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
    reason="no contact for {contact_gap_days:.0f} days; usual gap {contact_gap_mean_days:.0f} days",
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
    reason="we last contacted the customer {contact_outbound_gap_days:.0f} days ago",
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
    reason="people of ours in contact with the customer: {contact_people_count:.0f}",
)
def contact_people_count(at: At) -> Floats:
    """People of ours who have been in contact with the customer."""
    return at.events("our_people").count()


@feature(
    "contacts.topic",
    unit="complaints",
    driver="complaints",
    windows=True,
    reason="complaints in the last {days} days: {complaint_count_{days}d:.0f}",
)
def complaint_count(at: At, days: int) -> Floats:
    """Complaints in the last {days} days."""
    return at.contacts.last(days).count(where="complaint")


@feature(
    "contacts.issue",
    unit="issues",
    driver="complaints",
    reason="open issues: {open_issue_count:.0f}",
)
def open_issue_count(at: At) -> Floats:
    """Issues that the customer raised and that are not resolved."""
    return at.contacts.count(where="issue") - at.events("resolutions").count()


@feature(
    "contacts.issue",
    unit="days",
    driver="slow answers",
    null="no issue was resolved yet",
    reason="issues took {resolve_wait_mean_days:.1f} days to resolve",
)
def resolve_wait_mean_days(at: At) -> Floats:
    """Mean days until an issue was resolved."""
    return at.events("resolutions").mean("wait_days")
