"""Contact logs of which the values say what the names do not: which way a contact went, and by which channel."""

import pytest
from given import DAYS, given_table, part

from pipeline.setup.events import events_part
from pipeline.setup.talks import channel_of, direction_of

WHO = {"customer_no": [1, 2, 2, 3], "date": DAYS}


@pytest.mark.parametrize(
    ("values", "renamed"),
    [
        (["in", "out", "out", "in"], {"in": "inbound", "out": "outbound"}),
        (["Incoming", "Outgoing", "Outgoing", None], {"Incoming": "inbound", "Outgoing": "outbound"}),
        (
            ["Eingehend", "ausgehend", "Eingehend", "ausgehend"],
            {"Eingehend": "inbound", "ausgehend": "outbound"},
        ),
        (["ورودی", "خروجی", "ورودی", "خروجی"], {"ورودی": "inbound", "خروجی": "outbound"}),
    ],
)
def test_which_way_a_contact_went_is_told_by_its_words(values, renamed):
    column, rule = direction_of(given_table("calls", WHO | {"inout": values}), set())
    assert (column.name, rule) == ("inout", {"column": "inout", "rename": renamed})


def test_words_that_are_read_as_they_stand_need_no_other_name():
    values = ["Inbound", "outbound", "Inbound", "outbound"]
    assert direction_of(given_table("calls", WHO | {"way": values}), set())[1] == "way"


@pytest.mark.parametrize(
    "values", [["in", "internal", "out", "in"], ["in", "in", "in", "in"], ["a", "b", "a", "b"]]
)
def test_other_words_among_them_or_one_side_alone_say_nothing(values):
    assert direction_of(given_table("calls", WHO | {"inout": values}), set()) is None


def test_a_kind_of_contact_is_its_channel_and_the_subject_its_topic():
    values = {
        "type": ["Phone call", "Mail", "Visit", "Mail"],
        "inout": ["in", "out", "out", "in"],
        "subject": ["Complaint", "Customer care", "Customer care", "Question"],
    }
    found = part(events_part, "calls", WHO | values, "contacts")
    assert found.columns == {
        "customer_id": "customer_no",
        "occurred_at": "date",
        "channel": "type",
        "direction": {"column": "inout", "rename": {"in": "inbound", "out": "outbound"}},
        "topic": "subject",
    }


def test_kinds_of_which_one_is_no_channel_stay_a_topic():
    values = {"type": ["Phone call", "Mail", "Bug", "Mail"]}
    assert channel_of(given_table("calls", WHO | values), set()) is None
    assert part(events_part, "calls", WHO | values, "contacts").columns["topic"] == "type"
