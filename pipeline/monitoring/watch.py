"""What a training keeps to be watched by, and all checks of a night."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Dates, Floats
from configs.errors import DataError, Fault
from configs.schema import Config
from pipeline.languages.names import in_words
from pipeline.languages.said import Said, said
from pipeline.monitoring.checks import IGNORED, LOOK, OPEN, STOP, Check, frame_of, judged_by_band, ruled
from pipeline.monitoring.history import History, histories
from pipeline.monitoring.matrix import drift_of, feature_profiles, health_of, is_young, score_profile
from pipeline.monitoring.outcome import outcome_of
from pipeline.monitoring.own_lists import explained
from pipeline.monitoring.promises import refusals, still_known, still_refused
from pipeline.monitoring.rhythm import rhythm_of
from pipeline.monitoring.stopped import stopped_of
from pipeline.monitoring.trained import against_training, source_profiles
from pipeline.sources.opening import Sources

SAID = 3
FARTHEST = 1_000.0


@dataclass(frozen=True)
class Watched:
    """The checks of a night, and what follows from them.

    Parameters
    ----------
    checks
        By name and place.
    """

    checks: tuple[Check, ...] = ()

    @property
    def outside(self) -> tuple[Check, ...]:
        """What a person should look at, the furthest outside first."""
        return tuple(sorted((c for c in self.checks if c.outside), key=lambda c: -c.beyond))

    @property
    def lines(self) -> tuple[Said, ...]:
        """The findings in words; of many of one kind the first few."""
        found: list[Said] = []
        for name in dict.fromkeys(check.name for check in self.outside):
            mine = [check for check in self.outside if check.name == name]
            found += [check.line for check in mine[:SAID]]
            rest = [check.place for check in mine[SAID:]]
            if len(rest) > SAID:
                many, some = len(rest) - SAID, rest[:SAID]
                told = said(
                    "{check}: also {places} and {n} more; see `monitoring.csv`",
                    check=in_words("checks", name),
                    places=some,
                    n=many,
                )
                found.append(told)
            elif rest:
                found.append(
                    said(
                        "{check}: also {places}; see `monitoring.csv`",
                        check=in_words("checks", name),
                        places=rest,
                    )
                )
        return tuple(found)

    @property
    def summary(self) -> str:
        """One line on all of them."""
        counts = {v: sum(c.verdict == v for c in self.checks) for v in (OPEN, IGNORED)}
        more = "".join(f", {n} {verdict}" for verdict, n in counts.items() if n)
        return f"monitoring: {len(self.checks)} checks, {len(self.outside)} to look at{more}"

    @property
    def metrics(self) -> dict[str, float]:
        """Numbers for the tracking store."""
        if not self.checks:
            return {}
        found = {"monitoring/checks": float(len(self.checks)), "monitoring/look": float(len(self.outside))}
        for name in sorted({check.name for check in self.checks}):
            worst = [check.beyond for check in self.checks if check.name == name and check.verdict != OPEN]
            if worst:
                found[f"monitoring/{name}"] = round(min(max(worst), FARTHEST), 4)
        return found

    @property
    def values(self) -> dict[str, Any]:
        """For the manifest: how many checks, and the findings."""
        rows = frame_of([c for c in self.checks if c.verdict in (LOOK, STOP, IGNORED)])
        found = rows.astype(object).where(rows.notna(), None).to_dict("records")
        return {
            "checks": len(self.checks),
            "not_judged": sum(c.verdict == OPEN for c in self.checks),
            "found": found,
        }

    @property
    def told(self) -> dict[str, Any]:
        """How many checks there were, which of them found something, and the findings in words."""
        found = list(dict.fromkeys(check.name for check in self.outside))
        return {"checks": len(self.checks), "found": found, "lines": list(self.lines)}

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that `write` makes."""
        return ("monitoring.csv", "monitoring.parquet") if self.checks else ()

    def write(self, folder: Path) -> None:
        """The table of all checks, as CSV and as Parquet."""
        if self.checks:
            table = frame_of(self.checks)
            table.to_csv(folder / "monitoring.csv", index=False)
            table.to_parquet(folder / "monitoring.parquet", index=False)

    def require(self) -> None:
        """Stop the night where the config says so.

        Raises
        ------
        DataError
            With the findings of the checks that `monitoring.stop_when` names.
        """
        stops = [check for check in self.checks if check.verdict == STOP]
        if stops:
            faults = [Fault(f"{c.name} {c.place}", str(c.words)) for c in stops]
            raise DataError(
                f"monitoring.stop_when stops the list: {len(stops)} found, nothing is published", faults
            )


def kept_by_training(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    features: pd.DataFrame,
    snapshot: Dates,
    tested: Sequence[tuple[np.datetime64, Floats]],
) -> dict[str, Any]:
    """What goes with the model: sums and shares by which nights are compared with the training.

    Parameters
    ----------
    features, snapshot
        The training rows, and when each was taken.
    tested
        Snapshots of the backtest and the model's probabilities there.
    """
    dated = config.churn.kind != "labelled"
    lag = config.churn.gap_days + config.churn.horizon_days if dated else None
    return {
        "sources": source_profiles(sources, histories(sources, as_of), as_of) if dated else None,
        "refusals": refusals(sources, config),
        "features": feature_profiles(features, snapshot, lag),
        "scores": score_profile(
            [p for _, p in tested], np.array([d for d, _ in tested]), young=dated and is_young(snapshot)
        ),
    }


def watched(
    sources: Sources,
    config: Config,
    as_of: dt.date,
    metadata: Mapping[str, Any],
    features: pd.DataFrame,
    scores: Floats,
    record: Path,
) -> Watched:
    """All checks of a night.

    Parameters
    ----------
    metadata
        Of the champion.
    features, scores
        Of all customers, or of a sample of them.
    record
        The ledger.
    """
    settings = config.monitoring
    if not settings.enabled:
        return Watched()
    kept, trained = metadata.get("monitoring"), dt.date.fromisoformat(metadata["as_of"])
    checks: list[Check] = [
        *health_of(features, scores),
        *drift_of(features, scores, kept, settings.width),
        _age(trained, as_of, settings.max_model_days),
    ]
    if kept and "refusals" in kept:
        count = sources.fingerprints.get("customers", {}).get("rows", 0)
        checks += still_refused(refusals(sources, config), kept["refusals"], count)
    if config.churn.kind != "labelled":
        past = histories(sources, as_of)
        checks += _of_sources(sources, config, as_of, past, record)
        if trained <= as_of:  # the training saw rows that nobody knew at an earlier date
            checks += against_training(sources, past, kept["sources"] if kept else None, trained)
        promised = metadata.get("test_metrics", {}).get("lift_top_tenth")
        checks += still_known(record, sources, as_of)
        checks += outcome_of(record, sources.local, config.churn, as_of, promised)
    return Watched(ruled(checks, settings))


def _of_sources(
    sources: Sources, config: Config, as_of: dt.date, past: Sequence[History], record: Path
) -> Iterator[Check]:
    for history in past:
        if (
            history.role not in sources.fingerprints
        ):  # customers who follow from contracts: no rows of their own
            continue
        checks = rhythm_of(history, as_of, config.monitoring)
        yield from explained(checks, history, record) if history.role == "contacts" else checks
    yield from stopped_of(sources, config)


def _age(trained: dt.date, as_of: dt.date, limit: int) -> Check:
    days = (as_of - trained).days
    return judged_by_band(
        "model_age",
        "champion",
        days,
        0,
        limit,
        said("days since its training"),
        said("run `churn train`, from cron"),
        days / limit,
    )
