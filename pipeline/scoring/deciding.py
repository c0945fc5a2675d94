"""The list of scored customers: their scores and reasons put before the decision, and what the monitoring finds."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.playbook import load_playbook
from configs.schema import Config
from features.matrix import Matrix, drivers
from models.prediction import still_there
from models.prediction.explain import contributions
from models.tracking.registry import Champion
from pipeline.languages.said import Said, said
from pipeline.log import logged_stage
from pipeline.monitoring.promises import unrecorded
from pipeline.monitoring.watch import watched
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.draws import control_key
from pipeline.outcomes.learned import Evidence
from pipeline.outcomes.situation import GONE, TOLD
from pipeline.outreach.competing import prepare
from pipeline.outreach.consent import do_not_contact, unheard_opt_outs
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.decide import decide
from pipeline.outreach.permissions import unasked_permissions
from pipeline.outreach.playbook import check_playbook
from pipeline.outreach.reasons import Reason, reasons_of, with_trouble
from pipeline.scoring.background import background
from pipeline.scoring.ended import LatelyEnded, ended_lately
from pipeline.scoring.night import Night
from pipeline.scoring.past_nights import past_nights
from pipeline.scoring.scored import Job, Scored

TYPICAL_ROWS = 100_000
_NOT_DELIVERED = said("made afterwards and not delivered: nobody on its list counts as contacted")
# Days for which a recommendation counts as our last contact.
REMEMBERED = 360


def decided(job: Job, found: Scored, *, create_key: bool) -> Night:
    """Choose the list of scored customers; nothing is written but, where asked for, a missing key of the draws."""
    config, as_of, champion, everybody = job.config, job.as_of, job.champion, found.everybody
    scores = _scores(champion, found)
    context = _context(job, create_key=create_key)
    ended, unseen = ended_lately(found.sources, config, context.playbook, as_of)
    if ended is not None:
        scores = _with_ended(scores, ended)
    notes = check_playbook(context.playbook, scores.columns, drivers(found.matrix.columns))
    never = do_not_contact(config, found.sources)
    unheard, few_unheard = unheard_opt_outs(config, found.sources)
    prepared = prepare(
        scores,
        context,
        columns=[c.name for c in found.matrix.columns],
        contacts=found.table("contacts"),
        facts=_facts(config, found),
        history=_recommended(job, context),
        do_not_contact=never.customers,
        worth=everybody.worth,
    )
    with logged_stage("list", job.say) as counted:
        model_says = _reasons(champion, found.matrix, prepared.explain, everybody.compared, ended)
        people, told = prepared.customers.iloc[prepared.candidates], prepared.seen.inputs[TOLD]
        told = told.to_numpy(np.float64) * ~people[GONE].to_numpy(bool)
        reasons = tuple(with_trouble(model_says, told, people, found.matrix.columns))
        decision = decide(prepared, reasons)
        counted(candidates=len(prepared.explain), listed=len(decision.chosen))
    partial_ = everybody.notes(prepared)
    return Night(
        config,
        as_of,
        found.sources,
        champion,
        found.matrix,
        everybody,
        prepared,
        reasons,
        decision,
        found.rates,
        look=(
            *job.look,
            *trained_later(champion, as_of),
            *found.sources.look,
            *unasked_permissions(config),
            *never.look,
            *unheard,
            *_harm(prepared),
            *found.rates.warnings,
        ),
        notes=(
            *([] if job.delivered else [_NOT_DELIVERED]),
            *found.sources.notes,
            *never.notes,
            *few_unheard,
            *notes,
            *unseen,
            *partial_,
            *decision.notes,
        ),
        background=background(
            found.table("contacts"), job.layout.ledger, decision.chosen["customer_id"].tolist(), as_of
        ),
        delivered=job.delivered,
    )


def watched_over(job: Job, found: Scored, night: Night) -> Night:
    """The night with what the monitoring found.

    Raises
    ------
    DataError
        It found what stops the list by `monitoring.stop_when`.
    """
    features, model = found.everybody.compared, job.champion.model
    some = found.everybody.left_out is not None  # then these are a sample, and not who may be on the list
    with logged_stage("monitoring", job.say) as counted:
        scores = model.probability(features, job.config.model.threads) if some else found.probability
        seen = watched(
            found.sources, job.config, job.as_of, job.champion.metadata, features, scores, job.layout.ledger
        )
        counted(checks=len(seen.checks), to_look_at=len(seen.outside))
    seen.require()
    past = past_nights(job.layout.runs, ledger.dates(job.layout.ledger), job.as_of, seen.checks)
    lost = unrecorded(job.layout.runs, job.layout.ledger, job.as_of)
    return replace(night, watched=seen, past=past, look=(*night.look, *lost, *seen.lines))


def _context(job: Job, *, create_key: bool) -> Context:
    """What the decision rests on beside the customers."""
    config, as_of, layout, settings = job.config, job.as_of, job.layout, job.config.outreach
    playbook = load_playbook(config.path(settings.playbook) if settings.playbook else None)
    control, record = settings.control, layout.ledger
    key = control_key(layout.keys, control.key_file, control.key_env, os.environ, create=create_key)
    known = job.believed or learned.read_learned(record, playbook, as_of)
    nights = [d for d in ledger.dates(record) if d < as_of]
    evidence = Evidence(nights, known.bounds, known.usual, known.checks)
    hold = config.churn.gap_days + config.churn.horizon_days
    return Context(
        as_of,
        settings,
        playbook,
        key,
        hold,
        known.effect,
        evidence,
        config.margin,
        config.language,
        config.currency,
    )


def _scores(champion: Champion, found: Scored) -> pd.DataFrame:
    """The matrix with the chance of leaving, and with that of being still there where the model knows it."""
    scores = found.matrix.frame.drop(columns="snapshot").assign(churn_probability=found.probability)
    if champion.metadata.get("still_there"):
        scores["still_there"] = still_there.chance(champion.metadata["still_there"], scores)
    return scores


def _recommended(job: Job, context: Context) -> pd.DataFrame:
    """Earlier recommendations, as far back as any rule of the list looks."""
    settings = job.config.outreach
    oldest = max(context.hold_days, settings.repeat_days, settings.max_contacts.days, REMEMBERED)
    return ledger.recommended(job.layout.ledger, job.as_of - dt.timedelta(days=oldest), job.as_of)


def _facts(config: Config, found: Scored) -> pd.DataFrame | None:
    """What the list needs of the customers and the model must not see."""
    customers, table = config.sources.customers, found.table("customers")
    if customers is None or table is None:
        return None
    facts: pd.DataFrame = table.select("customer_id", *customers.facts).to_pandas()
    return facts


def _with_ended(scores: pd.DataFrame, ended: LatelyEnded) -> pd.DataFrame:
    """The scores, and below them those whose contract has ended: they have left for sure."""
    more = ended.matrix.frame.drop(columns="snapshot").assign(churn_probability=1.0, left=True)
    return pd.concat([scores.assign(left=False), more], ignore_index=True)


def _reasons(
    champion: Champion,
    matrix: Matrix,
    explain: NDArray[np.int64],
    compared: pd.DataFrame,
    ended: LatelyEnded | None,
) -> list[tuple[Reason, ...]]:
    """Why each customer may leave, by the model; of who has left, that the contract has ended."""
    scored_ = explain < len(matrix.frame)
    rows = matrix.features.iloc[explain[scored_]]
    found = contributions(champion.model, rows, compared)
    by_column = pd.DataFrame(found.values, columns=list(found.columns))
    some = compared.iloc[:: len(compared) // TYPICAL_ROWS + 1]
    told = iter(reasons_of(by_column, rows, some.median(numeric_only=True).to_dict(), matrix.columns))
    gone = () if ended is None else ended.reasons
    return [
        next(told) if here else (gone[at - len(matrix.frame)],)
        for at, here in zip(explain, scored_, strict=True)
    ]


def _harm(prepared: Prepared) -> tuple[Said, ...]:
    """What is switched off because it drives customers away is for a person to look at."""
    stopped = sorted(prepared.stage.stopped)
    told = said("proven to drive customers away, and switched off: {actions}", actions=stopped)
    return (told,) if stopped else ()


def trained_later(champion: Champion, as_of: dt.date) -> tuple[Said, ...]:
    """What a person should know of a model that was trained after the night."""
    trained = dt.date.fromisoformat(champion.metadata["as_of"])
    if trained > as_of:
        return (
            said(
                "the champion was trained as of {trained}, after {day}: it has seen what it predicts",
                trained=trained,
                day=as_of,
            ),
        )
    return ()
