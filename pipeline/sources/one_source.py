"""One source of the config: opened, checked, and cut to what was known at the as-of date."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.roles import ContractSource, FeedbackSource, RoleSource
from configs.schema import Config
from features import contracts as contract_rules
from features.dialects import computed_once, engine_of
from features.tables import complaints
from pipeline.languages.said import Said
from pipeline.sources import accounts, agreements, contracts, quarantine, rows
from pipeline.sources.aside import Putting
from pipeline.sources.connections import Connections
from pipeline.sources.contracts import Checked
from pipeline.sources.cut import REPEATED, ROW_KEYS, Opened, Questions, cut
from pipeline.sources.databases import arrow
from pipeline.sources.drivers import UnreadableError, asking
from pipeline.sources.known_files import parts_of, why_not
from pipeline.sources.numerals import with_numbers
from pipeline.sources.parts import Parts
from pipeline.sources.readers import Raw, read_source
from pipeline.sources.repeats import Repeats, counted_once, repeated

_NO_ROWS = "check the file and the conditions in 'where'"


def open_source(
    connection: Backend,
    others: Connections,
    role: str,
    source: RoleSource[Any],
    config: Config,
    as_of: dt.date,
) -> Opened:
    """Open one source; bad rows are put aside where the config wants it and they are few."""
    job = partial(_read, connection, others, role, source, config, as_of)
    if config.on_bad_rows == "stop":
        return job()
    try:
        opened = job(aside=True)
    except UnreadableError:  # by rows that do not fit their header; what is else wrong shows again
        opened = job(aside=True, ragged=True)
    if not opened.aside or opened.faults:
        return opened
    rows = opened.fingerprint["account"]["in_source"]
    faults = quarantine.too_many(role, source, opened.aside, rows, config.max_bad_share)
    if not faults:
        return opened
    try:
        strict = job()
    except UnreadableError as error:
        raise UnreadableError(*error.faults, *faults) from error
    return replace(strict, faults=[*strict.faults, *faults])


def _read(
    connection: Backend,
    others: Connections,
    role: str,
    source: RoleSource[Any],
    config: Config,
    as_of: dt.date,
    *,
    aside: bool = False,
    ragged: bool = False,
    trim: bool = False,
) -> Opened:
    found = read_source(connection, others, role, source, config, aside=ragged)
    raw = found.table
    faults = contracts.missing_columns(role, source, raw.columns, source.shown)
    faults = faults or contracts.unsupported(role, source, raw)
    if faults:
        return Opened(raw, {}, [], faults)
    local = raw.get_backend() is connection
    text = local and all(kind.is_string() for kind in raw.schema().types)
    notes: list[Said] = []
    with asking(source), found.reading():
        if text:
            raw, notes, faults = with_numbers(source, raw, config.retention.segments)
        # Typed columns are read many times and hardly ever have blanks at the ends of texts: the first pass tells.
        checked = contracts.checked_rows(role, source, raw, trim=trim or text or not local)
        if text:
            # Text is parsed once; Parquet is read again, column by column, which is cheaper than a copy.
            checked = replace(
                checked,
                table=connection.create_table(f"{role}_checked", checked.table, temp=True, overwrite=True),
            )
        parts, reread = _parts(connection, role, source, found, checked, config, as_of, trim=trim)
        looked, more = checked, {}
        if not aside and "transaction_id" not in checked.columns and not isinstance(source, ContractSource):
            # No lines are joined or put aside: what is asked of whole rows is answered by the same pass.
            once = computed_once(checked.table, engine_of(raw))
            asked = Questions.of(role, source, once, checked.columns, as_of)
            looked, more = replace(checked, table=asked.table), asked.expressions(role, as_of)
        seen = rows.look(role, source, raw, looked, found.place, more, aside=aside, parts=parts)
        if seen.blank_ends:
            return _read(
                connection, others, role, source, config, as_of, aside=aside, ragged=ragged, trim=True
            )
        account, unaccounted = accounts.account_of(source, found, raw, seen.rows, parts)
        faults += [*seen.faults, *unaccounted]
        putting = Putting(role, source, found, raw)
        if not seen.rows:
            return Opened(raw, {}, [], faults or [Fault(source.shown, "has no rows", _NO_ROWS)])
        notes += seen.notes
        putting.by_row(seen)
        apart = sum(seen.left_out.values()) + putting.count - len(found.ragged)
        kept = computed_once(seen.kept(checked).select(*checked.columns), engine_of(raw))
        kept, again, told, odd = _each_once(connection, role, source, raw, kept, seen.rows - apart)
        notes += told
        account = replace(account, left_out={**account.left_out, **again, **seen.rules})
        if aside:
            kept = putting.by_whole_row(kept)
        answers = None if seen.left_out else seen.answers
        opened = cut(role, source, kept, as_of, putting.accounted(account), config, answers)
        if aside and opened.repeats:
            kept, surplus = putting.by_id(kept, ROW_KEYS[role])
            account = replace(account, left_out={**account.left_out, REPEATED: surplus})
            opened = cut(role, source, kept, as_of, putting.accounted(account), config)
        marked = _marked(source, opened.table, config)
        if role == "customers" and config.sources.contracts is not None:
            marked = agreements.here(connection, role, marked)
        return replace(
            opened,
            table=marked,
            fingerprint={**opened.fingerprint, "columns": sorted(found.table.columns)},
            faults=[*faults, *opened.faults],
            notes=[*notes, *opened.notes],
            look=(*seen.looks, *odd) if not faults else (),
            aside=tuple(putting.parts),
            parts=replace(parts, table=marked) if parts and answers else None,
            reread=reread,
        )


def _parts(
    connection: Backend,
    role: str,
    source: RoleSource[Any],
    found: Raw,
    checked: Checked,
    config: Config,
    as_of: dt.date,
    *,
    trim: bool,
) -> tuple[Parts | None, str]:
    """The parts of the source's files of which something is kept; and what of them is read again."""
    if not config.engine.store:
        return None, ""
    if why := why_not(role, source, found.paths, config):
        return None, f"engine.store: {role} is read again: {why}"
    return parts_of(connection, role, found, checked.table, config, as_of, trim=trim)


