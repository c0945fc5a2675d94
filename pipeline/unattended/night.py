"""`churn nightly`: check, score, outcomes, monitor, and a training when one is due; each in a process of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import ChurnError
from configs.schema import Config
from pipeline.languages.language import Language
from pipeline.languages.said import NO_LINE, Said, said, said_again, said_before, said_n, spoken
from pipeline.layout import layout_of
from pipeline.log import Say
from pipeline.publish import only_run
from pipeline.result import LOOK, Result
from pipeline.unattended import alerts, journal, process
from pipeline.unattended.due import due
from pipeline.unattended.part import NightPart, headline_of_night, shown_parts, worst_code

Run = Callable[[str], process.Ended]
TRIES = 20


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
    layout, language = layout_of(config), Language(config.language, config.currency)
    with only_run(layout.folder, "nightly"):
        before = journal.read_journal(layout.nights)
        check = _part("check", run, say, _of_check)
        known = _model_of(check)
        parts, trained = (
            [check],
            max(filter(None, (known.trained, journal.last_training(before))), default=None),
        )
        if known.usable is False:
            parts.append(_part("train", run, say, _of_training, said("no champion can be used")))
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
                else NightPart("train", 0, (_not_due(trained),))
            )
        slow = [line for part in parts for line in journal.slower(part, before, config.nightly.slower_by)]
        parts += [NightPart("pace", LOOK, tuple(slow))] if slow else []
        parts += _told(config, as_of, parts, say)
        code = worst_code(parts)
        parts += _noted(layout.nights, as_of, parts, code)
    return Result(
        f"{spoken(_title(config, as_of, parts), language)}\n{shown_parts(parts, language)}",
        {"as_of": str(as_of), "exit_code": worst_code(parts), "parts": [part.as_values for part in parts]},
        worst_code(parts),
    )


def command_of(config: Config, options: Sequence[str], *, quiet: bool) -> Run:
    """What runs a command by its name, with these options."""
    seconds = config.nightly.max_hours * 3_600

    def run(name: str) -> process.Ended:
        more = search_options(config) if name == "train" else ()
        return process.run_process([name, *options, *more], quiet=quiet, seconds=seconds)

    return run


def search_options(config: Config) -> tuple[str, ...]:
    """What a training is told besides: at night nobody waits for it, so that it may search where nothing forbids it."""
    if config.model.tune_trials is not None or config.churn.kind == "labelled":
        return ()
    return ("--tune", str(TRIES))


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
    name: str,
    run: Run,
    say: Say,
    lines: Callable[[Mapping[str, Any]], Sequence[Said]],
    why: Said = NO_LINE,
) -> NightPart:
    say(f"{name}: {why}" if why else name)
    ended = run(name)
    values = ended.values if isinstance(ended.values, dict) else {}
    last = _as_they_stand(ended.said.splitlines()[-3:])
    told: list[Said]
    if ended.late:
        late = said(
            "took longer than `nightly.max_hours` allows, and was ended after {seconds:.0f} s",
            seconds=ended.seconds,
        )
        code, told = 1, [late]
    elif ended.code < 0:
        code, told = 1, [_killed(ended), *last]
    elif "error" in values:
        code, told = ended.code, _as_they_stand(str(values["error"]).splitlines())
    elif not values:
        code, told = ended.code or 1, [said("gave no result"), *last]
    else:
        code, told = ended.code, list(lines(values))
    told += [said("due: {why}", why=why)] if why else []
    return NightPart(name, code, tuple(told), values, ended.seconds, ended.megabytes)


def _as_they_stand(lines: Sequence[str]) -> list[Said]:
    """Errors, and what a command of another process said: for the log, and so in English."""
    return [said_again(line) for line in lines]


def _not_due(trained: dt.date | None) -> Said:
    return said("not due, the last one is as of {day}", day=trained)


def _killed(ended: process.Ended) -> Said:
    if ended.code == -9:
        return said(
            "was ended by signal {signal}, at {megabytes:.0f} MB: the memory may have been too small",
            signal=-ended.code,
            megabytes=ended.megabytes,
        )
    return said("was ended by signal {signal}", signal=-ended.code)


def _in_words(values: Mapping[str, Any], lines: Sequence[str]) -> list[Said]:
    """Lines of a night with what they are in the language of the config."""
    words = values.get("in_words", {})
    return [said_before(line, words.get(line, line)) for line in lines]


def _of_check(values: Mapping[str, Any]) -> list[Said]:
    checks = values["checks"]
    bad = [one for state in ("fault", "later", "look") for one in checks if one["state"] == state]
    lines = [f"{one['check']}: {line}" for one in bad for line in one["lines"]]
    passed = said("{passed} of {all} checks passed", passed=values["passed"], all=len(checks))
    return [*_as_they_stand(lines), passed]


def _of_score(values: Mapping[str, Any]) -> list[Said]:
    watched = set(values["monitoring"]["lines"])
    look = _in_words(values, [line for line in values["look"] if line not in watched])
    listed = said_n(
        "the list of {n} customer is published: {folder}",
        "the list of {n} customers is published: {folder}",
        values["listed"],
        folder=values["folder"],
    )
    return [*look, listed] if look else [listed]


def _of_outcomes(values: Mapping[str, Any]) -> list[Said]:
    look = _in_words(values, values.get("look", []))
    if reason := values.get("reason"):
        return [*look, *_in_words(values, [reason])]
    return [*look, said_n("{n} night has matured", "{n} nights have matured", values.get("nights", 0))]


def _of_training(values: Mapping[str, Any]) -> list[Said]:
    verdict = (
        said("promoted")
        if values["promoted"]
        else said("waits beside the champion")
        if values.get("waits")
        else said("not promoted")
    )
    version = values.get("version")
    if version is not None:
        verdict = said("version {version} {verdict}", version=str(version), verdict=verdict)
    reason = said("{verdict}: {reason}", verdict=verdict, reason=values["reason"])
    return [*_as_they_stand(values.get("look", [])), reason]


def _of_mail(values: Mapping[str, Any]) -> list[Said]:
    sent = said_n(
        "{n} owner got the own part of the list",
        "{n} owners got their part of the list",
        len(values["mailed"]),
    )
    return [*_in_words(values, values.get("look", [])), sent]


def _found(score: NightPart) -> list[str]:
    return list((score.values or {}).get("monitoring", {}).get("found", []))


def _monitor(score: NightPart) -> list[NightPart]:
    """What the score has found of its sources, features and scores, as a part of its own."""
    watched = (score.values or {}).get("monitoring")
    if not watched or not watched["checks"]:
        return []
    counts = said("{checks} checks, {n} findings", checks=watched["checks"], n=len(watched["lines"]))
    lines = [*_in_words(score.values, watched["lines"]), counts]
    return [NightPart("monitor", LOOK if watched["lines"] else 0, tuple(lines))]


def _title(config: Config, as_of: dt.date, parts: Sequence[NightPart]) -> Said:
    score = next(part for part in parts if part.name == "score")
    listed = said("the list is published") if score.code in (0, LOOK) else said("no list is published")
    head = headline_of_night(parts)
    return said(
        "churn {company} {day}: {head}; {listed}", company=config.name, day=as_of, head=head, listed=listed
    )


def _told(config: Config, as_of: dt.date, parts: Sequence[NightPart], say: Say) -> list[NightPart]:
    """Tell who wants to be told; what could not be sent is a part to look at."""
    code, settings = worst_code(parts), config.nightly.alerts
    language = Language(config.language, config.currency)
    if not alerts.alert_wanted(settings, code):
        return []
    say("tell of the night")
    message = alerts.Message(
        spoken(_title(config, as_of, parts), language),
        "\n".join(
            f"{part.name}: {spoken(part.lines[0], language)}" for part in parts if part.code and part.lines
        ),
        {"config": config.name, "as_of": str(as_of), "exit_code": code},
    )
    failed = alerts.send_alert(settings, message)
    return [NightPart("alert", LOOK, tuple(_as_they_stand(failed)))] if failed else []


def _noted(file: Path, as_of: dt.date, parts: Sequence[NightPart], code: int) -> list[NightPart]:
    try:
        journal.add(file, as_of, parts, code)
    except (OSError, ChurnError) as error:
        line = said(
            "{file}: can't be written: {error}; check its owner and the free space",
            file=str(file),
            error=str(error),
        )
        return [NightPart("journal", LOOK, (line,))]
    return []
