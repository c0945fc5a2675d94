"""What came of each night, a line of JSON: what the next one compares its time and memory with."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.languages.said import Said, said
from pipeline.publish import write_atomic
from pipeline.result import LOOK, as_line
from pipeline.unattended.part import NightPart

_KEPT = 400
# Below this a part is quick and small, whatever it was the night before.
FEWEST_SECONDS, FEWEST_MEGABYTES = 30.0, 300.0


def read_journal(file: Path) -> list[dict[str, Any]]:
    """The nights so far, the newest last; a line that is none, such as half of one, is left out."""
    if not file.is_file():
        return []
    return list(_readable(file.read_text(encoding="utf-8").splitlines()))


def _readable(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            night = json.loads(line)
            dt.date.fromisoformat(night["as_of"])
            if isinstance(night["parts"], dict):
                yield night
        except (ValueError, KeyError, TypeError):
            continue


def add(file: Path, as_of: dt.date, parts: Sequence[NightPart], code: int) -> None:
    """Add a night, and forget those beyond the last `_KEPT`."""
    run = {
        part.name: {
            "exit_code": part.code,
            "seconds": round(part.seconds, 1),
            "megabytes": round(part.megabytes),
        }
        for part in parts
        if part.seconds
    }
    night = {"as_of": str(as_of), "exit_code": code, "parts": run}
    write_atomic(file, "".join(as_line(one) + "\n" for one in [*read_journal(file), night][-_KEPT:]))


def last_training(nights: Sequence[Mapping[str, Any]]) -> dt.date | None:
    """As-of date of the newest night whose training went to its end."""
    days = [n["as_of"] for n in nights if n["parts"].get("train", {}).get("exit_code") in (0, LOOK)]
    return dt.date.fromisoformat(max(days)) if days else None


def slower(part: NightPart, nights: Sequence[Mapping[str, Any]], factor: float) -> list[Said]:
    """Lines on a part that took so many times the seconds or the memory of the last time that it went well.

    Examples
    --------
    >>> last = [{"parts": {"score": {"exit_code": 0, "seconds": 60.0, "megabytes": 900}}}]
    >>> slower(NightPart("score", 0, (), None, 300.0, 1_000.0), last, 3.0)
    ['score took 300 s, 5.0 times as long as the last time, 60 s']
    """
    well = [
        n["parts"][part.name] for n in nights if n["parts"].get(part.name, {}).get("exit_code") in (0, LOOK)
    ]
    if not well or part.code not in (0, LOOK):
        return []
    then_s, then_mb = float(well[-1]["seconds"]), float(well[-1]["megabytes"])
    told: list[Said] = []
    if part.seconds > factor * max(then_s, FEWEST_SECONDS / factor):
        told.append(
            said(
                "{part} took {now:.0f} s, {times:.1f} times as long as the last time, {then:.0f} s",
                part=part.name,
                now=part.seconds,
                times=part.seconds / max(then_s, 0.1),
                then=then_s,
            )
        )
    if part.megabytes > factor * max(then_mb, FEWEST_MEGABYTES / factor):
        told.append(
            said(
                "{part} took {now:.0f} MB, {times:.1f} times as much as the last time, {then:.0f} MB",
                part=part.name,
                now=part.megabytes,
                times=part.megabytes / max(then_mb, 1),
                then=then_mb,
            )
        )
    return told
