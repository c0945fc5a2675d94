"""`churn score`: today's customers, their probabilities, the list, the rate and the report, published at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import DataError
from configs.schema import Config
from features.matrix import Matrix
from models import registry
from models.explain import contributions
from models.registry import Champion
from pipeline.champion import tracking_of
from pipeline.dataset import build_matrix
from pipeline.page import page_of
from pipeline.publish import as_json, file_digests, only_run, publish
from pipeline.reasons import COUNT, Reason, reasons_of
from pipeline.report import render_report
from pipeline.result import Result, table
from pipeline.retention import retention_table
from pipeline.sources import Sources, open_sources

LOOK = 3
RATE_PERIODS = 12


@dataclass(frozen=True)
class Night:
    """Everything that a night knows before it is published.

    Parameters
    ----------
    matrix
        The customers at `as_of`.
    probability
        Shape (customers,), in the matrix's order.
    rate
        Retention by month, newest last.
    """

    config: Config
    as_of: dt.date
    sources: Sources
    champion: Champion
    matrix: Matrix
    probability: np.ndarray[Any, np.dtype[np.float64]]
    rate: pd.DataFrame

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a customer, the first to contact first; `row` is the row of the matrix."""
        frame = self.matrix.frame
        spend = f"spend_sum_{self.config.outreach.value_days}d"
        known = spend in frame
        scores = pd.DataFrame(
            {
                "customer_id": frame["customer_id"],
                "as_of": np.datetime64(self.as_of, "s"),
                "churn_probability": self.probability,
                "value": frame[spend].astype(np.float64) if known else 1.0,
                "row": np.arange(len(frame)),
            }
        )
        scores["value_at_risk"] = scores["churn_probability"] * scores["value"]
        order = ["value_at_risk", "churn_probability", "customer_id"]
        scores = scores.sort_values(order, ascending=[False, False, True], ignore_index=True)
        scores.insert(3, "rank", np.arange(1, len(scores) + 1))
        return scores

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """The outreach list: the top of the scores within the capacity."""
        return self.scores.head(self.config.outreach.capacity)

    @cached_property
    def reasons(self) -> list[tuple[Reason, ...]]:
        """The reasons of the customers on the list."""
        features = self.matrix.features
        rows = features.iloc[self.chosen["row"].to_numpy()]
        found = contributions(self.champion.model, rows)
        by_column = pd.DataFrame(found.values, columns=list(found.columns))
        return reasons_of(by_column, rows, features.median(numeric_only=True).to_dict(), self.matrix.columns)

    @cached_property
    def outreach(self) -> pd.DataFrame:
        """The list as it is written: a row a customer, three reasons each."""
        listed = self.chosen.drop(columns="row").round(
            {"churn_probability": 4, "value": 2, "value_at_risk": 2}
        )
        for i in range(COUNT):
            listed[f"reason_{i + 1}"] = [r[i].sentence if i < len(r) else "" for r in self.reasons]
        return listed

    @property
    def suppressed(self) -> pd.DataFrame:
        """Everybody who is not on the list, and why."""
        rest = self.scores.iloc[len(self.chosen) :]
        rule = f"beyond the capacity of {self.config.outreach.capacity}"
        return pd.DataFrame({"customer_id": rest["customer_id"], "rule": rule})

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at."""
        trained = dt.date.fromisoformat(self.champion.metadata["as_of"])
        if trained > self.as_of:
            return (
                f"the champion was trained as of {trained}, after {self.as_of}: it has seen what it predicts",
            )
        return ()

    def write(self, folder: Path) -> None:
        """Fill a folder with the night's files."""
        scores = self.scores.drop(columns="row")
        table_ = pa.Table.from_pandas(scores, preserve_index=False)
        day = pa.array(np.full(len(scores), np.datetime64(self.as_of, "D")))
        table_ = table_.set_column(table_.schema.get_field_index("as_of"), "as_of", day)
        pq.write_table(table_, folder / "scores.parquet")
        self.outreach.to_csv(folder / "outreach.csv", index=False)
        self.suppressed.to_csv(folder / "suppressed.csv", index=False)
        self.rate.to_csv(folder / "retention.csv", index=False)
        (folder / "report.html").write_text(render_report(page_of(self)), encoding="utf-8")
        (folder / "manifest.json").write_text(as_json(self.manifest(file_digests(folder))), encoding="utf-8")

    def manifest(self, files: Mapping[str, str]) -> dict[str, Any]:
        """What was published, from what, by what."""
        return {
            "as_of": self.as_of,
            "churn_version": version("churn"),
            "config": self.config.name,
            "config_digest": self.config.digest,
            "model": {
                "version": self.champion.version,
                "sha256": self.champion.digest,
                "run_id": self.champion.run_id,
            },
            "catalogue_hash": self.matrix.catalogue_hash,
            "inputs": self.sources.fingerprints,
            "rows": {
                "customers": len(self.scores),
                "outreach": len(self.chosen),
                "suppressed": len(self.suppressed),
            },
            "notes": self.sources.notes,
            "warnings": self.warnings,
            "files": files,
        }

    @property
    def metrics(self) -> dict[str, float]:
        """The night's figures for the tracking store."""
        newest = self.rate.dropna(subset="rate").tail(1)
        rate = {
            f"retention/{c}": float(newest[c].iloc[0]) for c in ("rate", "S", "N", "E", "lost") if len(newest)
        }
        return {
            "a_headline/customers": float(len(self.scores)),
            "a_headline/expected_to_leave": float(self.probability.sum()),
            "a_headline/mean_probability": float(self.probability.mean()),
            **rate,
        }

    def result(self, folder: Path | None) -> Result:
        """The summary for the terminal."""
        expected = float(self.probability.sum())
        lines = [
            f"{self.config.name} as of {self.as_of}: {len(self.scores):,} customers, {expected:,.0f} expected to leave "
            f"in {self.config.churn.horizon_days} days (version {self.champion.version})",
            table(
                ["rank", "customer", "probability", "value", "why"],
                [
                    [str(r.rank), r.customer_id, f"{r.churn_probability:.2f}", f"{r.value:,.0f}", r.reason_1]
                    for r in self.outreach.head(10).itertuples()
                ],
            ),
        ]
        newest = self.rate.dropna(subset="rate").tail(1)
        for row in newest.itertuples():
            lines.append(f"retention {row.period}: {row.rate:.1f} % (S={row.S}, N={row.N}, E={row.E})")
        lines += [f"look: {warning}" for warning in self.warnings]
        lines.append(f"published {folder}" if folder else "dry run: nothing was written")
        values = {
            "as_of": str(self.as_of),
            "customers": len(self.scores),
            "expected_to_leave": expected,
            "listed": len(self.chosen),
            "model_version": self.champion.version,
            "folder": str(folder) if folder else None,
            "warnings": list(self.warnings),
        }
        return Result("\n".join(lines), values, LOOK if self.warnings else 0)


