"""The one declaration of the roles: what it says of each column, and that a config offers exactly its columns."""

import pytest
from pydantic import ValidationError

from configs.roles import ROLES, Roles
from configs.schema import Config


def test_declared_columns_by_kind():
    kinds = {role: {n: c.kind for n, c in declared.columns.items()} for role, declared in ROLES.items()}
    assert kinds["transactions"] == {
        "customer_id": "text",
        "occurred_at": "time",
        "known_at": "time",
        "amount": "number",
        "transaction_id": "text",
        "points": "number",
    }
    assert kinds["customers"]["churned"] == "as it stands"


def test_what_becomes_known_later():
    later = {(r, n): c.known_at for r, d in ROLES.items() for n, c in d.columns.items() if c.known_at}
    assert later == {
        ("customers", "ended_at"): "ended_at",
        ("customers", "end_reason"): "ended_at",
        ("contracts", "ended_at"): "ended_at",
        ("contracts", "end_reason"): "ended_at",
        ("contracts", "paused_at"): "paused_at",
        ("contracts", "resumed_at"): "resumed_at",
        ("contacts", "resolved_at"): "resolved_at",
        ("failed_payments", "recovered_at"): "recovered_at",
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_config_takes_the_declared_columns_and_no_other(role):
    columns = dict.fromkeys(ROLES[role].columns, "x")
    source = Roles.model_validate({role: {"uri": "a.csv", "columns": columns}}).given[role]
    assert list(source.mapped) == list(ROLES[role].columns)
    with pytest.raises(ValidationError, match="colour"):
        Roles.model_validate({role: {"uri": "a.csv", "columns": columns | {"colour": "x"}}})
    with pytest.raises(ValidationError, match="customer_id"):
        Roles.model_validate({role: {"uri": "a.csv", "columns": {}}})


def test_attributes_and_facts_stand_as_they_are():
    customers = {"uri": "a.csv", "columns": {"customer_id": "id"}, "attributes": ["plan"], "facts": ["mail"]}
    source = Roles.model_validate({"customers": customers}).given["customers"]
    assert list(source.mapped) == ["customer_id", "plan", "mail"]
    assert ROLES["customers"].column("plan").kind == "as it stands"


def config_with(**section):
    customers = {"uri": "c.csv", "columns": {"customer_id": "id", "started_at": "start"}, **section}
    transactions = {"uri": "t.csv", "columns": {"customer_id": "id", "occurred_at": "at"}}
    return {
        "name": "shop",
        "churn": {"kind": "non_contractual", "horizon_days": 30},
        "sources": {"customers": customers, "transactions": transactions},
    }


@pytest.mark.parametrize(
    "name", ["customer_id", "started_at", "snapshot", "churned", "churn_probability", "x_"]
)
@pytest.mark.parametrize("section", ["attributes", "facts"])
def test_an_attribute_has_a_name_of_its_own(section, name):
    """All taken names are told at once, each with the line to write, and the line works."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(config_with(**{section: {name: "Region", "as_of": "Day"}}))
    lines = [f"customer_{name.rstrip('_')}: Region", "customer_as_of: Day"]
    for wrong, line in zip([name, "as_of"], lines, strict=True):
        told = f"sources.customers.{section}.{wrong}: the name is taken, write {line} instead"
        assert told in str(caught.value)
    written = {
        key: value for key, value in (line.split(": ") for line in lines) if key != "customer_customer_id"
    }
    Config.model_validate(config_with(**{section: written}))


def test_a_low_score_needs_scores():
    feedback = {"uri": "f.csv", "columns": {"customer_id": "id", "occurred_at": "at"}}
    Roles.model_validate({"feedback": feedback})
    with pytest.raises(ValidationError, match="low_score needs the column score"):
        Roles.model_validate({"feedback": {**feedback, "low_score": 3}})
