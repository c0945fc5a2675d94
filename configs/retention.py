"""The config's section on the classic rate: periods, segments, reasons, surveys and goals."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from configs.base import Days, Section

PeriodUnit = Literal["week", "month", "quarter", "year"]
ReasonCode = Literal[
    "closed_down",
    "left_market",
    "friend_or_free",
    "competitor",
    "unhappy",
    "nobody_cares",
    "payment_failed",
    "other",
]


class Reasons(Section):
    """What the reasons of endings mean: text as stated to a code. The codes stand for themselves."""

    codes: dict[str, ReasonCode] = Field(default_factory=dict, description="reason as it is stated: its code")
    controllable: tuple[ReasonCode, ...] = Field(
        default=("competitor", "unhappy", "nobody_cares", "payment_failed"),
        description="codes that the company can act on",
    )
    dunning_days: Days = Field(
        default=30,
        description="without a stated reason, an ending so soon after a failed, unpaid payment is involuntary",
    )


class SurveyRule(Section):
    """How the answers of one kind of feedback are read.

    `nps`: share at or above `top` less share at or below `bottom`; `csat`, `pmf`: share at or above `top`; `mean`.
    """

    measure: Literal["nps", "csat", "pmf", "mean"] = Field(description="what is made of the answers")
    top: float | None = Field(default=None, description="scores at or above it count as good")
    bottom: float | None = Field(default=None, description="scores at or below it count as bad; nps only")

    @model_validator(mode="after")
    def _scores_of_the_measure(self) -> SurveyRule:
        needed = {"nps": {"top", "bottom"}, "csat": {"top"}, "pmf": {"top"}, "mean": set()}[self.measure]
        given = {name for name in ("top", "bottom") if getattr(self, name) is not None}
        if given != needed:
            raise ValueError(
                f"{self.measure} needs exactly {sorted(needed) or 'no score'}; has {sorted(given)}"
            )
        if self.top is not None and self.bottom is not None and self.bottom >= self.top:
            raise ValueError(f"bottom {self.bottom:g} is not below top {self.top:g}")
        return self


class GoalRule(Section):
    """A metric at least or at most a value, or rising (or falling) from each period to the next."""

    metric: str = Field(description="name of a figure, such as adjusted_rate")
    at_least: float | None = Field(default=None, description="it must not be lower")
    at_most: float | None = Field(default=None, description="it must not be higher")
    change: Literal["rising", "falling"] | None = Field(
        default=None, description="how it must move from each period to the next"
    )
    unit: PeriodUnit = Field(default="month", description="length of a period")

    @model_validator(mode="after")
    def _one_wish(self) -> GoalRule:
        wishes = [n for n in ("at_least", "at_most", "change") if getattr(self, n) is not None]
        if len(wishes) != 1:
            raise ValueError(f"needs exactly one of at_least, at_most, change; has {wishes or 'none'}")
        return self


def _usual_goals() -> list[GoalRule]:
    return [
        GoalRule(metric="adjusted_rate", at_least=65),
        GoalRule(metric="engagement", change="rising"),
        GoalRule(metric="lifetime_value", change="rising", unit="quarter"),
    ]


class Retention(Section):
    """What `churn retention` reports when nothing else is asked for, and what a night publishes."""

    unit: PeriodUnit = Field(default="month", description="length of a period")
    periods: Annotated[int, Field(ge=1, le=600)] = Field(default=12, description="how many complete periods")
    rolling: bool = Field(default=False, description="count periods back from as-of, not from the calendar")
    time_zone: str = Field(default="UTC", description="where midnight is")
    first_weekday: Annotated[int, Field(ge=0, le=6)] = Field(default=0, description="0 is Monday")
    segments: list[str] = Field(
        default_factory=list, description="customer attributes that the rate is reported by every night"
    )
    industry: str | None = Field(default=None, description="for the benchmarks")
    reasons: Reasons = Reasons()
    surveys: dict[str, SurveyRule] | None = Field(
        default=None, description="kind of feedback to how it is read; absent: nps 0-10, csat 1-5, pmf 1-3"
    )
    goals: list[GoalRule] = Field(default_factory=_usual_goals)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"time zone {name!r} is unknown; use a name such as Europe/London") from None
        return name
