"""The model that is kept: columns, members, their shares and the calibrator, as text and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import Fault, ModelError, UnfitError
from models.prediction import members as rules
from models.prediction.boosted import (
    FADING,
    LARGE,
    OPTIONAL,
    TREES,
    Settings,
    binned,
    boost,
    boost_large,
    share_drawn,
)
from models.prediction.sample import Sample, faded, held_back
from models.prediction.scoring import (
    MODEL_FILE,
    encode,
    input_names,
    log_odds,
    member_score,
    probability,
    read_folder,
)
from models.prediction.trees import Forest

MAX_LEVELS = 20
LEVEL_SHARE = 0.005
LINEAR_ROWS = 150_000
RIDGE = 1_200.0
MOST_RIDGE = 1 / 3
START_STRENGTH = 4.0
BLOCK = 65_536
# What a fit costs, where a row costs 1 in the small trees of a seed: that of no rows, a row in the regressions, the
# gradients of a row that a tree is not grown on (for so many columns), and large trees as a share of all that.
# Measured on the five known sets.
ROWS_ALIKE, FITTED_ONCE, GRADIENTS, LARGE_TREES = 12_500, 0.25, 13.0, 0.4

T = TypeVar("T")


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
        boosters = [Forest(text) for text in self.texts]
        return {name: member_score(m, boosters, X, threads) for name, m in self.members.items()}


def in_blocks(work: Callable[[slice], T], rows: int, threads: int) -> list[T]:
    """What some work makes of blocks of so many rows, in their order, several at a time.

    A million rows at once would stand in memory several times, as every member's input.

    Examples
    --------
    >>> in_blocks(lambda rows: (rows.start, rows.stop), BLOCK + 1, 2) == [(0, BLOCK), (BLOCK, 2 * BLOCK)]
    True
    """
    blocks = [slice(first, first + BLOCK) for first in range(0, max(rows, 1), BLOCK)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, blocks))


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


def fit_members(
    sample: Sample, settings: Settings, seeds: int, optional: Collection[str] = OPTIONAL
) -> Members:
    """Fit every contender on the same rows.

    Parameters
    ----------
    sample
        Training rows; their columns have passed `models.prediction.sample.inspect_columns`.
    settings
        Sizes and the label window.
    seeds
        How many boosters.
    optional
        Which of the members that may be left out are wanted; the large trees take the longest.
    """
    columns = learn_columns(sample.X)
    names = input_names(columns)
    every = _Rows(encode(columns, sample.X), sample.churned, _mean_one(sample.weight))
    if not names:
        return Members(columns, {"base rate": rules.base_rate(every.y, every.weight)}, ())
    few = every
    if (drawn := sample.at_most(LINEAR_ROWS, settings.seed)) is not sample:
        few = _Rows(encode(columns, drawn.X), drawn.churned, _mean_one(drawn.weight))
    customers, inputs = len(np.unique(sample.customer)), list(range(len(names)))
    strength = _ridge(every.y, customers)
    window = np.timedelta64(settings.gap_days + settings.horizon_days, "D")
    held = held_back(sample, window) if LARGE in optional else None
    fading = faded(sample, window) if FADING in optional and settings.contractual else None

    def linear() -> list[dict[str, Any]]:
        ridges = (START_STRENGTH * strength, strength)
        return rules.logistics(few.X, few.y, inputs, ridges, squares=True, weight=few.weight)

    # The longest first, so that no thread is left without work at the end.
    with ThreadPoolExecutor(settings.threads) as pool:
        begun = pool.submit(linear)
        size = (customers, settings, seeds)
        exact = [] if held is None else [boost_large(every.X, every.y, *size, held, every.weight)]
        jobs = {LARGE: [pool.submit(fit) for fit in exact]}
        rows = binned(every.X, every.y, customers, settings, every.weight)
        jobs["boosted"] = [pool.submit(fit) for fit in boost(rows, settings, seeds)]
        newer = [] if fading is None else boost(rows, settings, seeds, weight=_mean_one(fading))
        jobs[FADING] = [pool.submit(fit) for fit in newer]
        simple = pool.submit(_simple_members, every, few, names, settings)
        start, ended = begun.result()
        corrected = boost(rows, settings, seeds, member_score(start, [], every.X))
        jobs["linear + trees"] = [pool.submit(fit) for fit in corrected]
    members = simple.result() | {"linear": ended}
    texts: list[str] = []
    for name in (n for n in TREES if jobs[n]):
        place = len(texts)
        texts += [text for job in jobs[name] for text in job.result()]
        members[name] = {"kind": "boosted", "inputs": inputs, "boosters": list(range(place, len(texts)))}
    members["linear + trees"]["start"] = start
    return Members(columns, members, tuple(texts))


def cost_of_fit(rows: int, columns: int, rate: float, seeds: int, large: float) -> float:
    """About how long `fit_members` takes beside others, in any unit: what is fitted once, and what once a seed.

    Parameters
    ----------
    rate
        Share of the churned, see `share_drawn`: of the rows that a tree is not grown on it needs the gradients.
    large
        How likely large trees are fitted too; they are few, for they stop early.

    Examples
    --------
    >>> round(cost_of_fit(40_000, 40, 0.3, 3, large=0) / cost_of_fit(40_000, 40, 0.3, 1, large=0), 2)
    2.28
    """
    drawn = share_drawn(rows, rate)
    tree = drawn + min(1.0, GRADIENTS / columns) * (1 - drawn)
    return (ROWS_ALIKE + rows * (FITTED_ONCE + seeds * tree)) * (1 + LARGE_TREES * large)


class _Rows(NamedTuple):
    """Encoded inputs, labels, and weights of mean 1."""

    X: Floats
    y: Floats
    weight: Floats | None


def _simple_members(
    every: _Rows, few: _Rows, names: list[str], settings: Settings
) -> dict[str, dict[str, Any]]:
    found = {
        "base rate": rules.base_rate(every.y, every.weight),
        "recency rule": rules.recency_rule(few.X, few.y, names, few.weight),
        "rfm": rules.rfm(few.X, few.y, names, few.weight),
        "hazard by tenure": rules.hazard(*every[:2], names, every.weight) if settings.contractual else None,
        "bg/nbd": _bgnbd(every.X, names, settings),
    }
    return {name: member for name, member in found.items() if member is not None}


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
    def boosters(self) -> list[Forest]:
        """The trees, read from their texts."""
        return [Forest(text) for text in self.texts]

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
        return np.concatenate(
            in_blocks(lambda rows: probability(self.spec, boosters, frame.iloc[rows]), len(frame), threads)
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
