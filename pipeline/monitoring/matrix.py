"""Features and scores of a night against those of the training, by a distance that does not grow with the rows.

Each feature's training rows are cut at fixed places, and the shares of the pieces are kept. How far each snapshot of
the training lies from those before it, as far back as a night's training rows lie, says how much is usual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Dates, Floats, Ints
from models.statistics.drift import hellinger, hellinger_noise
from pipeline.languages.said import Said, said, said_again
from pipeline.monitoring.checks import LOOK, Check, judged_by_band, not_judged
from pipeline.monitoring.trained import SHARED_BY, TRAIN

PIECES = 10
FLOOR, FLOOR_OF_SCORES, UNKNOWN, BEYOND = 0.15, 0.5, 0.5, 1.25
# Features of a young company grow with its history: a year must be there before one knows what is usual.
SPAN_DAYS, EMPTIED = 330, 0.2
FEWEST_NULL, FEWEST_ROWS, FEWEST_CUSTOMERS = 3, 30, 150
OTHER = "(other)"


def feature_profiles(features: pd.DataFrame, snapshot: Dates, lag_days: int | None) -> dict[str, Any]:
    """What a training keeps of its rows: numbers for JSON, by feature.

    Parameters
    ----------
    features
        The training rows: floats, or pandas categories.
    snapshot
        Shape (rows,): when each was taken.
    lag_days
        From a snapshot to the night at which its label is known; None for a table without dates.
    """
    days, of_row = np.unique(snapshot.astype("datetime64[D]"), return_inverse=True)
    young = lag_days is not None and is_young(snapshot)
    return {
        str(name): _profile(features[name], of_row, days, lag_days, FLOOR, young=young)
        for name in features.columns
    }


def is_young(snapshot: Dates) -> bool:
    """Whether the snapshots of a training span less than a year."""
    days = snapshot.astype("datetime64[D]")
    return bool((days.max() - days.min()).astype(int) < SPAN_DAYS)


def score_profile(scores: Sequence[Floats], days: Dates, *, young: bool) -> dict[str, Any]:
    """The same of the probabilities of the tests, none of which had seen its rows."""
    values = pd.Series(np.concatenate(scores))
    of_row = np.repeat(np.arange(len(scores)), [len(s) for s in scores])
    return _profile(values, of_row, days.astype("datetime64[D]"), None, FLOOR_OF_SCORES, young=young)


def _profile(
    values: pd.Series[Any], of_row: Ints, days: NDArray[Any], lag: int | None, floor: float, *, young: bool
) -> dict[str, Any]:
    cuts = _cuts(values)
    pieces = _pieces(values, cuts)
    size = _size(cuts)
    counts = np.zeros((len(days), size))
    np.add.at(counts, (of_row, pieces), 1.0)
    usual = _usual(counts, days, lag)
    young = young and "edges" in cuts
    known = len(usual) >= FEWEST_NULL or len(days) == 1
    least = floor if known and not young else UNKNOWN
    limit = round(float(max(least, BEYOND * max(usual, default=0.0))), 6)
    shares = [round(float(x), 6) for x in counts.sum(axis=0) / counts.sum()]
    why = "" if lag is None or "values" in cuts else _unsteady(counts, young=young)
    return {**cuts, "shares": shares, "limit": limit, "why": why}


def _unsteady(counts: Floats, *, young: bool) -> str:
    """Why a feature can't be judged: it grows with the history, and what is usual is not known yet."""
    if young:
        return f"the training's snapshots span less than {SPAN_DAYS} days"
    old, new = (counts[end][-1] / counts[end].sum() for end in (0, -1))
    return "it was empty for most at one end of the training" if abs(new - old) > EMPTIED else ""


def _usual(counts: Floats, days: NDArray[Any], lag: int | None) -> list[float]:
    """Distances of snapshots from those that lie at least the lag before them; without a lag from all others."""
    found = []
    for k, day in enumerate(days):
        others = (days <= day - lag) if lag is not None else np.arange(len(days)) != k
        if others.any() and counts[k].sum() >= FEWEST_ROWS:
            noise = hellinger_noise(counts.shape[1], counts[k].sum())
            found.append(max(float(hellinger(counts[k], counts[others].sum(axis=0))) - noise, 0.0))
    return found


