"""Every horizon at once: when the next purchase, or the ending, will be.

A discrete-time hazard: boosted trees say for each interval of time how likely the event falls into it, given that it
has not come before. They give the shape; the level is the champion's, since every customer's curve is tied to the
probability at the trained horizon by one factor of the cumulative hazard. A curve never rises, whatever is tied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Bools, Floats
from models.prediction.boosted import EVERY_BOOSTER, Settings, capacity
from models.prediction.classifier import FittedModel, in_blocks, learn_columns
from models.prediction.sample import MIN_OF_EACH, Sample
from models.prediction.scoring import encode, input_names, member_score
from models.prediction.waits import Waits

# The folder in which the model stands beside the champion.
HORIZONS = "horizons"
INTERVAL = "interval_"
FIT_ROWS = 10_000
TREES, LEAVES, RATE = 60, 15, 0.1
LONGEST_EDGE = 365
EDGE_GRID = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 150, 180, 240, 300, LONGEST_EDGE)
LEAST, MOST = 1e-9, 1 - 1e-9
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
USUAL_LEVELS = (LOW, HIGH)


def edges_of(horizon_days: int, wanted: Sequence[int]) -> list[int]:
    """Days between which events are told apart: those of the grid, the trained horizon and all that are wanted.

    Examples
    --------
    >>> edges_of(60, [400])[-3:], edges_of(28, [])[8:11]
    ([300, 365, 400], [21, 28, 30])
    """
    return sorted({0, *EDGE_GRID, horizon_days, *wanted})


@dataclass(frozen=True)
class Curves:
    """Cumulative hazards of some customers.

    Parameters
    ----------
    edges
        Days, from 0 on; shape (edges,).
    hazard
        Minus the logarithm of the chance that nothing has happened by each edge; shape (rows, edges). Between two edges
        it grows evenly.
    """

    edges: Floats
    hazard: Floats

    def tied(self, days: float, survival: Floats) -> Curves:
        """The same shapes, with these chances that nothing happens within so many days; shape (rows,)."""
        wanted = -np.log(np.clip(survival, LEAST, MOST))
        return Curves(self.edges, self.hazard * (wanted / np.maximum(self._at(days), LEAST))[:, None])

    def survival(self, days: float) -> Floats:
        """Chance that nothing happens within so many days, shape (rows,); NaN beyond the last edge.

        Examples
        --------
        >>> flat = Curves(np.array([0.0, 10.0]), np.array([[0.0, 1.0]])).tied(10, np.array([0.25]))
        >>> flat.survival(5), flat.survival(11)
        (array([0.5]), array([nan]))
        """
        return np.exp(-self._at(days))

    def reached(self, days: Floats) -> Floats:
        """Chance that it has happened by so many days, each row its own, shape (rows,); NaN beyond the last edge.

        Examples
        --------
        >>> Curves(np.array([0.0, 10.0]), np.log(2) * np.array([[0.0, 2.0]] * 2)).reached(np.array([5.0, 11.0]))
        array([0.5, nan])
        """
        after = np.clip(np.searchsorted(self.edges, days), 1, len(self.edges) - 1)
        every, part = np.arange(len(days)), (days - self.edges[after - 1]) / np.diff(self.edges)[after - 1]
        hazard = self.hazard[every, after - 1] * (1 - part) + self.hazard[every, after] * part
        return np.where(days <= self.edges[-1], -np.expm1(-hazard), np.nan)

    def when(self, share: float) -> Floats:
        """Days by which it has happened with this chance, shape (rows,); NaN where that is beyond the last edge.

        Examples
        --------
        >>> Curves(np.array([0.0, 10.0]), np.log(2) * np.array([[0.0, 2.0], [0.0, 0.5]])).when(0.5)
        array([ 5., nan])
        """
        wanted = -np.log1p(-share)
        last = (self.hazard < wanted).sum(axis=1)
        after = np.minimum(last, len(self.edges) - 1)
        every, before = np.arange(len(self.hazard)), np.maximum(after - 1, 0)
        low, high = self.hazard[every, before], self.hazard[every, after]
        part = (wanted - low) / np.maximum(high - low, LEAST)
        days = self.edges[before] + part * (self.edges[after] - self.edges[before])
        return np.where(last == len(self.edges), np.nan, days)

    def _at(self, days: float) -> Floats:
        if days > self.edges[-1]:
            return np.full(len(self.hazard), np.nan)
        after = max(int(np.searchsorted(self.edges, days)), 1)
        low, high = self.edges[after - 1], self.edges[after]
        part = (days - low) / (high - low)
        return np.asarray(self.hazard[:, after - 1] * (1 - part) + self.hazard[:, after] * part)


@dataclass(frozen=True)
class Outlook:
    """What some customers' curves say.

    Parameters
    ----------
    churned
        Days to the chance of having churned within them, shape (rows,); NaN where the model does not look so far.
    days, low, high
        Day, counted from the start of the label window, on which the next purchase or the ending is expected, and its
        80 % interval, both ends inside; whole numbers, NaN where it lies beyond what the model looks at.
    """

    churned: dict[int, Floats]
    days: Floats
    low: Floats
    high: Floats


def fit(sample: Sample, waits: Waits, settings: Settings, edges: Sequence[int]) -> FittedModel | None:
    """Fit the hazards on at most 10,000 rows of customers drawn by chance.

    Parameters
    ----------
    sample, waits
        Rows and how long each of them waited, in the same order.
    settings
        Kind and horizon.
    edges
        As of `edges_of`. Those that too few rows have been watched for are left out.

    Returns
    -------
    FittedModel or None
        Its probability is the hazard of the interval in the column `interval_`; `spec["horizons"]` has the edges. None
        with too few events, or where too few rows have been watched up to the trained horizon.
    """
    chosen = sample.chosen(FIT_ROWS, settings.seed)
    few, waits = sample.rows(chosen), waits.rows(chosen)
    survived, event = waits.intervals(edges)
    count = _usable(survived, event, len(edges) - 1)
    if count == 0 or edges[count] < settings.horizon_days:
        return None
    row, interval, y = _expanded(survived, event, count)
    weight = None if few.weight is None else (few.weight / few.weight.mean())[row]
    columns = (*learn_columns(few.X), {"name": INTERVAL, "kind": "number"})
    inputs = list(range(len(input_names(columns))))
    X = encode(columns, few.X)[row]
    X[:, -1] = interval
    start = _by_interval(interval, y, weight, count, inputs[-1])
    events = int(min(event.sum(), len(np.unique(few.customer))))
    leaves, leaf_rows = capacity(LEAVES, events)
    sizes = {"num_leaves": leaves, "min_data_in_leaf": leaf_rows, "learning_rate": RATE}
    more = {"lambda_l2": settings.l2, "extra_trees": True, "extra_seed": settings.seed}
    data = lgb.Dataset(X, y, init_score=member_score(start, [], X), weight=weight)
    booster = lgb.train(EVERY_BOOSTER | sizes | more, data, TREES)
    member = {"kind": "boosted", "inputs": inputs, "boosters": [0], "start": start}
    spec = {
        "format": 1,
        "columns": list(columns),
        "members": [{"name": "hazard", "weight": 1.0, **member}],
        "calibrator": {"kind": "none"},
        "boosters": ["booster_0.txt"],
        "horizons": {
            "edges": [int(edge) for edge in edges[: count + 1]],
            "horizon": settings.horizon_days,
            "endings": settings.contractual,
        },
    }
    return FittedModel(spec, (booster.model_to_string(),))


def _usable(survived: NDArray[np.int64], event: Bools, most: int) -> int:
    """So many intervals, from the first on, that enough rows have been watched through; 0 with too few events."""
    if event.sum() < MIN_OF_EACH:
        return 0
    watched = [int(((survived > k) | ((survived == k) & event)).sum()) for k in range(most)]
    return next((k for k, rows in enumerate(watched) if rows < MIN_OF_EACH), most)


def _expanded(
    survived: NDArray[np.int64], event: Bools, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """One row for each interval that a row was watched through or that holds its event: row, interval, event."""
    lived = np.minimum(survived + event, count)
    row = np.repeat(np.arange(len(lived)), lived)
    first = np.cumsum(lived) - lived
    interval = np.arange(len(row)) - first[row]
    return row, interval, (event[row] & (interval == survived[row])).astype(np.float64)


def _by_interval(
    interval: NDArray[np.int64], y: Floats, weight: Floats | None, count: int, place: int
) -> dict[str, object]:
    """Log-odds by interval alone, as a member: the Kaplan-Meier curve."""
    w = np.ones(len(y)) if weight is None else weight
    rows = np.bincount(interval, weights=w, minlength=count)
    ones = np.bincount(interval, weights=w * y, minlength=count)
    rate = (ones + 0.5) / (rows + 1)
    return {
        "kind": "steps",
        "inputs": [place],
        "edges": (np.arange(1, count) - 0.5).tolist(),
        "values": np.log(rate / (1 - rate)).tolist(),
        "missing": 0.0,
        "centre": 0.0,
    }


def hazard_curves(
    model: FittedModel, frame: pd.DataFrame, threads: int = 1, *, everybody: bool = False
) -> Curves:
    """The curves of some matrix rows, as they are learned and not tied.

    Parameters
    ----------
    everybody
        The Kaplan-Meier curve of the rows that were learned from, the same for all.
    """
    spec, X = model.spec, encode(model.spec["columns"], frame, "F")
    member, edges = spec["members"][0], np.asarray(spec["horizons"]["edges"], np.float64)
    interval = X.shape[1] - 1
    by_interval = np.zeros((len(edges) - 1, X.shape[1]))
    by_interval[:, interval] = intervals = np.arange(len(edges) - 1.0)
    score = member_score(member["start"], [], by_interval)[:, None]
    if not everybody:
        (trees,) = (model.boosters[i] for i in member["boosters"])
        score = score + trees.predict_each(X, interval, intervals.tolist(), threads)
    hazard = np.zeros((len(edges), len(X)))
    hazard[1:] = np.cumsum(np.logaddexp(0, score), axis=0)
    return Curves(edges, np.ascontiguousarray(hazard.T))


def tied_curves(model: FittedModel, frame: pd.DataFrame, probability: Floats, threads: int = 1) -> Curves:
    """The curves of some matrix rows, tied to their churn probabilities at the trained horizon; shape (rows,)."""
    said = model.spec["horizons"]
    survival = 1 - probability if said["endings"] else probability
    return hazard_curves(model, frame, threads).tied(said["horizon"], survival)


def interval_of(found: Curves, low: float, high: float) -> tuple[Floats, Floats]:
    """First and last day of the intervals between two levels, shape (rows,) each; NaN beyond what is looked at.

    An event of day d lies between d and d + 1: ends are rounded so that the middle of a day outside lies outside too.
    """
    first = np.round(found.when(low))
    return first, np.maximum(np.round(found.when(high)) - 1, first)


def with_levels(model: FittedModel, levels: tuple[float, float]) -> FittedModel:
    """The same model, whose intervals lie between these levels of its curves."""
    return replace(model, spec={**model.spec, "horizons": {**model.spec["horizons"], "levels": list(levels)}})


def outlook(
    model: FittedModel,
    frame: pd.DataFrame,
    probability: Floats,
    horizons: Sequence[int],
    threads: int = 1,
) -> Outlook:
    """What the curves say of matrix rows, tied to their churn probabilities at the trained horizon.

    Parameters
    ----------
    model
        What `fit` gave.
    probability
        Of the champion, shape (rows,).
    horizons
        Days.
    """
    parts = in_blocks(
        lambda rows: _outlook(model, frame.iloc[rows], probability[rows], horizons), len(frame), threads
    )
    return Outlook(
        {h: np.concatenate([part.churned[h] for part in parts]) for h in horizons},
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("days", "low", "high")),
    )


def _outlook(
    model: FittedModel, frame: pd.DataFrame, probability: Floats, horizons: Sequence[int]
) -> Outlook:
    said, found = model.spec["horizons"], tied_curves(model, frame, probability)
    churned = {h: probability if h == said["horizon"] else found.survival(h) for h in horizons}
    if said["endings"]:
        churned = {h: p if h == said["horizon"] else 1 - p for h, p in churned.items()}
    low, high = interval_of(found, *said.get("levels", USUAL_LEVELS))
    days = np.maximum(np.floor(found.when(MIDDLE)), low)
    return Outlook(churned, np.where(np.isnan(high), days, np.minimum(days, high)), low, high)
