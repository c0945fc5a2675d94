"""`churn nightly` and `churn schedule`: the night that nobody watches, and what starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli_common import Common


def nightly(
    common: Common,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Print nothing when all is well, so that cron mails nothing.")
    ] = False,
) -> int | None:
    """The whole night for cron: check, score, outcomes, monitoring, and a training when one is due."""
    from pipeline.unattended.night import command_of
    from pipeline.unattended.night import nightly as run

    config, as_of = common.settings()
    options = ["--config", str(common.config_file().absolute()), "--as-of", str(as_of)]
    options += ["--log-format", common.log_format]
    commands = command_of(config, options, quiet=common.quiet)
    result = run(config, as_of, commands, common.say)
    if result.exit_code or not if_needed:
        common.result(result.text, result.values)
    return result.exit_code


def replay(
    common: Common,
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Dates or folders; else the newest nights.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="So many nights where none is named.")] = 7,
    out: Annotated[Path | None, typer.Option(help="A folder that `churn score --out` was given.")] = None,
) -> int | None:
    """Make recorded nights again by this version, and explain every difference; nothing is kept."""
    from pipeline.replay import replay as run

    config, _ = common.settings()
    result = run(config, runs or [], last, out, common.say)
    common.result(result.text, result.values)
    return result.exit_code


def mail(common: Common) -> int | None:
    """Mail each owner the own part of a published list, once; needs outreach.mail in the config."""
    from pipeline.unattended.owners import mail_owners

    result = mail_owners(*common.settings())
    common.result(result.text, result.values)
    return result.exit_code


def schedule(
    common: Common,
    systemd: Annotated[
        bool, typer.Option("--systemd", help="A service and a timer; else a line for cron.")
    ] = False,
    at: Annotated[str, typer.Option(metavar="HH:MM", help="When, by the machine's clock.")] = "02:30",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the units there.")] = None,
) -> int | None:
    """Print what starts `churn nightly` every night."""
    from pipeline.unattended.schedule import Start
    from pipeline.unattended.schedule import schedule as run

    config, _ = common.settings()
    result = run(Start(config.name, common.config_file().absolute(), at), systemd=systemd, out=out)
    common.result(result.text, result.values)
    return result.exit_code
