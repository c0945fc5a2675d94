"""Scoring on a cluster: the workers write the matrix and the scores of every customer; the night reads their files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import ConfigError
from configs.outreach import Outreach
from features.matrix import Matrix
from features.spending import spending_window
from features.tables import derived
from models.prediction.scoring import probability
from models.prediction.trees import Forest
from models.statistics.credibility import PARTS, history_parts
from pipeline.dataset.cluster_jobs import as_folder, write_matrix_on_cluster
from pipeline.dataset.plan import Plan
from pipeline.log import logged_stage
from pipeline.outreach.valuation import Valuation, kept, purchase_history, worth_one
from pipeline.scoring.horizons import Further
from pipeline.scoring.night_rates import NightRates, night_rates
from pipeline.scoring.score_table import CHANCE, NOT_RETURNED, SEGMENT, ScoreTable, portfolio_of
from pipeline.scoring.scored import Everybody, Job, Scored, nobody
from pipeline.sources.drivers import asking
from pipeline.sources.opening import Sources
from pipeline.sources.readers import connect_duckdb

TIMES_THE_CANDIDATES = 10
TIMES_THE_LIST = 20
COMPARED = 5_000


def most_here(settings: Outreach) -> int:
    """How many customers may come to the driver.

    `outreach.candidates` of them compete for the list in any case, after those who must not be contacted now or for
    whom nothing can be done are struck; ten times as many leave room for the struck ones. Whether it was enough is
    seen each night, see `Everybody.notes`.

    Examples
    --------
    >>> most_here(Outreach())
    50000
    """
    return max(TIMES_THE_CANDIDATES * settings.candidates, TIMES_THE_LIST * settings.capacity)


def scored_columns(days: int | None, further: Further | None) -> tuple[str, ...]:
    """What `scored_parts` adds to the matrix."""
    return (CHANCE, *((*PARTS, NOT_RETURNED) if days else ()), *(further.names if further else ()))


def scored_parts(
    spec: Mapping[str, Any],
    texts: tuple[str, ...],
    days: int | None,
    further: Further | None,
    frame: pd.DataFrame,
) -> dict[str, Floats]:
    """On a worker: probability, other horizons, and what the value is made of, of the rows of a matrix.

    Parameters
    ----------
    spec, texts
        Of the model; the lines are those that every logged model runs.
    days
        The window of the spend; None where nobody is priced.
    further
        The other horizons; None without them.
    """
    found = probability(spec, _forests(texts), frame) if len(frame) else np.zeros(0)
    made = {**history_parts(*purchase_history(frame, days)), NOT_RETURNED: kept(frame, days)} if days else {}
    if further is not None:
        none = dict.fromkeys(further.names, found)
        made |= further.numbers(frame, found) if len(frame) else none
    return {CHANCE: found, **made}


@lru_cache(maxsize=1)
def _forests(texts: tuple[str, ...]) -> list[Forest]:
    return [Forest(text) for text in texts]


@contextmanager
def on_a_cluster(job: Job) -> Iterator[Scored]:
    """Matrix and probabilities are written by the workers beside the outputs, asked for what the night needs, and gone.

    Raises
    ------
    DataError
        A source breaks its contract, or nobody is a customer.
    ModelError
        The matrix lacks a column that the model reads.
    TryAgainError
        The master is away.
    """
    config, as_of, say, model = job.config, job.as_of, job.say, job.champion.model
    sources = job.sources
    sources.freshness.require()
    for note in sources.notes:
        say(note)
    plan = Plan.of(config, [as_of], derived(sources.tables), sources.attributes)
    model.check_columns([c.name for c in plan.catalogue])
    days = spending_window(c.name for c, _ in plan.spending)
    days = None if config.outreach.value.method == "constant" else days
    with staged(job.layout.folder) as folder:
        here = connect_duckdb(config.model.threads, config.engine.memory_gb)

        def bring(table: ir.Table) -> ir.Table:
            with asking():
                as_folder(_on_spark(table), folder / "ids")
            return here.read_parquet(str(folder / "ids" / "*.parquet"))

        with asking(), logged_stage("features and scores", say) as counted:
            further = Further.of(job.champion, config, as_of)
            work = partial(scored_parts, dict(model.spec), model.texts, days, further)
            more = scored_columns(days, further)
            write_matrix_on_cluster(sources, config, [as_of], folder / "rows", more=more, work=work)
            rows = here.read_parquet(str(folder / "rows" / "*.parquet"))
            customers = int(rows.count().to_pyarrow().as_py())
            counted(f"at {as_of}", f"on {config.engine.master}", customers=customers)
        if not customers:
            raise nobody(sources, as_of)
        valued, worth = _valued(rows, days, config.outreach, config.margin)
        narrow = valued.select("customer_id", CHANCE, "value", *(further.names if further else ()))
        narrow.to_parquet(folder / "scores.parquet")
        table = ScoreTable(here.read_parquet(str(folder / "scores.parquet")))
        worth = replace(worth, typical=table.typical() if worth.priced else worth.typical)
        with logged_stage("retention", say) as counted:
            rates = night_rates(sources, config, as_of, table, job.layout.forecasts, bring)
            counted(periods=len(rates.table))
        yield _night(sources, rows, table, worth, plan, rates, most_here(config.outreach))


def _night(
    sources: Sources,
    rows: ir.Table,
    table: ScoreTable,
    worth: Valuation,
    plan: Plan,
    rates: NightRates,
    most: int,
) -> Scored:
    """The customers with the highest value at risk, as many as may come here, and what is known of all."""
    values = table.ranks().semi_join(table.first(most), "customer_id")
    found = _brought(rows, values.select("customer_id", "value", "rank_"))
    matrix, left_out = _matrix(plan, found), table.at_risk(len(found))
    some = matrix if left_out is None else _matrix(plan, _brought(rows, table.some(COMPARED)))
    worth = replace(worth, amount=found["value"].to_numpy(), among_all=found["rank_"].to_numpy())
    among = ibis.memtable({"customer_id": found["customer_id"].tolist()})
    everybody = Everybody(table, some.features, among, worth, left_out)
    return Scored(sources, matrix, found[CHANCE].to_numpy(np.float64), rates, everybody)


def _brought(rows: ir.Table, asked: ir.Table) -> pd.DataFrame:
    found: pd.DataFrame = rows.inner_join(asked, "customer_id").order_by("customer_id").to_pandas()
    return found


def _valued(
    rows: ir.Table, days: int | None, settings: Outreach, margin: float
) -> tuple[ir.Table, Valuation]:
    """The rows with `value`, and how it was found.

    Raises
    ------
    ConfigError
        The customers are valued by a segment that is no column of the matrix.
    """
    if days is None:
        return rows.mutate(value=ibis.literal(1.0)), worth_one(0, settings)
    chosen = settings.value
    said: dict[str, Any] = {"days": settings.value_days, "margin": margin, "history_window_days": days}
    if chosen.method == "own":
        rate, more = rows["own_"], dict[str, Any](method="own")
    else:
        if chosen.segment is not None and chosen.segment not in rows.columns:
            raise ConfigError(
                f"outreach.value.segment: {chosen.segment!r} is no attribute of sources.customers; on a cluster it "
                "is taken from the matrix: add it to the attributes"
            )
        segment = rows[chosen.segment].cast("string").fill_null("nan") if chosen.segment else ibis.literal("")
        portfolio, rows = portfolio_of(rows.mutate(**{SEGMENT: segment}))
        rate = portfolio.rate(rows["own_"], rows["weight_"], rows["middle_"], rows[NOT_RETURNED])
        more = dict(portfolio.parameters)
    valued = rows.mutate(value=rate * settings.value_days * margin)
    return valued, Valuation(np.zeros(0), 1.0, True, said | more, ())


@contextmanager
def staged(data: Path) -> Iterator[Path]:
    """A folder beside the outputs, which the workers reach as well; gone afterwards, with all that was made for it."""
    folder = data / f".staged-{os.getpid()}"
    new = [path for path in (data, *data.parents) if not path.exists()]
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for path in new:
            if path.exists() and not any(path.iterdir()):
                path.rmdir()


def _on_spark(table: ir.Table) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.active().sql(table.get_backend().compile(table))


def _matrix(plan: Plan, found: pd.DataFrame) -> Matrix:
    """Rows that the cluster has written, in the types of a matrix that was made here."""
    columns = {
        c.name: found[c.name].astype(
            np.float32 if pd.api.types.is_numeric_dtype(found[c.name]) else "category"
        )
        for c in plan.catalogue
    }
    keys = {
        "customer_id": found["customer_id"].astype("str"),
        "snapshot": pd.to_datetime(found["snapshot"]).astype("datetime64[s]"),
    }
    return Matrix(pd.DataFrame({**keys, **columns}), plan.catalogue, plan.digest)
