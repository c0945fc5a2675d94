"""What every section shares: nothing secret is shown, a yes is no number, and a fault names its key."""

import string
import time
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from configs.base import LONGEST_SHOWN, Days, Range, Section, fault_of, redacted, shown_value

PASSWORDS = st.text(string.ascii_letters + string.digits + "!$()*,;=.~_-%/?@:' ".replace(" ", ""), min_size=4)


class Inner(Section):
    days: Days = 1
    share: float = 0.5
    names: tuple[str, ...] = ()
    on: bool = False
    limits: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    either: bool | float = 0


class Outer(Section):
    inner: Inner = Inner()
    by_name: dict[str, Inner] = Field(default_factory=dict)


def told(values, **more):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    return [str(fault_of(e, Outer, **more)) for e in caught.value.errors()]


@given(secret=PASSWORDS)
def test_no_password_of_an_address_is_shown(secret):
    told = redacted(f"can't reach postgresql://me:{secret}@host:5432/shop#orders today")
    assert told == "can't reach postgresql://me:***@host:5432/shop#orders today"


@given(secret=st.text(string.ascii_letters + string.digits + "!$*()-_", min_size=1))
@pytest.mark.parametrize(
    "text",
    [
        "host=db password={} sslmode=require",
        "PGPASSWORD={}",
        "https://host/x?access_token={}&page=2",
        "https://host/x?page=2&apiKey={}#top",
        "mysql.password={}",
        "AWS_SECRET_ACCESS_KEY={} is set",
        "https://account.blob/x?sv=1&sig={}",
    ],
)
def test_no_secret_beside_its_name_is_shown(text, secret):
    assert redacted(text.format(secret)) == text.format("***")


def test_a_secret_in_quotes_is_none_the_less_one():
    assert redacted("host=db password='two words' user=me") == "host=db password=*** user=me"
    assert redacted('token="a b" and more') == "token=*** and more"


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:5000 is away, ask me@example.org",
        "(see http://tracking:5000), then write to me@example.org",
        "at 'http://tracking:5000', ask me@example.org",
        "file:///data/shop.db",
        "the key of a row, the password of nobody",
        "http://tracking/#/runs?viewStateShareKey=churn",
    ],
)
def test_what_holds_no_secret_stays_as_it_is(text):
    assert redacted(text) == text


@pytest.mark.parametrize("piece", ["?", "?key", "key", "://", "://a:", "?key;", "token.", "x= '", "://a:<@"])
@pytest.mark.parametrize("end", ["", "=", "@"])
def test_no_text_takes_long(piece, end):
    """What a server answers goes through here, however long it is; some of these once took hours."""
    begun = time.process_time()
    redacted(piece * 8_000 + end)
    assert time.process_time() - begun < 1


@given(value=st.text(string.printable) | st.lists(st.integers()) | st.floats())
def test_a_value_is_shown_in_a_line_of_limited_length(value):
    assert len(shown_value(value)) <= LONGEST_SHOWN


def test_a_value_is_shown_without_its_password():
    assert shown_value("mysql://me:secret@host/shop") == "'mysql://me:***@host/shop'"


@pytest.mark.parametrize(
    "values", [{"days": True}, {"share": False}, {"limits": {"phone": True}}], ids=lambda v: next(iter(v))
)
def test_a_yes_is_no_number(values):
    assert told({"inner": values}) == [f"inner.{next(iter(values))}: is true or false, expected a number"]


def test_a_yes_is_one_where_it_may_be():
    assert Inner(on=True, either=True).either is True


def test_a_section_never_changes_and_knows_its_keys():
    with pytest.raises(ValidationError, match="frozen"):
        Inner().days = 3
    assert told({"inner": {"dayz": 3}}) == ["inner.dayz: unknown key; did you mean 'days'?"]
    assert told({"by_name": {"a": {"shares": 0.5}}}) == [
        "by_name.a.shares: unknown key; did you mean 'share'?"
    ]
    assert told({"zzz": 1}) == ["zzz: unknown key; known: by_name, inner"]


def test_a_fault_says_where_the_value_comes_from_and_what_took_its_place():
    assert told({"inner": {"days": -1}}, origins={"inner.days": "CHURN__INNER__DAYS"}) == [
        "inner.days (from CHURN__INNER__DAYS): is -1: input should be greater than 0"
    ]
    moved = {"inner.weeks": "write inner.days: 7 * {value}"}
    assert told({"inner": {"weeks": 2}}, moved=moved) == [
        "inner.weeks: is no key any more; write inner.days: 7 * 2"
    ]


def test_what_is_missing_and_what_is_no_section():
    class Needs(BaseModel):
        name: str

    with pytest.raises(ValidationError) as caught:
        Needs.model_validate({})
    assert str(fault_of(caught.value.errors()[0], Needs)) == "name: is missing"


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({}, "needs above, below, or both"),
        ({"above": 2, "below": 2}, "no number is above 2 and below 2"),
        ({"above": 3, "below": -1.5}, "no number is above 3 and below -1.5"),
        ({"above": float("nan")}, "finite number"),
    ],
)
def test_a_range_that_holds_no_number_is_refused(bounds, says):
    with pytest.raises(ValidationError, match=says):
        Range(**bounds)
