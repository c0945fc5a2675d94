"""`churn init`: look at files, guess the config, write it, check it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from configs.base import fault_of
from configs.errors import ChurnError, ConfigError, DataError, Fault
from configs.reference import schema_of
from configs.roles import ROLES
from configs.schema import Config
from pipeline.dataset.attributes import suspects_of
from pipeline.log import Say
from pipeline.publish import write_atomic
from pipeline.result import Result
from pipeline.setup.among_events import with_purchases
from pipeline.setup.columns import RolePart, customers_part, label_of, time_columns
from pipeline.setup.company import define
from pipeline.setup.draft import Draft, settled
from pipeline.setup.first_draft import KEYS, first_draft
from pipeline.setup.interview import Ask, Given, Interview
from pipeline.setup.roles import customer_ids, part_of
from pipeline.setup.spread import by_spread
from pipeline.setup.stop_lists import obey, without_lists
from pipeline.setup.table_words import tells_who_left
from pipeline.setup.tables import SCHEMA_FILE, GivenTable, tables_of
from pipeline.setup.writing import yaml_with_remarks
from pipeline.sources.opening import Sources, open_sources
from pipeline.sources.profiles import Profile
from pipeline.sources.readers import connect_duckdb

SCHEMA_LINE = f"yaml-language-server: $schema={SCHEMA_FILE}"  # by which editors complete and check
_SHOWN_FILES = 4


def init(
    files: Sequence[str],
    out: Path,
    given: Given,
    ask: Ask | None,
    *,
    today: dt.date | None = None,
    check: Callable[[Path, Say], Result],
    say: Say = lambda line: None,
) -> Result:
    """Write the config of a company and check it.

    Parameters
    ----------
    files
        Files, folders, globs or tables.
    out
        The config's file; what is there is never overwritten.
    ask
        Puts a question to a person; None takes the guesses.
    check
        What `churn check` does with a config's file.

    Raises
    ------
    ConfigError
        The file is there already, or an option fits no table.
    DataError
        What was named can't be read, or no column says who the customer is.
    """
    if out.exists():
        raise ConfigError(
            f"{out}: is there already and stays as it is; give --config OTHER.yaml to write elsewhere"
        )
    out = out.absolute()
    home = out.parent.parent if out.parent.name == "configs" else out.parent
    interview = Interview(ask)
    say("look at the files")
    tables, unread = tables_of(files, home, connect_duckdb(1))
    tables = [_dated(table, given, interview) for table in tables]
    ids = customer_ids([t for t in tables if given.roles.get(t.name) != "none"], given.customer)
    tables, lists = without_lists(tables, given.roles)
    parts, unused = _parts(tables, ids, given, interview)
    draft = first_draft(parts, [*unread, *unused], given, interview, home)
    obey(draft, lists, ids)
    as_of = today or dt.datetime.now(dt.UTC).date()
    say("read the rows")
    _settle(draft, home, as_of, parts)
    draft.values = {key: draft.values[key] for key in KEYS if key in draft.values}
    named = " ".join([*files[:_SHOWN_FILES], "..."] if len(files) > _SHOWN_FILES else files)
    schema = out.with_name(SCHEMA_FILE)
    write_atomic(schema, json.dumps(schema_of("config"), indent=1, ensure_ascii=False) + "\n")
    head = [f"Written by `churn init {named}`.", *draft.left_out, *(f"not sure: {d}" for d in draft.doubts)]
    lines = [
        SCHEMA_LINE,
        f"{head[0]} All keys: churn config. After a change: churn check.",
        *(f"- {x}" for x in head[1:]),
    ]
    write_atomic(out, yaml_with_remarks(draft.values, draft.remarks, lines))
    say(f"wrote {out}")
    checked = _checked(check, out, say)
    told = [f"wrote {out}", *(f"  {role}: {source['uri']}" for role, source in draft.sources.items())]
    told += [f"left out  {line}" for line in draft.left_out]
    told += [f"not sure  {line}" for line in (*interview.doubts, *draft.doubts)]
    values = {
        "config": str(out),
        "questions": interview.asked,
        "not_sure": [*interview.doubts, *draft.doubts],
        "left_out": draft.left_out,
        "check": checked.values,
    }
    return Result("\n".join([*told, "", checked.text]), values, checked.exit_code)


def _checked(check: Callable[[Path, Say], Result], out: Path, say: Say) -> Result:
    """What the check says; the config is there whatever it says."""
    try:
        return check(out, say)
    except ChurnError as error:
        return Result(f"churn check: {error}", {"error": str(error)}, error.exit_code)


def _dated(table: GivenTable, given: Given, interview: Interview) -> GivenTable:
    """The table with one reading for each column of dates."""
    columns = []
    for column in table.columns:
        if len(column.formats) > 1:
            chosen = by_spread(column) if given.dates is None else None
            if chosen is None:
                what = f"in {column.name!r} of {table.name}, such as {column.samples[0]}: day or month first (dmy, mdy)"
                order = interview.settle(what, "dmy", "--dates", given.dates)
                chosen = next((f for f in column.formats if _is_order(f, order)), column.formats[0])
            column = replace(column, formats=(chosen,))  # noqa: PLW2901
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _is_order(formats: Sequence[str], order: str) -> bool:
    both = [fmt for fmt in formats if "%d" in fmt and "%m" in fmt and not fmt.startswith("%Y")]
    day_first = all(fmt.index("%d") < fmt.index("%m") for fmt in both)
    return day_first == order.lower().startswith("d")


def _parts(
    tables: list[GivenTable],
    ids: Mapping[str, tuple[Profile | None, str]],
    given: Given,
    interview: Interview,
) -> tuple[list[RolePart], list[str]]:
    """The tables in their roles, and those that have none."""
    unknown = sorted(set(given.roles) - {table.name for table in tables})
    wrong = sorted(set(given.roles.values()) - set(ROLES) - {"none"})
    if unknown or wrong:
        names = ", ".join(table.name for table in tables)
        raise ConfigError(
            f"--role: {', '.join(unknown + wrong)}: give TABLE=ROLE; tables: {names}; roles: {', '.join(ROLES)}, none"
        )
    used = [table for table in tables if given.roles.get(table.name) != "none"]
    parts, unused = [], []
    for table in used:
        who, doubt = ids[table.name]
        if (who is None or doubt) and given.customer is None and label_of(table) and not time_columns(table):
            # A table of examples needs no names.
            parts.append(customers_part(table, None, []))
            continue
        if who is not None and doubt:
            what = f"column of {table.name} that says who the customer is"
            answer = interview.settle(what, who.name, "--customer", given.customer)
            who = next((c for c in table.columns if c.name == answer), who)
        if (
            tells_who_left(table.name)
            and given.roles.get(table.name) is None
            and time_columns(table)
            and not label_of(table)
        ):
            unused.append(
                f"{table.name}: says who has left: join its dates to the customers or contracts, as `ended_at`"
            )
            continue
        if who is None:
            unused.append(f"{table.name}: no column says who the customer is ({_names(table)})")
            continue
        part = part_of(table, who, given.roles.get(table.name), "")
        if part.role != "customers" and "occurred_at" not in part.columns and part.role != "contracts":
            unused.append(f"{table.name}: no column with a time ({_names(table)})")
            continue
        for line in part.doubts:
            interview.doubt(line, "--role")
        parts += with_purchases(part)
    if not parts:
        faults = [
            Fault(where, what, "name the column with --customer")
            for where, _, what in (line.partition(": ") for line in unused)
        ]
        raise DataError("nothing to write a config from", faults)
    return parts, unused


def _names(table: GivenTable) -> str:
    return ", ".join(column.name for column in table.columns[:12])


def _settle(draft: Draft, home: Path, today: dt.date, parts: list[RolePart]) -> None:
    """Read the data by the draft, follow their faults, and define churn by what they hold."""
    labelled = draft.values["churn"]["kind"] == "labelled"

    def attempt() -> tuple[Config, Sources]:
        config = _config(draft, home)
        return config, open_sources(config, today, dated=not labelled)

    found = settled(
        draft, attempt, lambda error: error.faults if isinstance(error, DataError) else _reraise(error)
    )
    if found is None:
        return
    config, opened = found
    applied = [
        draft.apply(match.role, f"write {' and '.join(match.advice)}")
        for match in opened.matches
        if match.advice
    ]
    if any(applied):
        config, opened = attempt()
    _drop_suspects(draft, opened, config)
    if not labelled:
        define(draft, config, opened, today)


def _config(draft: Draft, home: Path) -> Config:
    """The draft as a config.

    Raises
    ------
    ConfigError
        When what was given makes none.
    """
    try:
        return Config.model_validate({**draft.values, "home": home})
    except ValidationError as error:
        raise ConfigError(
            "init: the tables make no config",
            [*(fault_of(e, Config) for e in error.errors()), *_left_out(draft)],
        ) from None


def _left_out(draft: Draft) -> list[Fault]:
    """Why tables take no part, for whoever looks for what is missing."""
    parted = (line.partition(": ") for line in draft.left_out)
    return [Fault(where, why, "mend it, or name the table's role with --role") for where, _, why in parted]


def _reraise(error: Exception) -> Sequence[Fault]:
    raise error


def _drop_suspects(draft: Draft, opened: Sources, config: Config) -> None:
    """Attributes that were written after the fact, or say who it is, are no attributes."""
    source = draft.sources.get("customers", {})
    kept = source.get("attributes", [])
    if not kept or config.churn.kind == "labelled":
        return
    for suspect in suspects_of(opened, config):
        kept = [name for name in kept if name != suspect.name]
        draft.left_out.append(f"attribute {suspect.name}: {suspect.reason}")
    source["attributes"] = kept
    if not kept:
        del source["attributes"]
