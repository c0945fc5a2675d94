"""What every config file shares: frozen sections, and faults as lines that a person can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from configs.errors import Fault

Days = Annotated[int, Field(gt=0, le=36_500)]
Share = Annotated[float, Field(ge=0, le=1)]
LanguageCode = Literal["en", "fa", "mr"]


LONGEST_SHOWN = 120
# What neither an address nor its password holds; between two of these a password ends at the last @.
_EDGES = re.compile(r"([<>\"\n])")
# A port at the end of an address is no password, although an @ may follow later in the line; a password may begin with
# figures and a comma.
_PASSWORD = re.compile(r"(://[^:/@\s]*:)(?!\d{1,5}[)',;.]*(?:\s|$)).*@")
# In a query any name that speaks of a key, but for MLflow's that names a view; in a text, where "KEY=VALUE" is told,
# those of secrets alone. A name is looked through once, so that no text takes long.
_SPEAKS = r"(?:pass|pwd|secret|token|credential|signature|key)"
_NAME = r"[^=?&#;\s]*"
_IN_QUERY = rf"[?&;](?!viewStateShareKey=)(?={_NAME}{_SPEAKS}){_NAME}=|[?&]sig="
_IN_TEXT = r"(?:(?<=\s)|^)[\w.]*(?:password|passwd|pwd|secret|token|secret.?key|access.?key|account.?key)="
_QUOTED = r"'[^'\n]*'|\"[^\"\n]*\""
_SECRET = re.compile(
    rf"({_IN_QUERY}|{_IN_TEXT})(?!\.\.\.)(?:{_QUOTED}|[^&#;\s\"'<>]+)", re.IGNORECASE | re.MULTILINE
)


def redacted(text: str) -> str:
    """A URL, or a text that holds some, without passwords; whatever is written or shown goes through this.

    Examples
    --------
    >>> redacted("see http://me:secret@tracking:5000/x?access_token=abc, or mail@example.org")
    'see http://me:***@example.org'
    >>> redacted("http://127.0.0.1:5000 is away, ask me@example.org")
    'http://127.0.0.1:5000 is away, ask me@example.org'
    >>> redacted("host=db user=me password=secret sslmode=require")
    'host=db user=me password=*** sslmode=require'
    >>> redacted("postgresql://me:pa@ss@host/shop#orders")
    'postgresql://me:***@host/shop#orders'
    >>> redacted("postgresql:///shop?user=me&password=secret#orders")
    'postgresql:///shop?user=me&password=***#orders'
    >>> redacted("http://tracking/#/runs?viewStateShareKey=churn&apiKey=secret")
    'http://tracking/#/runs?viewStateShareKey=churn&apiKey=***'
    """
    return _SECRET.sub(r"\1***", "".join(map(_without_passwords, _EDGES.split(text))))


def _without_passwords(part: str) -> str:
    end = part.rfind("@") + 1
    return _PASSWORD.sub(r"\1***@", part[:end]) + part[end:]


def shown_value(value: Any) -> str:
    """A value of a config as a message may show it: without passwords, and not for pages.

    Examples
    --------
    >>> shown_value("x" * 300)[-8:], shown_value(3)
    ("xxxx...'", '3')
    """
    text = redacted(repr(value))
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]}...{text[-1]}"


class Section(BaseModel):
    """Base of every section: immutable, and no key that nothing reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds_in(cls.model_fields[str(info.field_name)].annotation)
        if {int, float} & kinds and bool not in kinds and _holds_a_bool(value):
            raise ValueError("is true or false, expected a number")
        return value


class Range(Section):
    """A number above one bound, below another, or both; an unknown one is in no range."""

    above: float | None = Field(default=None, description="the number must be above it")
    below: float | None = Field(default=None, description="the number must be below it")

    @model_validator(mode="after")
    def _some_bound(self) -> Range:
        if self.above is None and self.below is None:
            raise ValueError("needs above, below, or both")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError(f"no number is above {self.above:g} and below {self.below:g}")
        return self


def fault_of(
    error: Any,
    root: type[BaseModel],
    origins: Mapping[str, str] | None = None,
    moved: Mapping[str, str] | None = None,
) -> Fault:
    """One pydantic error as a line that names the key, what was found, and the nearest known key.

    Parameters
    ----------
    error
        One of `ValidationError.errors()`.
    root
        The section that was validated.
    origins
        Dotted key to the environment variable that it came from.
    moved
        Dotted key of an earlier version to what is written now, with `{value}` where its value stands.
    """
    place = [str(p) for p in error["loc"]]
    key = ".".join(place) or "config"
    where = f"{key} (from {origins[key]})" if origins and key in origins else key
    if error["type"] == "extra_forbidden":
        if moved and key in moved:
            return Fault(where, "is no key any more", moved[key].format(value=error["input"]))
        known = _known_keys(root, place[:-1])
        near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
        return Fault(
            where, "unknown key", f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
        )
    if error["type"] == "missing":
        return Fault(where, "is missing")
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" or isinstance(error["input"], dict):
        return Fault(where, message)
    return Fault(where, f"is {shown_value(error['input'])}: {message[0].lower()}{message[1:]}")


def _known_keys(root: type[BaseModel], place: list[str]) -> list[str]:
    """Keys that the schema knows at a place such as ['sources', 'transactions', 'columns']."""
    model = root
    for part in place:
        if part not in model.model_fields:
            continue
        options = _models_in(model.model_fields[part].annotation)
        if options:
            model = options[0]
    return sorted(set(model.model_fields) - {"home"})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]


def _kinds_in(annotation: Any) -> set[Any]:
    """The plain types that an annotation is made of; those of a section's own fields are its own matter."""
    inner = getattr(annotation, "__args__", None)
    return {annotation} if not inner else set().union(*map(_kinds_in, inner))


def _holds_a_bool(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_a_bool, value.values()))
    return isinstance(value, bool) or (isinstance(value, list | tuple) and any(map(_holds_a_bool, value)))
