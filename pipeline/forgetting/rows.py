"""One customer out of one file: the rows of others keep their bytes, or their values where a format is binary."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.csv_text import neutral
from pipeline.sources.quarantine import is_of

ID = "customer_id"
BOM = "\ufeff"
_EVENT = re.compile(r"BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n", re.DOTALL)
_SUMMARY = re.compile(r"^SUMMARY:(.*)$", re.MULTILINE)


def out_of_parquet(content: bytes, customer: str) -> tuple[bytes, list[int]]:
    """The file without the customer's rows, and their places; the same bytes when there are none."""
    table = pq.read_table(pa.BufferReader(content))
    if ID not in table.column_names:
        return content, []
    if "values" in table.column_names:  # of the quarantine, whose rows may have no id that can be read
        theirs = pa.array([is_of(row, customer) for row in table.to_pylist()], pa.bool_())
    else:
        theirs = pc.equal(table[ID].cast(pa.string()), customer).fill_null(False)
    places = pc.indices_nonzero(theirs).to_pylist()
    if not places:
        return content, []
    sink = pa.BufferOutputStream()
    pq.write_table(table.filter(pc.invert(theirs)), sink, compression="zstd")
    return bytes(sink.getvalue()), places


def out_of_csv(content: bytes, customer: str, places: list[int] | None = None) -> tuple[bytes, int]:
    r"""The file without the customer's lines, and how many they were.

    Parameters
    ----------
    places
        Of the rows to take out; absent, those whose cell of `customer_id` is the customer.

    Examples
    --------
    >>> out_of_csv(b"customer_id,why\n7,a\n17,7\n", "7")
    (b'customer_id,why\n17,7\n', 1)
    """
    records = list(_records(content.decode("utf-8")))
    if not records:
        return content, 0
    head = [name.lstrip(BOM) for name in records[0][0]]
    if places is None:
        if ID not in head:
            return content, 0
        at, names = head.index(ID), {customer, neutral(customer)}
        places = [i for i, (cells, _) in enumerate(records[1:]) if len(cells) > at and cells[at] in names]
    gone = set(places)
    kept = [text for i, (_, text) in enumerate(records[1:]) if i not in gone]
    return "".join([records[0][1], *kept]).encode() if gone else content, len(gone)


def _records(text: str) -> Iterator[tuple[list[str], str]]:
    """Cells and text of each record; one in quotes may run over several lines."""
    lines = io.StringIO(text, newline="").readlines()
    reader, before = csv.reader(lines), 0
    for cells in reader:
        yield cells, "".join(lines[before : reader.line_num])
        before = reader.line_num


def out_of_calendar(content: bytes, customer: str, phrases: list[str]) -> tuple[bytes, int]:
    """The calendar without the entries whose summary ends with the customer, or is one of the phrases."""
    gone = 0

    def kept(found: re.Match[str]) -> str:
        nonlocal gone
        unfolded = re.sub(r"\r?\n[ \t]", "", found[0])
        summary = _SUMMARY.search(unfolded)
        told = re.sub(r"\\(.)", r"\1", summary[1].strip()) if summary else ""
        if not (told.endswith(f": {customer}") or told in phrases):
            return found[0]
        gone += 1
        return ""

    text = _EVENT.sub(kept, content.decode("utf-8"))
    return (text.encode() if gone else content), gone


def out_of_page(content: bytes, customer: str) -> tuple[bytes, int]:
    """The page without the rows of the customer.

    Examples
    --------
    >>> page = b'<tbody role="rowgroup" data-customer="7" x><tr>a</tr></tbody><tbody data-customer="17"></tbody>'
    >>> out_of_page(page, "7")
    (b'<tbody data-customer="17"></tbody>', 1)
    """
    name = re.escape(html.escape(customer))
    name = name.replace(re.escape("&#x27;"), "(?:&#x27;|&#39;)").replace(
        re.escape("&quot;"), "(?:&quot;|&#34;)"
    )
    row = rf"<tr role=\"row\">(?:(?!</tr>).)*?<bdi>{name}</bdi>(?:(?!</tr>).)*</tr>\s*"
    group = rf"<tbody [^>]*data-customer=\"{name}\"[^>]*>.*?</tbody>\s*"
    text, groups = re.subn(group, "", content.decode("utf-8"), flags=re.DOTALL)
    text, rows = re.subn(row, "", text, flags=re.DOTALL)
    return (text.encode() if groups + rows else content), groups + rows