def _cuts(values: pd.Series[Any]) -> dict[str, Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        counts = values.astype("object").value_counts()
        return {"values": sorted(str(v) for v, n in counts.items() if n >= SHARED_BY)[:50]}
    known = values.to_numpy(np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return {"edges": []}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, PIECES + 1)[1:-1]))
    return {"edges": [float(f"{edge:.6g}") for edge in edges]}


def _size(cuts: Mapping[str, Any]) -> int:
    return len(cuts["values"]) + 2 if "values" in cuts else len(cuts["edges"]) + 2


def _pieces(values: pd.Series[Any], cuts: Mapping[str, Any]) -> Ints:
    """The piece that each value falls into; the last is for those that are empty."""
    if "values" in cuts:
        others, (code, known) = len(cuts["values"]), pd.factorize(values)  # -1 for what is empty
        place = pd.Index(cuts["values"], dtype="str").get_indexer(
            pd.Index([str(x) for x in known], dtype="str")
        )
        return np.append(np.where(place < 0, others, place), others + 1)[code].astype(np.int64)
    number = values.to_numpy(np.float64, na_value=np.nan)
    # A few passes over the numbers, one an edge, take a fraction of the time of a search for each number.
    found = np.zeros(len(number), np.uint8)
    for edge in cuts["edges"]:
        found += number > edge
    found[np.isnan(number)] = len(cuts["edges"]) + 1
    return found.astype(np.int64)


def drift_of(
    features: pd.DataFrame, scores: Floats, kept: Mapping[str, Any] | None, width: float
) -> Iterator[Check]:
    """The night's features and scores against the training's.

    Parameters
    ----------
    features, scores
        Of all customers, or of a sample of them.
    kept
        `features` and `scores` of the functions above; None with a model that has none.
    """
    if kept is None:
        yield not_judged("features", "all", TRAIN)
        return
    if len(scores) < FEWEST_CUSTOMERS:
        yield not_judged("features", "all", said("fewer than {n} customers", n=FEWEST_CUSTOMERS))
        return
    for name, then in kept["features"].items():
        if name in features:
            what = said("see where its source has changed, then `churn train`")
            yield _drift("features", name, features[name], then, width, what)
    what = said("see the features that moved and the customers, then `churn train`")
    yield _drift("scores", "churn_probability", pd.Series(scores), kept["scores"], width, what)


def _drift(
    name: Any, place: str, values: pd.Series[Any], then: Mapping[str, Any], width: float, advice: Said
) -> Check:
    if then.get("why"):
        return not_judged(name, place, said_again(then["why"]))
    counts = np.bincount(_pieces(values, then), minlength=_size(then)).astype(np.float64)
    distance = float(hellinger(counts, np.asarray(then["shares"])))
    limit = width * (then["limit"] + hellinger_noise(len(counts), len(values)))
    unit = said("distance from the training rows")
    return judged_by_band(name, place, distance, 0.0, limit, unit, advice, distance / limit)


def health_of(features: pd.DataFrame, scores: Floats) -> Iterator[Check]:
    """Numbers that are none: infinite features, scores that are not finite or all the same."""
    for name in features.select_dtypes("number").columns:
        if infinite := int(np.isinf(features[name].to_numpy(np.float64)).sum()):
            yield Check(
                "health",
                str(name),
                infinite,
                0,
                0,
                said("infinite values"),
                LOOK,
                said("see the numbers of its source"),
                2.0,
            )
    bad = int((~np.isfinite(scores)).sum())
    constant = (
        len(scores) >= FEWEST_ROWS and bool(np.ptp(scores[np.isfinite(scores)]) < 1e-9)
        if bad < len(scores)
        else False
    )
    found = Check("health", "churn_probability", bad, 0, 0, said("scores that are no numbers"))
    if bad:
        advice = said("see the features, then `churn train`")
        found = replace(found, verdict=LOOK, beyond=2.0, advice=advice)
    elif constant:
        advice = said("all customers have the same score; see the features, then `churn train`")
        found = replace(found, verdict=LOOK, beyond=2.0, advice=advice)
    yield found
