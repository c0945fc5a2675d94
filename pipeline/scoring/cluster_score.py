"""Scoring on a cluster: every customer is scored there; those who may be on the list come here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from configs.outreach import Outreach
from features.matrix import Matrix
from features.spending import spending_window
from features.tables import derived
from pipeline.dataset.cluster_jobs import as_folder, write_matrix_on_cluster
from pipeline.dataset.plan import Plan
from pipeline.log import logged_stage
from pipeline.retention.definition.at_hand import Seen
from pipeline.retention.forecast.expected import secure_ids
from pipeline.scoring.crowd import CHANCE, Crowd, scored_columns, scored_parts
from pipeline.scoring.horizons import Further
from pipeline.scoring.night_rates import rates_of
from pipeline.scoring.scored import Everybody, Job, Scored, nobody
from pipeline.sources.drivers import asking
from pipeline.sources.opening import Sources

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
        with asking():
            with logged_stage("features and scores", say) as counted:
                further = Further.of(job.champion, config, as_of)
                work = partial(scored_parts, dict(model.spec), model.texts, days, further)
                more = scored_columns(days, further)
                write_matrix_on_cluster(sources, config, [as_of], folder / "rows", more=more, work=work)
                crowd = Crowd.read(folder / "rows", days, config.outreach, config.margin)
                counted(f"at {as_of}", f"on {config.engine.master}", customers=crowd.customers)
            if not crowd.customers:
                raise nobody(sources, as_of)
            scored = _brought(job, sources, crowd, plan)
        yield scored


def _brought(job: Job, sources: Sources, crowd: Crowd, plan: Plan) -> Scored:
    config, as_of = job.config, job.as_of
    found = crowd.of(crowd.best(most_here(config.outreach)))
    matrix = _matrix(plan, found)
    everybody = _everybody(crowd, plan, found, matrix, job)
    unit = config.retention.unit
    with logged_stage("retention", job.say) as counted:
        secure = secure_ids(Seen(sources, {}), config.churn, as_of, unit)
        safe = None if secure is None else _on_spark(crowd, secure)
        rates = rates_of(
            sources,
            config,
            as_of,
            lambda: crowd.losses(safe, as_of, config.churn, unit),
            job.layout.forecasts,
        )
        counted(periods=len(rates.table))
    return Scored(sources, matrix, found[CHANCE].to_numpy(np.float64), rates, everybody)


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


def _on_spark(crowd: Crowd, table: Any) -> Any:
    return crowd.rows.sparkSession.sql(table.get_backend().compile(table))


def _everybody(crowd: Crowd, plan: Plan, found: pd.DataFrame, matrix: Matrix, job: Job) -> Everybody:
    amount = found["value"].to_numpy(np.float64)
    some = len(found) < crowd.customers
    ranks = crowd.ranks(amount) if some else None
    return Everybody(
        crowd.customers,
        crowd.expected,
        _matrix(plan, crowd.of(crowd.some(COMPARED))).features if some else matrix.features,
        lambda scores, path: as_folder(
            crowd.scores(job.as_of, scores.loc[scores["listed"], "customer_id"]), path
        ),
        ibis.memtable({"customer_id": found["customer_id"].tolist()}),
        replace(crowd.worth, amount=amount, among_all=ranks),
        crowd.at_risk(len(found)) if some else None,
    )


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
