"""Which role a table plays, by its name, its columns and how often a customer stands there; and who the customer is."""

import pytest
from given import given_table

from pipeline.setup.roles import customer_ids, part_of, role_of

DAYS = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]
WHO = {"customer_id": ["a", "b", "b", "c"]}
ONCE = {"customer_id": ["a", "b", "c", "d"]}


def role(name, values, **settings):
    table = given_table(name, values, **settings)
    return role_of(table, table.columns[0])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("orders", WHO | {"day": DAYS}, "transactions"),
        ("support_tickets", WHO | {"day": DAYS}, "contacts"),
        ("x", WHO | {"day": DAYS, "score": [1, 2, 3, 4]}, "feedback"),
        ("x", WHO | {"day": DAYS, "invoice_no": [1, 2, 3, 4]}, "transactions"),
        ("x", WHO | {"day": DAYS, "direction": ["in", "out", "in", "in"]}, "contacts"),
        ("x", WHO | {"day": DAYS, "total": [1.5, 2.0, 3.0, 4.0]}, "transactions"),
        ("x", WHO | {"day": DAYS, "channel": ["mail", "phone", "mail", "web"]}, "contacts"),
        ("x", WHO | {"day": DAYS, "page": [1, 2, 3, 4]}, "usage"),
        ("x", ONCE | {"day": DAYS, "page": [1, 2, 3, 4]}, "customers"),
        ("x", WHO | {"page": [1, 2, 3, 4]}, "customers"),  # without a time nothing occurs
        ("x", WHO | {"started_at": DAYS, "ended_at": DAYS}, "contracts"),
        ("subscriptions", ONCE | {"started_at": DAYS, "ended_at": DAYS}, "contracts"),
        ("customers", ONCE | {"started_at": DAYS, "ended_at": DAYS}, "customers"),
        ("orders", ONCE | {"day": DAYS}, "transactions"),  # each customer has bought once
    ],
)
def test_the_role_of_a_table(name, values, expected):
    assert role(name, values) == expected


def test_a_file_of_fixed_widths_holds_purchases():
    assert role("x", WHO | {"day": DAYS, "page": [1, 2, 3, 4]}, fields=[1, 2, 3]) == "transactions"


def test_a_role_that_nothing_speaks_for_is_said_with_the_option_that_settles_it():
    table = given_table("x", WHO | {"day": DAYS, "page": [1, 2, 3, 4]})
    assert part_of(table, table.columns[0], None, "").doubts == ("takes x for usage (--role x=ROLE)",)
    assert part_of(table, table.columns[0], "usage", "").doubts == ()
    assert part_of(table, table.columns[0], "contacts", "a doubt").doubts == ("a doubt",)


def who(tables, chosen=None):
    found = customer_ids(tables, chosen)
    return {name: (None if c is None else c.name, doubt) for name, (c, doubt) in found.items()}


def test_the_best_name_is_the_customer_and_the_option_wins():
    table = given_table("t", WHO | {"account_id": ["x", "y", "z", "z"]})
    assert who([table]) == {"t": ("customer_id", "")}
    assert who([table], "account_id") == {"t": ("account_id", "")}


def test_a_column_that_tables_share_wins_over_a_better_name():
    one = given_table("one", {"client_no": ["a", "b"], "member_no": ["x", "y"]})
    other = given_table("other", {"member_no": ["x", "y"]})
    assert who([one])["one"][0] == "client_no"
    assert who([one, other]) == {"one": ("member_no", ""), "other": ("member_no", "")}


def test_a_weak_name_is_doubted():
    assert who([given_table("t", {"email": ["a@x", "b@x"]})]) == {
        "t": ("email", "takes 'email' for the customer")
    }


def test_where_no_name_helps_values_that_come_again_do():
    many = [f"k{i}" for i in range(40)] * 2
    table = given_table("t", {"colour": ["red", "blue"] * 40, "sum": [i + 0.5 for i in range(80)], "x": many})
    assert who([table]) == {"t": ("x", "takes 'x' for the customer")}
    assert who([given_table("t", {"colour": ["red", "blue"]})]) == {"t": (None, "")}


def test_columns_whose_values_meet_win_over_better_names_that_nobody_shares():
    orders = given_table(
        "orders", {"Email": ["a@x.org", "b@x.org"], "Phone": ["1", "2"], "order date": DAYS[:2]}
    )
    people = given_table(
        "people", {"Customer ID": [7, 8], "Phone": ["3", "4"], "Email": ["A@x.org", "c@x.org"]}
    )
    found = customer_ids([orders, people], None)
    assert {name: who.name for name, (who, _) in found.items()} == {"orders": "Email", "people": "Email"}
    alone = customer_ids([people], None)
    assert alone["people"][0].name == "Customer ID"
    # Of three tables, two of which meet by their best names, the third changes nothing.
    calls = given_table("calls", {"Customer ID": [7, 9], "opened": DAYS[:2]})
    found = customer_ids([orders, people, calls], None)
    assert found["people"][0].name == "Customer ID"
