"""Lists of people who said no, as mail tools export them: obeyed where they can be read, said where not."""

import pytest
from given import given_table

from pipeline.setup.draft import Draft
from pipeline.setup.stop_lists import obey, without_lists
from pipeline.setup.table_words import is_stop_list

ORDERS = given_table("orders", {"customer_id": ["a", "b"], "total": [1.5, 2.5]})
GONE = given_table("unsubscribed_members", {"Email Address": ["a@x.org", "b@x.org"], "reason": ["x", "y"]})


def drafted(*lists):
    draft = Draft({"name": "shop"})
    ids = {one.name: (one.columns[0], "") for one in lists}
    obey(draft, lists, ids)
    return draft


def test_the_one_list_is_named_in_the_config():
    assert without_lists([ORDERS, GONE], {}) == ([ORDERS], [GONE])
    draft = drafted(GONE)
    assert draft.values["outreach"] == {"do_not_contact": "unsubscribed_members.csv"}
    assert draft.doubts == []


def test_a_role_that_was_given_decides():
    assert without_lists([ORDERS, GONE], {GONE.name: "customers"}) == ([ORDERS, GONE], [])


def test_a_list_that_can_not_be_read_as_it_stands_is_said():
    columns = {"at": ["2024-01-01", "2024-01-02"], "Email": ["a@x.org", "b@x.org"]}
    late = given_table("dnc", columns)
    draft = Draft({"name": "shop"})
    obey(draft, [late], {"dnc": (late.column("Email"), "")})
    other = given_table("suppressions", {"Email": ["a@x.org"]}, encoding="cp1252")
    several = drafted(GONE, given_table("dnc", {"Email": ["c@x.org"]}))
    for told, names in ((draft, ["dnc"]), (drafted(other), ["suppressions"]), (several, [GONE.name, "dnc"])):
        assert "outreach" not in told.values
        assert [doubt.split(" sounds")[0] for doubt in told.doubts] == names


@pytest.mark.parametrize(
    ("name", "is_list"),
    [
        *(
            (name, True)
            for name in ("opt-outs", "Do Not Call 2024", "suppression_list", "blocklist", "Robinsonliste")
        ),
        *(
            (name, False)
            for name in ("orders", "subscribed_members", "options", "cleaned_orders", "customers")
        ),
    ],
)
def test_names_of_lists(name, is_list):
    assert is_stop_list(name) is is_list
