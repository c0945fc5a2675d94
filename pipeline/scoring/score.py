"""`churn score`: today's customers, their probabilities, the list, the rate and the report, published at once."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.playbook import load_playbook
from configs.schema import Config
from features.matrix import Matrix, drivers
from models.prediction import still_there
from models.prediction.explain import contributions
from models.tracking.registry import Champion, packed
from pipeline.commit import commit, let_go, newest, settle_nights
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said
from pipeline.layout import Layout, layout_of
from pipeline.log import Say, logged_stage
from pipeline.monitoring.watch import watched
from pipeline.outcomes import learned, ledger
from pipeline.outcomes.draws import control_key
from pipeline.outcomes.learned import Evidence
from pipeline.outreach.competing import prepare
from pipeline.outreach.consent import do_not_contact, unheard_opt_outs
from pipeline.outreach.context import Context, Prepared
from pipeline.outreach.decide import decide
from pipeline.outreach.playbook import check_playbook
from pipeline.outreach.reasons import Reason, reasons_of
from pipeline.publish import only_run
from pipeline.result import Result
from pipeline.retention.forecast import store
from pipeline.scoring.background import background
from pipeline.scoring.canary import beside
from pipeline.scoring.cluster_score import on_a_cluster
from pipeline.scoring.ended import LatelyEnded, ended_lately
from pipeline.scoring.files import write_night
from pipeline.scoring.logged import logged
from pipeline.scoring.night import Night
from pipeline.scoring.past_nights import past_nights
from pipeline.scoring.scored import Hindsight, Job, Scored, on_this_machine, without_dates
from pipeline.sources.opening import Sources
from pipeline.tracking.champion import require_same_definition, tracking_of
from pipeline.tracking.delivery import NIGHT_SECONDS, send_trainings
from pipeline.tracking.tonight import champion_tonight, send_nights

TYPICAL_ROWS = 100_000
_NOT_DELIVERED = said("made afterwards and not delivered: nobody on its list counts as contacted")
# Days for which a recommendation counts as our last contact.
REMEMBERED = 360


def score(
    config: Config,
    as_of: dt.date,
    out: Path | None,
    *,
    dry_run: bool,
    say: Say,
    sources: Sources | None = None,
    hindsight: Hindsight | None = None,
) -> Result:
    """Score, decide, publish.

    Parameters
    ----------
    out
        Folder for `<as-of>/` and for a ledger of its own; the config's place in `outputs.folder` when None.
    dry_run
        Show the summary and write nothing.
    sources
        Of the config at `as_of`, where they are open already.
    hindsight
        Of a night that is made afterwards: it is delivered to nobody.

    Returns
    -------
    Result
        Exit code 3 when it is published and a person should look.
    """
    layout = layout_of(config, out)
    with logged_stage("champion", say) as counted:
        champion, away = (
            (hindsight.champion, ()) if hindsight else champion_tonight(config, layout.champion, say)
        )
        counted(f"version {champion.version}", f"trained as of {champion.metadata['as_of']}")
    delivered = hindsight is None and not is_late(layout, as_of)
    believed = hindsight.believed if hindsight else None
    job = Job(config, as_of, champion, layout, say, sources, away, delivered, believed)
    if dry_run:
        with scored(job) as found:
            return watched_over(job, found, decided(job, found, create_key=False)).result(None)
    with only_run(layout.runs, "score"):
        for line in settle_nights(layout):
            say(line)
        with scored(job) as found:
            night = watched_over(job, found, decided(job, found, create_key=True))
            with logged_stage("files", say) as counted:
                night, folder = published(night, layout)
                gone = let_go(layout, as_of, config.outputs.keep_days)
                counted(
                    *([f"{len(gone)} older nights deleted"] if gone else []),
                    files=sum(path.is_file() for path in folder.rglob("*")),
                )
        unsent: tuple[Said, ...] = ()
        if not away:
            with logged_stage("tracking", say):
                unsent = send_nights(config, layout.unsent)
                if not unsent:
                    unsent = send_trainings(config, layout.untold, say, NIGHT_SECONDS)
            unsent += _beside(night, layout, say)
    return night.result(folder).with_look(unsent, Language(config.language, config.currency))


def _beside(night: Night, layout: Layout, say: Say) -> tuple[Said, ...]:
    """Let a model that waits for the champion's place score tonight's customers too."""
    if not night.delivered:
        return ()
    return beside(
        tracking_of(night.config),
        layout.canary,
        night.champion,
        night.everybody.compared,
        as_of=night.as_of,
        nights=night.config.model.canary_nights,
        listed=max(len(night.decision.chosen), 1),
        say=say,
    )


def published(night: Night, layout: Layout) -> tuple[Night, Path]:
    """Commit a night: its folder, and with it the ledger, the forecast, the model and what is logged.

    Returns
    -------
    tuple
        The night with what the ledger has to say of it, and its folder.
    """
    rows = night.decision.ledger.assign(model_version=str(night.champion.version))
    written = ledger.planned(layout.ledger, night.as_of, rows, delivered=night.delivered)
    if night.delivered and written.state == "changed":
        changed = said(
            "the ledger had another list for {day}; the earlier one is kept beside it", day=night.as_of
        )
        night = replace(night, look=(*night.look, changed))
    record = partial(_record, night, layout, written)
    write = partial(write_night, night, written.sha256)
    return night, commit(layout, night.as_of, write, record, show=night.delivered)


def _record(night: Night, layout: Layout, written: ledger.Written, folder: Path) -> None:
    """Write what a night leaves beside its own folder into one that stands for `layout.folder`."""

    def place(path: Path) -> Path:
        found = folder / path.relative_to(layout.folder)
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    for name, content in written.files.items():
        place(layout.ledger / name).write_bytes(content)
    champion, version = night.champion, str(night.champion.version)
    # A forecast made in hindsight proves nothing.
    if night.delivered and night.rates.forecasts and not _look(champion, night.as_of):
        store.keep_forecasts(place(layout.forecasts), night.rates.forecasts, version)
    if night.delivered and champion.files:
        place(layout.champion).write_text(packed(champion), encoding="utf-8")
    place(layout.unsent / f"{night.as_of}.json").write_text(logged(night), encoding="utf-8")


def is_late(layout: Layout, as_of: dt.date) -> bool:
    """Whether people have a newer list already, and never got one of this date: then it is no contact of theirs."""
    shown = newest(layout)
    return shown is not None and as_of < shown and as_of not in ledger.dates(layout.ledger)


def scored(job: Job) -> AbstractContextManager[Scored]:
    """Score where the data are: the one place at which engines differ."""
    require_same_definition(job.champion, job.config)
    if job.config.churn.kind == "labelled":
        return without_dates(job)
    return on_a_cluster(job) if job.config.engine.kind == "spark" else on_this_machine(job)


def decided(job: Job, found: Scored, *, create_key: bool) -> Night:
    """Choose the list of scored customers; nothing is written but, where asked for, a missing key of the draws."""
    config, as_of, champion, everybody = job.config, job.as_of, job.champion, found.everybody
    scores = found.matrix.frame.drop(columns="snapshot").assign(churn_probability=found.probability)
    if champion.metadata.get("still_there"):
        scores["still_there"] = still_there.chance(champion.metadata["still_there"], scores)
    context = _context(job, create_key=create_key)
    ended, unseen = ended_lately(found.sources, config, context.playbook, as_of)
    if ended is not None:
        scores = _with_ended(scores, ended)
    notes = check_playbook(context.playbook, scores.columns, drivers(found.matrix.columns))
    settings = config.outreach
    oldest = max(context.hold_days, settings.repeat_days, settings.max_contacts.days, REMEMBERED)
    never = do_not_contact(config, found.sources)
    unheard, few_unheard = unheard_opt_outs(config, found.sources)
    prepared = prepare(
        scores,
        context,
        columns=[c.name for c in found.matrix.columns],
        contacts=found.table("contacts"),
        facts=_facts(config, found),
        history=ledger.recommended(job.layout.ledger, as_of - dt.timedelta(days=oldest), as_of),
        do_not_contact=never.customers,
        worth=everybody.worth,
    )
    with logged_stage("list", job.say) as counted:
        reasons = tuple(_reasons(champion, found.matrix, prepared.explain, everybody.compared, ended))
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
            *_look(champion, as_of),
            *found.sources.look,
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
    return replace(night, watched=seen, past=past, look=(*night.look, *seen.lines))


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


def _look(champion: Champion, as_of: dt.date) -> tuple[Said, ...]:
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
