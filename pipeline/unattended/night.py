"""`churn nightly`: check, score, outcomes, monitor, and a training when one is due; each in a process of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import ChurnError
from configs.schema import Config
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.publish import only_run
from pipeline.result import LOOK, Result
from pipeline.unattended import alerts, journal, process
from pipeline.unattended.due import due
from pipeline.unattended.part import NightPart, headline_of_night, shown_parts, worst_code

Run = Callable[[str], process.Ended]


def nightly(config: Config, as_of: dt.date, run: Run, say: Say) -> Result:
    """Run the parts of a night in their order, whatever becomes of one of them, and tell what came of it.

    Parameters
    ----------
    run
        Runs a command by its name, such as `command_of` gives.

    Returns
    -------
    Result
        With the worst exit code of its parts.

    Raises
    ------
    TryAgainError
        Another night of this config is at work.
    """
    layout = layout_of(config)
    with only_run(layout.folder, "nightly"):
        before = journal.read_journal(layout.nights)
        check = _part("check", run, say, _of_check)
        known = _model_of(check)
        parts, trained = (
            [check],
            max(filter(None, (known.trained, journal.last_training(before))), default=None),
        )
        if known.usable is False:
            parts.append(_part("train", run, say, _of_training, "no champion can be used"))
        score = _part("score", run, say, _of_score)
        parts += [score, *_monitor(score)]
        if config.outreach.mail is not None and score.code in (0, LOOK):
            parts.append(_part("mail", run, say, _of_mail))
        parts += [_part("outcomes", run, say, _of_outcomes)]
        if known.usable is not False:
            why = due(config.nightly, as_of, trained, _found(score))
            parts.append(
                _part("train", run, say, _of_training, why)
                if why
                else NightPart("train", 0, (f"not due, the last one is as of {trained}",))
            )
        slow = [line for part in parts for line in journal.slower(part, before, config.nightly.slower_by)]
        parts += [NightPart("pace", LOOK, tuple(slow))] if slow else []
        parts += _told(config, as_of, parts, say)
        code = worst_code(parts)
        parts += _noted(layout.nights, as_of, parts, code)
    return Result(
        f"{_title(config, as_of, parts)}\n{shown_parts(parts)}",
        {"as_of": str(as_of), "exit_code": worst_code(parts), "parts": [part.as_values for part in parts]},
        worst_code(parts),
    )


def command_of(options: Sequence[str], hours: float, *, quiet: bool) -> Run:
    """What runs a command by its name, with these options."""

    def run(name: str) -> process.Ended:
        return process.run_process([name, *options], quiet=quiet, seconds=hours * 3_600)

    return run


@dataclass(frozen=True)
class _Model:
    """What the check tells of the models: whether one can be used (None: not known), and the last training."""

    usable: bool | None
    trained: dt.date | None


def _model_of(check: NightPart) -> _Model:
    found = {one["check"]: one for one in (check.values or {}).get("checks", [])}
    model, tracking = found.get("model", {}), found.get("tracking", {})
    trained = model.get("trained")
    day = dt.date.fromisoformat(trained) if trained else None
    if tracking.get("unfit"):
        return _Model(False, day)
    if not model or tracking.get("state") != "ok":
        return _Model(None, day)
    return _Model("version" in model and model["state"] != "fault", day)


def _part(
    name: str, run: Run, say: Say, lines: Callable[[Mapping[str, Any]], Sequence[str]], why: str = ""
) -> NightPart:
    say(f"{name}: {why}" if why else name)
    ended = run(name)
    values = ended.values if isinstance(ended.values, dict) else {}
    said = ended.said.splitlines()[-3:]
    if ended.late:
        code, told = (
            1,
            [f"took longer than nightly.max_hours allows, and was ended after {ended.seconds:.0f} s"],
        )
    elif ended.code < 0:
        code, told = 1, [f"was ended by signal {-ended.code}" + _out_of_memory(ended), *said]
    elif "error" in values:
        code, told = ended.code, str(values["error"]).splitlines()
    elif not values:
        code, told = ended.code or 1, ["gave no result", *said]
    else:
        code, told = ended.code, list(lines(values))
    told += [f"due: {why}"] if why else []
    return NightPart(name, code, tuple(told), values, ended.seconds, ended.megabytes)


def _out_of_memory(ended: process.Ended) -> str:
    return f", at {ended.megabytes:,.0f} MB: the memory may have been too small" if ended.code == -9 else ""


def _of_check(values: Mapping[str, Any]) -> list[str]:
    checks = values["checks"]
    bad = [one for state in ("fault", "later", "look") for one in checks if one["state"] == state]
    lines = [f"{one['check']}: {line}" for one in bad for line in one["lines"]]
    return [*lines, f"{values['passed']} of {len(checks)} checks passed"]


def _of_score(values: Mapping[str, Any]) -> list[str]:
    watched = set(values["monitoring"]["lines"])
    look = [line for line in values["look"] if line not in watched]
    listed = f"the list of {values['listed']:,} customers is published: {values['folder']}"
    return [*look, listed] if look else [listed]


def _of_outcomes(values: Mapping[str, Any]) -> list[str]:
    return [
        *values.get("look", []),
        str(values.get("reason") or f"{values.get('nights', 0)} nights have matured"),
    ]


def _of_training(values: Mapping[str, Any]) -> list[str]:
    verdict = (
        "promoted"
        if values["promoted"]
        else "waits beside the champion"
        if values.get("waits")
        else "not promoted"
    )
    version = values.get("version")
    said = f"version {version} {verdict}" if version is not None else verdict
    return [*values.get("look", []), f"{said}: {values['reason']}"]


def _of_mail(values: Mapping[str, Any]) -> list[str]:
    return [*values.get("look", []), f"{len(values['mailed'])} owners got their part of the list"]


def _found(score: NightPart) -> list[str]:
    return list((score.values or {}).get("monitoring", {}).get("found", []))


def _monitor(score: NightPart) -> list[NightPart]:
    """What the score has found of its sources, features and scores, as a part of its own."""
    watched = (score.values or {}).get("monitoring")
    if not watched or not watched["checks"]:
        return []
    lines = [*watched["lines"], f"{watched['checks']} checks, {len(watched['lines'])} findings"]
    return [NightPart("monitor", LOOK if watched["lines"] else 0, tuple(lines))]


def _title(config: Config, as_of: dt.date, parts: Sequence[NightPart]) -> str:
    score = next(part for part in parts if part.name == "score")
    listed = "the list is published" if score.code in (0, LOOK) else "no list is published"
    return f"churn {config.name} {as_of}: {headline_of_night(parts)}; {listed}"


def _told(config: Config, as_of: dt.date, parts: Sequence[NightPart], say: Say) -> list[NightPart]:
    """Tell who wants to be told; what could not be sent is a part to look at."""
    code, settings = worst_code(parts), config.nightly.alerts
    if not alerts.alert_wanted(settings, code):
        return []
    say("tell of the night")
    message = alerts.Message(
        _title(config, as_of, parts),
        "\n".join(f"{part.name}: {part.lines[0]}" for part in parts if part.code and part.lines),
        {"config": config.name, "as_of": str(as_of), "exit_code": code},
    )
    failed = alerts.send_alert(settings, message)
    return [NightPart("alert", LOOK, tuple(failed))] if failed else []


def _noted(file: Path, as_of: dt.date, parts: Sequence[NightPart], code: int) -> list[NightPart]:
    try:
        journal.add(file, as_of, parts, code)
    except (OSError, ChurnError) as error:
        return [
            NightPart(
                "journal", LOOK, (f"{file}: can't be written: {error}; check its owner and the free space",)
            )
        ]
    return []
