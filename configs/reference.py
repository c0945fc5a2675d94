"""Every key of a config with its type, default and meaning; what a config holds and where it comes from; the schema."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from configs.base import Section, redacted
from configs.playbook import Playbook
from configs.roles import Roles
from configs.schema import ENV_PREFIX, Config
from configs.sources import Column, Source

_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dt.date: "date",
    Path: "path",
}
MADE = "Made by `churn config --docs docs`; not edited by hand."
_NO_KEY = frozenset({"home"})
SCHEMAS: Mapping[str, type[Section]] = {"config": Config, "playbook": Playbook}


@dataclass(frozen=True)
class Key:
    """A key of a config or a playbook.

    Parameters
    ----------
    path
        With dots; NAME stands for a name of one's own, ROLE for a role of the sources.
    kind, default, meaning
        As a person reads them; the default is empty where the key has to be given.
    """

    path: str
    kind: str
    default: str
    meaning: str


def keys_of(section: type[BaseModel], prefix: str = "") -> Iterator[Key]:
    """Every key below a section, in the order of the declaration.

    Examples
    --------
    >>> [key.path for key in keys_of(Config) if key.path.startswith("snapshots")]
    ['snapshots.step_days', 'snapshots.max_count', 'snapshots.min_history_days']
    """
    for name, field in section.model_fields.items():
        if name in _NO_KEY:
            continue
        path = f"{prefix}{name}"
        if section is Config and name == "sources":
            yield from _of_sources()
            continue
        inner, way = _section_in(field.annotation)
        if inner is None or inner is Column:
            yield Key(path, _kind(field.annotation), _default(field), field.description or "")
            continue
        if way or field.description:
            yield Key(path, _kind(field.annotation), _default(field), field.description or _first_line(inner))
        yield from keys_of(inner, f"{path}{way}.")


def _of_sources() -> Iterator[Key]:
    """What every source has, then what is special to a role."""
    yield from keys_of(Source, "sources.ROLE.")
    for role, field in Roles.model_fields.items():
        source = next(kind for kind in get_args(field.annotation) if kind is not NoneType)
        for key in keys_of(source, f"sources.{role}."):
            own = key.path.split(".")[2].partition("[")[0]
            if own not in Source.model_fields and key.path != f"sources.{role}.columns":
                yield key


def _section_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The section that a type holds, and how it is reached: '.NAME' by a name, '[]' in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    origin, parts = get_origin(annotation), get_args(annotation)
    way = ".NAME" if origin is dict else "[]" if origin in (list, tuple) else ""
    for part in parts[-1:] if origin is dict else parts:
        inner, further = _section_in(part)
        if inner is not None:
            return inner, way + further
    return None, ""


def _kind(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_kind(part) for part in parts if part is not NoneType))
    if origin is Literal:
        return " | ".join(map(str, parts))
    if origin is dict:
        return f"name: {_kind(parts[1])}"
    if origin in (list, tuple):
        kinds = dict.fromkeys(_kind(part) for part in parts if part is not Ellipsis)
        return f"list of {', '.join(kinds)}"
    if parts:  # Annotated
        return _kind(parts[0])
    if annotation is Column:
        return "column"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    return _text(field.get_default(call_default_factory=True))


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        given = value.model_dump(mode="json", exclude_defaults=True)
        return _text(given) if given else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_text(v)}" for k, v in value.items()) + "}"
    return redacted(str(value)) if isinstance(value, str) else str(value)


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().split("\n")[0].rstrip(".")


@dataclass(frozen=True)
class Held:
    """A value of a config and where it comes from: 'default', 'file', or the variable."""

    path: str
    value: str
    origin: str


def held_by(config: Config, environ: Mapping[str, str]) -> list[Held]:
    """Every value of a config, in the order of the declaration.

    Examples
    --------
    >>> from configs.schema import load_config
    >>> config = load_config("configs/demo.yaml", {"CHURN__OUTREACH__CAPACITY": "9"})
    >>> [(h.path, h.value, h.origin) for h in held_by(config, {"CHURN__OUTREACH__CAPACITY": "9"})
    ...  if h.path in ("outreach.capacity", "seed", "name")]
    [('name', 'demo', 'file'), ('outreach.capacity', '9', 'CHURN__OUTREACH__CAPACITY'), ('seed', '7', 'default')]
    """
    variables = {
        v.removeprefix(ENV_PREFIX).lower().replace("__", "."): v for v in environ if v.startswith(ENV_PREFIX)
    }
    return list(_held(config, "", "file", variables))


def _held(section: BaseModel, prefix: str, above: str, variables: Mapping[str, str]) -> Iterator[Held]:
    for name in type(section).model_fields:
        if name in _NO_KEY:
            continue
        path, value = f"{prefix}{name}", getattr(section, name)
        origin = variables.get(path) or (above if name in section.model_fields_set else "default")
        if isinstance(value, BaseModel) and not isinstance(value, Column):
            yield from _held(value, f"{path}.", origin, variables)
        elif value is not None or origin != "default":
            yield Held(path, _text(value), origin)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON schema of a config or a playbook, for editors that complete and check.

    Examples
    --------
    >>> schema_of("config")["properties"]["seed"]["description"]
    'of every random draw'
    """
    made = SCHEMAS[name].model_json_schema()
    made["properties"] = {k: v for k, v in made["properties"].items() if k not in _NO_KEY}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": f"churn {name}"}


def as_markdown(title: str, keys: Iterable[Key]) -> str:
    """A table of keys for the documentation."""
    rows = [
        f"| `{key.path}` | {_cell(key.kind)} | {f'`{_cell(key.default)}`' if key.default else 'required'} | "
        f"{_cell(key.meaning)} |"
        for key in keys
    ]
    head = ["| key | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"# {title}", "", MADE, "", *head, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
