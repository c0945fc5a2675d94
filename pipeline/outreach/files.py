"""The files of one night's list: for people, for calendars, for the CRM, and as Parquet for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.csv_text import csv_text
from pipeline.languages.language import Language
from pipeline.languages.said import said_again, spoken, together
from pipeline.outreach.calendar import calendar_files, contact_calendar, file_name
from pipeline.outreach.context import Prepared
from pipeline.outreach.decision import Decision
from pipeline.outreach.eligibility import SEVERAL_RULES
from pipeline.outreach.exports import crm_table
from pipeline.outreach.workbook import workbook_bytes

_DIGITS = {"churn_probability": 4, "value": 2, "value_at_risk": 2, "expected_gain": 2}


def outreach_files(
    prepared: Prepared, decision: Decision, company: str, *, excel: bool = False
) -> dict[str, bytes]:
    """Every file of the list, by name; the same night gives the same bytes.

    `outreach`, `suppressed` and `contact_calendar` as CSV and Parquet, `outreach` as a workbook, too, a workbook and
    an `.ics` file for each owner, and a CSV file for each CRM of the config. Call it before the ledger is written:
    what is wrong with the config shows here.

    Parameters
    ----------
    excel
        Whether the CSV files for people begin with the mark by which Excel knows UTF-8; those for a CRM never do.

    Raises
    ------
    ConfigError
        When a CRM import names columns that the list doesn't have.
    """
    context = prepared.context
    chosen = decision.chosen.round({k: v for k, v in _DIGITS.items() if k in decision.chosen})
    calendar = contact_calendar(prepared, decision)
    tables = {"outreach": chosen, "suppressed": decision.suppressed, "contact_calendar": calendar}
    files = {
        f"{system}.csv": csv_text(crm_table(chosen, columns, system)).encode()
        for system, columns in context.settings.crm.items()
    }
    for name, table in tables.items():
        shown = _in_words(table, context.language_of()) if name == "suppressed" else table
        files[f"{name}.csv"] = csv_text(shown).encode("utf-8-sig" if excel else "utf-8")
        files[f"{name}.parquet"] = parquet_bytes(table)
    files["outreach.xlsx"] = workbook_bytes(chosen, context.as_of, context.language_of())
    files |= owner_workbooks(chosen, context.as_of, context.language_of)
    owners = calendar_files(calendar, chosen, context, company)
    return files | {name: text.encode() for name, text in owners.items()}


def _in_words(suppressed: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The rules as people read them; the Parquet file keeps those that programs know."""
    words = {
        rules: spoken(together(map(said_again, rules.split(SEVERAL_RULES)), SEVERAL_RULES), language)
        for rules in suppressed["rules"].unique()
    }
    return suppressed.assign(rules=suppressed["rules"].map(words))


def owner_workbooks(
    chosen: pd.DataFrame, as_of: dt.date, language_of: Callable[[str], Language]
) -> dict[str, bytes]:
    """A workbook for each owner of the list, with nobody else's customers: name to content."""
    return {
        file_name(str(owner), "list", "xlsx"): workbook_bytes(rows, as_of, language_of(str(owner)))
        for owner, rows in chosen.groupby("owner", sort=True)
    }


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """The table as Parquet, times without a part of a day as dates.

    Examples
    --------
    >>> content = parquet_bytes(pd.DataFrame({"due_date": pd.to_datetime(["2026-07-04"])}))
    >>> pq.read_table(pa.BufferReader(content)).schema.field("due_date").type
    DataType(date32[day])
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    for i, field in enumerate(arrow.schema):
        if pa.types.is_timestamp(field.type):
            times = table[field.name].dropna()
            if (times == times.dt.normalize()).all():
                arrow = arrow.set_column(i, field.name, arrow[i].cast(pa.date32()))
    sink = pa.BufferOutputStream()
    pq.write_table(arrow, sink, compression="zstd")
    return bytes(sink.getvalue())
