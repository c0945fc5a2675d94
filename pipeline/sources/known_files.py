"""Which files of a role an earlier run has read as they stand, and which are read again.

Files are known by the digests of their bytes, read with the same settings by the same program. What is kept of a part
of them holds at every as-of date after the newest time in it: then no row of it is hidden. So a file that is new or
has changed is read again, and so is one with rows of the night or later.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from configs.roles import ROLES, ContractSource, RoleSource
from configs.schema import Config
from features.dialects import epoch
from features.snapshots import seconds
from pipeline.layout import layout_of
from pipeline.publish import code_digest
from pipeline.sources.databases import arrow
from pipeline.sources.parts import Part, Parts, SeenFile
from pipeline.sources.readers import Raw
from pipeline.sources.store import open_entry, used

# So many parts of a role at most; where there are more, the files of all but the largest are read again as one.
_MOST, _LARGEST = 16, 8
# New files are kept in parts of an eighth of all bytes: of those that change, no more than that is read again.
_SHARE = 1 / _LARGEST
_FILES = "files"
_LENGTH = 16


def why_not(role: str, source: RoleSource[Any], paths: Sequence[Path], config: Config) -> str:
    """Why a role's rows are read again every night; empty when they need not be."""
    if not paths:
        return "rows are kept of Parquet files only, which all have the same columns"
    if isinstance(source, ContractSource) or ROLES[role].clock != "occurred_at":
        return "rows are kept of events only"
    if source.distinct or "transaction_id" in source.mapped:
        return "its rows are compared with each other, by distinct or transaction_id"
    return "on_bad_rows is quarantine" if config.on_bad_rows != "stop" else ""


def parts_of(
    connection: Backend,
    role: str,
    found: Raw,
    typed: ir.Table,
    config: Config,
    as_of: dt.date,
    *,
    trim: bool,
) -> tuple[Parts | None, str]:
    """Divide the files of a role into parts of which something is kept, and one that is read as it is.

    Parameters
    ----------
    typed
        The rows with their times as times; nothing of them hidden.
    trim
        Whether texts are trimmed, which follows from all rows and not from the config.

    Returns
    -------
    tuple
        The parts, None when nothing is kept of any; and a line that says what is read again and why.
    """
    own = config.model_copy(update={"as_of": None}).digest
    versions = code_digest(), duckdb.__version__, ibis.__version__, pa.__version__
    key = _digest([own, *versions, str(found.table.schema()), str(trim)])
    folder, midnight = layout_of(config).store / role, seconds(as_of)
    files = [SeenFile.of(path) for path in found.paths]

    def part(of: Sequence[SeenFile], place: Path | None) -> Part:
        return Part(connection.read_parquet([str(file.path) for file in of]), place, of)

    known = _known(folder, key, files)
    parts = [part(of, place) for place, newest, of in known if newest < midnight]
    late = [file for _, newest, of in known if newest >= midnight for file in of]
    new = [file for file in files if not any(file in of for _, _, of in known)]
    loose = [file for file in new if file.fresh]
    for of in _groups([file for file in new if not file.fresh], _SHARE * sum(file.stat[0] for file in files)):
        one = part(of, folder / f"{key}-{_digest(sorted(file.digest for file in of))}")
        newest = _newest(Parts(connection, role, found.table, typed, ()).of(one, typed))
        told = {"files": [file.digest for file in of], "newest": newest}
        if newest >= midnight:
            late += of
        elif one.kept(_FILES, list, told) is None:
            loose += of
        else:
            parts.append(one)
    again = len(files) - sum(len(of) for _, newest, of in known if newest < midnight)
    line = f"engine.store: {role}: {again} of {len(files)} files are read again"
    line += f", {again - len(late)} of them not known as they are" if again > len(late) else ""
    line += f", {len(late)} of them with times at or after the as-of date" if late else ""
    if not parts:
        return None, line
    if loose or late:
        parts.append(part([*loose, *late], None))
    return Parts(connection, role, found.table, typed, parts), line


def _known(folder: Path, key: str, files: Sequence[SeenFile]) -> list[tuple[Path, float, list[SeenFile]]]:
    """The parts that are kept of these files: where, the newest time, the files; no file is in two of them."""
    entries = [entry for path in folder.glob(f"{key}-*/{_FILES}") if (entry := open_entry(path))]
    left, found = list(files), []
    for entry in sorted(entries, key=lambda entry: (-len(entry.told["files"]), entry.path)):
        wanted, taken = Counter(entry.told["files"]), []
        for file in left:
            if wanted[file.digest]:
                wanted[file.digest] -= 1
                taken.append(file)
        if not wanted.total():
            left = [file for file in left if file not in taken]
            found.append((entry.path.parent, entry.told["newest"], taken))
            used(entry.path.parent)
    if len(found) <= _MOST:
        return found
    return sorted(found, key=lambda one: -sum(file.stat[0] for file in one[2]))[:_LARGEST]


def _newest(typed: ir.Table) -> float:
    """The newest of all times of the rows, in seconds since 1970; endless without any."""
    times = [epoch(typed[name], "duckdb") for name, kind in typed.schema().items() if kind.is_timestamp()]
    found = arrow(typed.aggregate(**{str(i): at.max() for i, at in enumerate(times)})).to_pylist()[0]
    return max((at for at in found.values() if at is not None), default=math.inf)


def _groups(files: Sequence[SeenFile], size: float) -> Iterator[list[SeenFile]]:
    """Files one after another, so many that each group has so many bytes."""
    group: list[SeenFile] = []
    for file in files:
        group.append(file)
        if sum(one.stat[0] for one in group) >= size:
            yield group
            group = []
    if group:
        yield group


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:_LENGTH]