def _each_once(
    connection: Backend, role: str, source: RoleSource[Any], raw: ir.Table, kept: ir.Table, count: int
) -> tuple[ir.Table, dict[str, int], list[Said], tuple[Said, ...]]:
    """Purchases and contracts once each; those too many by the reason, what is good to know, what to look at."""
    if isinstance(source, ContractSource):
        kept, surplus, odd = agreements.each_once(connection, source, kept, count)
        return kept, {REPEATED: surplus}, [], odd
    if "transaction_id" not in kept.columns:
        return kept, {}, [], ()
    kept, again = _purchases(connection, role, source, raw, kept, count)
    return kept, {REPEATED: again.surplus}, again.notes(role), again.looks(role)


def _purchases(
    connection: Backend, role: str, source: RoleSource[Any], raw: ir.Table, lines: ir.Table, count: int
) -> tuple[ir.Table, Repeats]:
    """One row a purchase, those that stand there twice counted once; and what was found of these."""
    local = lines.get_backend() is connection
    joined = contracts.one_row_a_transaction(role, lines)
    # Nothing is ever written to a database, not even a temporary table.
    joined = connection.create_table(role, joined, temp=True, overwrite=True) if local else joined
    hashed = contracts.checked_rows(role, source, raw, hashed=True).table
    if "hash_" not in hashed.columns or arrow(joined.aggregate(n=joined.count()))["n"][0].as_py() == count:
        return joined, Repeats()
    found = repeated(hashed)
    if found.purchases is not None:
        twice = found.purchases
        if local:
            twice = connection.create_table(f"{role}_twice", twice, temp=True, overwrite=True)
        joined = counted_once(role, joined, twice)
    return joined, found


def _marked(source: RoleSource[Any], rows: ir.Table, config: Config) -> ir.Table:
    """The rows with what the config's own words say of each: a low score, a complaint, feedback without scores."""
    marks = {}
    if isinstance(source, FeedbackSource) and "score" not in rows.columns:
        marks["unscored"] = ibis.literal(True)
    elif isinstance(source, FeedbackSource) and source.low_score is not None:
        marks["low"] = rows.score <= source.low_score
    elif isinstance(source, ContractSource):
        return contract_rules.marked(rows, source.plans, config.churn.grace_days)
    if "topic" in rows.columns:
        marks["complaint"] = complaints(rows, config.outreach.complaint_topics)
    # Of the id of a purchase all that counts is which lines it joined.
    return (rows.mutate(**marks) if marks else rows).drop(*{"transaction_id"} & set(rows.columns))
