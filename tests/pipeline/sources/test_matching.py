"""Ids across roles: what is counted, what is refused, and that the advised line joins them."""

import datetime as dt

import pandas as pd
import pytest
import yaml

from configs.errors import DataError
from configs.schema import Config
from features.dialects import BLANKS
from pipeline.sources.opening import open_sources

AS_OF = dt.date(2024, 3, 1)


def purchases(*ids):
    return "\n".join(["customer_id,occurred_at", *(f"{i},2024-02-20" for i in ids), ""])


def customers(*ids):
    return "\n".join(["customer_id,started_at", *(f"{i},2024-01-01" for i in ids), ""])


def told(config):
    """The lines that a person sees: the faults, or else what to look at."""
    try:
        return list(open_sources(config, AS_OF).look)
    except DataError as error:
        return [str(fault) for fault in error.faults]


def following(config, line):
    """The config with an advised line written into it."""
    key, _, value = line.partition(": ")
    raw = config.model_dump(exclude_unset=True) | {"home": config.home}
    place = raw
    *sections, last = key.split(".")
    for section in sections:
        place = place[section]
    place[last] = yaml.safe_load(value)
    return Config.model_validate(raw)


def test_shares_of_rows_and_customers(tiny):
    config = tiny(transactions=purchases("a", "a", "b", "c"), customers=customers("a", "b", "x", "y"))
    (match,) = open_sources(config, AS_OF).matches
    assert str(match) == (
        "transactions: 2 of 3 customers (66.7%) and 3 of 4 rows are known from customers; not 'c'"
    )


def test_few_known_are_looked_at_until_the_config_says_so(tiny):
    sources = {"transactions": purchases("a", "b"), "customers": customers("a")}
    assert told(tiny(**sources)) == [
        "transactions: 1 of 2 customers (50.0%) and 1 of 2 rows are known from customers; not 'b'; if that is as it "
        "should be, set `sources.transactions.min_known_share` (now 0.9)"
    ]
    assert told(tiny(**sources, settings={"transactions": {"min_known_share": 0.5}})) == []


@pytest.mark.parametrize(
    ("own", "theirs", "lines"),
    [
        (("cus_1", "cus_2"), ("1", "2"), ["transactions {column: customer_id, without_prefix: cus_}"]),
        (("1", "2"), ("cus_1", "cus_2"), ["customers {column: customer_id, without_prefix: cus_}"]),
        (("cus_C1", "cus_C2"), ("C1", "C2"), ["transactions {column: customer_id, without_prefix: cus_}"]),
        (("000162", "000293"), ("162", "293"), ["transactions {column: customer_id, tidy: [drop_zeros]}"]),
        (("12.0", "7.0"), ("12", "7"), ["transactions {column: customer_id, tidy: [drop_point_zero]}"]),
        (("A B1", "A B2"), ("AB1", "AB2"), ["transactions {column: customer_id, tidy: [drop_blanks]}"]),
        (("۱۲", "۳۴"), ("12", "34"), ["transactions {column: customer_id, tidy: [plain_signs]}"]),
        (
            ("Ann@x.com", "BO@x.com"),
            ("ann@X.com", "bo@x.com"),
            [
                "transactions {column: customer_id, tidy: [lower]}",
                "customers {column: customer_id, tidy: [lower]}",
            ],
        ),
        (
            ("cus_0012", "cus_0034"),
            ("12", "34"),
            ["transactions {column: customer_id, without_prefix: cus_, tidy: [drop_zeros]}"],
        ),
    ],
)
def test_ids_that_a_simple_rule_joins(tiny, own, theirs, lines):
    """None meet: a fault with samples of both sides and the lines to write; written, all of them meet."""
    config = tiny(transactions=purchases(*own), customers=customers(*theirs))
    (fault,) = told(config)
    assert fault.startswith(
        "sources.transactions: none of its 2 customers is known from customers: transactions has"
    )
    assert repr(own[0]) in fault
    assert repr(theirs[0]) in fault
    advised = [
        f"sources.{role}.columns.customer_id: {rule}" for role, rule in (x.split(" ", 1) for x in lines)
    ]
    assert fault.endswith(f"; write {' and '.join(advised)}")
    for line in advised:
        config = following(config, line)
    assert told(config) == []
    (match,) = open_sources(config, AS_OF).matches
    assert match.share == 1.0


