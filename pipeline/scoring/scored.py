"""Scored customers, whatever scored them: this machine, or a cluster on which most of them stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from configs.errors import DataError
from configs.schema import Config
from features.matrix import Matrix
from models.tracking.registry import Champion
from pipeline.dataset.labelled import probabilities, read_labelled
from pipeline.dataset.matrix import build_matrix
from pipeline.languages.said import Said, said
from pipeline.layout import Layout
from pipeline.log import Say, logged_stage
from pipeline.outcomes.learned import Learned
from pipeline.outreach.competing import least_gain
from pipeline.outreach.context import Prepared
from pipeline.outreach.valuation import Valuation
from pipeline.scoring.horizons import LOST, Further, horizon_columns
from pipeline.scoring.night_rates import NightRates, night_rates, no_rates
from pipeline.sources.opening import Sources, read_sources


@dataclass(frozen=True)
class Hindsight:
    """What was known at a night that is made afterwards, and is not what is kept of today.

    Parameters
    ----------
    champion
        The model of that time.
    believed
        Of the effect of contacts; None where nothing was learned yet.
    """

    champion: Champion
    believed: Learned | None = None


@dataclass(frozen=True)
class Job:
    """What is to be scored.

    Parameters
    ----------
    layout
        Where its outputs are.
    opened
        The sources, where they are open already.
    look
        What is worth a look before anything is read.
    delivered
        Whether people get the list.
    believed
        Of the effect of contacts; None for what is kept beside the ledger.
    """

    config: Config
    as_of: dt.date
    champion: Champion
    layout: Layout
    say: Say
    opened: Sources | None = None
    look: tuple[Said, ...] = ()
    delivered: bool = True
    believed: Learned | None = None

    @property
    def sources(self) -> Sources:
        """The sources at `as_of`."""
        return self.opened or read_sources(self.config, self.as_of, self.say)


@dataclass(frozen=True)
class Everybody:
    """All customers of a night, of whom those in the matrix may be some.

    Parameters
    ----------
    customers, expected_to_leave
        How many there are, and the sum of their probabilities.
    compared
        Features of all of them, or of a sample: what reasons compare with.
    write
        Writes the scores of all to a path; it is given the rows of those in the matrix.
    among
        `customer_id` of those in the matrix, for sources whose other rows are not to be brought here.
    worth
        Theirs, where it follows from what all are worth.
    left_out
        The highest probability x value of a customer who is not in the matrix; None when there is none.
    """

    customers: int
    expected_to_leave: float
    compared: pd.DataFrame
    write: Callable[[pd.DataFrame, Path], None]
    among: ir.Table | None = None
    worth: Valuation | None = None
    left_out: float | None = None

    def notes(self, prepared: Prepared) -> tuple[Said, ...]:
        """What it means for the list that some customers were not looked at."""
        if self.left_out is None:
            return ()
        here, context = len(prepared.customers), prepared.context
        saves, least_cost = float(context.effect.saves.max()), float(prepared.costs.off_the_gain.min())
        proven = least_gain(prepared) >= self.left_out * saves - least_cost
        told = (
            said("none of the others could have gained more")
            if proven
            else said("some of the others might have gained more, raise `outreach.candidates`")
        )
        return (
            said(
                "considered for the list: the {some} of {all} customers with the highest probability x value; {more}",
                some=here,
                all=self.customers,
                more=told,
            ),
            said(
                "`suppressed`, `contact_calendar` and the ledger hold these {some}; the random part was drawn among "
                "them",
                some=here,
            ),
        )


@dataclass(frozen=True)
class Scored:
    """The customers who may be on the list, and what is known of all.

    Parameters
    ----------
    matrix, probability
        Of those who may be on the list; shape (customers,), in the matrix's order.
    ahead
        Their other horizons, by `customer_id`; None where the champion has none, or where a cluster writes them.
    """

    sources: Sources
    matrix: Matrix
    probability: NDArray[np.float64]
    rates: NightRates
    everybody: Everybody
    ahead: pd.DataFrame | None = None

    def table(self, role: str) -> ir.Table | None:
        """A source's rows of those who may be on the list."""
        found = self.sources.contact_log if role == "contacts" else self.sources.local.get(role)
        if found is None or self.everybody.among is None:
            return found
        return found.semi_join(self.everybody.among, "customer_id")


@contextmanager
def on_this_machine(job: Job) -> Iterator[Scored]:
    """All customers in one matrix."""
    config, as_of, say, model = job.config, job.as_of, job.say, job.champion.model
    sources = job.sources
    sources.freshness.require()
    for note in sources.notes:
        say(note)
    with logged_stage("features", say) as counted:
        matrix = build_matrix(sources, config, [as_of])
        counted(f"at {as_of}", customers=len(matrix.frame), columns=len(matrix.columns))
    if not len(matrix.frame):
        raise nobody(sources, as_of)
    model.check_columns([c.name for c in matrix.columns])
    with logged_stage("scores", say) as counted:
        threads = config.model.threads
        probability = model.probability(matrix.features, threads)
        further = Further.of(job.champion, config, as_of)
        numbers = {} if further is None else further.numbers(matrix.features, probability, threads)
        counted(customers=len(probability))
    with logged_stage("retention", say) as counted:
        ids = matrix.frame["customer_id"].tolist()
        lost = numbers.get(LOST)
        rates = night_rates(sources, config, as_of, ids, probability, job.layout.forecasts, lost)
        counted(periods=len(rates.table))
    columns = horizon_columns(ids, numbers, as_of) if numbers else None
    yield Scored(sources, matrix, probability, rates, _all_of(matrix, probability), columns)


@contextmanager
def without_dates(job: Job) -> Iterator[Scored]:
    """A table without dates: no rate, and nobody is scored by a model that knew the answer."""
    with logged_stage("sources", job.say) as counted:
        found = read_labelled(job.config, job.as_of).to_score()
        counted(customers=len(found.churned))
    job.champion.model.check_columns([c.name for c in found.matrix.columns])
    with logged_stage("scores", job.say) as counted:
        probability = probabilities(job.champion, found, job.config.model.threads)
        counted(customers=len(probability), out_of_fold=int(np.isfinite(found.churned).sum()))
    yield Scored(found.sources, found.matrix, probability, no_rates(), _all_of(found.matrix, probability))


def nobody(sources: Sources, as_of: dt.date) -> DataError:
    """The error when there is no customer."""
    newest = max(f["last"] for f in sources.fingerprints.values())
    return DataError(
        f"nobody is a customer at {as_of}: the newest row is of {newest}; check the export, or --as-of"
    )


def _all_of(matrix: Matrix, probability: NDArray[np.float64]) -> Everybody:
    return Everybody(len(probability), float(probability.sum()), matrix.features, _write)


def _write(scores: pd.DataFrame, path: Path) -> None:
    content = pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(content, path)
