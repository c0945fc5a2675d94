"""The model that is kept: columns, members, their shares and the calibrator, as text and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import Fault, ModelError, UnfitError
from models.prediction import members as rules
from models.prediction.boosted import Settings, boost, boost_large
from models.prediction.sample import Sample, held_back
from models.prediction.scoring import (
    MODEL_FILE,
    encode,
    input_names,
    log_odds,
    member_score,
    probability,
    read_folder,
)

MAX_LEVELS = 20
LEVEL_SHARE = 0.005
LINEAR_ROWS = 150_000
RIDGE = 1_200.0
MOST_RIDGE = 1 / 3
START_STRENGTH = 4.0
BLOCK = 100_000


@dataclass(frozen=True)
class Members:
    """All contenders, fitted on the same rows and not blended yet.

    Parameters
    ----------
    columns
        How the matrix is encoded, see `models.prediction.scoring.encode`.
    members
        Contender name to its JSON document.
    texts
        LightGBM model texts of the members with trees.
    """

    columns: tuple[dict[str, Any], ...]
    members: dict[str, dict[str, Any]]
    texts: tuple[str, ...]

    def scores(self, frame: pd.DataFrame, threads: int = 1) -> dict[str, Floats]:
        """Log-odds of every contender on every row."""
        X = encode(self.columns, frame)
        boosters = [lgb.Booster(model_str=text) for text in self.texts]
        return {name: member_score(m, boosters, X, threads) for name, m in self.members.items()}


def learn_columns(X: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """Choose the encoding of each column from training rows: numbers as they are, texts by frequent level.

    Examples
    --------
    >>> learn_columns(pd.DataFrame({"plan": pd.Categorical(["b"] * 20 + ["a"] * 30 + ["rare"])}))
    ({'name': 'plan', 'kind': 'text', 'levels': ['a', 'b']},)
    """
    columns: list[dict[str, Any]] = []
    for name in X.columns:
        if pd.api.types.is_numeric_dtype(X[name]):
            columns.append({"name": name, "kind": "number"})
            continue
        counts = X[name].astype("object").value_counts()
        frequent = counts[counts >= max(10, LEVEL_SHARE * len(X))].index[:MAX_LEVELS]
        columns.append({"name": name, "kind": "text", "levels": sorted(map(str, frequent))})
    return tuple(columns)


def fit_members(sample: Sample, settings: Settings, seeds: int, large: bool = True) -> Members:
    """Fit every contender on the same rows.

    Parameters
    ----------
    sample
        Training rows; their columns have passed `models.prediction.sample.inspect_columns`.
    settings
        Sizes and the label window.
    seeds
        How many boosters.
    large
        Whether the large trees are wanted, which take the longest.
    """
    columns = learn_columns(sample.X)
    names = input_names(columns)
    X, y = encode(columns, sample.X), sample.churned
    weight = _mean_one(sample.weight)
    customers = len(np.unique(sample.customer))
    few = sample.at_most(LINEAR_ROWS, settings.seed)
    X_few = X if few is sample else encode(columns, few.X)
    w_few = _mean_one(few.weight)
    every = list(range(len(names)))
    strength = _ridge(y, customers)
    start = rules.logistic(X_few, few.churned, every, START_STRENGTH * strength, squares=True, weight=w_few)
    found: dict[str, dict[str, Any] | None] = {
        "base rate": rules.base_rate(y, weight),
        "recency rule": rules.recency_rule(X_few, few.churned, names, w_few),
        "rfm": rules.rfm(X_few, few.churned, names, w_few),
        "hazard by tenure": rules.hazard(X, y, names, weight) if settings.contractual else None,
        "bg/nbd": _bgnbd(X, names, settings),
        "linear": rules.logistic(X_few, few.churned, every, strength, squares=True, weight=w_few),
    }
    members = {name: m for name, m in found.items() if m is not None}
    if start is None:
        return Members(columns, members, ())
    trees = {"kind": "boosted", "inputs": every}
    members["boosted"] = trees | {"boosters": list(range(seeds))}
    members["linear + trees"] = trees | {"boosters": list(range(seeds, 2 * seeds)), "start": start}
    texts = boost(X, y, customers, settings, seeds, weight=weight)
    texts += boost(X, y, customers, settings, seeds, member_score(start, [], X), weight)
    held = (
        held_back(sample, np.timedelta64(settings.gap_days + settings.horizon_days, "D")) if large else None
    )
    if held is not None:
        members["large trees"] = trees | {"boosters": list(range(2 * seeds, 3 * seeds))}
        texts += boost_large(X, y, customers, settings, seeds, held, weight)
    return Members(columns, members, texts)


def _mean_one(weight: Floats | None) -> Floats | None:
    """Weights that leave the size of the sample as it is, against which ridges and priors stand."""
    return None if weight is None else weight / weight.mean()


def _ridge(y: Floats, customers: int) -> float:
    """Strength of the ridge: rows of one customer say much the same, and rows of a rare class say less.

    A row tells a logistic regression p (1 - p) about its log-odds, which is 1/4 at most. On few customers the ridge
    is a share of what they tell, so that it never drowns it.
    """
    rate = float(y.mean())
    worth = min(RIDGE, MOST_RIDGE * customers)
    return worth * max(1.0, len(y) / customers) * 4 * rate * (1 - rate)


def _bgnbd(X: Floats, names: list[str], settings: Settings) -> dict[str, Any] | None:
    if settings.contractual:
        return None
    try:
        return rules.bgnbd_member(X, names, settings.horizon_days, settings.seed)
    except ValueError:
        return None


@dataclass(frozen=True)
class FittedModel:
    """Members, shares and calibrator: everything from a matrix row to a probability.

    Parameters
    ----------
    spec
        The content of `model.json`, see `models.prediction.scoring`.
    texts
        LightGBM model texts, in the order of `spec["boosters"]`.

    Examples
    --------
    >>> base = {"columns": [], "boosters": [], "calibrator": {"kind": "none"},
    ...         "members": [{"name": "base rate", "kind": "constant", "inputs": [], "value": 0.0, "weight": 1.0}]}
    >>> FittedModel(base, ()).probability(pd.DataFrame(index=range(2)))
    array([0.5, 0.5])
    """

    spec: Mapping[str, Any]
    texts: tuple[str, ...]

    @classmethod
    def assemble(
        cls, parts: Members, weights: Mapping[str, float], calibrator: Mapping[str, Any]
    ) -> FittedModel:
        """Keep the members that count, with their shares and the calibrator."""
        used = [
            {"name": n, **parts.members[n], "weight": w} for n, w in weights.items() if n in parts.members
        ]
        kept = sorted({i for m in used for i in m.get("boosters", ())})
        used = [
            m | {"boosters": [kept.index(i) for i in m["boosters"]]} if "boosters" in m else m for m in used
        ]
        texts = tuple(parts.texts[i] for i in kept)
        spec = {
            "format": 1,
            "columns": list(parts.columns),
            "members": used,
            "calibrator": dict(calibrator),
            "boosters": [f"booster_{i}.txt" for i in range(len(texts))],
        }
        return cls(spec, texts)

    @cached_property
    def boosters(self) -> list[lgb.Booster]:
        """The boosters, read from their texts."""
        return [lgb.Booster(model_str=text) for text in self.texts]

    @property
    def weights(self) -> dict[str, float]:
        """Member name to its share."""
        return {m["name"]: m["weight"] for m in self.spec["members"]}

    @property
    def column_names(self) -> list[str]:
        """Matrix columns that the model reads."""
        return [c["name"] for c in self.spec["columns"]]

    def probability(self, frame: pd.DataFrame, threads: int = 1) -> Floats:
        """Churn probability of every row; shape (rows,)."""
        boosters = self.boosters
        blocks = [frame.iloc[i : i + BLOCK] for i in range(0, max(len(frame), 1), BLOCK)]
        if len(blocks) == 1:
            return probability(self.spec, boosters, frame, threads)
        # A million rows at once would stand in memory several times, as every member's input.
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(
                list(pool.map(lambda block: probability(self.spec, boosters, block), blocks))
            )

    def log_odds(self, frame: pd.DataFrame, calibrated: bool = True) -> Floats:
        """Log-odds of churn of every row; shape (rows,)."""
        return log_odds(self.spec, self.boosters, frame, calibrated)

    def check_columns(self, available: Sequence[str]) -> None:
        """Refuse a matrix that lacks columns which the model reads.

        Raises
        ------
        UnfitError
            With the missing columns and those that are new.
        """
        missing = [n for n in self.column_names if n not in set(available)]
        if not missing:
            return
        new = [n for n in available if n not in set(self.column_names)]
        lines = [Fault(f"- {n}", "the model reads it, the data do not have it") for n in missing[:20]]
        lines += [Fault(f"+ {n}", "the data have it, the model does not read it") for n in new[:20]]
        raise UnfitError(
            f"{len(missing)} columns of the model are missing; restore the source, or run `churn train`",
            lines,
        )

    def files(self) -> dict[str, str]:
        """File name to content; equal models give equal bytes."""
        document = json.dumps(
            self.spec, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return {MODEL_FILE: document, **dict(zip(self.spec["boosters"], self.texts, strict=True))}

    @property
    def digest(self) -> str:
        """SHA-256 over names and contents of the files."""
        return digest_of({name: text.encode() for name, text in self.files().items()})

    def save(self, folder: str | Path) -> None:
        """Write `model.json` and the booster texts."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        for name, text in self.files().items():
            (place / name).write_bytes(text.encode())

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> FittedModel:
        """The model of what `files` gave; nothing in them is run.

        Raises
        ------
        ModelError
            When a file is missing or damaged.
        """
        try:
            spec = json.loads(files[MODEL_FILE])
            return cls(spec, tuple(files[name] for name in spec["boosters"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"no readable model ({error}); run `churn train`") from error

    @classmethod
    def load(cls, folder: str | Path) -> FittedModel:
        """Read what `save` wrote; nothing in the files is run.

        Raises
        ------
        ModelError
            When a file is missing or damaged.
        """
        try:
            spec, texts = read_folder(folder)
            return cls(spec, texts)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder}: no readable model ({error}); run `churn train`") from error


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents.

    Examples
    --------
    >>> digest_of({"b": b"2", "a": b"1"}) == digest_of({"a": b"1", "b": b"2"})
    True
    """
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()
