"""`churn score`: today's customers, their probabilities, the list, the rate and the report, published at once."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from configs.schema import Config
from models.tracking.registry import packed
from pipeline.commit import commit, let_go, newest, settle_nights
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said
from pipeline.layout import Layout, layout_of
from pipeline.log import Say, logged_stage
from pipeline.outcomes import ledger
from pipeline.publish import only_run
from pipeline.result import Result
from pipeline.retention.forecast import store
from pipeline.scoring.canary import beside
from pipeline.scoring.cluster_score import on_a_cluster
from pipeline.scoring.deciding import decided, trained_later, watched_over
from pipeline.scoring.files import write_night
from pipeline.scoring.logged import logged
from pipeline.scoring.night import Night
from pipeline.scoring.scored import Hindsight, Job, Scored, on_this_machine, without_dates
from pipeline.sources.opening import Sources
from pipeline.tracking.champion import require_same_definition, tracking_of
from pipeline.tracking.delivery import NIGHT_SECONDS, send_trainings
from pipeline.tracking.tonight import champion_tonight, send_nights


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
    if night.delivered and night.rates.forecasts and not trained_later(champion, night.as_of):
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
