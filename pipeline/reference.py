"""`churn config`: every key and value, the schema, and the pages of the documentation that are made from them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from configs.errors import ConfigError
from configs.reference import SCHEMAS, Key, as_markdown, held_by, keys_of, schema_of
from configs.schema import Config
from configs.sources import Column
from pipeline.output_columns import columns_as_markdown as outputs_page
from pipeline.publish import write_atomic
from pipeline.result import Result, table

_WIDEST = 36


def values_of(config: Config) -> Result:
    """Every value that a config holds, where it comes from, and what it means."""
    meanings = {key.path: key for key in keys_of(Config)}
    rows, values = [], []
    for held in held_by(config, os.environ):
        key = meanings.get(held.path) or _of_role(held.path, meanings)
        kind, default, meaning = (key.kind, key.default, key.meaning) if key else ("column", "", "")
        shown = held.value if len(held.value) <= _WIDEST else f"{held.value[: _WIDEST - 1]}…"
        rows.append([held.path, shown, held.origin, default[:_WIDEST], meaning])
        told = {"key": held.path, "value": held.value, "from": held.origin}
        values.append({**told, "type": kind, "default": default, "meaning": meaning})
    return Result(table(["key", "value", "from", "default", "meaning"], rows), values)


def _of_role(path: str, meanings: dict[str, Key]) -> Key | None:
    """The key of a source, which stands in the reference once for all roles."""
    parts = path.split(".")
    return meanings.get(".".join([parts[0], "ROLE", *parts[2:]])) if len(parts) > 2 else None


def schema(name: str) -> Result:
    """The JSON schema of a config or a playbook.

    Raises
    ------
    ConfigError
        For any other name.
    """
    if name not in SCHEMAS:
        raise ConfigError(f"--schema: is {name!r}, expected one of {', '.join(SCHEMAS)}")
    made = schema_of(name)
    return Result(json.dumps(made, indent=2, ensure_ascii=False), made)


def pages() -> dict[str, str]:
    """The pages of the documentation, by file name."""
    columns = keys_of(Column, "COLUMN.")
    found = {
        f"reference-{name}.md": as_markdown(
            f"Every key of a {name}", [*keys_of(section), *(columns if name == "config" else ())]
        )
        for name, section in SCHEMAS.items()
    }
    return {**found, "reference-outputs.md": outputs_page()}


def write_pages(folder: Path) -> Result:
    """Write the pages."""
    made: dict[str, Any] = pages()
    for name, text in made.items():
        write_atomic(folder / name, text)
    return Result("\n".join(f"wrote {folder / name}" for name in made), sorted(made))
