"""Bad rows that are put aside: where they stand, which rules they break, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import Fault
from configs.roles import RoleSource
from features.dialects import engine_of
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said, said_n
from pipeline.sources import contracts
from pipeline.sources.databases import arrow
from pipeline.sources.places import is_table
from pipeline.sources.readers import Raw

QUARANTINE_FILE = "quarantine.parquet"
RULE = "on_bad_rows: quarantine"
# Of each source so many are kept; all of them are counted.
_MOST = 100_000
_SCHEMA = pa.schema(
    [
        ("role", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("row", pa.int64()),
        ("customer_id", pa.string()),
        ("rules", pa.string()),
        ("values", pa.map_(pa.string(), pa.string())),
    ]
)


@dataclass(frozen=True)
class Aside:
    """Rows of a source that are put aside.

    Parameters
    ----------
    count
        How many they are.
    rules
        Rule to the rows that break it; a row may break several.
    rows
        Of the schema of `quarantine.parquet`, the first `_MOST` of them.
    """

    role: str
    count: int
    rules: Mapping[Said, int]
    rows: pa.Table


@dataclass(frozen=True)
class Quarantine:
    """All rows that are put aside, by source.

    Parameters
    ----------
    parts
        Those of a source by one look; a source may have several.
    in_source
        Role to the rows that stand in its source.
    """

    parts: tuple[Aside, ...] = ()
    in_source: Mapping[str, int] | None = None

    @property
    def lines(self) -> tuple[Said, ...]:
        """What a person should look at, a line a source."""
        return tuple(
            said(
                "{role}: {n} of {all} rows are put aside (`{key}`): {rules}; a night keeps them in `{file}`, correct "
                "them in the source",
                role=role_in_words(role),
                n=found["rows"],
                all=(self.in_source or {}).get(role, 0),
                key=RULE,
                rules=[said("{rule} in {n}", rule=rule, n=n) for rule, n in found["rules"].items()],
                file=QUARANTINE_FILE,
            )
            for role, found in self.values.items()
        )

    @property
    def values(self) -> dict[str, Any]:
        """Role to its rows and the rules that they break, for the manifest."""
        found: dict[str, Any] = {}
        for part in self.parts:
            mine = found.setdefault(part.role, {"rows": 0, "rules": {}})
            mine["rows"] += part.count
            for rule, n in part.rules.items():
                mine["rules"][rule] = mine["rules"].get(rule, 0) + n
        return found

    def of(self, customer: str, role: str) -> int:
        """How many rows of a source are a customer's, as far as can be told."""
        mine = (part for part in self.parts if part.role == role)
        return sum(is_of(row, customer) for part in mine for row in part.rows.to_pylist())

    def write(self, folder: Path) -> None:
        """The rows as a Parquet file for its owner alone; none where there is no such row."""
        if not self.parts:
            return
        path = folder / QUARANTINE_FILE
        pq.write_table(pa.concat_tables([part.rows for part in self.parts]), path, compression="zstd")
        path.chmod(0o600)


def is_of(row: Mapping[str, Any], customer: str) -> bool:
    """Whether a row of the quarantine is a customer's: by its id, or by any value where the row could not be parted.

    Examples
    --------
    >>> is_of({"customer_id": None, "values": [("id", " c7 "), ("field 4", "x")]}, "C7")
    True
    """
    if row["customer_id"] is not None:
        return bool(row["customer_id"] == customer)
    return any((value or "").strip().casefold() == customer.casefold() for _, value in row["values"])


def told(role: str, source: RoleSource[Any], raw: ir.Table) -> ir.Table:
    """The checked rows with their numbers, where rows have some, and with all that stands in the source."""
    numbered = engine_of(raw) == "duckdb" and not is_table(source.uris[0])
    return contracts.checked_rows(role, source, raw, numbered=numbered, said=True).table


def taken(
    role: str,
    source: RoleSource[Any],
    found: Raw,
    rows: ir.Table,
    names: Sequence[str],
    rules: Mapping[str, Said],
) -> Aside:
    """Rows that break a rule.

    Parameters
    ----------
    rows
        Of `told`, with a column for each rule.
    names
        The source's columns.
    rules
        Column that is true where a row breaks a rule, to the rule in words.
    """
    bad = {rule: rows[rule].fill_null(False) for rule in rules}
    some = rows.mutate(**bad).filter(lambda t: _any(t, rules))
    counts = arrow(
        some.aggregate(all_=some.count(), **{rule: some[rule].sum() for rule in rules})
    ).to_pylist()[0]
    numbered = "row_" in some.columns and found.spots is not None
    said = {f"said_{i}": name for i, name in enumerate(names)}
    some = some.select("customer_id", *rules, *said, *(["row_"] if numbered else []))
    some = some.order_by("row_") if numbered else some
    records = arrow(some.limit(_MOST), source).to_pylist()
    spots = found.spots({r["row_"] for r in records}) if numbered and found.spots else {}
    made = [
        {
            "role": role,
            "source": source.shown,
            **_spot(spots.get(record.get("row_"))),
            "customer_id": record["customer_id"],
            "rules": "; ".join(words for rule, words in rules.items() if record[rule]),
            "values": [(name, record[column]) for column, name in said.items()],
        }
        for record in records
    ]
    if not numbered:
        made.sort(key=lambda row: (row["customer_id"] or "", str(row["values"])))
    by_rule = {words: int(counts[rule] or 0) for rule, words in rules.items()}
    return Aside(
        role, counts["all_"], {k: n for k, n in by_rule.items() if n}, pa.Table.from_pylist(made, _SCHEMA)
    )


def _any(rows: ir.Table, columns: Iterable[str]) -> Any:
    first, *others = (rows[name] for name in columns)
    for other in others:
        first = first | other
    return first


def _spot(spot: Any) -> dict[str, Any]:
    return {"file": None, "line": None, "row": None} if spot is None else vars(spot)


def ragged(role: str, source: RoleSource[Any], found: Raw) -> Aside:
    """Rows of text files that do not fit the header."""
    width, made = len(found.names), []
    rules: dict[Said, int] = {}
    for file, line, fields in found.ragged:
        rule = said_n(
            "{n} field, {expected} expected", "{n} fields, {expected} expected", len(fields), expected=width
        )
        rules[rule] = rules.get(rule, 0) + 1
        names = [*found.names[: len(fields)], *(f"field {i + 1}" for i in range(width, len(fields)))]
        made.append(
            {
                "role": role,
                "source": source.shown,
                "file": file,
                "line": line,
                "rules": rule,
                "values": list(zip(names, fields, strict=True)),
            }
        )
    return Aside(role, len(made), rules, pa.Table.from_pylist(made[:_MOST], _SCHEMA))


def too_many(
    role: str, source: RoleSource[Any], parts: Sequence[Aside], rows: int, share: float
) -> list[Fault]:
    """A fault where more than the share of the rows would have to be put aside."""
    count = sum(part.count for part in parts)
    if count <= share * rows:
        return []
    rules = ", ".join(dict.fromkeys(rule for part in parts for rule in part.rules))
    what = (
        f"{count:,} of {rows:,} rows are bad ({rules}), more than max_bad_share ({share:g}) lets be put aside"
    )
    return [Fault(source.shown, what, "correct them, or raise max_bad_share")]