def score(
    config: Config, as_of: dt.date, out: Path | None, *, dry_run: bool, say: Callable[[str], None]
) -> Result:
    """Score, decide, publish.

    Parameters
    ----------
    out
        Folder for `<as-of>/`; `runs` in the config's `outputs.folder` when None.
    dry_run
        Show the summary and write nothing.

    Returns
    -------
    Result
        Exit code 3 when it is published and a person should look.
    """
    if dry_run:
        return _night(config, as_of, say).result(None)
    data = config.path(config.outputs.folder)
    runs, latest = (
        (data / "runs", data / "latest") if out is None else (out.absolute(), out.absolute() / "latest")
    )
    with only_run(runs, "score"):
        night = _night(config, as_of, say)
        folder = publish(runs, as_of, latest, night.write)
        say("log the night")
        tags = {"as_of": str(as_of), "model_version": str(night.champion.version)}
        registry.log_scoring(tracking_of(config), f"{as_of:%y-%m-%d} {config.name}", night.metrics, tags)
    return night.result(folder)


def _night(config: Config, as_of: dt.date, say: Callable[[str], None]) -> Night:
    champion = registry.load_champion(tracking_of(config))
    say(f"champion: version {champion.version}, trained as of {champion.metadata['as_of']}")
    sources = open_sources(config, as_of)
    for note in sources.notes:
        say(note)
    say(f"features at {as_of}")
    matrix = build_matrix(sources, config, [as_of])
    if not len(matrix.frame):
        newest = max(f["last"] for f in sources.fingerprints.values())
        raise DataError(
            f"nobody is a customer at {as_of}: the newest row is of {newest}; check the export, or --as-of"
        )
    champion.model.check_columns([c.name for c in matrix.columns])
    say(f"score {len(matrix.frame):,} customers")
    probability = champion.model.probability(matrix.features, config.model.threads)
    rate = retention_table(sources.tables, config.churn, as_of, periods=RATE_PERIODS)
    return Night(config, as_of, sources, champion, matrix, probability, rate)
