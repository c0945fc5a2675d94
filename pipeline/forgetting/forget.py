"""`churn forget`: a customer out of ledger, runs and marks, and a certificate that names nobody."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from configs.errors import ChurnError, ConfigError
from configs.schema import Config
from pipeline.commit import MANIFEST, settle_nights
from pipeline.forgetting.rows import ID, out_of_calendar, out_of_csv, out_of_page, out_of_parquet
from pipeline.languages.language import LANGUAGES, Language
from pipeline.layout import Layout, layout_of
from pipeline.outreach.calendar import CONTACT
from pipeline.outreach.files import owner_workbooks
from pipeline.outreach.workbook import workbook_bytes
from pipeline.publish import as_json, only_run, sha256_of, write_atomic
from pipeline.result import Result
from pipeline.sources.contacted import OPT_OUT, read_marks, write_marks
from pipeline.sources.opening import open_sources

ELSEWHERE = (
    "copies outside this folder: backups, imports into a CRM, calendars, printed lists, folders given by --out",
    "the models, which hold sums over many customers and no ids",
    "the tracking store, which holds figures of whole nights and no ids",
)


@dataclass
class _Removed:
    """File to how many rows, entries or marks were taken out of it."""

    folder: Path
    files: dict[str, int] = field(default_factory=dict)

    def write(self, path: Path, content: bytes, count: int) -> None:
        if count:
            write_atomic(path, content)
            self.files[path.relative_to(self.folder).as_posix()] = count


def forget(config: Config, customer: str, as_of: dt.date, out: Path | None, now: dt.datetime) -> Result:
    """Take a customer out of everything that churn keeps below a folder.

    Parameters
    ----------
    customer
        The id, as it stands in the sources.
    out
        Folder that was given to `churn score --out`; the config's own when None.
    now
        Stands in the certificate, and in its name.

    Returns
    -------
    Result
        Exit code 3 when the sources still hold the customer, or can't be asked.

    Raises
    ------
    ConfigError
        Without an id.
    TryAgainError
        While another run is at work.
    """
    if not customer.strip():
        raise ConfigError("CUSTOMER is empty; give the id as it stands in the sources")
    layout = layout_of(config, out)
    if not layout.folder.is_dir():
        raise ConfigError(f"{layout.folder}: nothing is kept there; check --config or --out")
    removed, left = _Removed(layout.folder), _left_in_sources(config, customer, as_of)
    with ExitStack() as stack:
        for folder, what in (
            (layout.runs, "score"),
            (layout.ledger, "outcomes"),
            (layout.folder, "contacted"),
        ):
            stack.enter_context(only_run(folder, what))
        settle_nights(layout)
        try:
            for part in sorted(layout.ledger.glob("as_of=*/*.parquet")):
                content, places = out_of_parquet(part.read_bytes(), customer)
                removed.write(part, content, len(places))
            for run in sorted(path for path in layout.runs.glob("????-??-??") if path.is_dir()):
                _out_of_run(run, layout, config, customer, removed)
            left += _out_of_marks(layout, customer, removed, still_there=bool(left))
            _out_of_store(layout_of(config).store, removed)
        except OSError as error:
            raise ChurnError(
                f"{error.filename}: can't be written: {error.strerror}; what was taken out so far stays out, run again"
            ) from error
    certificate = {
        "at": now.isoformat(timespec="seconds"),
        "removed": removed.files,
        "left": [*left, *ELSEWHERE],
    }
    file = layout.folder / "forgotten" / f"{now:%Y-%m-%dT%H%M%S}.json"
    write_atomic(file, as_json(certificate))
    return _result(certificate, left, file)


def _result(certificate: dict[str, Any], left: list[str], file: Path) -> Result:
    files = certificate["removed"]
    lines = [f"removed: {count} in {name}" for name, count in files.items()]
    lines = lines or ["nothing of this customer was kept"]
    lines += [f"not reached: {what}" for what in ELSEWHERE]
    lines.append(f"certificate {file}")
    return Result("\n".join(lines), {**certificate, "certificate": str(file)}).with_look(left)


def _out_of_run(run: Path, layout: Layout, config: Config, customer: str, removed: _Removed) -> None:
    before = len(removed.files)
    places: dict[str, list[int]] = {}
    for file in sorted(run.glob("*.parquet")):
        content, places[file.stem] = out_of_parquet(file.read_bytes(), customer)
        removed.write(file, content, len(places[file.stem]))
    listed = places.get("outreach") or []
    for file in sorted(run.glob("*.csv")):
        # A CRM's columns have its own names; its rows are those of the list.
        given = listed if file.stem in config.outreach.crm else None
        removed.write(file, *out_of_csv(file.read_bytes(), customer, given))
    phrases = [Language(code).word(CONTACT).format(customer=customer) for code in LANGUAGES]
    for file in sorted(run.glob("*.ics")):
        removed.write(file, *out_of_calendar(file.read_bytes(), customer, phrases))
    for file in sorted(run.glob("*.html")):
        removed.write(file, *out_of_page(file.read_bytes(), customer))
    book = run / "outreach.xlsx"
    if listed and book.exists():
        table = _as_times(pq.read_table(run / "outreach.parquet", partitioning=None).to_pandas())
        day = dt.date.fromisoformat(run.name)
        removed.write(book, workbook_bytes(table, day, Language(config.language)), len(listed))
        languages = config.outreach.owner_languages
        theirs = owner_workbooks(table, day, lambda owner: Language(languages.get(owner, config.language)))
        empty = workbook_bytes(table.iloc[:0], day, Language(config.language))
        for file in sorted(run.glob("list-*.xlsx")):  # an owner of nobody else has an empty list now
            removed.write(file, theirs.get(file.name, empty), len(listed))
    if len(removed.files) > before:
        _correct(run, layout)


def _as_times(table: pd.DataFrame) -> pd.DataFrame:
    days = [c for c in table if table[c].map(lambda cell: isinstance(cell, dt.date)).any()]
    return table.assign(**{str(c): pd.to_datetime(table[c]) for c in days})


def _correct(run: Path, layout: Layout) -> None:
    """Let the manifest name what the files hold now."""
    manifest = run / MANIFEST
    if not manifest.is_file():
        return
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["files"] = {name: sha256_of(run / name) for name in content["files"] if (run / name).is_file()}
    part = layout.ledger / f"as_of={run.name}" / "part.parquet"
    if part.is_file() and "ledger_sha256" in content:
        content["ledger_sha256"] = sha256_of(part)
    write_atomic(manifest, as_json(content))


def _out_of_marks(layout: Layout, customer: str, removed: _Removed, *, still_there: bool) -> list[str]:
    """Take out the marks; a wish not to be contacted stays while the sources hold the customer, who would be listed."""
    marks = read_marks(layout.contacted)
    wishes = {
        mark for mark in marks if still_there and mark.customer_id == customer and mark.outcome == OPT_OUT
    }
    kept = tuple(mark for mark in marks if mark.customer_id != customer or mark in wishes)
    if len(kept) < len(marks):
        write_marks(layout.contacted, kept)
        removed.files[layout.contacted.name] = len(marks) - len(kept)
    if not wishes:
        return []
    return [
        f"{layout.contacted.name}: the wish not to be contacted stays until the sources no longer hold the customer"
    ]


def _out_of_store(store: Path, removed: _Removed) -> None:
    """Delete all rows that were kept of the sources: the next night reads them there."""
    files = [path for path in store.rglob("*") if path.is_file()]
    if files:
        shutil.rmtree(store)
        removed.files[f"{store.name} (all of it: the next night reads its rows in the sources)"] = len(files)


def _left_in_sources(config: Config, customer: str, as_of: dt.date) -> list[str]:
    """What the sources still hold: the next night would score the customer again."""
    try:
        sources = open_sources(config, as_of, dated=config.churn.kind != "labelled")
        counts = {
            role: int((t[ID] == customer).sum().to_pyarrow().as_py() or 0)
            + sources.quarantine.of(customer, role)
            for role, t in sources.tables.items()
        }
    except ChurnError as error:
        return [f"the sources can't be asked whether they hold the customer: {error}"]
    return [
        f"sources.{role}: {config.sources.given[role].shown} still holds {count} rows of the customer; delete them "
        "there, or the next night scores the customer again"
        for role, count in counts.items()
        if count
    ]
