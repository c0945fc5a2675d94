"""Which column plays which part, guessed from names and values of small tables."""

import pytest
from given import DAYS, given_table, part

from pipeline.setup.columns import (
    contracts_part,
    customers_part,
    has_decimals,
    label_of,
    one_by_one_part,
    ranked,
    rule_of,
    span_of,
    time_columns,
)


def test_times_are_told_by_their_values_and_numbers_by_their_names_too():
    table = given_table(
        "t", {"customer_id": [20240101, 20240102], "start_date": [20240101, 20240102], "when": DAYS[:2]}
    )
    assert [c.name for c in time_columns(table)] == ["start_date", "when"]


def test_a_date_kept_as_text_is_read_by_its_format():
    table = given_table("t", {"day": ["31.01.2024", "01.02.2024"], "id": ["a", "b"]})
    assert rule_of(table.column("day"), time=True) == {"column": "day", "format": "%d.%m.%Y"}
    assert rule_of(table.column("id"), time=True) == "id"
    assert rule_of(table.column("day")) == "day"


def people(**more):
    return {"customer_id": ["a", "b", "c", "d"], **more}


def test_a_customer_has_a_span_a_reason_attributes_and_facts():
    values = people(
        signup_date=DAYS,
        ended_at=[None, None, "2024-03-01", None],
        end_reason=[None, None, "price", None],
        plan=["x", "y", "x", "y"],
        owner=["Eva", "Ann", "Eva", "Ann"],
        visits=[1, 2, 2, 4],
    )
    found = part(customers_part, "customers", values)
    assert found.columns == {
        "customer_id": "customer_id",
        "started_at": "signup_date",
        "ended_at": "ended_at",
        "end_reason": "end_reason",
    }
    assert dict(found.facts) == {"owner": "owner"}
    assert found.attributes == ("plan", "visits")


def test_a_label_counts_where_no_span_tells_who_left():
    labelled = part(customers_part, "customers", people(Churn=["Yes", "No", "No", "Yes"], size=[1, 2, 3, 4]))
    assert labelled.columns["churned"] == "Churn"
    assert labelled.attributes == ("size",)  # each value once, and still a column of a labelled table
    spans = people(Churn=["Yes", "No", "No", "Yes"], started_at=DAYS, ended_at=DAYS)
    told = part(customers_part, "customers", spans)
    assert "churned" not in told.columns
    assert told.attributes == ()


def test_without_an_id_the_row_is_the_customer():
    table = given_table("people", {"plan": ["x", "y", "x"], "Churn": ["Yes", "No", "No"]})
    assert customers_part(table, None, []).columns["customer_id"] == {"row_number": True}


def test_a_label_has_two_values_or_is_called_churn():
    def label(**values):
        found = label_of(given_table("t", {"id": ["a", "b", "c"], **values}))
        return None if found is None else found.name

    assert label(exited=["y", "n", "n"]) == "exited"
    assert label(Churn=["a", "b", "c"]) == "Churn"
    assert label(exited=["a", "b", "c"]) is None
    assert label(plan=["a", "b", "b"]) is None


def test_an_end_that_nearly_nobody_has_is_an_end_and_such_a_start_is_none():
    rare = [None] * 9 + ["2024-01-01"]
    table = given_table("t", {"id": range(10), "ended_at": rare, "started_at": rare})
    assert list(span_of(table, {"id"})) == ["ended_at"]


def contracts():
    return {
        "customer_id": ["a", "a", "b"],
        "contract_id": [1, 2, 3],
        "started_at": DAYS[:3],
        "ended_at": [None, "2024-02-01", None],
        "plan": ["x", "y", "x"],
    }


def test_a_contract_has_its_own_id_beside_the_customers():
    found = part(contracts_part, "contracts", contracts())
    assert (found.role, found.columns["customer_id"], found.columns["contract_id"]) == (
        "contracts", "customer_id", "contract_id",
    )  # fmt: skip
    assert found.columns["plan"] == "plan"


def test_each_contract_may_be_a_customer_of_its_own_and_that_is_said():
    found = part(one_by_one_part, "contracts", contracts())
    assert found.columns["customer_id"] == "contract_id"
    assert found.doubts == ("takes each 'contract_id' of contracts for a customer",)
    once = contracts() | {"customer_id": ["a", "b", "c"]}
    assert part(one_by_one_part, "contracts", once).columns["customer_id"] == "customer_id"


@pytest.mark.parametrize(
    ("values", "expected"), [([1.5, 2.0], True), ([1, 2], False), (["1,5", "2,0"], True)]
)
def test_amounts_have_decimals_and_ids_have_none(values, expected):
    assert has_decimals(given_table("t", {"x": values}).column("x")) == expected


def test_the_best_name_comes_first_and_used_or_empty_columns_never():
    table = given_table("t", {"user_id": ["a", "b"], "customer_id": ["a", "b"], "client_id": ["", ""]})
    assert [c.name for c in ranked(table, "customer_id")] == ["customer_id", "user_id"]
    assert [c.name for c in ranked(table, "customer_id", used={"customer_id"})] == ["user_id"]
    assert ranked(table, "customer_id", ("number",)) == []


def test_who_may_be_contacted_is_a_fact_by_kind_and_channel():
    values = people(
        **{
            "Accepts Email Marketing": ["yes", "no", "yes", "no"],
            "DoNotCall": [0, 1, 0, 0],
            "Werbung erlaubt": ["ja", "nein", None, "ja"],
            "plan": ["x", "y", "x", "y"],
        }
    )
    found = part(customers_part, "customers", values)
    assert dict(found.facts) == {
        "consent_email": "Accepts Email Marketing",
        "opt_out_phone": "DoNotCall",
        "consent_all": "Werbung erlaubt",
    }
    assert found.attributes == ("plan",)
    assert found.doubts == ()


def test_a_permission_in_other_words_or_of_the_same_channel_is_doubted():
    values = people(
        gdpr_consent=["SUBSCRIBED", "NEVER", "NEVER", "NEVER"],
        marketing_opt_in=["yes", "no", "yes", "no"],
        can_contact=["yes", "no", "no", "no"],
    )
    found = part(customers_part, "customers", values)
    assert dict(found.facts) == {"consent_all": "marketing_opt_in"}
    assert [line.partition(" of ")[0] for line in found.doubts] == ["'gdpr_consent'", "'can_contact'"]
    assert "in words such as" in found.doubts[0]
    assert all(
        line.endswith("and is not asked: outreach.consent is where it belongs") for line in found.doubts
    )


def test_the_end_that_came_wins_over_the_one_that_was_agreed():
    ends = people(
        EndDate=["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"],
        Termination_Date__c=[None, "2024-06-01", None, None],
        StartDate=DAYS,
    )
    found = span_of(given_table("Contract", ends), {"customer_id"})
    assert {concept: column.name for concept, column in found.items()} == {
        "started_at": "StartDate",
        "ended_at": "Termination_Date__c",
    }


def test_the_number_of_a_row_is_no_attribute():
    values = people(Exited=[1, 0, 0, 1], RowNumber=[1, 2, 3, 4], Balance=[1.5, 2.5, 3.5, 4.5])
    assert part(customers_part, "customers", values).attributes == ("Balance",)
