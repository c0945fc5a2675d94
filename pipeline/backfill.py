"""`churn score --as-of A --until B`: nights made afterwards, in order, each by what was known then.

Such a night is delivered to nobody, so that it changes no other night: nobody in it counts as contacted, and nothing is
learned from it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.errors import ChurnError, ConfigError, UnfitError
from configs.schema import Config
from models.tracking import registry
from models.tracking.registry import Champion
from pipeline.languages import N_
from pipeline.languages.language import Language
from pipeline.languages.said import said, spoken
from pipeline.layout import Layout, layout_of
from pipeline.log import Say, belongs_to, run_id
from pipeline.outcomes import ledger
from pipeline.outcomes.learning import has_news, learned_at
from pipeline.result import LOOK, Result, table
from pipeline.scoring.score import score
from pipeline.scoring.scored import Hindsight
from pipeline.sources.opening import Sources, read_sources
from pipeline.tracking.champion import require_same_definition, tracking_of
from pipeline.tracking.tonight import champion_tonight


def backfill(
    config: Config,
    first: dt.date,
    last: dt.date,
    every: int,
    out: Path | None,
    *,
    dry_run: bool,
    say: Say,
) -> Result:
    """Score past nights; one that was delivered stays as it is.

    Parameters
    ----------
    first, last
        The first night, and the day after which there is none.
    every
        Days from one night to the next.

    Returns
    -------
    Result
        A row a night. Exit code 3 when a person should look at any of them.

    Raises
    ------
    ConfigError
        When there is no such night, or the table has no dates.
    ChurnError
        Of the first night that can't be made; it names the nights before it, which stay.
    """
    nights = nights_of(config, first, last, every)
    layout, rows = layout_of(config, out), []
    delivered = set(ledger.dates(layout.ledger))
    for night in nights:
        belongs_to(run_id(config.name, config.digest, night))
        if night in delivered:
            rows.append({"as_of": str(night), "state": N_("delivered, and left as it is")})
            continue
        say(f"night {len(rows) + 1} of {len(nights)}: {night}")
        try:
            rows.append({**_score(config, layout, night, out, dry_run=dry_run, say=say), "state": "made"})
        except ChurnError as error:
            raise _stopped(error, [n for n in nights if n < night], night, last, every) from error
    return _result(config, rows, dry_run=dry_run)


def nights_of(config: Config, first: dt.date, last: dt.date, every: int) -> list[dt.date]:
    """The nights from the first to the last.

    Raises
    ------
    ConfigError
        When there is none, or the table has no dates.
    """
    if config.churn.kind == "labelled":
        raise ConfigError("--until: a table without dates has no nights; leave it out")
    if last < first:
        raise ConfigError(f"--until: {last} is before --as-of {first}; give a later date")
    return [first + dt.timedelta(days=days) for days in range(0, (last - first).days + 1, every)]


def hindsight_of(config: Config, layout: Layout, night: dt.date, sources: Sources, say: Say) -> Hindsight:
    """The champion and the belief of a night's time; today's champion where none is as old."""
    champion, record = _champion_then(config, night), layout.ledger
    if champion is None:
        champion, _ = champion_tonight(config, layout.champion, say)
    believed = learned_at(sources, config, record, night)[0] if has_news(record, config, night) else None
    return Hindsight(champion, believed)


def _champion_then(config: Config, night: dt.date) -> Champion | None:
    champion = registry.champion_at(tracking_of(config), night)
    try:
        if champion is not None:
            require_same_definition(champion, config)
    except UnfitError:
        return None
    return champion


def _score(
    config: Config, layout: Layout, night: dt.date, out: Path | None, *, dry_run: bool, say: Say
) -> Mapping[str, Any]:
    sources = read_sources(config, night, say)
    then = hindsight_of(config, layout, night, sources, say)
    result = score(config, night, out, dry_run=dry_run, say=say, sources=sources, hindsight=then)
    values: dict[str, Any] = {**result.values, "exit_code": result.exit_code}
    return values


def _stopped(
    error: ChurnError, done: Sequence[dt.date], night: dt.date, last: dt.date, every: int
) -> ChurnError:
    """The error with what was done before it, and how to go on."""
    are = "nights are" if len(done) > 1 else "night is"
    many = f"{len(done)} {are} done, {done[0]} to {done[-1]}" if done else "no night is done"
    step = f" --every {every}" if every > 1 else ""
    message = f"{night}: {error}\n{many}; mend it, then go on with --as-of {night} --until {last}{step}"
    told = type(error)(message)
    told.exit_code = error.exit_code
    return told


def _result(config: Config, rows: Sequence[Mapping[str, Any]], *, dry_run: bool) -> Result:
    made = [row for row in rows if row["state"] == "made"]
    language = Language(config.language, config.currency)
    cells = [
        [
            row["as_of"],
            language.number(row["customers"]) if row in made else "-",
            language.number(row["listed"]) if row in made else "-",
            language.number(row["expected_gain"], 2) if row in made else "-",
            str(row["model_version"]) if row in made else "-",
            "" if row in made else language.word(row["state"]),
        ]
        for row in rows
    ]
    end = (
        said("dry run: nothing was written")
        if dry_run
        else said("not delivered: nobody on these lists counts as contacted")
    )
    first, last = rows[0]["as_of"], rows[-1]["as_of"]
    head = said(
        "{company}: {n} nights of {first} to {last}", company=config.name, n=len(made), first=first, last=last
    )
    columns = (N_("night"), N_("customers"), N_("listed"), N_("expected gain"), N_("version"))
    looks = Counter(line for row in made for line in row["warnings"])
    words = {line: told for row in made for line, told in row["in_words"].items()}
    look = [
        said("look: {line} ({n} of {all} nights)", line=words.get(line, line), n=count, all=len(made))
        for line, count in looks.items()
    ]
    lines = [
        spoken(head, language),
        table([*map(language.word, columns), ""], cells),
        *(spoken(line, language) for line in (*look, end)),
    ]
    code = LOOK if any(row["exit_code"] for row in made) else 0
    return Result("\n".join(lines), {"nights": list(rows)}, code)
