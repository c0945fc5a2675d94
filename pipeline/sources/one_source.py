"""One source of the config: opened, checked, and cut to what was known at the as-of date."""

from __future__ import annotations

import datetime as dt
import operator
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.errors import Fault
from configs.roles import ROLES, ContractSource, FeedbackSource, RoleSource
from configs.schema import Config
from features import contracts as contract_rules
from features.dialects import computed_once, engine_of
from features.tables import complaints
from pipeline.sources import accounts, agreements, contracts, quarantine, rows
from pipeline.sources.accounts import Account
from pipeline.sources.aside import Putting
from pipeline.sources.connections import Connections
from pipeline.sources.contracts import SAMPLES
from pipeline.sources.databases import arrow
from pipeline.sources.digests import digest, digest_parts
from pipeline.sources.drivers import UnreadableError, asking
from pipeline.sources.numerals import with_numbers
from pipeline.sources.quarantine import Aside
from pipeline.sources.readers import read
from pipeline.sources.repeats import Repeats, counted_once, repeated
from pipeline.sources.rows import whose

_REPEATED = "standing there twice"
_KEYS = {"customers": "customer_id", "contracts": "contract_id"}  # of roles that say the id of each row once
_NO_ROWS = "check the file and the conditions in 'where'"


@dataclass(frozen=True)
class Opened:
    """What one source has given.

    Parameters
    ----------
    table
        The rows that were known at the as-of date.
    newest
        The newest day of any time but the role's own clock.
    repeats
        Whether rows of one id differ, where the role has each id once.
    aside
        Bad rows that were put aside.
    """

    table: ir.Table
    fingerprint: dict[str, Any]
    notes: list[str]
    faults: list[Fault]
    newest: dt.date | None = None
    look: tuple[str, ...] = ()
    repeats: bool = False
    aside: tuple[Aside, ...] = ()


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
) -> Opened:
    found = read(connection, others, role, source, config, aside=ragged)
    raw = found.table
    faults = contracts.missing_columns(role, source, raw.columns, source.shown)
    faults = faults or contracts.unsupported(role, source, raw)
    if faults:
        return Opened(raw, {}, [], faults)
    local = raw.get_backend() is connection
    text = local and all(kind.is_string() for kind in raw.schema().types)
    notes: list[str] = []
    with asking(source), found.reading():
        if text:
            raw, notes, faults = with_numbers(source, raw, config.retention.segments)
        checked = contracts.check(role, source, raw)
        if text:
            # Text is parsed once; Parquet is read again, column by column, which is cheaper than a copy.
            checked = replace(
                checked,
                table=connection.create_table(f"{role}_checked", checked.table, temp=True, overwrite=True),
            )
        seen = rows.look(role, source, raw, checked, found.place, aside=aside)
        account, unaccounted = accounts.counted(source, found, raw, seen.rows)
        faults += [*seen.faults, *unaccounted]
        putting = Putting(role, source, found, raw)
        if not seen.rows:
            return Opened(raw, {}, [], faults or [Fault(source.shown, "has no rows", _NO_ROWS)])
        notes += seen.notes
        putting.by_row(seen)
        apart = sum(seen.left_out.values()) + putting.count - len(found.ragged)
        kept = computed_once(seen.kept(checked).select(*checked.columns), engine_of(raw))
        odd: tuple[str, ...] = ()
        if "transaction_id" in kept.columns:
            kept, again = _purchases(connection, role, source, raw, kept, seen.rows - apart)
            notes, odd = [*notes, *again.notes(role)], again.looks(role)
            account = replace(account, left_out={**account.left_out, _REPEATED: again.surplus})
        if isinstance(source, ContractSource):
            kept, surplus, odd = agreements.each_once(connection, source, kept, seen.rows - apart)
            account = replace(account, left_out={**account.left_out, _REPEATED: surplus})
        account = replace(account, left_out={**account.left_out, **seen.rules})
        if aside:
            kept = putting.by_whole_row(kept)
        opened = _cut(role, source, kept, as_of, putting.accounted(account), config)
        if aside and opened.repeats:
            kept, surplus = putting.by_id(kept, _KEYS[role])
            account = replace(account, left_out={**account.left_out, _REPEATED: surplus})
            opened = _cut(role, source, kept, as_of, putting.accounted(account), config)
        marked = _marked(source, opened.table, config)
        if role == "customers" and config.sources.contracts is not None:
            marked = agreements.here(connection, role, marked)
        return replace(
            opened,
            table=marked,
            fingerprint={**opened.fingerprint, "columns": sorted(found.table.columns)},
            faults=[*faults, *opened.faults],
            notes=[*notes, *opened.notes],
            look=odd if not faults else (),
            aside=tuple(putting.parts),
        )


def _purchases(
    connection: Backend, role: str, source: RoleSource[Any], raw: ir.Table, lines: ir.Table, count: int
) -> tuple[ir.Table, Repeats]:
    """One row a purchase, those that stand there twice counted once; and what was found of these."""
    local = lines.get_backend() is connection
    joined = contracts.one_row_a_transaction(role, lines)
    # Nothing is ever written to a database, not even a temporary table.
    joined = connection.create_table(role, joined, temp=True, overwrite=True) if local else joined
    hashed = contracts.check(role, source, raw, hashed=True).table
    if "hash_" not in hashed.columns or arrow(joined.aggregate(n=joined.count()))["n"][0].as_py() == count:
        return joined, Repeats()
    found = repeated(hashed)
    if found.purchases is not None:
        twice = found.purchases
        if local:
            twice = connection.create_table(f"{role}_twice", twice, temp=True, overwrite=True)
        joined = counted_once(role, joined, twice)
    return joined, found


