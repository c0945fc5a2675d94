"""The config's section on what is watched every night."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from configs.base import Days, Section

CheckName = Literal[
    "silence",
    "volume",
    "rows_per_customer",
    "values",
    "nulls",
    "categories",
    "hours",
    "ids",
    "left_out",
    "columns",
    "past",
    "features",
    "scores",
    "health",
    "model_age",
    "outcome",
]
CHECKS: tuple[str, ...] = get_args(CheckName)


class Monitoring(Section):
    """What is watched every night, and what stops the list."""

    enabled: bool = Field(default=True, description="whether a night looks for what has changed")
    stop_when: list[CheckName] = Field(
        default_factory=list, description="checks whose finding stops the night: exit 1, nothing is published"
    )
    ignore: list[str] = Field(
        default_factory=list,
        description="findings that are as they should be: a check, or one with its place, such as "
        "'volume contacts' or 'values transactions.*'",
    )
    width: Annotated[float, Field(gt=0, le=100)] = Field(
        default=1.0, description="multiplies every band: 2 says half as much as 1, or less"
    )
    silent_days: Days = Field(
        default=7,
        description="a source may bring nothing for so long, or half as long again as it ever did in its past year",
    )
    max_model_days: Days = Field(default=120, description="older models should be looked at")
