"""What a night was made by, as digests in its manifest: so that a later one can say what has changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pipeline.publish import code_digest
from pipeline.scoring.night import Night

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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
