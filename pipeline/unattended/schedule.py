"""`churn schedule`: what starts `churn nightly` every night, as a line for cron or as units for systemd."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from configs.errors import ConfigError
from pipeline.publish import write_atomic
from pipeline.result import Result

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
SERVICE = """\
[Unit]
Description=churn nightly of {name}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=6h
StartLimitBurst=6

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
# Secrets such as CHURN_SMTP_PASSWORD=..., in a file of its owner alone.
EnvironmentFile=-{secrets}
# 3: published, and a person should look. 75: try again later.
SuccessExitStatus=3
Restart=on-failure
RestartPreventExitStatus=1 2 130 143
RestartSec=15min
UMask=0077
NoNewPrivileges=yes
"""
TIMER = """\
[Unit]
Description=churn nightly of {name}, every night

[Timer]
OnCalendar=*-*-* {hour}:{minute}:00
# A night that was missed while the machine was off is made up for.
Persistent=true

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Start:
    """What is started when.

    Parameters
    ----------
    name
        Of the config.
    file
        The config.
    at
        Time of the day, such as 02:30, by the machine's clock.
    """

    name: str
    file: Path
    at: str

    @property
    def clock(self) -> tuple[str, str]:
        """Hour and minute.

        Raises
        ------
        ConfigError
            When it is no time.
        """
        match = _TIME.fullmatch(self.at)
        if match is None:
            raise ConfigError(f"--at: is {self.at!r}, expected a time such as 02:30")
        return match[1], match[2]

    @property
    def words(self) -> list[str]:
        """The command, word by word."""
        return [
            str(Path(sys.executable).with_name("churn")),
            "nightly",
            "--config",
            str(self.file),
            "--quiet",
        ]


def cron_line(start: Start) -> str:
    r"""A line for `crontab`, which mails what is printed: nothing when all is well.

    Examples
    --------
    >>> line = cron_line(Start("shop", Path("/srv/100% shop/churn.yaml"), "02:30"))
    >>> line.partition(" && ")[0]
    "30 2 * * * cd '/srv/100\\% shop'"
    """
    hour, minute = start.clock
    folder = _plain(start.file.parent)
    command = f"cd {shlex.quote(folder)} && {shlex.join([*start.words, '--if-needed'])}"
    # To cron an unescaped % is the end of the line.
    return f"{int(minute)} {int(hour)} * * * {command}".replace("%", r"\%")


def service_units(start: Start) -> dict[str, str]:
    """Name and text of a service and its timer."""
    hour, minute = start.clock
    folder = _plain(start.file.parent)
    secrets = start.file.with_name(f"{start.name}.env")
    service = SERVICE.format(
        name=start.name,
        folder=_specifiers(folder),
        command=" ".join(map(_quoted, start.words)),
        secrets=_specifiers(str(secrets)),
    )
    timer = TIMER.format(name=start.name, hour=hour, minute=minute)
    return {f"churn-{start.name}.service": service, f"churn-{start.name}.timer": timer}


def schedule(start: Start, *, systemd: bool, out: Path | None) -> Result:
    """Print what starts the nights, or write the units into a folder.

    Raises
    ------
    ConfigError
        A file is there already, or `out` is given for cron.
    """
    if not systemd:
        if out is not None:
            raise ConfigError("--out goes with --systemd; a line for cron is added by `crontab -e`")
        line = cron_line(start)
        return Result(line, {"cron": line})
    files = service_units(start)
    if out is None:
        return Result("\n".join(f"# {name}\n{text}" for name, text in files.items()), files)
    if there := [str(out / name) for name in files if (out / name).exists()]:
        raise ConfigError(f"{', '.join(there)}: is there already; remove it first, or give another --out")
    for name, text in files.items():
        write_atomic(out / name, text)
    written = "\n".join(f"written {out / name}" for name in files)
    enable = f"next: systemctl daemon-reload && systemctl enable --now churn-{start.name}.timer"
    return Result(f"{written}\n{enable}", {"written": [str(out / name) for name in files]})


def _plain(folder: Path) -> str:
    text = str(folder)
    if any(not sign.isprintable() for sign in text):
        raise ConfigError(f"{text!r}: a line for cron or systemd can't hold such a name; move the config")
    return text


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """A word of `ExecStart`, where $, % and the backslash mean something."""
    if re.fullmatch(r"[\w./:=@+,-]+", word):
        return word
    inner = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_specifiers(inner)}"'
