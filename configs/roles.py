"""The roles that a source can have: the one declaration of their columns.

What is read, checked, digested, hidden until it is known, reduced and shown follows from it. A new role is a class of
columns and a line in `Roles`; its features are a module of `features`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from configs.base import Section
from configs.sources import Column, ColumnRule, Source, named

# What stands for columns by name: a mapping, or a list of names that stay.
_NAMED = dict[str, ColumnRule] | list[str]
ColumnType = Literal["text", "number", "time", "as it stands"]
Clock = Literal["started_at", "occurred_at"]


@dataclass(frozen=True)
class RoleColumn:
    """What is true of a column in every source of its role.

    Parameters
    ----------
    kind
        The type that its values are brought to; 'as it stands' keeps numbers and makes text of everything else.
    filled
        Whether an empty value is a fault.
    not_negative
        Whether a value below 0 is a fault.
    one_of
        The values that there can be, in lower case; empty for any.
    adds_up
        Whether the values of several rows may be replaced by their sum.
    known_at
        The time, a column of the role, at which the value becomes known; empty for when the row does.
    """

    kind: ColumnType
    filled: bool = False
    not_negative: bool = False
    one_of: tuple[str, ...] = ()
    adds_up: bool = False
    known_at: str = ""


_ID = RoleColumn("text", filled=True)
TEXT = RoleColumn("text")
TIME = RoleColumn("time")
MOMENT = RoleColumn("time", filled=True)
MONEY = RoleColumn("number", not_negative=True, adds_up=True)
SUM = RoleColumn("number", adds_up=True)


class Columns(Section):
    """The columns of a role.

    `clock` is the time at which a row occurs. Of a role with `many` rows a database sends sums by quarters of an hour
    where rows are joined with those of other roles.
    """

    clock: ClassVar[Clock] = "occurred_at"
    many: ClassVar[bool] = False

    customer_id: Annotated[ColumnRule, _ID] = Field(
        description="who the customer is, the same id in every source"
    )


class CustomerColumns(Columns):
    """Columns of the customers role: one row a customer."""

    clock: ClassVar[Clock] = "started_at"

    started_at: Annotated[ColumnRule | None, MOMENT] = Field(
        default=None, description="when the customer or the contract began"
    )
    ended_at: Annotated[ColumnRule | None, RoleColumn("time", known_at="ended_at")] = Field(
        default=None, description="when the contract ended; empty while it runs"
    )
    end_reason: Annotated[ColumnRule | None, RoleColumn("text", known_at="ended_at")] = Field(
        default=None, description="why it ended"
    )
    churned: Annotated[ColumnRule | None, RoleColumn("as it stands")] = Field(
        default=None, description="the label, of churn.kind labelled only"
    )


TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0", "trial", "trialing", "trialling")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0", "paid", "")


class ContractColumns(Columns):
    """Columns of the contracts role: one row a contract, as billing systems export subscriptions.

    `amount` is what the contract brings a month. `trial` says of the whole
    contract that it is one, `trial_ends_at` how long it is one. `term_ends_at` is the end of a fixed term as agreed at
    the start; an end of the current billing period is none. `status` is one of the export's day: it tells trials and
    contracts that never began, see `features.contracts`.
    """

    clock: ClassVar[Clock] = "started_at"

    contract_id: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="id of the contract")
    started_at: Annotated[ColumnRule, MOMENT] = Field(description="when the contract began")
    ended_at: Annotated[ColumnRule, RoleColumn("time", known_at="ended_at")] = Field(
        description="when it ended; empty while it runs"
    )
    end_reason: Annotated[ColumnRule | None, RoleColumn("text", known_at="ended_at")] = Field(
        default=None, description="why it ended"
    )
    amount: Annotated[ColumnRule | None, RoleColumn("number", not_negative=True)] = Field(
        default=None, description="what it brings in a time that is the same for all, such as a month"
    )
    plan: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="which plan or product")
    status: Annotated[ColumnRule | None, TEXT] = Field(
        default=None, description="as of the export's day; tells trials and contracts that never began"
    )
    trial: Annotated[ColumnRule | None, RoleColumn("text", one_of=(*TRUE_WORDS, *FALSE_WORDS))] = Field(
        default=None, description="whether the whole contract is a trial"
    )
    trial_ends_at: Annotated[ColumnRule | None, TIME] = Field(
        default=None, description="how long it is a trial"
    )
    term_ends_at: Annotated[ColumnRule | None, TIME] = Field(
        default=None, description="end of a fixed term as agreed at the start"
    )
    paused_at: Annotated[ColumnRule | None, RoleColumn("time", known_at="paused_at")] = Field(
        default=None, description="when it was paused"
    )
    resumed_at: Annotated[ColumnRule | None, RoleColumn("time", known_at="resumed_at")] = Field(
        default=None, description="when it went on"
    )


class EventColumns(Columns):
    """Columns that every event role has: one row an event."""

    occurred_at: Annotated[ColumnRule, MOMENT] = Field(description="when it happened")
    known_at: Annotated[ColumnRule | None, TIME] = Field(
        default=None, description="when the row became known"
    )


class CancellationColumns(EventColumns):
    """Cancellations and returns, and what purchases share with them. `transaction_id` joins lines of one purchase."""

    many: ClassVar[bool] = True

    amount: Annotated[ColumnRule | None, MONEY] = Field(
        default=None, description="what it is worth, not negative"
    )
    transaction_id: Annotated[ColumnRule | None, _ID] = Field(
        default=None, description="joins the lines of one purchase"
    )


class PurchaseColumns(CancellationColumns):
    """Purchases. `points` are loyalty points: earned above 0, redeemed below 0."""

    points: Annotated[ColumnRule | None, SUM] = Field(
        default=None, description="loyalty points: earned above 0, redeemed below 0"
    )


class FeedbackColumns(EventColumns):
    """Surveys and ratings; asked and not answered is a row without a score.

    Where no score is mapped at all, such as of written complaints, every row is feedback that was given.
    """

    score: Annotated[ColumnRule | None, RoleColumn("number")] = Field(
        default=None, description="the answer; empty where nobody answered"
    )
    kind: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="which survey, such as nps")


class ContactColumns(EventColumns):
    """The contact history of the CRM; `direction` is 'inbound' or 'outbound', `agent` ours, `contact_person` theirs."""

    channel: Annotated[ColumnRule | None, TEXT] = Field(
        default=None, description="by phone, e-mail or otherwise"
    )
    direction: Annotated[ColumnRule | None, RoleColumn("text", one_of=("inbound", "outbound"))] = Field(
        default=None, description="inbound or outbound"
    )
    agent: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="who of us")
    contact_person: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="who of them")
    topic: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="what it was about")
    resolved_at: Annotated[ColumnRule | None, RoleColumn("time", known_at="resolved_at")] = Field(
        default=None, description="of inbound ones; empty while open"
    )


class UsageColumns(EventColumns):
    """Any event of use, with an optional value."""

    many: ClassVar[bool] = True

    event: Annotated[ColumnRule | None, TEXT] = Field(default=None, description="what was used")
    value: Annotated[ColumnRule | None, SUM] = Field(default=None, description="how much, such as minutes")


class FailedPaymentColumns(EventColumns):
    """Payments that failed, such as by an expired card: when, how much, and when they were paid after all, if ever."""

    amount: Annotated[ColumnRule | None, MONEY] = Field(default=None, description="what was to be paid")
    recovered_at: Annotated[ColumnRule | None, RoleColumn("time", known_at="recovered_at")] = Field(
        default=None, description="when it was paid after all; empty where it never was"
    )


Of = TypeVar("Of", bound=Columns)


# What the matrix, the list and the audit call their own columns: no attribute may have such a name.
TAKEN = frozenset(
    {
        *(
            "snapshot",
            "as_of",
            "churned",
            "churn_probability",
            "known_at",
            "still_there",
            "left",
            "low",
            "complaint",
        ),
        "first_plan",
        *("lost", "purchases", "spend", "mean_score", "contacts", "days_since_purchase", "unpaid_payments"),
    }
)


class RoleSource(Source, Generic[Of]):
    """The source of a role."""

    columns: Of = Field(description="part of the role: column of the file")

    @property
    def mapped(self) -> dict[str, ColumnRule]:
        """Normalised column -> rule, of those that the config maps; attributes and facts of the customers last."""
        names = type(self.columns).model_fields
        return {name: rule for name in names if (rule := getattr(self.columns, name)) is not None}


class CustomerSource(RoleSource[CustomerColumns]):
    """The customers role."""

    attributes: Annotated[dict[str, ColumnRule], BeforeValidator(named, json_schema_input_type=_NAMED)] = (
        Field(default_factory=dict, description="facts known at the start, used as features and segments")
    )
    facts: Annotated[dict[str, ColumnRule], BeforeValidator(named, json_schema_input_type=_NAMED)] = Field(
        default_factory=dict,
        description="what only the list needs: owner, household, consent, ids of the CRM",
    )
    latest_by: ColumnRule | None = Field(
        default=None,
        description="of several rows of a customer the one with the newest time in this column counts",
    )

    @property
    def mapped(self) -> dict[str, ColumnRule]:
        """Normalised column -> rule, of those that the config maps; attributes and facts last."""
        return {**super().mapped, **self.attributes, **self.facts}


class ContractSource(RoleSource[ContractColumns]):
    """One row a contract; several a customer."""

    plans: list[str] = Field(
        default_factory=list,
        description="from the smallest to the largest: tells upgrades from downgrades where no amount does",
    )

    @model_validator(mode="after")
    def _what_tells_an_upgrade(self) -> ContractSource:
        columns = self.columns
        if columns.resumed_at is not None and columns.paused_at is None:
            raise ValueError("the column resumed_at needs paused_at")
        if not self.plans:
            return self
        if columns.plan is None:
            raise ValueError("plans needs the column plan")
        if columns.amount is not None:
            raise ValueError("the column amount tells upgrades from downgrades: leave plans out, or amount")
        if len({name.lower() for name in self.plans}) < len(self.plans):
            raise ValueError("plans names one twice")
        return self


class FeedbackSource(RoleSource[FeedbackColumns]):
    """Surveys and ratings."""

    low_score: float | None = Field(default=None, description="a score at or below this is a bad one")

    @model_validator(mode="after")
    def _score_of_the_low_one(self) -> FeedbackSource:
        if self.low_score is not None and self.columns.score is None:
            raise ValueError("low_score needs the column score")
        return self


class Roles(Section):
    """The source of each role. A role that is absent has no features; it is not taken as zero."""

    customers: CustomerSource | None = None
    contracts: ContractSource | None = None
    transactions: RoleSource[PurchaseColumns] | None = None
    cancellations: RoleSource[CancellationColumns] | None = None
    feedback: FeedbackSource | None = None
    contacts: RoleSource[ContactColumns] | None = None
    usage: RoleSource[UsageColumns] | None = None
    failed_payments: RoleSource[FailedPaymentColumns] | None = None

    @property
    def given(self) -> dict[str, RoleSource[Columns]]:
        """Role to source, of the roles that the config has."""
        return {
            role: source for role in type(self).model_fields if (source := getattr(self, role)) is not None
        }

    def base(self, kind: str) -> str:
        """The role that says who is a customer: purchases, or contracts, or the customers with theirs.

        Examples
        --------
        >>> Roles().base("non_contractual"), Roles().base("contractual")
        ('transactions', 'customers')
        """
        if kind == "non_contractual":
            return "transactions"
        return "customers" if self.contracts is None else "contracts"


def renamed(name: str, rule: Column) -> str:
    """The line that gives an attribute or a fact another name.

    Examples
    --------
    >>> renamed("snapshot", Column(column="Region"))
    'customer_snapshot: Region'
    """
    told = rule.column or rule.model_dump(exclude_unset=True)
    return f"customer_{name.rstrip('_')}: {told}"


@dataclass(frozen=True)
class Role:
    """What is true of every source of a role, as its class of columns declares it."""

    columns: Mapping[str, RoleColumn]
    clock: Clock
    many: bool

    def column(self, name: str) -> RoleColumn:
        """What is true of a column; an attribute or fact of the customers stays as it stands."""
        return self.columns.get(name, AS_IT_STANDS)


AS_IT_STANDS = RoleColumn("as it stands")


def _declared(source: type[Section]) -> Role:
    columns: type[Columns] = source.model_fields["columns"].annotation  # type: ignore[assignment]
    facts = {
        name: next(fact for fact in field.metadata if isinstance(fact, RoleColumn))
        for name, field in columns.model_fields.items()
    }
    return Role(facts, columns.clock, columns.many)


ROLES: Mapping[str, Role] = {
    role: _declared(field.annotation.__args__[0])  # type: ignore[union-attr]
    for role, field in Roles.model_fields.items()
}
