"""`churn score`: today's customers, their probabilities, the list, the rate and the report, published at once."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.errors import DataError
from configs.playbook import load_playbook
from configs.schema import Config
from features.matrix import Matrix, drivers
from models import registry
from models.explain import contributions
from models.registry import Champion
from pipeline.dataset.labelled import probabilities, read_labelled
from pipeline.dataset.matrix import LISTING, build_matrix, with_listing
from pipeline.outcomes import ledger, save_rates
from pipeline.outcomes.draws import control_key
from pipeline.outreach.context import Context
from pipeline.outreach.decide import decide, prepare
from pipeline.outreach.eligibility import read_ids
from pipeline.outreach.playbook import check_playbook
from pipeline.outreach.reasons import Reason, reasons_of
from pipeline.publish import only_run, publish
from pipeline.result import Result
from pipeline.retention import forecasts
from pipeline.scoring.cluster_score import score_on_cluster
from pipeline.scoring.files import write_night
from pipeline.scoring.night import Night
from pipeline.scoring.night_rates import NightRates, night_rates, no_rates
from pipeline.sources.opening import Sources, open_sources
from pipeline.tracking.champion import tracking_of

Say = Callable[[str], None]


def score(config: Config, as_of: dt.date, out: Path | None, *, dry_run: bool, say: Say) -> Result:
    """Score, decide, publish.

    Parameters
    ----------
    out
        Folder for `<as-of>/` and for a ledger of its own; the config's `outputs.folder` when None.
    dry_run
        Show the summary and write nothing.

    Returns
    -------
    Result
        Exit code 3 when it is published and a person should look.
    """
    if config.engine.kind == "spark":
        return score_on_cluster(config, as_of, out, say)
    data = config.path(config.outputs.folder) if out is None else out.absolute()
    runs = data / "runs" if out is None else data
    if dry_run:
        return _night(config, as_of, data / "ledger", say, create_key=False).result(None)
    with only_run(runs, "score"):
        night = _night(config, as_of, data / "ledger", say, create_key=True)
        say(f"write {len(night.files)} files of the list")
        night = _recorded(night, data / "ledger")
        folder = publish(runs, as_of, data / "latest", partial(write_night, night))
        say("log the night")
        tags = {"as_of": str(as_of), "model_version": str(night.champion.version)}
        name = f"{as_of:%y-%m-%d} {config.name}"
        registry.log_scoring(tracking_of(config), name, night.metrics, tags, night.rates.steps)
    return night.result(folder)


@dataclass(frozen=True)
class _Scored:
    sources: Sources
    matrix: Matrix
    probability: NDArray[np.float64]
    rates: NightRates


def _scored(config: Config, as_of: dt.date, champion: Champion, record: Path, say: Say) -> _Scored:
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
    if LISTING.name in champion.model.column_names:
        matrix = with_listing(matrix)
    champion.model.check_columns([c.name for c in matrix.columns])
    say(f"score {len(matrix.frame):,} customers")
    probability = champion.model.probability(matrix.features, config.model.threads)
    say("retention tables")
    ids = matrix.frame["customer_id"].tolist()
    rates = night_rates(sources, config, as_of, ids, probability, forecasts.folder_in(record))
    return _Scored(sources, matrix, probability, rates)


def _scored_table(config: Config, as_of: dt.date, champion: Champion, record: Path, say: Say) -> _Scored:
    """A table without dates: no rate, and nobody is scored by a model that knew the answer."""
    found = read_labelled(config, as_of).to_score()
    champion.model.check_columns([c.name for c in found.matrix.columns])
    say(f"score {len(found.churned):,} customers, {np.isfinite(found.churned).sum():,} of them out of fold")
    probability = probabilities(champion, found, config.model.threads)
    return _Scored(found.sources, found.matrix, probability, no_rates())


def _night(config: Config, as_of: dt.date, record: Path, say: Say, *, create_key: bool) -> Night:
    champion = registry.load_champion(tracking_of(config))
    say(f"champion: version {champion.version}, trained as of {champion.metadata['as_of']}")
    how = _scored_table if config.churn.kind == "labelled" else _scored
    found = how(config, as_of, champion, record, say)
    scores = found.matrix.frame.drop(columns="snapshot").assign(churn_probability=found.probability)
    context = _context(config, as_of, record, create_key=create_key)
    notes = check_playbook(context.playbook, scores.columns, drivers(found.matrix.columns))
    uplift = save_rates.read_uplift(record, as_of)
    settings, oldest = config.outreach, max(context.hold_days, config.outreach.repeat_days)
    prepared = prepare(
        scores,
        context,
        contacts=found.sources.local.get("contacts"),
        facts=_facts(config, found.sources),
        history=ledger.recommended(record, as_of - dt.timedelta(days=oldest), as_of),
        do_not_contact=read_ids(config.path(settings.do_not_contact)) if settings.do_not_contact else (),
        effect=None
        if uplift is None
        else uplift.fall(scores, found.probability, float(context.saves.mean())),
    )
    say(f"explain and choose among {len(prepared.explain):,} candidates")
    reasons = tuple(_reasons(champion, found.matrix, prepared.explain))
    decision = decide(prepared, reasons)
    return Night(
        config,
        as_of,
        found.sources,
        champion,
        found.matrix,
        found.probability,
        prepared,
        reasons,
        decision,
        found.rates,
        look=(*_look(champion, as_of), *found.rates.warnings),
        notes=(*found.sources.notes, *notes, *decision.notes),
    )


def _context(config: Config, as_of: dt.date, record: Path, *, create_key: bool) -> Context:
    """What the decision rests on beside the customers."""
    settings = config.outreach
    playbook = load_playbook(config.path(settings.playbook) if settings.playbook else None)
    folder, control = config.path(config.outputs.folder), settings.control
    key = control_key(folder, control.key_file, control.key_env, os.environ, create=create_key)
    rates = save_rates.read(record, playbook, as_of).rates
    learned = {name: (r.saved, r.lost) for name, r in rates.items() if r.prior_weight < 1}
    return Context(as_of, settings, playbook, key, config.churn.gap_days + config.churn.horizon_days, learned)


def _facts(config: Config, sources: Sources) -> pd.DataFrame | None:
    """What the list needs of the customers and the model must not see."""
    customers = config.sources.customers
    if customers is None or not customers.facts:
        return None
    table = sources.local["customers"]
    found: pd.DataFrame = table.select("customer_id", *customers.facts).to_pandas()
    return found


def _reasons(champion: Champion, matrix: Matrix, explain: pd.Index) -> list[tuple[Reason, ...]]:
    features = matrix.features
    rows = features.iloc[explain]
    found = contributions(champion.model, rows, features)
    by_column = pd.DataFrame(found.values, columns=list(found.columns))
    return reasons_of(by_column, rows, features.median(numeric_only=True).to_dict(), matrix.columns)


def _look(champion: Champion, as_of: dt.date) -> tuple[str, ...]:
    trained = dt.date.fromisoformat(champion.metadata["as_of"])
    if trained > as_of:
        return (f"the champion was trained as of {trained}, after {as_of}: it has seen what it predicts",)
    return ()


def _recorded(night: Night, record: Path) -> Night:
    """Append the night to the ledger; before publishing, so that nothing is recommended that is not recorded."""
    rows = night.decision.ledger.assign(model_version=str(night.champion.version))
    written = ledger.append(record, night.as_of, rows)
    hindsight = _look(night.champion, night.as_of)  # a forecast made with it proves nothing
    if night.rates.forecasts and not hindsight:
        forecasts.record(forecasts.folder_in(record), night.rates.forecasts, str(night.champion.version))
    if written.state != "changed":
        return night
    said = f"the ledger had another list for {night.as_of}; the earlier one is kept beside it"
    return replace(night, look=(*night.look, said))
