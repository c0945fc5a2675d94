"""The model of every horizon that a training leaves beside its champion."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.schema import Config
from models.backtest.horizons import MODEL, HorizonTest, calibrated_levels, judge_horizons, reached_levels
from models.backtest.recipe import Training
from models.backtest.tested import Tested
from models.prediction.boosted import Settings
from models.prediction.classifier import FittedModel
from models.prediction.horizons import HORIZONS, edges_of, fit, tied_curves, with_levels
from models.prediction.sample import Sample
from pipeline.dataset.labelling import build_waits
from pipeline.sources.opening import Sources


@dataclass(frozen=True)
class Horizons:
    """When the next purchase or the ending will be, as learned and as judged.

    Parameters
    ----------
    model
        What scores; None where the history tells too little.
    test
        On the newest test snapshot, of a fit on the rows known by then; None without one.
    wanted
        Days that the config asks for.
    """

    model: FittedModel | None
    test: HorizonTest | None
    wanted: tuple[int, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Which horizons are not told."""
        if self.model is None:
            return ("too few events for other horizons than churn.horizon_days: they are not told",)
        longest = self.model.spec["horizons"]["edges"][-1]
        if not (beyond := [days for days in self.wanted if days > longest]):
            return ()
        days = ", ".join(map(str, beyond))
        return (f"the history looks {longest} days ahead: horizons of {days} days are not told",)

    @property
    def held(self) -> dict[str, FittedModel]:
        """What is registered with the champion."""
        return {} if self.model is None else {HORIZONS: self.model}

    @property
    def metadata(self) -> dict[str, Any]:
        """What goes with the model: whether the rate's forecast should rest on it."""
        return {"better_than_even": self.test is not None and self.test.better}

    @property
    def metrics(self) -> dict[str, float]:
        """For the tracking store."""
        if self.test is None:
            return {}
        by_day = {f"brier_{day}d": score for day, score in self.test.by_day.items() if day in self.wanted}
        others = {f"integrated_brier_{n}": x for n, x in self.test.integrated.items() if n != MODEL}
        return {**by_day, "integrated_brier": self.test.integrated[MODEL], **others}


def learn_horizons(
    config: Config, sources: Sources, sample: Sample, training: Training, settings: Settings, as_of: dt.date
) -> Horizons:
    """Learn from the rows of a training; judge the same recipe on its newest test snapshot.

    The levels of the intervals are those that hold on all of its test snapshots.

    Parameters
    ----------
    sample
        The rows that were learned from.
    """
    wanted = tuple(config.model.horizons_days)
    edges = edges_of(settings.horizon_days, wanted)
    waits = build_waits(sources, config, sample.customer, sample.snapshot, as_of, edges)
    model = fit(sample, waits, settings, edges)
    if model is None:
        return Horizons(None, None, wanted)

    def earlier(tested: Tested) -> FittedModel | None:
        train = tested.fold.train_rows
        start = sample.snapshot[train] + np.timedelta64(settings.gap_days, "D")
        known = waits.rows(train).known((tested.fold.test - start).astype(np.float64))
        return fit(sample.rows(train), known, settings, edges)

    with ThreadPoolExecutor(settings.threads) as pool:
        fits = list(pool.map(earlier, training.tested))
    told, judged = [], None
    for held, tested in zip(fits, training.tested, strict=True):
        if held is None:
            continue
        test, said = tested.fold.test_rows, tested.probability["model"]
        frame, came = sample.X.iloc[test], waits.rows(test)
        told.append(reached_levels(tied_curves(held, frame, said, settings.threads), came))
        if tested is training.tested[0]:
            judged = judge_horizons(held, frame, said, came, tested.weight, settings.threads)
    if told:
        levels, happened = (np.concatenate(part) for part in zip(*told, strict=True))
        model = with_levels(model, calibrated_levels(levels, happened))
    return Horizons(model, judged, wanted)
