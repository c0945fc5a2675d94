"""What was known of a source before the as-of date, after the checks that need whole rows."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import ROLES, RoleSource
from configs.schema import Config
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said_n
from pipeline.sources import agreements, contracts
from pipeline.sources.accounts import Account
from pipeline.sources.contracts import SAMPLES
from pipeline.sources.databases import arrow
from pipeline.sources.digests import digest, digest_parts
from pipeline.sources.parts import Parts
from pipeline.sources.quarantine import Aside
from pipeline.sources.rows import whose

REPEATED = "standing there twice"
ROW_KEYS = {
    "customers": "customer_id",
    "contracts": "contract_id",
}  # of roles that say the id of each row once


@dataclass(frozen=True)
class Opened:
    """A source as it was known at the as-of date.

    Parameters
    ----------
    newest
        The newest day in any of its columns of times.
    look
        What a person should look at before the figures are believed.
    repeats
        Whether rows of one id differ, where the role has each id once.
    aside
        Bad rows that were put aside.
    parts
        Of its files, where something is kept of them.
    reread
        What of them was read again, and why; empty without a store.
    """

    table: ir.Table
    fingerprint: dict[str, Any]
    notes: list[Said]
    faults: list[Fault]
    newest: dt.date | None = None
    look: tuple[Said, ...] = ()
    repeats: bool = False
    aside: tuple[Aside, ...] = ()
    parts: Parts | None = None
    reread: str = ""


@dataclass(frozen=True)
class Questions:
    """What is asked of all rows in one pass.

    Parameters
    ----------
    table
        The rows; what became known later is hidden.
    columns
        The normalised columns among those of the table.
    late
        Which rows lie at or after the as-of date.
    key
        Column that has another value in each row; empty where there is none.
    checks
        Name to the rows that break the contract, and the fault.
    """

    table: ir.Table
    columns: tuple[str, ...]
    late: Any
    key: str
    checks: Mapping[str, tuple[Any, Fault]]

    @classmethod
    def of(
        cls, role: str, source: RoleSource[Any], rows: ir.Table, columns: Sequence[str], as_of: dt.date
    ) -> Questions:
        """The questions to the rows of a role, whose table may have more columns than `columns`."""
        midnight = ibis.timestamp(as_of.isoformat())
        rows = _hide_later(role, rows, midnight)
        clocks = [c for c in (ROLES[role].clock, "known_at") if c in columns]
        late = reduce(operator.or_, [rows[c] >= midnight for c in clocks], ibis.literal(False))
        key = ROW_KEYS.get(role, "")
        key = key if key in columns and "churned" not in columns else ""
        return cls(rows, tuple(columns), late, key, contracts.whole_row_checks(role, source, rows))

    def expressions(self, role: str, as_of: dt.date) -> dict[str, Any]:
        """What the rows are aggregated to."""
        rows, late, midnight = self.table, self.late, ibis.timestamp(as_of.isoformat())
        found = {"rows": rows.count(), "late": rows.count(where=late)}
        found |= digest_parts(rows, ~late, self.columns)
        clock = ROLES[role].clock
        if clock in self.columns:
            found |= {"first": rows[clock].min(where=~late), "last": rows[clock].max(where=~late)}
        times = [c for c, d in ROLES[role].columns.items() if d.kind == "time" and c in self.columns]
        found |= {f"reached_{c}": rows[c].max(where=~late & (rows[c] < midnight)) for c in times}
        if self.key:
            found["surplus"] = rows[self.key].count() - rows[self.key].nunique()
        return found | {name: bad.sum() for name, (bad, _) in self.checks.items()}


def cut(
    role: str,
    source: RoleSource[Any],
    rows_before: ir.Table,
    as_of: dt.date,
    account: Account,
    config: Config,
    answers: Mapping[str, Any] | None = None,
) -> Opened:
    """Cut to what was known before `as_of`.

    Parameters
    ----------
    answers
        Those to the `Questions` of these rows, when they have been asked already.
    """
    asked = Questions.of(role, source, rows_before, rows_before.columns, as_of)
    rows, late, key = asked.table, asked.late, asked.key
    found = answers or arrow(rows.aggregate(**asked.expressions(role, as_of))).to_pylist()[0]
    total, ignored = found["rows"], found["late"]
    faults = [
        Fault(fault.where, f"{fault.what} in {found[name]} of {total} rows ({whose(rows, bad)})", fault.fix)
        for name, (bad, fault) in asked.checks.items()
        if found[name]
    ]
    if key and found["surplus"] and (once := _once(rows_before, key)) is not None:
        left = {**account.left_out, REPEATED: found["surplus"]}
        again = cut(role, source, once, as_of, replace(account, left_out=left), config)
        return replace(again, notes=[_counted_once(role, found["surplus"]), *again.notes])
    if key and found["surplus"]:
        fix = agreements.one_row_each(role, source, config)
        faults.append(_repeated(source, rows, key, found["surplus"], fix))
    faults += _too_late(role, source, ignored, total, as_of)
    notes = [_ignored(role, ignored, total, as_of)] if ignored else []
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
    newest = max(
        (at.date() for name, at in found.items() if name.startswith("reached_") and at is not None),
        default=None,
    )
    table = rows.filter(~late) if ignored else rows
    return Opened(table, fingerprint, notes, faults, newest, repeats=bool(found.get("surplus")))


def _counted_once(role: str, surplus: int) -> Said:
    return said_n(
        "{role}: {n} row repeats another in every column that is read, and counts once",
        "{role}: {n} rows repeat another in every column that is read, and count once",
        surplus,
        role=role_in_words(role),
    )


def _too_late(role: str, source: RoleSource[Any], ignored: int, total: int, as_of: dt.date) -> list[Fault]:
    """The fault of a source whose rows lie at or after the as-of date, all or more than the config allows."""
    if ignored == total:
        return [Fault(source.shown, f"has no row before {as_of}", "choose a later --as-of")]
    if ignored <= source.max_future_share * total:
        return []
    what = (
        f"{ignored} of {total} rows lie at or after {as_of}, more than sources.{role}.max_future_share allows"
    )
    return [Fault(source.shown, what, "check the clock of the export, or --as-of")]


def _ignored(role: str, ignored: int, total: int, as_of: dt.date) -> Said:
    return said_n(
        "{role}: {n} of {total} rows lies at or after {day} and is ignored",
        "{role}: {n} of {total} rows lie at or after {day} and are ignored",
        ignored,
        role=role_in_words(role),
        total=total,
        day=as_of,
    )


def _hide_later(role: str, rows: ir.Table, midnight: Any) -> ir.Table:
    """Endings and resolutions from midnight on are not known yet: the row looks as it did before."""
    told = {name: ROLES[role].column(name).known_at for name in rows.columns}
    hidden = {
        name: ibis.ifelse(rows[time] < midnight, rows[name], None)
        for name, time in told.items()
        if time in rows.columns
    }
    return rows.mutate(**hidden) if hidden else rows


def _once(rows: ir.Table, key: str) -> ir.Table | None:
    """The rows, equal ones once; None when rows of one id differ."""
    once = rows.distinct()
    return None if arrow(once.aggregate(n=once[key].count() - once[key].nunique()))["n"][0].as_py() else once


def _repeated(source: RoleSource[Any], rows: ir.Table, key: str, surplus: int, fix: str) -> Fault:
    named = rows.filter(rows[key].notnull())
    repeated = named.group_by(key).agg(n=named.count()).filter(lambda t: t.n > 1)
    sample = arrow(repeated.order_by(key).limit(SAMPLES))[key].to_pylist()
    others = [name for name in named.columns if name != key]
    kinds = {n: named[n].nunique() + ibis.ifelse(named[n].isnull().any(), 1, 0) for n in others}
    most = named.group_by(key).agg(**kinds)
    apart = [
        n
        for n, k in arrow(most.aggregate(**{n: most[n].max() for n in others})).to_pylist()[0].items()
        if k > 1
    ]
    what = f"{surplus} rows repeat an id, such as {', '.join(map(repr, sample))}, and differ in {', '.join(apart)}"
    return Fault(f"{source.shown}, column {key}", what, fix)