def _cut(
    role: str, source: RoleSource[Any], rows: ir.Table, as_of: dt.date, account: Account, config: Config
) -> Opened:
    """Cut to what was known before `as_of`, after the checks that need whole rows."""
    midnight, rows_before = ibis.timestamp(as_of.isoformat()), rows
    rows = _hide_later(role, rows, midnight)
    clock = [c for c in (ROLES[role].clock,) if c in rows.columns]
    late = reduce(
        operator.or_,
        [rows[c] >= midnight for c in (*clock, "known_at") if c in rows.columns],
        ibis.literal(False),
    )
    checks = contracts.whole_row_checks(role, source, rows)
    times = {
        end: getattr(rows[c], of)(where=~late)
        for c in clock
        for end, of in (("first", "min"), ("last", "max"))
    }
    others = [c for c, d in ROLES[role].columns.items() if d.kind == "time" and c in rows.columns]
    reached = {f"reached_{c}": rows[c].max(where=~late & (rows[c] < midnight)) for c in others}
    key = _KEYS.get(role, "")
    ids = (
        {"surplus": rows[key].count() - rows[key].nunique()}
        if key in rows.columns and "churned" not in rows.columns
        else {}
    )
    counts = {
        "rows": rows.count(),
        "late": rows.count(where=late),
        **digest_parts(rows, ~late),
        **times,
        **reached,
        **ids,
    }
    sums = {name: bad.sum() for name, (bad, _) in checks.items()}
    found = arrow(rows.aggregate(**counts, **sums)).to_pylist()[0]
    total, ignored = found["rows"], found["late"]
    faults = [
        Fault(fault.where, f"{fault.what} in {found[name]} of {total} rows{whose(rows, bad)}", fault.fix)
        for name, (bad, fault) in checks.items()
        if found[name]
    ]
    if ids and found["surplus"] and (once := _once(rows_before, key)) is not None:
        left = {**account.left_out, _REPEATED: found["surplus"]}
        cut = _cut(role, source, once, as_of, replace(account, left_out=left), config)
        said = (
            f"{role}: {found['surplus']:,} rows repeat another in every column that is read, and count once"
        )
        return replace(cut, notes=[said, *cut.notes])
    if ids and found["surplus"]:
        fix = agreements.one_row_each(role, source, config)
        faults.append(_repeated(source, rows, key, found["surplus"], fix))
    if ignored == total:
        faults.append(Fault(source.shown, f"has no row before {as_of}", "choose a later --as-of"))
    elif ignored > source.max_future_share * total:
        what = f"{ignored} of {total} rows lie at or after {as_of}, more than sources.{role}.max_future_share allows"
        faults.append(Fault(source.shown, what, "check the clock of the export, or --as-of"))
    notes = [f"{role}: {ignored} of {total} rows lie at or after {as_of} and are ignored"] if ignored else []
    lines = account.in_source - sum(account.left_out.values())
    account = replace(
        account,
        read=total - ignored,
        joined=lines - total,
        left_out={**account.left_out, f"lying at or after {as_of}": ignored},
    )
    fingerprint = {
        "rows": total - ignored,
        "account": account.values(),
        "first": str(found.get("first", "")),
        "last": str(found.get("last", "")),
        "digest": digest(found),
    }
    newest = max((found[name].date() for name in reached if found[name] is not None), default=None)
    return Opened(rows.filter(~late), fingerprint, notes, faults, newest, repeats=bool(found.get("surplus")))


def _hide_later(role: str, rows: ir.Table, midnight: Any) -> ir.Table:
    """Endings and resolutions from midnight on are not known yet: the row looks as it did before."""
    told = {name: ROLES[role].column(name).known_at for name in rows.columns}
    hidden = {
        name: ibis.ifelse(rows[time] < midnight, rows[name], None)
        for name, time in told.items()
        if time in rows.columns
    }
    return rows.mutate(**hidden) if hidden else rows


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


def _once(rows: ir.Table, key: str) -> ir.Table | None:
    """The rows, equal ones once; None when rows of one id differ."""
    once = rows.distinct()
    return None if arrow(once.aggregate(n=once[key].count() - once[key].nunique()))["n"][0].as_py() else once


def _repeated(source: RoleSource[Any], rows: ir.Table, key: str, surplus: int, fix: str) -> Fault:
    named = rows.filter(rows[key].notnull())
    repeated = named.group_by(key).agg(n=named.count()).filter(lambda t: t.n > 1)
    sample = arrow(repeated.order_by(key).limit(SAMPLES))[key].to_pylist()
    others = [name for name in named.columns if name != key]
    kinds = {n: named[n].nunique() + named[n].isnull().any().cast("int64") for n in others}
    most = named.group_by(key).agg(**kinds)
    apart = [
        n
        for n, k in arrow(most.aggregate(**{n: most[n].max() for n in others})).to_pylist()[0].items()
        if k > 1
    ]
    what = f"{surplus} rows repeat an id, such as {', '.join(map(repr, sample))}, and differ in {', '.join(apart)}"
    return Fault(f"{source.shown}, column {key}", what, fix)
