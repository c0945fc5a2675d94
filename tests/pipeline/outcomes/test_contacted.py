import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from configs.outreach import Outreach
from pipeline.layout import layout_of
from pipeline.outcomes import ledger
from pipeline.outcomes.contacted import contacted, marks_of
from pipeline.outcomes.drawn import in_contact_log
from pipeline.outreach.consent import do_not_contact
from pipeline.outreach.contact_facts import contact_facts
from pipeline.sources.contacted import OUTCOMES, Mark, opted_out, read_marks, with_marks, write_marks
from pipeline.sources.opening import open_sources

NOW = dt.datetime(2024, 3, 1, 12)
AS_OF = dt.date(2024, 3, 2)
BOUGHT = "customer_id,occurred_at\n" + "".join(f"00{i},2024-02-0{i}\n" for i in range(1, 8))
HEAD = "config,list,customer_id,occurred_at,outcome,note\n"


@pytest.fixture
def listed(tiny):
    """A company whose list has had the customers 001 to 005."""

    def make(**roles):
        config = tiny(transactions=BOUGHT, **roles)
        rows = [
            dict.fromkeys(ledger.SCHEMA.names[1:]) | {"customer_id": f"00{i}", "chosen": i < 6}
            for i in range(1, 8)
        ]
        ledger.append(layout_of(config).ledger, dt.date(2024, 3, 1), pd.DataFrame(rows))
        return config

    return make


def saved(tmp_path, config, *rows, head=HEAD):
    path = tmp_path / "marks.csv"
    path.write_text(head + "".join(f"{config.name},2024-03-01,{row}\n" for row in rows), encoding="utf-8")
    return path


def test_marks_are_added_once_and_the_same_file_changes_nothing(listed, tmp_path):
    config = listed()
    path = saved(
        tmp_path,
        config,
        '001,2024-03-01T10:00:00+01:00,promised,"a, b"',
        "002,2024-03-01T09:30:00Z,not_reached,",
    )
    assert contacted(config, path, NOW).values["added"] == 2
    content = layout_of(config).contacted.read_bytes()
    again = contacted(config, path, NOW)
    assert (again.values["added"], again.values["again"]) == (0, 2)
    assert layout_of(config).contacted.read_bytes() == content
    first = read_marks(layout_of(config).contacted)[0]
    assert first == Mark("001", dt.datetime(2024, 3, 1, 9), "promised", "a, b")


def test_every_fault_is_told_at_once_and_nothing_is_written(listed, tmp_path):
    config = listed()
    path = saved(
        tmp_path,
        config,
        "001,2024-03-01T09:00:00Z,fine,",
        "001,yesterday,done,",
        ",2024-03-01T09:00:00Z,done,",
        "001,2024-04-01T09:00:00Z,done,",
        "002,2024-03-01T09:00:00Z,done,",
    )
    path.write_text(path.read_text() + "other,2024-03-01,001,2024-03-01T09:00:00Z,done,\n")
    with pytest.raises(DataError) as error:
        contacted(config, path, NOW)
    told = str(error.value)
    assert told.startswith("5 faults in the marked contacts; nothing was added")
    for line, what in (
        (2, "'fine' is unknown"),
        (3, "'yesterday' is no time"),
        (4, "no customer_id"),
        (5, "lies ahead"),
    ):
        assert f"line {line}: " in told
        assert what in told
    assert "is of the config 'other'" in told
    assert not layout_of(config).contacted.exists()


def test_ids_of_no_list_are_refused_but_an_opt_out_counts_for_anybody(listed, tmp_path):
    config = listed()
    with pytest.raises(DataError, match=r"(?s)^1 fault in the marked .*customer '007': was on no list"):
        contacted(config, saved(tmp_path, config, "007,2024-03-01T09:00:00Z,done,"), NOW)
    contacted(config, saved(tmp_path, config, "007,2024-03-01T09:00:00Z,do_not_contact,"), NOW)
    # Whatever the as-of date: consent fails closed.
    assert do_not_contact(config, open_sources(config, dt.date(2024, 2, 20))).customers == {"007"}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\x01"])
