"""Letters over one connection to a real server on this machine; secrets come from the environment."""

from email.message import EmailMessage

import pytest

from configs.errors import ConfigError
from configs.nightly import MailServer
from pipeline.mailing import is_this_machine, send, variable
from tests.pipeline.unattended.local_servers import post_office


def letter(to, text):
    made = EmailMessage()
    made["To"], made["Subject"] = to, "list"
    made.set_content(text)
    return made


def server(port=25, **more):
    return MailServer(host="127.0.0.1", port=port, sender="churn@example.org", **{"security": "none", **more})


def test_letters_go_to_their_own_readers_from_the_sender():
    got = []
    with post_office(got) as port:
        send(server(port), [letter("a@x.org", "for a"), letter("b@x.org", "for b")], {}, "outreach.mail")
    assert [(login, to) for login, _, to, _ in got] == [(None, ["a@x.org"]), (None, ["b@x.org"])]
    for text, mine, other in ((got[0][3], "for a", "for b"), (got[1][3], "for b", "for a")):
        body = text.decode() if isinstance(text, bytes) else text
        assert mine in body
        assert other not in body
        assert "From: churn@example.org" in body


def test_the_password_comes_from_the_environment_without_the_line_end_of_its_file():
    got = []
    with post_office(got) as port:
        environ = {"CHURN_SMTP_PASSWORD": "secret\n"}
        send(server(port, user="me"), [letter("a@x.org", "hello")], environ, "outreach.mail")
    assert got[0][0] == ("me", "secret")


def test_a_password_that_is_not_set_is_told_with_its_key_before_anything_is_sent():
    got = []
    says = r"variable CHURN_SMTP_PASSWORD is not set; .*change outreach\.mail\.password_env"
    with post_office(got) as port, pytest.raises(ConfigError, match=says):
        send(server(port, user="me"), [letter("a@x.org", "hello")], {}, "outreach.mail")
    assert got == []


def test_no_password_travels_in_the_clear_to_another_machine():
    away = MailServer(host="mail.example.org", sender="c@x.org", security="none", user="me")
    with pytest.raises(
        ConfigError, match=r"nightly\.alerts\.mail\.security is none, and a password would travel"
    ):
        send(away, [], {"CHURN_SMTP_PASSWORD": "secret"}, "nightly.alerts.mail")


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_variable_is_not_set(value):
    with pytest.raises(ConfigError, match="variable HOOK is not set"):
        variable({} if value is None else {"HOOK": value}, "HOOK", "nightly.alerts.webhook_env")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
    ],
)
def test_what_stays_on_this_machine(host, here):
    assert is_this_machine(host) is here
