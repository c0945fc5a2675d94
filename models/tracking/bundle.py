"""A champion in one file, for when the store that holds it is away: JSON, checked by hash, none of it is run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from configs.errors import ModelError
from models.prediction.classifier import FittedModel, digest_of
from models.prediction.scoring import MODEL_FILE
from models.tracking.exchange import Champion
from models.tracking.runs import METADATA


def champion_of(files: Mapping[str, bytes], version: int, run_id: str, digest: str) -> Champion:
    """Put a champion together from the files that its digest covers; the caller has checked the digest.

    Raises
    ------
    ModelError
        When a file is missing or not readable.
    """
    parts = sorted(name.rpartition("/")[0] for name in files if name.endswith(f"/{MODEL_FILE}"))
    held = {}
    for part in parts:
        inside = [name for name in files if name.startswith(f"{part}/")]
        held[part] = FittedModel.from_files(
            {name.removeprefix(f"{part}/"): files[name].decode() for name in inside}
        )
    try:
        metadata, model = json.loads(files[METADATA]), held.pop("model")
    except (KeyError, ValueError) as error:
        raise ModelError(f"version {version}: no readable model ({error}); run `churn train`") from error
    return Champion(model, held, metadata, version, run_id, digest, files)


def packed(champion: Champion) -> str:
    """The champion as one JSON text; the same champion gives the same bytes."""
    content = {
        "version": champion.version,
        "run_id": champion.run_id,
        "sha256": champion.digest,
        "files": {name: content.decode() for name, content in champion.files.items()},
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n"


def unpacked_bundle(text: str, where: str) -> Champion:
    """What `packed` wrote, after checking it.

    Raises
    ------
    ModelError
        When it is damaged; `where` names it in the message.
    """
    try:
        content = json.loads(text)
        files = {str(name): str(inside).encode() for name, inside in content["files"].items()}
        version, run_id = int(content["version"]), str(content["run_id"])
        digest, expected = digest_of(files), str(content["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{where}: not readable as a model: {str(error)[:100]}") from error
    if digest != expected:
        raise ModelError(f"{where}: was changed after it was kept (SHA-256 {digest[:12]}, {expected[:12]})")
    return champion_of(files, version, run_id, digest)
