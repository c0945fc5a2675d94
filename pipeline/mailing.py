"""Mail by the standard library: the way to a server, with the password from the environment."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from ipaddress import ip_address

from configs.errors import ConfigError
from configs.nightly import MailServer

_SECONDS = 30.0


def send(
    server: MailServer,
    letters: Iterable[EmailMessage],
    environ: Mapping[str, str],
    key: str,
    seconds: float = _SECONDS,
) -> None:
    """Send letters over one connection.

    Parameters
    ----------
    key
        Of the server's section in the config, for errors.
    seconds
        Patience with every answer.

    Raises
    ------
    ConfigError
        The password's variable is not set, or it would travel unencrypted.
    OSError, smtplib.SMTPException
        The server is away or says no.
    """
    if server.user is not None and server.security == "none" and not is_this_machine(server.host):
        raise ConfigError(f"{key}.security is none, and a password would travel in the clear; set starttls")
    context = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        if server.security == "tls"
        else smtplib.SMTP(server.host, server.port, timeout=seconds)
    ) as connection:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user is not None:
            connection.login(server.user, variable(environ, server.password_env, f"{key}.password_env"))
        for letter in letters:
            letter["From"] = server.sender
            connection.send_message(letter)


def variable(environ: Mapping[str, str], name: str, key: str) -> str:
    """A secret from the environment.

    Raises
    ------
    ConfigError
        It is not set.
    """
    if not environ.get(name):
        raise ConfigError(
            f"variable {name} is not set; set it where cron or systemd starts churn, or change {key}"
        )
    return environ[name].strip()


def is_this_machine(host: str) -> bool:
    """Whether what is sent to the host stays on this machine.

    Examples
    --------
    >>> [is_this_machine(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "mail.example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
