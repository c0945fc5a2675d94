"""The draft of a config from tables in their roles: what each kind of churn has no use for is left out."""

from pathlib import Path

import pytest
from given import given_table

from configs.errors import DataError
from pipeline.setup.columns import RolePart
from pipeline.setup.first_draft import first_draft
from pipeline.setup.interview import Given, Interview

HOME = Path("My Shop & Co.")


def part(role, columns, name=None, rows=2, facts=None, **values):
    table = given_table(name or role, {"x": [f"v{i}" for i in range(rows)], **values})
    return RolePart(role, table, {column: column if values else "x" for column in columns}, facts=facts or {})


def drafted(*parts, given=None, interview=None):
    return first_draft(list(parts), [], given or Given(), interview or Interview(None), HOME)


ORDERS = ("customer_id", "occurred_at", "amount")
PEOPLE = ("customer_id", "started_at", "ended_at", "end_reason", "churned")


def test_customers_of_a_shop_have_no_end_and_no_label():
    found = drafted(
        part("customers", PEOPLE), part("transactions", ORDERS), given=Given(kind="non_contractual")
    )
    assert list(found.sources) == ["customers", "transactions"]
    assert list(found.sources["customers"]["columns"]) == ["customer_id", "started_at"]
    assert found.values["churn"] == {"kind": "non_contractual", "horizon_days": 30}
    assert found.values["name"] == "my_shop_co"


def test_contracts_have_the_spans_and_customers_have_none_beside_them():
    found = drafted(part("customers", PEOPLE), part("contracts", ("customer_id", "started_at", "ended_at")))
    assert found.values["churn"]["kind"] == "contractual"
    assert list(found.sources["customers"]["columns"]) == ["customer_id"]


def test_endings_that_are_nobodys_loss_do_not_count():
    reasons = {"customer_id": ["a", "b"], "end_reason": ["price", "graduated"]}
    people = part("customers", ("customer_id", "end_reason"), **reasons)
    spans = part("contracts", ("customer_id", "started_at", "ended_at"))
    assert drafted(people, spans).values["churn"]["not_churn_reasons"] == ["graduated"]


def test_a_label_speaks_of_so_many_days_as_a_person_says():
    label = part("customers", ("customer_id", "churned"), customer_id=["a", "b"], churned=["Yes", "No"])
    asked = []
    found = drafted(label, interview=Interview(lambda what, guess: asked.append(what) or "45"))
    assert found.values["churn"] == {"kind": "labelled", "horizon_days": 45}
    assert asked == ["days that the label speaks of"]
    assert drafted(label, given=Given(horizon_days=90)).values["churn"]["horizon_days"] == 90
    assert found.values["name"] == "customers"  # one table gives its own name


def test_of_two_tables_of_customers_the_one_that_knows_ends_is_taken_else_the_longer_one():
    spans = part("customers", ("customer_id", "started_at", "ended_at"), "short")
    longer = part("customers", ("customer_id", "started_at"), "long", rows=9)
    assert drafted(longer, spans).sources["customers"]["uri"] == "short.csv"
    shop = part("transactions", ORDERS)
    other = part("customers", ("customer_id",), "other")
    assert drafted(other, longer, shop).sources["customers"]["uri"] == "long.csv"


def test_without_purchases_the_table_with_the_most_rows_stands_for_them_and_that_is_said():
    interview = Interview(None)
    found = drafted(
        part("usage", ("customer_id", "occurred_at", "event"), rows=9),
        part("contacts", ORDERS[:2]),
        interview=interview,
    )
    assert found.sources["transactions"]["uri"] == "usage.csv"
    assert list(found.sources["transactions"]["columns"]) == ["customer_id", "occurred_at"]
    assert interview.doubts == [
        "no purchases were found: a row of usage shows that a customer is there; --role says otherwise"
    ]


def test_customers_alone_show_nobody_who_left():
    with pytest.raises(DataError, match="nothing shows who has left"):
        drafted(part("customers", ("customer_id",)))


def test_facts_are_named_where_the_list_looks_for_them():
    people = part("customers", ("customer_id",), facts={"owner": "x"})
    found = drafted(people, part("transactions", ORDERS))
    assert found.values["outreach"] == {"columns": {"owner": "owner"}}


def test_permissions_are_asked_by_channel():
    facts = {"owner": "x", "consent_email": "y", "opt_out_all": "z"}
    found = drafted(part("customers", ("customer_id",), facts=facts), part("transactions", ORDERS))
    assert found.values["outreach"] == {
        "columns": {"owner": "owner"},
        "consent": {"email": "consent_email"},
        "opt_out": {"all": "opt_out_all"},
    }


@pytest.mark.parametrize(("topics", "words"), [(["Beschwerde", "Frage"], ["beschwer"]), (["a", "b"], None)])
def test_complaints_in_another_language_are_told_by_their_word(topics, words):
    contacts = part("contacts", ("customer_id", "occurred_at", "topic"), topic=topics)
    found = drafted(contacts, part("transactions", ORDERS)).values
    assert found.get("outreach", {}).get("complaint_topics") == (words and ["complain", *words])


def test_permissions_that_only_events_tell_are_doubted():
    bought = part("transactions", ORDERS, **{"Accepts Marketing": ["yes", "no"]})
    (line,) = drafted(bought).doubts
    assert line.startswith("'Accepts Marketing' of transactions sounds as if it said who may be contacted")
    people = part("customers", ("customer_id",), facts={"consent_all": "y"})
    assert drafted(bought, people).doubts == []


def test_the_currency_is_that_of_the_amounts_and_several_are_doubted():
    def sold(**more):
        columns = {"customer_id": ["a", "b"], "occurred_at": ["2024-01-01"] * 2, "amount": [1.5, 2.5]}
        return part("transactions", ORDERS, **columns, **more)

    assert drafted(sold(Currency=["EUR", "eur"])).values["currency"] == "EUR"
    found = drafted(sold(Currency=["EUR", "USD"]))
    assert "currency" not in found.values
    (line,) = found.doubts
    assert line.startswith("sources.transactions: amounts in EUR, USD are added up as they are")
    assert "currency" not in drafted(sold(Currency=["no code", "at all"])).values
    assert "currency" not in drafted(sold()).values
