import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outreach_data import customers, night

from configs.errors import ConfigError
from configs.outreach import Outreach
from pipeline.csv_text import STARTS_FORMULA, csv_text
from pipeline.outreach.exports import crm_table

DANGER = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", " =1", '=cmd|"/C calc"!A0']


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_formulas_are_neutralised_and_numbers_are_not():
    table = pd.DataFrame({"id": DANGER, "gain": -1.5, "day": pd.Timestamp("2026-07-01"), "=x": "00, 7"})
    header, *rows = read(csv_text(table))
    assert header == ["id", "gain", "day", "'=x"]
    assert [row[0] for row in rows] == ["'" + text.replace("\r", "\n") for text in DANGER]
    assert {tuple(row[1:]) for row in rows} == {("-1.5", "2026-07-01", "00, 7")}


def test_text_survives():
    texts = ["000123", "O'Neill", '"Bo" Berg', "سارا محمدی", "राहुल", "a,b;c", "line\nbreak", "۱۲۳"]
    assert [row[0] for row in read(csv_text(pd.DataFrame({"id": texts})))[1:]] == texts


def test_a_carriage_return_makes_no_new_row():
    assert len(read(csv_text(pd.DataFrame({"id": ["a\r=cmd()", "b\r\n@x"]})))) == 3


def test_gaps_are_empty_and_times_keep_their_hours():
    table = pd.DataFrame(
        {"at": pd.to_datetime(["2026-07-01 10:30", None]), "n": [np.nan, 1.0], "t": pd.Series(["a", None])}
    )
    assert csv_text(table) == "at,n,t\n2026-07-01T10:30:00,,a\n,1.0,\n"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), min_size=1))
def test_no_cell_ever_starts_a_formula(texts):
    for row in read(csv_text(pd.DataFrame({"id": pd.Series(texts, dtype="object")})))[1:]:
        assert not "".join(row).lstrip().startswith(STARTS_FORMULA)


IDS = {
    "hubspot_id": "H1",
    "salesforce_id": "S1",
    "salesforce_owner_id": "U1",
    "dynamics_id": "D1",
    "pipedrive_id": "P1",
}
# What the makers publish: columns without which no task comes about, words of a choice, and the longest text.
RULES = {
    "hubspot": {"must": {"Task title", "Due date"}, "Task type": {"CALL", "EMAIL", "TODO"}},
    "pipedrive": {"must": {"Subject", "Due date"}, "Type": {"Call", "Email", "Meeting", "Task"}},
    "salesforce": {
        "must": {"Subject", "ActivityDate", "Status", "Priority"},
        "Subject": 255,
        "Description": 32_000,
    },
    "dynamics": {"must": {"Subject"}, "Subject": 200},
}


@pytest.mark.parametrize("system", RULES)
@pytest.mark.parametrize("channel", ["phone", "email", "meeting", "chat", "post"])
def test_a_ready_import_follows_its_makers_rules(system, channel):
    columns = Outreach(crm={system: "ready"}).crm
    found = night(customers(1, **IDS), crm={system: "ready"}).chosen
    listed = found.assign(channel=channel, title="Call \u0633" * 99, message="m" * 40_000)
    row = crm_table(listed, columns[system], system).iloc[0]
    assert RULES[system]["must"] <= set(row.index)
    for column, rule in RULES[system].items():
        if column != "must":
            assert len(row[column]) <= rule if isinstance(rule, int) else row[column] in rule


def test_ready_columns_carry_the_ids_of_their_system():
    crm = dict.fromkeys(RULES, "ready")
    found = night(customers(1, **IDS), crm=crm).chosen
    sets = Outreach(crm=crm).crm
    tasks = crm_table(found, sets["salesforce"], "salesforce").iloc[0]
    assert tasks[["Subject", "Status", "OwnerId", "WhoId"]].tolist() == ["Do it", "Not Started", "U1", "S1"]
    assert tasks["ActivityDate"] == pd.Timestamp("2026-07-04")
    assert crm_table(found, sets["hubspot"], "hubspot").loc[0, "Record ID"] == "H1"
    assert crm_table(found, sets["pipedrive"], "pipedrive").loc[0, "Person ID"] == "P1"
    assert list(crm_table(found, sets["dynamics"], "dynamics")) == list(sets["dynamics"])


def test_words_of_ones_own_for_an_import():
    columns = {
        "Kind": {"column": "channel", "values": {"phone": "Anruf"}},
        "Kurz": {"column": "title", "longest": 3},
    }
    rules = Outreach(crm={"ours": columns}).crm["ours"]
    listed = pd.DataFrame({"channel": ["phone", "post"], "title": ["Call", "Do"]})
    assert crm_table(listed, rules, "ours").to_dict("list") == {
        "Kind": ["Anruf", "post"],
        "Kurz": ["Cal", "Do"],
    }


def test_columns_that_are_not_there_are_named_all_at_once():
    sets = Outreach(crm={"salesforce": "ready"}).crm
    with pytest.raises(ConfigError) as caught:
        crm_table(night(customers(1)).chosen, sets["salesforce"], "salesforce")
    assert [fault.where for fault in caught.value.faults] == [
        "outreach.crm.salesforce.OwnerId",
        "outreach.crm.salesforce.WhoId",
    ]


def test_nothing_is_ready_for_an_unknown_system():
    with pytest.raises(ValueError, match="ready are hubspot, pipedrive, salesforce, dynamics"):
        Outreach(crm={"sugar": "ready"})
