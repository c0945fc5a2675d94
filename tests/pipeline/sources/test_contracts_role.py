"""Contracts as billing systems export them: what is read, borne, named and refused."""

import datetime as dt
import re
import sqlite3

import pandas as pd
import pytest
import yaml

from configs.errors import DataError
from configs.schema import Config
from features.definition import customers_at
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 5, 1)
# One plan followed by another; a gap and a return; an addition that ends; a trial that came to nothing.
BILLED = """\
id,customer,plan,start,end,state,reason
1,ann,basic,2024-01-05,2024-02-10,canceled,upgrade
2,ann,pro,2024-02-10,,active,
3,bob,basic,2024-01-08,2024-03-04,canceled,payment_failed
4,bob,basic,2024-04-02,,active,
5,cy,basic,2024-01-20,,active,
6,cy,addon,2024-02-20,2024-03-20,canceled,voluntary
7,dee,basic,2024-02-01,2024-02-15,trialing,
"""
COLUMNS = {
    "customer_id": "customer", "contract_id": "id", "started_at": "start", "ended_at": "end",
    "end_reason": "reason", "plan": "plan", "status": "state",
}  # fmt: skip


def config_of(folder, *, churn=None, customers=None, columns=COLUMNS, uri="subs.csv", **contracts):
    sources = {"contracts": {"uri": str(uri), "columns": columns, **contracts}}
    if customers is not None:
        sources["customers"] = customers
    settings = {
        "name": "saas",
        "home": folder,
        "churn": {"kind": "contractual", "horizon_days": 30, **(churn or {})},
    }
    return Config.model_validate({**settings, "sources": sources})


def opened(folder, text=BILLED, **options):
    (folder / "subs.csv").write_text(text, encoding="utf-8")
    return open_sources(config_of(folder, **options), AS_OF)


def at(sources, config, day):
    return sorted(customers_at(sources.tables, config.churn, dt.datetime(2024, *day)).customer_id.execute())


def test_the_customers_follow_from_the_contracts(tmp_path):
    sources, config = opened(tmp_path), config_of(tmp_path)
    assert at(sources, config, (2, 15)) == ["ann", "bob", "cy"]
    assert at(sources, config, (3, 10)) == ["ann", "cy"]
    assert at(sources, config, (5, 1)) == ["ann", "bob", "cy"]
    people = sources.tables["customers"].order_by("customer_id").execute()
    assert people.customer_id.tolist() == ["ann", "bob", "cy"]
    assert people.ended_at.isna().all()
    assert people.first_plan.tolist() == ["basic"] * 3
    assert sources.attributes == ("first_plan",)
    assert not [line for line in sources.look if line.startswith("contracts")]


def test_what_is_known_of_the_customers_stays_beside_it(tmp_path):
    (tmp_path / "accounts.csv").write_text("id,region\nann,north\nbob,south\ncy,north\neve,south\n")
    accounts = {"uri": "accounts.csv", "columns": {"customer_id": "id"}, "attributes": ["region"]}
    sources = opened(tmp_path, customers=accounts, churn={"grace_days": 3})
    people = sources.tables["customers"].order_by("customer_id").execute()
    assert people.customer_id.tolist() == ["ann", "bob", "cy", "eve"]
    assert people.region.tolist() == ["north", "south", "north", "south"]
    assert people.started_at.isna().tolist() == [False, False, False, True]
    assert sources.attributes == ("region", "first_plan")


def test_an_export_that_was_run_twice_counts_once(tmp_path):
    rows = BILLED + "\n".join(BILLED.splitlines()[1:4]) + "\n"
    sources = opened(tmp_path, rows)
    assert sources.accounts["contracts"].left_out == {"standing there twice": 3}
    assert sources.tables["contracts"].count().execute() == 7
    with pytest.raises(DataError) as caught:
        opened(tmp_path, BILLED + "5,cy,basic,2024-01-20,2024-04-30,canceled,\n")
    assert "column contract_id" in str(caught.value.faults[0])
    assert "'5'" in str(caught.value.faults[0])
    assert "sources.contracts.where" in str(caught.value.faults[0])


