"""The config's section on nights that nobody watches: when to train, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from configs.base import Days, Section
from configs.monitoring import CheckName

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)
Address = Annotated[str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$", max_length=254)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class MailServer(Section):
    """A mail server; its password is a variable of the environment and stands in no file."""

    host: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="the server that takes mail"
    )
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=587, description="its port")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none sends no password, and is for a server on this machine"
    )
    sender: Address = Field(description="address that the mail comes from")
    user: str | None = Field(default=None, description="name to log in with; absent: no log-in")
    password_env: Variable = Field(
        default="CHURN_SMTP_PASSWORD", description="variable of the environment that holds the password"
    )


class Mail(MailServer):
    """Mail of alerts."""

    to: Annotated[
        list[Address],
        BeforeValidator(_one_or_more, json_schema_input_type=list[str] | str),
        Field(min_length=1),
    ] = Field(description="who is told")


class OwnerMail(MailServer):
    """Mail of the lists: each owner's part to the owner, and to nobody else."""

    to: Annotated[dict[str, Address], Field(min_length=1)] = Field(
        description="owner: address; who has none gets no mail"
    )


class Alerts(Section):
    """Who is told of a night besides whoever reads the mail of cron."""

    when: Literal["always", "look", "failure"] = Field(
        default="look",
        description="look: whenever the exit code is not 0; failure: when it is neither 0 nor 3",
    )
    webhook_env: Variable | None = Field(
        default=None,
        description="variable of the environment that holds an https address; it is sent JSON with the field text",
    )
    mail: Mail | None = Field(default=None, description="mail server and addresses")

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables of the environment that must be set to tell anybody."""
        password = (self.mail.password_env,) if self.mail is not None and self.mail.user is not None else ()
        return (*((self.webhook_env,) if self.webhook_env else ()), *password)


class Nightly(Section):
    """`churn nightly`: when a training is due, and who is told what came of the night."""

    train_on: Annotated[
        list[Weekday], BeforeValidator(_one_or_more, json_schema_input_type=list[Weekday] | Weekday)
    ] = Field(
        default=["sunday"],
        description="weekdays; one that was missed is made up for on the next night; [] is none",
    )
    train_after_days: Days | None = Field(
        default=30, description="a training is due when the last one is so old; null is never"
    )
    train_when: list[CheckName] = Field(
        default=["features", "scores", "outcome"],
        description="checks of the monitoring whose finding makes a training due",
    )
    train_pause_days: Days = Field(
        default=7, description="a finding makes none due when the last training is younger"
    )
    slower_by: Annotated[float, Field(gt=1, le=1_000)] = Field(
        default=3.0,
        description="a part that takes so many times the seconds or the memory of the last night is told",
    )
    max_hours: Annotated[float, Field(gt=0, le=1_000)] = Field(
        default=12.0, description="a part that takes longer is ended and has failed"
    )
    alerts: Alerts = Field(default_factory=Alerts, description="webhook and mail")

    @property
    def weekdays(self) -> Sequence[int]:
        """Days to train on, as `date.weekday` counts them."""
        return sorted({WEEKDAYS.index(day) for day in self.train_on})