def test_another_file_is_refused_with_the_way_to_the_right_one(listed, tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="save it in the report"):
        contacted(listed(), path, NOW)
    with pytest.raises(ConfigError, match="give the file that the report saved"):
        contacted(listed(), tmp_path / "absent.csv", NOW)


def test_semicolons_of_a_spreadsheet_and_its_mark_are_read():
    text = "\ufeffconfig;customer_id;occurred_at;outcome\r\nshop;001;2024-03-01 09:00;done\r\n"
    assert marks_of(text.lstrip("\ufeff"), "shop", "f", NOW) == (
        Mark("001", dt.datetime(2024, 3, 1, 9), "done"),
    )


def test_a_damaged_record_stops_the_night(listed):
    config = listed()
    layout_of(config).contacted.write_text("customer_id,occurred_at\n1,soon\n")
    with pytest.raises(DataError, match="who asked not to be contacted"):
        open_sources(config, AS_OF)


@pytest.mark.parametrize(
    "columns", [[], ["channel"], ["channel", "direction", "agent", "topic", "resolved_at", "complaint"]]
)
def test_the_log_with_marks_is_that_of_a_plain_merge(columns):
    rng = np.random.default_rng(2)
    log = pd.DataFrame(
        {
            "customer_id": rng.choice(["a", "b", "c"], 20),
            "occurred_at": pd.Timestamp(2024, 2, 1) + pd.to_timedelta(rng.integers(0, 30 * 24, 20), unit="h"),
            "channel": "email",
            "direction": "inbound",
            "agent": "Tom",
            "topic": "review",
            "resolved_at": pd.Timestamp(2024, 2, 28),
            "complaint": False,
        }
    )[["customer_id", "occurred_at", *columns]]
    marks = tuple(
        Mark(
            str(rng.choice(["a", "b", "d"])),
            dt.datetime(2024, 2, 1) + dt.timedelta(hours=int(h)),
            str(rng.choice(OUTCOMES)),
        )
        for h in rng.integers(0, 40 * 24, 40)
    )
    found = with_marks(ibis.memtable(log), marks, AS_OF).to_pandas()
    days = set(zip(log["customer_id"], log["occurred_at"].dt.date, strict=True))
    new = [
        (m.customer_id, pd.Timestamp(m.occurred_at))
        for m in marks
        if m.occurred_at.date() < AS_OF
        and m.outcome != "not_reached"
        and (m.customer_id, m.occurred_at.date()) not in days
    ]
    wanted = sorted([*zip(log["customer_id"], log["occurred_at"], strict=True), *new])
    assert sorted(zip(found["customer_id"], found["occurred_at"], strict=True)) == wanted
    assert list(found.columns) == list(log.columns)


@pytest.mark.parametrize("contacts", [None, "customer_id,occurred_at,direction\n003,2024-01-05,outbound\n"])
def test_quiet_time_and_outcomes_know_it_the_same_night(listed, contacts):
    config = listed(**({} if contacts is None else {"contacts": contacts}))
    at = dt.datetime(2024, 3, 1, 9)
    write_marks(layout_of(config).contacted, (Mark("001", at, "done"), Mark("002", at, "not_reached")))
    sources = open_sources(config, AS_OF)
    facts = contact_facts(sources.contact_log, pd.Index(["001", "002"]), Outreach(), AS_OF)
    assert facts["quiet_until"].tolist() == [pd.Timestamp(at) + pd.Timedelta(days=7), pd.NaT]
    rows = pd.DataFrame({"customer_id": ["001", "002"], "as_of": [dt.date(2024, 3, 1)] * 2})
    assert in_contact_log(sources, rows, 14).tolist() == [1.0, 0.0]
    # What a model is trained on stays what it was.
    assert ("contacts" in sources.tables) == (contacts is not None)


def test_opt_outs_are_those_marked_so():
    at = dt.datetime(2024, 3, 1)
    assert opted_out(tuple(Mark(o, at, o) for o in OUTCOMES)) == {"do_not_contact"}