@pytest.mark.parametrize(
    ("row", "options", "told"),
    [
        ("8,eve,basic,2024-01-01,,Canceled,", {}, "1 rows are over by their status"),
        ("8,eve,basic,2024-01-01,,paused,", {}, "1 rows are paused by their status"),
        ("8,eve,basic,2024-03-01,2024-02-01,canceled,", {}, "1 rows end before they start"),
        ("8,eve,gold,2024-01-01,,active,", {"plans": ["basic", "addon", "pro"]}, "1 rows have a plan"),
    ],
)
def test_what_does_not_fit_is_for_a_person_to_look_at(tmp_path, row, options, told):
    assert [line for line in opened(tmp_path, BILLED + row + "\n", **options).look if told in line]


def test_an_end_that_lies_ahead_is_not_known(tmp_path):
    """Cancelled to the end of the period: still a customer, whatever the status says, and nothing to look at."""
    sources = opened(tmp_path, BILLED + "8,eve,basic,2024-01-01,2024-06-01,canceled,dear\n")
    assert "eve" in at(sources, config_of(tmp_path), (5, 1))
    eve = sources.tables["contracts"].filter(lambda t: t.customer_id == "eve").execute()
    assert eve.ended_at.isna().all()
    assert eve.end_reason.isna().all()
    assert not [line for line in sources.look if line.startswith("contracts")]


def test_a_database_gives_the_same(tmp_path):
    frame = pd.read_csv(pd.io.common.StringIO(BILLED), dtype=str)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        frame.to_sql("subs", connection, index=False)
    config = config_of(tmp_path, uri=f"sqlite:///{tmp_path}/shop.db#subs")
    there = open_sources(config, AS_OF).tables["customers"].order_by("customer_id").execute()
    here = opened(tmp_path).tables["customers"].order_by("customer_id").execute()
    pd.testing.assert_frame_equal(there, here)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"columns": {"customer_id": "customer", "started_at": "start"}}, "ended_at"),
        ({"plans": ["basic"], "columns": {**COLUMNS, "amount": "id"}}, "leave plans out, or amount"),
        (
            {"plans": ["basic"], "columns": {n: c for n, c in COLUMNS.items() if n != "plan"}},
            "needs the column plan",
        ),
        ({"plans": ["a", "A"]}, "names one twice"),
        ({"columns": {**COLUMNS, "resumed_at": "end"}}, "needs paused_at"),
        (
            {"customers": {"uri": "a.csv", "columns": {"customer_id": "id", "started_at": "s"}}},
            "leave out sources.customers.columns.started_at",
        ),
        (
            {
                "columns": {n: c for n, c in COLUMNS.items() if n != "end_reason"},
                "churn": {"not_churn_reasons": ["x"]},
            },
            "end_reason in sources.contracts",
        ),
    ],
)
def test_configs_that_say_too_much_or_too_little(tmp_path, options, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        config_of(tmp_path, **options)


def test_grace_needs_contracts(tmp_path):
    customers = {"uri": "a.csv", "columns": {"customer_id": "id", "started_at": "s", "ended_at": "e"}}
    churn = {"kind": "contractual", "horizon_days": 30, "grace_days": 7}
    settings = {"name": "x", "home": tmp_path, "churn": churn, "sources": {"customers": customers}}
    with pytest.raises(ValueError, match=r"grace_days bridges gaps between the rows of sources\.contracts"):
        Config.model_validate(settings)


def test_the_advice_for_customers_that_are_contracts_works(tmp_path):
    """Customers with one row a contract are refused; the line that is given reads them."""
    (tmp_path / "subs.csv").write_text(BILLED, encoding="utf-8")
    columns = {name: COLUMNS[name] for name in ("customer_id", "started_at", "ended_at", "end_reason")}
    settings = {
        "name": "saas",
        "home": tmp_path,
        "churn": {"kind": "contractual", "horizon_days": 30},
        "sources": {
            "customers": {"uri": "subs.csv", "columns": columns, "attributes": ["plan"], "facts": ["state"]}
        },
    }
    with pytest.raises(DataError) as caught:
        open_sources(Config.model_validate(settings), AS_OF)
    line = re.search(r"write sources\.(contracts: .*) in place of", str(caught.value.faults[0]))[1]
    sources = open_sources(Config.model_validate({**settings, "sources": yaml.safe_load(line)}), AS_OF)
    assert sources.tables["customers"].count().execute() == 4  # the trial is not told by these columns
    assert sources.attributes == ("first_plan",)
