"""The playbook: which action answers which signal, what it costs, and how often it has kept a customer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from configs.base import Days, LanguageCode, Range, Section, Share, fault_of
from configs.errors import ConfigError
from configs.sentence_fields import fields_of
from configs.yaml_text import parse

ACCOUNT_MANAGER = "account_manager"


class Condition(Section):
    """A situation that calls for the action: everything that is given must hold."""

    drivers: list[str] = Field(
        default_factory=list, description="one of these is among the customer's reasons"
    )
    without_drivers: list[str] = Field(
        default_factory=list, description="none of these is among the customer's reasons"
    )
    columns: dict[str, Range] = Field(default_factory=dict, description="features or numeric attributes")
    segments: dict[str, list[str]] = Field(default_factory=dict, description="attribute: its values")
    probability: Range | None = Field(default=None, description="chance of leaving")
    value_top: Share | None = Field(
        default=None, description="among so large a share of the most valuable customers"
    )

    @model_validator(mode="after")
    def _something(self) -> Condition:
        if not self.model_fields_set:
            raise ValueError(
                "an empty condition; give drivers, without_drivers, columns, segments, probability or value_top"
            )
        return self


class SaveRate(Section):
    """What is believed of the action's success, as a beta distribution.

    As if of the customers who would otherwise have left, `saved` were kept by it and `lost` were not; their sum is
    the weight of this belief against measured results.
    """

    saved: Annotated[float, Field(gt=0)] = Field(
        description="as if so many of those who would have left were kept by it"
    )
    lost: Annotated[float, Field(gt=0)] = Field(description="as if so many were not")

    @property
    def mean(self) -> float:
        """Expected share of leavers that the action keeps."""
        return self.saved / (self.saved + self.lost)


def _one_sentence(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _in_english(value: object) -> object:
    return value if isinstance(value, Mapping) else {"en": value}


Sentences = Annotated[
    list[str], BeforeValidator(_one_sentence, json_schema_input_type=list[str] | str), Field(min_length=1)
]


class Action(Section):
    """One thing that a team can do for a customer."""

    title: Annotated[
        dict[LanguageCode, str],
        BeforeValidator(_in_english, json_schema_input_type=dict[LanguageCode, str] | str),
    ] = Field(
        description="what the action is called: in English, or by language; where one is absent, churn's own "
        "translation of the English text is taken, if it has one"
    )
    channel: Annotated[
        str, Field(min_length=1, description="by which the customer is reached, such as phone")
    ]
    minutes: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="of work that one contact takes; outreach.hour_cost makes money of them"
    )
    cost: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="of one contact beside the work, in the money of the sources: postage, a discount, a gift",
    )
    save_rate: SaveRate
    owner: str = Field(default=ACCOUNT_MANAGER, description="a team, or the customer's account_manager")
    within_days: Days = Field(default=3, description="the contact is due so many days after the list")
    settles_complaints: bool = Field(
        default=False, description="may go to a customer with an open complaint, who gets nothing else"
    )
    audience: Literal["customers", "left"] = Field(
        default="customers", description="left: those who have probably left, to be won back"
    )
    when: list[Condition] = Field(min_length=1, description="any of these situations")
    message: Annotated[
        dict[LanguageCode, Sentences],
        BeforeValidator(
            _in_english, json_schema_input_type=dict[LanguageCode, list[str] | str] | list[str] | str
        ),
    ] = Field(
        description="sentences, likewise, see `configs.sentence_fields`; one whose number is unknown is left out"
    )

    @field_validator("title", "message")
    @classmethod
    def _english(cls, value: dict[LanguageCode, object]) -> dict[LanguageCode, object]:
        if "en" not in value:
            raise ValueError("needs at least the language en")
        return value

    @field_validator("message")
    @classmethod
    def _fields(cls, value: dict[LanguageCode, list[str]]) -> dict[LanguageCode, list[str]]:
        for language, sentences in value.items():
            for sentence in sentences:
                try:
                    fields_of(sentence)
                except ValueError as error:
                    raise ValueError(f"{language}: {error}") from None
        return value


class Playbook(Section):
    """All actions, by name, and which numbers their messages may tell."""

    numbers: dict[str, Range] = Field(
        default_factory=dict, description="a sentence with a number outside its range is left out"
    )
    actions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)], Action] = Field(
        min_length=1
    )


def load_playbook(file: str | Path | None = None) -> Playbook:
    """Read and check a playbook.

    Parameters
    ----------
    file
        Path of the YAML file; the playbook that comes with churn when None.

    Raises
    ------
    ConfigError
        With every fault at once.

    Examples
    --------
    >>> load_playbook().actions["service_recovery"].channel
    'phone'
    """
    if file is None:
        return _shipped()
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file}: no such playbook; correct outreach.playbook, or leave it out for the one of churn"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not readable: {error}") from error
    return _parsed(text, str(file))


@lru_cache(maxsize=1)
def _shipped() -> Playbook:
    return _parsed((resources.files("configs") / "playbook.yaml").read_text("utf-8"), "playbook.yaml")


def _parsed(text: str, name: str) -> Playbook:
    raw = parse(text, name)
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{name}: expected 'actions:', found {type(raw).__name__}")
    try:
        return Playbook.model_validate(raw)
    except ValidationError as error:
        faults = [fault_of(e, Playbook) for e in error.errors()]
        raise ConfigError(
            f"{name}: {len(faults)} fault{'s' * (len(faults) > 1)} in the playbook", faults
        ) from None
