"""A customer is taken out of every file, and nobody else is touched."""

import datetime as dt
import io
import json
import os
import re
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ConfigError
from configs.schema import Engine
from pipeline.commit import commit
from pipeline.csv_text import csv_text
from pipeline.forgetting.forget import forget
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outreach.files import parquet_bytes
from pipeline.publish import as_json, file_digests
from pipeline.sources.contacted import Mark, read_marks, write_marks
from pipeline.sources.opening import open_sources
from tests.pipeline.outcomes.test_ledger import night

DAY, NOW = dt.date(2024, 3, 1), dt.datetime(2024, 3, 2, 8)
IDS = ["0000", "0001", "0002", "=00", "a<b&'c"]


def event(summary):
    return (
        f"BEGIN:VEVENT\r\nUID:{hash(summary)}\r\nSUMMARY:{summary}\r\nDESCRIPTION:7\\, 0000\r\nEND:VEVENT\r\n"
    )


def test_rows_that_were_kept_of_the_sources_go_and_it_is_said(tiny):
    """All of them, whoever is forgotten: a customer's rows stand among those of others."""
    rows = pd.DataFrame({"customer_id": ["a", "b"], "occurred_at": pd.to_datetime(["2024-01-01"] * 2)})
    config = tiny(transactions=rows, sections={"engine": {"store": True}})
    os.utime(config.home / "transactions.parquet", (1.7e9, 1.7e9))
    open_sources(config, DAY)
    store = layout_of(config).store
    assert any(path.is_file() for path in store.rglob("*"))
    result = forget(config, "a", DAY, None, NOW)
    assert not store.exists()
    assert "in store (all of it: the next night reads its rows in the sources)" in result.text
    result = forget(config.model_copy(update={"engine": Engine()}), "a", DAY, None, NOW)
    assert "in store" not in result.text


@pytest.fixture
def company(tiny):
    """A shop with two nights, a correction, and marks; ids are awkward."""
    config = tiny(transactions="customer_id,occurred_at\n0001,2024-01-01\n0002,2024-02-01\n")
    layout = layout_of(config)
    table = pd.DataFrame({"customer_id": IDS, "message": ["0001, hello\nthere"] * 5, "gain": [1.0] * 5})
    page = "".join(
        f'<tbody role="rowgroup" data-customer="{name}"><tr role="row"><td>why</td></tr></tbody>'
        for name in ("0000", "0001", "0002", "=00", "a&lt;b&amp;&#39;c")
    )

    def write(folder):
        (folder / "outreach.csv").write_text(csv_text(table))
        (folder / "outreach.parquet").write_bytes(parquet_bytes(table))
        (folder / "report.html").write_text(f"<table>{page}</table>")
        calendar = "".join(event(f"Call: {name}") for name in IDS) + event("Contact 0001")
        (folder / "calendar-x.ics").write_bytes(f"BEGIN:VCALENDAR\r\n{calendar}END:VCALENDAR\r\n".encode())
        content = {"config": config.name, "files": file_digests(folder), "ledger_sha256": "x"}
        (folder / "manifest.json").write_text(as_json(content))

    rows = night(5, customer_id=IDS)
    for day, value in ((DAY, 1.0), (DAY, 2.0), (DAY + dt.timedelta(1), 1.0)):
        ledger.append(layout.ledger, day, rows.assign(value=value))
        commit(layout, day, write)
    write_marks(layout.contacted, tuple(Mark(name, NOW, "reached") for name in IDS))
    return config


def kept_rows(layout):
    """Every kept row that has an id, by file."""
    found = {}
    for file in sorted([*layout.ledger.rglob("*.parquet"), *layout.runs.rglob("*.parquet")]):
        found[str(file)] = pq.read_table(io.BytesIO(file.read_bytes())).to_pylist()
    for file in sorted([*layout.runs.rglob("*.csv"), layout.contacted]):
        found[str(file)] = pd.read_csv(file, dtype=str, keep_default_na=False).to_dict("records")
    return found


def of(rows, customer):
    return [row for row in rows if row["customer_id"] in (customer, f"'{customer}")]


@pytest.mark.parametrize("customer", IDS)
def test_no_file_knows_the_customer_and_the_others_stay(company, customer):
    layout = layout_of(company)
    before = kept_rows(layout)
    result = forget(company, customer, DAY, None, NOW)
    after = kept_rows(layout)
    assert before.keys() == after.keys()
    for name, rows in before.items():
        assert of(rows, customer), name
        assert after[name] == [row for row in rows if row not in of(rows, customer)], name
    for run in layout.runs.glob("2024*"):
        assert len(re.findall("<tbody", (run / "report.html").read_text())) == 4
        assert f"Call: {customer}\r\n" not in (run / "calendar-x.ics").read_bytes().decode()
        manifest = json.loads((run / "manifest.json").read_text())
        assert manifest["files"] == {n: d for n, d in file_digests(run).items() if n != "manifest.json"}
    certificate = next((layout.folder / "forgotten").iterdir()).read_text()
    assert not re.search(rf"(?<![\w.]){re.escape(customer)}(?![\w.])", certificate.replace("as_of=", ""))
    assert len(result.values["removed"]) == 3 + 2 * 4 + 1
    assert result.exit_code == (3 if customer in ("0001", "0002") else 0)
    again = forget(company, customer, DAY, None, NOW + dt.timedelta(hours=1))
    assert again.values["removed"] == {}


def test_a_customer_of_nobody_changes_no_byte(company):
    layout = layout_of(company)
    before = {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in layout.folder.rglob("*.*") if f.is_file()}
    assert "nothing of this customer was kept" in forget(company, "00", DAY, None, NOW).text
    assert before == {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in before}


def test_what_the_sources_hold_is_said(company):
    text = forget(company, "0001", DAY, None, NOW).text
    assert (
        "look: sources.transactions: transactions.csv still holds 1 rows of the customer; delete them" in text
    )


def test_a_wish_not_to_be_contacted_stays_while_the_customer_may_be_listed(company):
    layout = layout_of(company)
    write_marks(layout.contacted, tuple(Mark(name, NOW, "do_not_contact") for name in ("0000", "0001")))
    assert "the wish not to be contacted stays" in forget(company, "0001", DAY, None, NOW).text
    forget(company, "0000", DAY, None, NOW + dt.timedelta(hours=1))
    assert [mark.customer_id for mark in read_marks(layout.contacted)] == ["0001"]


def test_wrong_use_is_said(company, tmp_path):
    with pytest.raises(ConfigError, match="CUSTOMER is empty"):
        forget(company, " ", DAY, None, NOW)
    shutil.rmtree(layout_of(company).folder)
    with pytest.raises(ConfigError, match="nothing is kept there"):
        forget(company, "0001", DAY, None, NOW)
