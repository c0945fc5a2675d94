"""The section of nights that nobody watches: weekdays, addresses, and which secrets must be set."""

import datetime as dt

import pytest
from pydantic import ValidationError

from configs.nightly import Alerts, Mail, Nightly, OwnerMail

SERVER = {"host": "mail.example.org", "sender": "churn@example.org"}


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ("sunday", [6]),
        (["sunday", "monday", "sunday"], [0, 6]),
        ([], []),
        (["wednesday"], [dt.date(2024, 5, 1).weekday()]),
    ],
)
def test_weekdays_are_numbered_as_dates_number_them(given, days):
    assert Nightly(train_on=given).weekdays == days


def test_what_is_no_weekday_is_refused():
    with pytest.raises(ValidationError, match="'monday', 'tuesday'"):
        Nightly(train_on="sun")


@pytest.mark.parametrize(
    "address", ["nobody", "a@b@c", "a b@example.org", "Ada <a@example.org>", "a@example.org, b@example.org"]
)
def test_an_address_is_one_plain_address(address):
    with pytest.raises(ValidationError, match="to"):
        Mail(**SERVER, to=address)
    with pytest.raises(ValidationError, match="to"):
        OwnerMail(**SERVER, to={"Ada": address})


def test_one_address_may_stand_alone_but_none_may_not():
    assert Mail(**SERVER, to="a@example.org").to == ["a@example.org"]
    with pytest.raises(ValidationError, match="at least 1 item"):
        Mail(**SERVER, to=[])


@pytest.mark.parametrize(
    ("alerts", "variables"),
    [
        ({}, ()),
        ({"webhook_env": "HOOK"}, ("HOOK",)),
        ({"mail": {**SERVER, "to": "a@example.org"}}, ()),  # no log-in, no password
        ({"mail": {**SERVER, "to": "a@example.org", "user": "me"}}, ("CHURN_SMTP_PASSWORD",)),
        (
            {"webhook_env": "HOOK", "mail": {**SERVER, "to": "a@b", "user": "me", "password_env": "PASS"}},
            ("HOOK", "PASS"),
        ),
    ],
)
def test_which_variables_must_be_set_to_tell_anybody(alerts, variables):
    assert Alerts.model_validate(alerts).variables == variables


@pytest.mark.parametrize("name", ["HOOK URL", "1HOOK", "HOOK=https://x", ""])
def test_a_secret_is_named_and_never_written(name):
    with pytest.raises(ValidationError, match="webhook_env"):
        Alerts(webhook_env=name)
