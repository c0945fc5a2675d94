"""Everything that a night knows, and what it shows of it: files, figures and the summary."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from configs.schema import Config
from features.matrix import Matrix
from models.tracking.registry import Champion
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said, said_again, spoken
from pipeline.log import run_id
from pipeline.monitoring.watch import Watched
from pipeline.outreach.context import Prepared
from pipeline.outreach.decision import Decision
from pipeline.outreach.files import outreach_files
from pipeline.outreach.reasons import Reason
from pipeline.report.view import NightRow
from pipeline.result import LOOK, Result
from pipeline.scoring.background import Background
from pipeline.scoring.night_rates import NightRates
from pipeline.scoring.scored import Everybody
from pipeline.scoring.summary import summary
from pipeline.sources.opening import Sources
from pipeline.tracking.champion import age_days


@dataclass(frozen=True)
class Night:
    """A scored and decided night, not published yet.

    Parameters
    ----------
    matrix
        The customers at `as_of` who may be on the list.
    everybody
        All of them, who may be more.
    prepared, reasons, decision
        Of `pipeline.outreach.decide`: who could be contacted, why each of them is at risk, and who is.
    rates
        The retention tables and the forecast.
    look
        What a person should look at tonight.
    notes
        What is good to know.
    background
        What else is on record of those on the list.
    ahead
        Other horizons of the customers in `matrix`, by `customer_id`; None without them.
    watched
        What the monitoring found; its findings are in `look` too.
    past
        What it found in the last nights, this one last.
    delivered
        Whether people get the list.
    """

    config: Config
    as_of: dt.date
    sources: Sources
    champion: Champion
    matrix: Matrix
    everybody: Everybody
    prepared: Prepared
    reasons: tuple[tuple[Reason, ...], ...]
    decision: Decision
    rates: NightRates
    look: tuple[Said, ...]
    notes: tuple[Said, ...]
    background: Background
    watched: Watched = field(default_factory=Watched)
    past: tuple[NightRow, ...] = ()
    delivered: bool = True

    @property
    def run_id(self) -> str:
        """The id in the lines of the log, the manifest and the tracking store."""
        return run_id(self.config.name, self.config.digest, self.as_of)

    @property
    def warnings(self) -> tuple[Said, ...]:
        """What every reader should know, tonight's and what holds for the model anyway."""
        return (*map(said_again, self.champion.metadata.get("warnings", ())), *self.look)

    def write_scores(self, path: Path) -> None:
        """Write one row a customer, the highest value at risk first."""
        table, here = self.everybody.table, self.prepared
        if self.everybody.among is None:
            table = table.with_values(here.customers["customer_id"], here.worth.amount)
        table.write(path, self.as_of, self.decision.chosen["customer_id"].tolist())

    @property
    def priced(self) -> bool:
        """Whether amounts are known, so that customers differ in value."""
        return self.prepared.worth.priced

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The list's files; what is wrong with the config of the exports shows here."""
        return outreach_files(self.prepared, self.decision, self.config.name, excel=self.config.outputs.excel)

    @property
    def metrics(self) -> dict[str, float]:
        """The night's figures for the tracking store."""
        everybody = self.everybody
        return {
            "customers": float(everybody.customers),
            "expected_to_leave": everybody.expected_to_leave,
            "mean_probability": everybody.expected_to_leave / everybody.customers,
            "listed": float(len(self.decision.chosen)),
            "expected_gain": float(self.decision.chosen["expected_gain"].sum()),
            **self.rates.metrics,
            **self.watched.metrics,
        }

    def result(self, folder: Path | None) -> Result:
        """The summary for the terminal."""
        listed, customers = self.decision.chosen, self.everybody.customers
        days = age_days(self.champion, self.as_of)
        language = Language(self.config.language, self.config.currency)
        lines = summary(self, language, days)
        lines += [spoken(said("note: {line}", line=note), language) for note in self.notes]
        lines += [spoken(said("look: {line}", line=line), language) for line in self.warnings]
        done = said("published {folder}", folder=folder) if folder else said("dry run: nothing was written")
        lines.append(spoken(done, language))
        values = {
            "as_of": str(self.as_of),
            "customers": customers,
            "expected_to_leave": self.everybody.expected_to_leave,
            "listed": len(listed),
            "expected_gain": float(listed["expected_gain"].sum()),
            "model_version": self.champion.version,
            "model_age_days": days,
            "folder": str(folder) if folder else None,
            "delivered": self.delivered,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "look": list(self.look),
            "monitoring": self.watched.told,
            "in_words": {line: spoken(line, language) for line in self.look},
        }
        return Result("\n".join(lines), values, LOOK if self.look else 0)
