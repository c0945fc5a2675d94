"""`churn mail`: each owner's part of the list to its owner by mail, once a content."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import smtplib
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path

import pandas as pd

from configs.errors import ConfigError, DataError, TryAgainError
from configs.schema import Config
from pipeline import mailing
from pipeline.languages.language import Language
from pipeline.languages.said import Said, said, spoken
from pipeline.layout import layout_of
from pipeline.outreach.calendar import file_name
from pipeline.publish import as_json, only_run, write_atomic
from pipeline.result import Result

_KEY = "outreach.mail"
ATTACHED = (("list", "html", "text/html"), ("list", "xlsx", ""), ("calendar", "ics", "text/calendar"))
BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def mail_owners(config: Config, as_of: dt.date, environ: Mapping[str, str] | None = None) -> Result:
    """Mail a published night's list to its owners, each the own customers alone.

    Who got the same list before gets no mail, so that it may be run again after a server was away.

    Raises
    ------
    ConfigError
        Without a mail server in the config, or without its password.
    DataError
        No night of this date is published.
    TryAgainError
        The server is away or refuses; those who were reached before it did are not mailed again.
    """
    settings = config.outreach.mail
    if settings is None:
        raise ConfigError(
            f"{_KEY}: no mail server is set; give {_KEY}.host, .sender and .to, or leave mail alone"
        )
    layout = layout_of(config)
    run, record = layout.runs / str(as_of), layout.mailed / f"{as_of}.json"
    if not (run / "outreach.parquet").is_file():
        raise DataError(f"{run}: no such night is published; run churn score first, or give its --as-of")
    listed = pd.read_parquet(run / "outreach.parquet", columns=["owner"])["owner"].value_counts().sort_index()
    sent: list[str] = []
    with only_run(layout.folder, "mail"):
        known = json.loads(record.read_text("utf-8")) if record.is_file() else {}
        for owner, customers in listed.items():
            address = settings.to.get(str(owner))
            digest = _digest(run, str(owner))
            if address is None or known.get(str(owner)) == digest:
                continue
            letter = _letter(config, as_of, run, str(owner), int(customers))
            letter["To"] = address
            try:
                mailing.send(settings, [letter], os.environ if environ is None else environ, _KEY)
            except smtplib.SMTPAuthenticationError as error:
                raise ConfigError(
                    f"{settings.host}:{settings.port} refuses {settings.user!r}; correct {_KEY}.user or the "
                    f"variable {settings.password_env}"
                ) from error
            except (OSError, smtplib.SMTPException) as error:
                told = f"; {len(sent)} owners were reached before" if sent else ""
                raise TryAgainError(
                    f"{settings.host}:{settings.port} took no mail: {type(error).__name__}{told}; try again later"
                ) from error
            known[str(owner)] = digest
            write_atomic(record, as_json(known))
            sent.append(str(owner))
    nobody = [str(owner) for owner in listed.index if str(owner) not in settings.to]
    language = Language(config.language)
    who: Sequence[str] | Said = sent or said("nobody who had it not already")
    told = said("mailed {sent} of {all} owners: {who}", sent=len(sent), all=len(listed), who=who)
    look = [said("`outreach.mail.to` has no address for {owners}", owners=nobody)] if nobody else []
    values = {"as_of": str(as_of), "mailed": sent, "without_address": nobody}
    return Result(spoken(told, language), values).with_look(look, language)


def _files(run: Path, owner: str) -> list[tuple[Path, str]]:
    files = [(run / file_name(owner, kind, ending), mime) for kind, ending, mime in ATTACHED]
    return [(file, mime) for file, mime in files if file.is_file()]


def _digest(run: Path, owner: str) -> str:
    found = hashlib.sha256()
    for file, _ in _files(run, owner):
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _letter(config: Config, as_of: dt.date, run: Path, owner: str, customers: int) -> EmailMessage:
    code = config.outreach.owner_languages.get(owner, config.language)
    language, letter = Language(code), EmailMessage()
    letter["Subject"] = language.several(
        "{company}, {day}: {n} customer to contact",
        "{company}, {day}: {n} customers to contact",
        customers,
        company=config.name,
        day=language.day(as_of),
    )
    letter.set_content(
        language.text(
            "Your part of the list is attached: a page that opens in the browser, the same as a workbook, and the "
            "dates for your calendar. On the page you can mark what happened."
        )
        + "\n"
    )
    for file, mime in _files(run, owner):
        main, _, sub = (mime or BOOK).partition("/")
        letter.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    return letter
