"""Scored customers, whatever scored them: this machine, or a cluster on which most of them stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.errors import DataError
from configs.schema import Config
from features.matrix import Matrix
from models.tracking.registry import Champion
from pipeline.dataset.labelled import probabilities, read_labelled
from pipeline.dataset.matrix import matrix_and_rows
from pipeline.languages.said import Said, said
from pipeline.layout import Layout
from pipeline.log import Say, logged_stage
from pipeline.outcomes.learned import Learned
from pipeline.outreach.competing import least_gain
from pipeline.outreach.context import Prepared
from pipeline.outreach.valuation import Valuation
from pipeline.scoring.horizons import Further
from pipeline.scoring.night_rates import NightRates, night_rates, no_rates
from pipeline.scoring.score_table import ScoreTable
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
    table
        Their scores.
    compared
        Features of all of them, or of a sample: what reasons compare with.
    among
        `customer_id` of those in the matrix, for sources whose other rows are not to be brought here.
    worth
        Theirs, where it follows from what all are worth.
    left_out
        The highest probability x value of a customer who is not in the matrix; None when there is none.
    """

    table: ScoreTable
    compared: pd.DataFrame
    among: ir.Table | None = None
    worth: Valuation | None = None
    left_out: float | None = None

    @cached_property
    def customers(self) -> int:
        """How many there are."""
        return self.table.count()

    @cached_property
    def expected_to_leave(self) -> float:
        """The sum of their probabilities."""
        return self.table.expected()

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
    """

    sources: Sources
    matrix: Matrix
    probability: NDArray[np.float64]
    rates: NightRates
    everybody: Everybody

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
        matrix, rows = matrix_and_rows(sources, config, [as_of])
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
        table = ScoreTable.of(matrix.frame["customer_id"], probability, numbers)
        rates = night_rates(sources, config, as_of, table, job.layout.forecasts, rows=rows)
        del rows  # what they take goes back to the machine
        counted(periods=len(rates.table))
    yield Scored(sources, matrix, probability, rates, Everybody(table, matrix.features))


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
    table = ScoreTable.of(found.matrix.frame["customer_id"], probability, {})
    yield Scored(
        found.sources, found.matrix, probability, no_rates(), Everybody(table, found.matrix.features)
    )


def nobody(sources: Sources, as_of: dt.date) -> DataError:
    """The error when there is no customer."""
    newest = max(f["last"] for f in sources.fingerprints.values())
    return DataError(
        f"nobody is a customer at {as_of}: the newest row is of {newest}; check the export, or --as-of"
    )
