"""Who is told of a night: a webhook that takes JSON, and mail; by the standard library, secrets from the environment.

A message that can't be sent is no reason to lose a night: it becomes a line of the summary.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from configs.errors import ConfigError
from configs.nightly import Alerts, Mail
from pipeline import mailing
from pipeline.result import LOOK, visible
from pipeline.unattended.part import cut_line

SECONDS = 10.0


@dataclass(frozen=True)
class Message:
    """What is told: one line, some more, and values for machines. No customer is named by churn itself."""

    title: str
    text: str
    values: Mapping[str, Any]


def alert_wanted(settings: Alerts, code: int) -> bool:
    """Whether anybody wants to be told of a night with this exit code.

    Examples
    --------
    >>> given = [Alerts(webhook_env="HOOK", when=when) for when in ("failure", "look")]
    >>> [alert_wanted(one, 3) for one in given], alert_wanted(Alerts(), 1)
    ([False, True], False)
    """
    if settings.webhook_env is None and settings.mail is None:
        return False
    return settings.when == "always" or (code not in (0, LOOK) if settings.when == "failure" else code != 0)


def send_alert(settings: Alerts, message: Message, environ: Mapping[str, str] | None = None) -> list[str]:
    """Send a message every way that is set; returns a line for each that failed, without its secrets."""
    known = os.environ if environ is None else environ
    lines = [cut_line(line) for line in message.text.splitlines()]
    plain = Message(visible(message.title), visible("\n".join(lines)), message.values)
    failed = []
    if settings.webhook_env is not None:
        try:
            post(mailing.variable(known, settings.webhook_env, "nightly.alerts.webhook_env"), plain)
        except (OSError, HTTPException, ValueError, ConfigError) as error:
            failed.append(f"the webhook of {settings.webhook_env} was not told: {_said(error)}")
    if settings.mail is not None:
        try:
            mail(settings.mail, plain, known)
        except (OSError, smtplib.SMTPException, ValueError, ConfigError) as error:
            failed.append(f"{settings.mail.host}:{settings.mail.port} took no mail: {_said(error)}")
    return failed


def _said(error: Exception) -> str:
    """An error without the address, which may be a secret by itself."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answer {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "it refuses the recipients"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return cut_line(visible(" ".join(str(error).split())) or type(error).__name__)


def post(url: str, message: Message) -> None:
    """Send a message as JSON; an answer other than 2xx is an error, and nothing is followed elsewhere.

    Raises
    ------
    ValueError
        The address is no https one, or the answer is no.
    OSError, HTTPException
        The server is away.
    """
    parts = urlsplit(url)
    plain = parts.scheme == "http" and mailing.is_this_machine(parts.hostname or "")
    if not (parts.hostname and (parts.scheme == "https" or plain)):
        raise ValueError("expected an address such as https://chat.example.org/hooks/...")
    body = json.dumps(
        {"text": f"{message.title}\n{message.text}".strip(), "title": message.title, **message.values},
        ensure_ascii=False,
    ).encode()
    connection = (
        HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
        if plain
        else HTTPSConnection(
            parts.hostname, parts.port, timeout=SECONDS, context=ssl.create_default_context()
        )
    )
    try:
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", path, body, {"Content-Type": "application/json; charset=utf-8"})
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise ValueError(f"answer {status}")


def mail(settings: Mail, message: Message, environ: Mapping[str, str]) -> None:
    """Send a message by mail; raises what `pipeline.mailing.send` does."""
    letter = EmailMessage()
    letter["Subject"] = message.title
    letter["To"] = ", ".join(settings.to)
    letter.set_content(f"{message.title}\n\n{message.text}\n")
    mailing.send(settings, [letter], environ, "nightly.alerts.mail", SECONDS)