def test_ids_that_no_rule_joins(tiny):
    contacts = "customer_id,occurred_at\nusr_9a,2024-02-01\n"
    (fault,) = told(tiny(transactions=purchases("C1"), contacts=contacts))
    assert fault == (
        "sources.contacts: none of its 1 customers is known from transactions: contacts has 'usr_9a', transactions "
        "has 'C1'; map the same id of a customer in sources.contacts.columns.customer_id as in the others"
    )


def test_blanks_around_ids_never_count_and_a_blank_is_no_id(tiny):
    config = tiny(transactions=purchases("' A1 '".strip("'"), "A1"), customers=customers("A1  "))
    assert told(config) == []
    assert open_sources(config, AS_OF).matches[0].customers == 1
    (fault,) = told(tiny(transactions=purchases("A1", '"   "')))
    assert "column customer_id: is empty in 1 of 2 rows (data row 2)" in fault


@pytest.mark.parametrize("blank", list(BLANKS))
def test_no_kind_of_blank_makes_another_customer(tiny, blank):
    bought = pd.DataFrame({"customer_id": ["A1", f"A1{blank}", f"{blank}A1"]})
    bought["occurred_at"] = pd.Timestamp("2024-02-20")
    config = tiny(transactions=bought, customers=pd.DataFrame({"customer_id": [f"{blank}A1{blank}"]}))
    assert told(config) == []
    assert open_sources(config, AS_OF).matches[0].customers == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("007", "0\u200b07"),  # a zero-width space
        ("ali", "a\u00adli"),  # a soft hyphen
        ("x1", "x\x001"),
        ("علی", "علي"),  # Persian and Arabic yeh
        ("کیان", "كیان"),
        ("42", "४२"),
        ("A7", "A７"),
    ],
)
def test_signs_that_look_alike_or_like_nothing_are_looked_at(tiny, one, other):
    bought = pd.DataFrame({"customer_id": [one, other, "b"]}).assign(occurred_at=pd.Timestamp("2024-02-20"))
    config = tiny(transactions=bought)
    (look,) = told(config)
    assert "customers whose ids differ in their form only" in look
    assert look.isprintable()
    same, apart = look.replace("`", "").split("write ")[1].split(", if not ")
    assert open_sources(following(config, same), AS_OF).ids.counts["transactions customers"] == 2
    assert open_sources(following(config, apart), AS_OF).ids.counts["transactions customers"] == 3
    assert [told(following(config, line)) for line in (same, apart)] == [[], []]


def test_forms_of_one_id_are_looked_at_until_the_config_decides(tiny):
    config = tiny(transactions=purchases("Ann@x.com", "ann@x.com", "0007", "7", "8"))
    (look,) = told(config)
    assert look == (
        "transactions: customers whose ids differ in their form only, such as '0007', '7', 'Ann@x.com', "
        "'ann@x.com'; if they are the same write `sources.transactions.columns.customer_id: "
        "{column: customer_id, tidy: [drop_zeros, lower]}`, if not `sources.transactions.columns.customer_id: "
        "{column: customer_id, tidy: []}`"
    )
    same, other = look.replace("`", "").split("write ")[1].split(", if not ")
    assert [told(following(config, line)) for line in (same, other)] == [[], []]
    ids = open_sources(following(config, same), AS_OF).tables["transactions"].customer_id
    assert sorted(set(ids.to_pyarrow().to_pylist())) == ["7", "8", "ann@x.com"]


def test_people_without_purchases_are_compared_with_nobody(tiny):
    """A customers source may hold many who never bought; of the others' customers it must hold nearly all."""
    assert told(tiny(transactions=purchases("a"), customers=customers("a", "b", "c", "d"))) == []
