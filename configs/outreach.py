"""The config's section on the outreach list: limits, control group, value, columns and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from configs.base import Days, LanguageCode, Section
from configs.nightly import OwnerMail

_Count = Annotated[int, Field(ge=0)]
DEFAULT = "default"
EVERY_CHANNEL = "all"
READY = "ready"


class CrmColumn(Section):
    """A column of an import whose texts are not those of the list."""

    column: str = Field(description="of the list")
    values: dict[str, str] = Field(
        default_factory=dict, description="text of the list: what the import calls it"
    )
    other: str | None = Field(default=None, description="what all other texts become; absent: they stay")
    longest: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="characters; the rest is cut"
    )


# What the importers of four systems call their columns, which words they take, and how long a text may be, as their
# makers publish it. The ids of their records come from the customers source, as the facts that stand on the right.
CRM_READY: Mapping[str, Mapping[str, str | CrmColumn]] = {
    "hubspot": {
        "Task title": "title",
        "Task notes": "message",
        "Due date": "due_date",
        "Task type": CrmColumn(column="channel", values={"phone": "CALL", "email": "EMAIL"}, other="TODO"),
        "Task status": "=NOT_STARTED",
        "Assigned to": "owner",
        "Record ID": "hubspot_id",
    },
    "pipedrive": {
        "Subject": "title",
        "Type": CrmColumn(
            column="channel", values={"phone": "Call", "email": "Email", "meeting": "Meeting"}, other="Task"
        ),
        "Due date": "due_date",
        "Note": "message",
        "Assigned to user": "owner",
        "Person ID": "pipedrive_id",
        "Done": "=To do",
    },
    "salesforce": {
        "Subject": CrmColumn(column="title", longest=255),
        "Description": CrmColumn(column="message", longest=32_000),
        "ActivityDate": "due_date",
        "Status": "=Not Started",
        "Priority": "=Normal",
        "OwnerId": "salesforce_owner_id",
        "WhoId": "salesforce_id",
    },
    "dynamics": {
        "Subject": CrmColumn(column="title", longest=200),
        "Description": "message",
        "Due Date": "due_date",
        "Priority": "=Normal",
        "Owner": "owner",
        "Regarding": "dynamics_id",
    },
}


def _ready_sets(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    for name, columns in value.items():
        if columns == READY and name not in CRM_READY:
            raise ValueError(f"{name}: nothing is ready for it; ready are {', '.join(CRM_READY)}")
    return {name: dict(CRM_READY[name]) if columns == READY else columns for name, columns in value.items()}


class MaxContacts(Section):
    """At most so many contacts by us in so many days."""

    count: _Count = Field(default=4, description="contacts by us; several on a day are one")
    days: Days = Field(default=30, description="in so many days")


class Control(Section):
    """A random share of those who are chosen is left alone, so that the effect can be measured."""

    share: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.1, description="of those whose gain is sure; of the trial part it is always one half"
    )
    usual: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.25,
        description="share of these for whom the team does what it would have done without a list",
    )
    key_env: str = Field(
        default="CHURN_CONTROL_KEY", description="environment variable that holds the secret of the draw"
    )
    key_file: str = Field(
        default="control.key",
        description="below outputs.folder/<name>; made when the variable is not set",
    )


class Value(Section):
    """What keeping a customer is worth."""

    method: Literal["credibility", "own", "constant"] = Field(
        default="credibility",
        description="credibility: own spend shrunk to the segment; own: own spend; constant: all are worth 1",
    )
    segment: str | None = Field(default=None, description="attribute whose mean a short history leans on")


class ListColumns(Section):
    """Attributes or facts of the customers that the list needs."""

    owner: str | None = Field(default=None, description="account manager; absent: who last contacted them")
    household: str | None = Field(default=None, description="one entry on the list for each")
    do_not_contact: str | None = Field(default=None, description="yes: never contact")
    name: str | None = Field(default=None, description="how messages address the customer")


class Outreach(Section):
    """How the list is made."""

    capacity: Annotated[int, Field(ge=1)] = Field(default=50, description="customers on one list")
    channel_capacity: dict[str, _Count] = Field(
        default_factory=dict, description="channel: contacts on one list"
    )
    owner_capacity: dict[str, _Count] = Field(
        default_factory=dict, description="owner: contacts on one list; 'default' for the others"
    )
    hour_cost: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="what an hour of work costs, in the money of the sources: makes costs of the playbook's minutes",
    )
    budget: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="what the contacts of one list may cost together"
    )
    quiet_days: dict[str, _Count] = Field(
        default_factory=lambda: {DEFAULT: 7},
        description="channel: days without a contact after one by it; 'default' for the others",
    )
    quiet_after: Literal["any", "outbound"] = Field(
        default="outbound",
        description="whose contacts start the quiet time; any: nobody is answered who has just contacted us, either",
    )
    max_contacts: MaxContacts = MaxContacts()
    repeat_days: _Count = Field(
        default=28, description="days of rest after a contact of ours before a customer is recommended again"
    )
    start: Literal["pilot", "full"] = Field(
        default="pilot",
        description="pilot: the list is as small as learning needs until the gain of its contacts is sure; full: it "
        "believes the playbook from the first night on",
    )
    control: Control = Control()
    exploration: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.1, description="share of the list that tries what is not sure yet, half of it left alone"
    )
    gone_below: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.1,
        description="who is still there with a lower chance is a matter for winning back and gets nothing else",
    )
    win_back_capacity: _Count = Field(
        default=5, description="customers in the list's own block of those to be won back"
    )
    win_back_days: _Count = Field(
        default=90,
        description="of contracts: who left within so many days competes for that block; 0: nobody",
    )
    value: Value = Value()
    value_days: Days = Field(
        default=365, description="the margin of so many days is what a customer is worth"
    )
    columns: ListColumns = ListColumns()
    opt_out: dict[str, str] = Field(
        default_factory=dict, description="channel, or 'all': the column that says yes to an opt-out"
    )
    consent: dict[str, str] = Field(
        default_factory=dict, description="channel, or 'all': the column that must say yes"
    )
    do_not_contact: str | None = Field(
        default=None, description="file with one customer id a line, never to be contacted"
    )
    complaint_topics: list[str] = Field(
        default_factory=lambda: ["complain"], description="text in the topic of a contact that is a complaint"
    )
    candidates: Annotated[int, Field(ge=1)] = Field(
        default=5_000, description="at most so many customers are explained and compete for the list"
    )
    rhythm_days: Days = Field(
        default=90, description="agreed days between contacts, where no usual gap is known"
    )
    calendar_days: Days = Field(default=14, description="the calendars look so far ahead")
    mail: OwnerMail | None = Field(
        default=None, description="`churn mail` sends each owner the own part of the list; absent: no mail"
    )
    owner_languages: dict[str, LanguageCode] = Field(
        default_factory=dict, description="owner: the language of their part, where it is not `language`"
    )
    teams: dict[str, str] = Field(
        default_factory=dict, description="owner in the playbook: the person or queue that stands for it"
    )
    playbook: str | None = Field(default=None, description="absent: the playbook that comes with churn")
    crm: Annotated[
        dict[str, dict[str, str | CrmColumn]],
        BeforeValidator(
            _ready_sets, json_schema_input_type=dict[str, dict[str, str | CrmColumn] | Literal["ready"]]
        ),
    ] = Field(
        default_factory=dict,
        description="system: 'ready' or columns of its import (name: column of the list, or '=' and a constant)",
    )
