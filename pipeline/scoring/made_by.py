"""What a night was made by, as digests in its manifest: so that a later one can say what has changed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.scoring.night import Night

PACKAGES = ("configs", "features", "models", "pipeline")
_LENGTH = 16


def made_by(night: Night) -> dict[str, Any]:
    """Digests of the code, of each section of the config, and of what stands beside the sources."""
    context = night.prepared.context
    sections = night.config.model_dump(mode="json")
    return {
        "code": code_digest(),
        "config": {name: _digest(json.dumps(value, sort_keys=True)) for name, value in sections.items()},
        "beside": {
            "playbook": _digest(context.playbook.model_dump_json()),
            "belief of what contacts change": _digest(context.effect.to_json()),
            "earlier lists": _digest(" ".join(map(str, context.evidence.nights))),
            "marked contacts": _digest(" ".join(map(str, night.sources.marks))),
        },
    }


@cache
def code_digest() -> str:
    """Of this version's own files, so that an unreleased change shows as well."""
    root, found = Path(__file__).parents[2], hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                found.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:_LENGTH]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
