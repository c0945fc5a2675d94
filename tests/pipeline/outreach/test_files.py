import io

import pandas as pd
import pytest
from test_calendar import decided

from configs.errors import ConfigError
from pipeline.outreach.files import outreach_files

COLUMNS = (
    "rank block customer_id churn_probability value value_at_risk expected_gain reason_1 reason_2 reason_3 action "
    "title channel owner message last_contact contact_gap_days due_date"
)


def test_every_file_of_a_night():
    files = outreach_files(*decided(), "shop")
    assert sum(name.startswith("list-") for name in files) == 1
    assert {name for name in files if not name.startswith(("calendar-", "list-"))} == {
        f"{table}.{kind}"
        for table in ("outreach", "suppressed", "contact_calendar")
        for kind in ("csv", "parquet")
    } | {"outreach.xlsx"}
    assert sum(name.endswith(".ics") for name in files) == 2
    text, parquet = (files[f"outreach.{kind}"] for kind in ("csv", "parquet"))
    assert text.decode().splitlines()[0] == COLUMNS.replace(" ", ",")
    listed = pd.read_parquet(io.BytesIO(parquet))
    assert listed.customer_id.tolist() == pd.read_csv(io.BytesIO(text), dtype=str).customer_id.tolist()
    assert [str(day) for day in listed.due_date] == ["2026-07-04"]


def test_the_same_night_gives_the_same_bytes():
    assert outreach_files(*decided(30), "shop") == outreach_files(*decided(30), "shop")


def test_csv_files_for_people_begin_with_a_mark_for_excel_and_those_for_a_crm_do_not():
    files = outreach_files(*decided(crm={"ours": {"Task": "title"}}), "shop", excel=True)
    plain = outreach_files(*decided(crm={"ours": {"Task": "title"}}), "shop")
    marked = {name for name in files if files[name].startswith(b"\xef\xbb\xbf")}
    assert marked == {"outreach.csv", "suppressed.csv", "contact_calendar.csv"}
    assert all(files[name].removeprefix(b"\xef\xbb\xbf") == plain[name] for name in files)


def test_nothing_to_write_is_written_too():
    files = outreach_files(*decided(0), "shop")
    assert files["outreach.csv"].decode().strip() == COLUMNS.replace(" ", ",")


def test_a_crm_gets_its_file_or_a_clear_error():
    files = outreach_files(*decided(crm={"ours": {"Task": "title", "State": "=Open"}}), "shop")
    assert files["ours.csv"].decode() == "Task,State\nDo it,Open\n"
    with pytest.raises(ConfigError, match="does not fit the import of hubspot"):
        outreach_files(*decided(crm={"hubspot": "ready"}), "shop")
