"""Alerts over real sockets: TLS that is trusted or not, answers of all kinds, passwords, servers that are away."""

import email
import email.policy
import json
import shutil
import socket
import time

import pytest

from configs.nightly import Alerts, Mail
from pipeline.unattended import alerts
from pipeline.unattended.alerts import Message
from tests.pipeline.unattended.local_servers import certificate, post_office, web

MESSAGE = Message(
    "churn shop 2026-06-07: score failed; no list", "score: http://me:s3cret@db is away", {"exit_code": 1}
)
SECRET = "T0KEN"  # noqa: S105


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
    return tls


def hook(url):
    return alerts.send_alert(Alerts(webhook_env="HOOK"), MESSAGE, {"HOOK": url})


def test_a_webhook_gets_json_by_https_without_passwords(trusted):
    got = []
    with web(got, tls=trusted) as port:
        assert hook(f"https://127.0.0.1:{port}/hooks/{SECRET}?a=b") == []
    ((path, kind, body),) = got
    assert path == f"/hooks/{SECRET}?a=b"
    assert kind.startswith("application/json")
    sent = json.loads(body)
    assert sent["exit_code"] == 1
    assert sent["text"].splitlines() == [MESSAGE.title, "score: http://me:***@db is away"]


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500])
def test_an_answer_other_than_yes_is_told_and_nothing_is_followed(trusted, status):
    got = []
    with web(got, status, tls=trusted) as port:
        (line,) = hook(f"https://127.0.0.1:{port}/hooks/{SECRET}")
    assert line == f"the webhook of HOOK was not told: answer {status}"
    assert len(got) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(tls):
    got = []
    with web(got, tls=tls) as port:
        (line,) = hook(f"https://127.0.0.1:{port}/hooks/{SECRET}")
    assert "certificate" in line.lower()
    assert not got


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"http://example.org/{SECRET}", "expected an address such as https"),
        (SECRET, "expected an address such as https"),
        (f"file:///etc/{SECRET}", "expected an address such as https"),
        (f"https://127.0.0.1:99999/{SECRET}", "was not told"),
        (f"https://127.0.0.1:9/{SECRET}", "refused"),
        ("", "variable HOOK is not set"),
    ],
)
def test_a_wrong_address_is_told_without_itself(url, said):
    (line,) = hook(url)
    assert said in line
    assert SECRET not in line


def test_a_server_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(alerts, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        begun = time.monotonic()
        (line,) = hook(f"http://127.0.0.1:{deaf.getsockname()[1]}/")
    assert "timed out" in line
    assert time.monotonic() - begun < 10


def letter(port, security="none", **more):
    given = {"host": "127.0.0.1", "port": port, "security": security, "sender": "churn@example.org", **more}
    return Alerts(mail=Mail(**{"to": ["a@example.org", "b@example.org"], **given}))


def test_a_mail_to_all_its_readers():
    got = []
    with post_office(got) as port:
        assert alerts.send_alert(letter(port), MESSAGE, {}) == []
    ((login, _, to, text),) = got
    assert login is None
    assert to == ["a@example.org", "b@example.org"]
    read = email.message_from_string(text, policy=email.policy.default)
    assert read["Subject"] == MESSAGE.title
    assert "me:***@db" in read.get_content()


def test_a_password_goes_encrypted_or_not_at_all(trusted):
    got = []
    with post_office(got, tls=trusted, refuses=["wrong"]) as port:
        settings = letter(port, "starttls", user="me", password_env="PW")  # noqa: S106
        assert alerts.send_alert(settings, MESSAGE, {"PW": SECRET}) == []
        (no,) = alerts.send_alert(settings, MESSAGE, {"PW": "wrong"})
        (unset,) = alerts.send_alert(settings, MESSAGE, {})
    assert [(login, encrypted) for login, encrypted, *_ in got] == [(("me", SECRET), True)]
    assert no == f"127.0.0.1:{port} took no mail: answer 535"
    assert "variable PW is not set" in unset
    away = Alerts(mail=Mail(host="mail.example.org", security="none", sender="a@b", to="c@d", user="me"))
    (line,) = alerts.send_alert(away, MESSAGE, {"CHURN_SMTP_PASSWORD": SECRET})
    assert "in the clear" in line


def test_a_server_without_encryption_gets_no_password():
    got = []
    with post_office(got) as port:
        settings = letter(port, "starttls", user="me", password_env="PW")  # noqa: S106
        (line,) = alerts.send_alert(settings, MESSAGE, {"PW": SECRET})
    assert "took no mail" in line
    assert SECRET not in line
    assert not got


def test_both_ways_are_tried():
    settings = Alerts(webhook_env="HOOK", mail=letter(9).mail)
    assert len(alerts.send_alert(settings, MESSAGE, {"HOOK": "https://127.0.0.1:9/"})) == 2
