"""The one declaration of the roles: what it says of each column, and that a config offers exactly its columns."""

import pytest
from pydantic import ValidationError

from configs.roles import ROLES, Roles


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
        ("contacts", "resolved_at"): "resolved_at",
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
