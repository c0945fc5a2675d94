"""Contracts as billing systems export them: each once, what does not fit is said, and the customers follow."""

import datetime as dt

import ibis
import pandas as pd
import pytest
import yaml

from configs.roles import ContractSource
from pipeline.sources.agreements import each_once, here, one_row_each, with_people
from pipeline.sources.readers import connect_duckdb

COLUMNS = {
    "customer_id": "c",
    "contract_id": "n",
    "started_at": "s",
    "ended_at": "e",
    "status": "t",
    "plan": "p",
}


@pytest.fixture(scope="module")
def duck():
    return connect_duckdb(1)


def contract(number, start="2024-01-01", end=None, status="active", plan="basic", who="a"):
    return {
        "customer_id": who, "contract_id": number, "started_at": start, "ended_at": end, "status": status, "plan": plan
    }  # fmt: skip


def table(duck, *rows):
    frame = pd.DataFrame(rows)
    for name in ("started_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return duck.create_table("contracts_given", frame, temp=True, overwrite=True)


def source(**settings):
    return ContractSource.model_validate({"uri": "subs.csv", "columns": COLUMNS, **settings})


def test_equal_contracts_count_once(duck):
    rows = table(duck, contract("1"), contract("1"), contract("2"))
    kept, surplus, odd = each_once(duck, source(), rows, 3)
    assert (kept.count().execute(), surplus, odd) == (2, 1, ())


def test_without_ids_each_row_stands_for_itself(duck):
    rows = table(duck, contract("1"), contract("1")).drop("contract_id")
    kept, surplus, _ = each_once(duck, source(), rows, 2)
    assert (kept.count().execute(), surplus) == (2, 0)


@pytest.mark.parametrize(
    ("row", "settings", "says"),
    [
        (contract("1", end="2023-12-31"), {}, "1 rows end before they start, and never count"),
        (contract("1", status="Canceled"), {}, "are over by their status, have no `ended_at`"),
        (contract("1", status="paused"), {}, "are paused by their status"),
        (
            contract("1", plan="gold"),
            {"plans": ["Basic", "Pro"]},
            "that `sources.contracts.plans` does not name",
        ),
        (contract("1", end="2024-02-01", status="canceled"), {}, None),
        (contract("1", plan="BASIC"), {"plans": ["basic"]}, None),
        (contract("1", end="2024-01-01"), {}, None),  # ends when it starts: the rules have that
    ],
)
def test_what_the_columns_say_against_each_other(duck, row, settings, says):
    _, _, odd = each_once(duck, source(**settings), table(duck, row), 1)
    assert len(odd) == (says is not None)
    assert says is None or says in odd[0]


def test_rows_of_a_database_come_here_and_others_stay(duck):
    away = ibis.sqlite.connect().create_table("t", pd.DataFrame({"customer_id": ["a"]}))
    found = here(duck, "contracts", away)
    assert found.get_backend() is duck
    assert here(duck, "contracts", found) is found


def config(tiny, **more):
    contracts = "customer_id,started_at,ended_at\na,2024-01-01,\n"
    return tiny(kind="contractual", contracts=contracts, **more)


def test_customers_follow_from_contracts_and_keep_what_is_known_of_them(duck, tiny):
    marked = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": ["a", "b"],
                "started_at": pd.to_datetime(["2024-01-01", "2024-02-01"]),
                "paid_at": pd.to_datetime(["2024-01-01", "2024-02-01"]),
                "ended_at": pd.to_datetime(["2024-03-01", None]),
                "grace_days": [0, 0],
            }
        )
    )
    people = duck.create_table(
        "people", pd.DataFrame({"customer_id": ["a", "z"], "plan": ["x", "y"]}), temp=True, overwrite=True
    )
    tables = {"contracts": duck.create_table("m", marked, temp=True, overwrite=True)}
    alone = with_people(duck, tables, config(tiny), dt.date(2024, 6, 1))["customers"]
    assert sorted(alone.to_pandas().customer_id) == ["a", "b"]
    both = with_people(duck, {**tables, "customers": people}, config(tiny), dt.date(2024, 6, 1))["customers"]
    rows = both.order_by("customer_id").to_pandas()
    assert rows.customer_id.tolist() == ["a", "z"]
    assert rows.plan.tolist() == ["x", "y"]
    assert rows.started_at.isna().tolist() == [False, True]  # who never had a contract has no start


def test_without_contracts_the_tables_stay(duck, tiny):
    plain = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n")
    tables = {"transactions": ibis.memtable({"customer_id": ["1"]})}
    assert with_people(duck, tables, plain, dt.date(2024, 6, 1)) is tables


def test_ids_that_come_again_get_lines_of_yaml_that_a_config_takes(tiny):
    people = "customer_id,started_at,ended_at,Plan\na,2024-01-01,,x\n"
    made = tiny(
        kind="contractual",
        customers=people,
        mapped={"customers": {n: n for n in ("customer_id", "started_at", "ended_at")}},
        settings={"customers": {"attributes": ["Plan"]}},
    )
    told = one_row_each("customers", made.sources.customers, made)
    line = told.partition("write sources.contracts: ")[2].partition(" in place of")[0]
    assert ContractSource.model_validate(yaml.safe_load(line)).columns.plan.column == "Plan"
    assert "leave contract_id out" in one_row_each("contracts", source(), made)
