"""A training in one file, for when the store that should take it is away: JSON, checked by hash, none of it is run."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from configs.errors import ModelError
from models.prediction.classifier import FittedModel, digest_of
from models.tracking.exchange import TrainingRecord
from models.tracking.runs import without_secrets


@dataclass(frozen=True)
class Parcel:
    """What a training hands to the tracking store.

    Parameters
    ----------
    record
        What is logged.
    models
        Name to model; `model` is the one that scores.
    promote, reason
        The verdict.
    against
        Version that it was compared with; None where there was no champion.
    canary
        The model is to score beside the champion before it takes its place.
    """

    record: TrainingRecord
    models: Mapping[str, FittedModel]
    promote: bool
    reason: str
    against: int | None
    canary: bool = False


def packed_training(parcel: Parcel) -> str:
    """The parcel as one JSON text, without passwords; the same parcel gives the same bytes."""
    record = without_secrets(parcel.record)
    finite = {name: value for name, value in record.metrics.items() if math.isfinite(value)}
    files = {name: b64encode(content).decode() for name, content in record.files.items()}
    content = {
        **asdict(replace(record, metrics=finite, files={})),
        "files": files,
        "models": {name: model.files() for name, model in parcel.models.items()},
        "verdict": {
            "promote": parcel.promote,
            "reason": parcel.reason,
            "against": parcel.against,
            "canary": parcel.canary,
        },
    }
    inside = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return json.dumps({"sha256": _digest(inside), "training": inside}, ensure_ascii=False) + "\n"


def unpacked_training(text: str, where: str) -> Parcel:
    """What `packed_training` wrote, after checking it.

    Raises
    ------
    ModelError
        When it is damaged; `where` names it in the message.
    """
    try:
        outside = json.loads(text)
        inside = str(outside["training"])
        if _digest(inside) != outside["sha256"]:
            raise ValueError("it was changed after it was kept")
        content: dict[str, Any] = json.loads(inside)
        verdict, models = content.pop("verdict"), content.pop("models")
        files = {name: b64decode(code) for name, code in content.pop("files").items()}
        steps = {
            name: [(int(a), int(b), float(c)) for a, b, c in line]
            for name, line in content.pop("steps").items()
        }
        trials = [(sizes, float(loss)) for sizes, loss in content.pop("trials")]
        record = TrainingRecord(**content, files=files, steps=steps, trials=trials)
        fitted = {name: FittedModel.from_files(texts) for name, texts in models.items()}
        return Parcel(
            record,
            fitted,
            bool(verdict["promote"]),
            str(verdict["reason"]),
            verdict["against"],
            bool(verdict["canary"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{where}: not readable as a training ({str(error)[:100]}); delete it") from error


def _digest(text: str) -> str:
    return digest_of({"training": text.encode()})
