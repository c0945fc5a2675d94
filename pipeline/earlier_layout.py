"""Outputs that an earlier version left side by side, moved once below the names of the configs that made them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from configs.errors import ChurnError
from configs.schema import Config
from pipeline.layout import Layout, below, holder_of
from pipeline.publish import only_run, point

_RUN = re.compile(r"(\d{4}-\d\d-\d\d)")
_NIGHT = re.compile(r"as_of=(\d{4}-\d\d-\d\d)")
_FORECAST = re.compile(r"(\d{4}-\d\d-\d\d)\.parquet")


@dataclass(frozen=True)
class EarlierOutputs:
    """What lies side by side in a folder of outputs.

    Parameters
    ----------
    owners
        Names of the configs that made it, that of the newest run first.
    moves
        From where to where.
    link
        The run that `latest` points to; None without the link.
    """

    owners: tuple[str, ...]
    moves: tuple[tuple[Path, Path], ...]
    link: Path | None


def move_earlier(config: Config) -> str | None:
    """Move what lies side by side in `outputs.folder` below the names of the configs that made it.

    A run tells its config; a night of the ledger belongs to the run of its date, and where there is none to the config
    of the newest run. What was learned from the nights of several configs belongs to none of them and stays. Nothing is
    replaced, and what was interrupted goes on the next time.

    Returns
    -------
    str or None
        What was done, for a person; None when there was nothing to do.

    Raises
    ------
    TryAgainError
        When a run of an earlier version is at work there.
    ChurnError
        When the disk refuses.
    """
    flat = config.path(config.outputs.folder)
    found = _found(flat, config.name)
    if not found.moves and found.link is None:
        return None
    try:
        with ExitStack() as stack:
            for folder, what in ((flat / "runs", "score"), (flat / "ledger", "outcomes")):
                if folder.is_dir():
                    stack.enter_context(only_run(folder, what))
            places = [below(flat, owner) for owner in found.owners]
            _give_key(flat / config.outreach.control.key_file, config, places)
            if found.link is not None:  # before a config that is called latest gets its folder
                (flat / "latest").unlink()
            for old, new in found.moves:
                if old.exists():
                    new.parent.mkdir(parents=True, exist_ok=True)
                    old.rename(new)
            for place in places:
                _give_latest(place, found.link)
            _sweep(flat)
    except OSError as error:
        raise ChurnError(
            f"{flat}: the outputs of an earlier version can't be moved to {flat / config.name}: {error.strerror}; "
            "check who owns the folder, then run the command again"
        ) from error
    told = " and ".join(str(place.folder) for place in places)
    return f"outputs are kept by config now: what was in {flat} has moved to {told}, and so has 'latest'"


def _found(flat: Path, asking: str) -> EarlierOutputs:
    runs = _dated(flat / "runs", _RUN)
    holders = {day: holder_of(run) for day, run in runs.items()}
    told = [name for day in sorted(holders, reverse=True) if (name := holders[day]) is not None]
    owners = list(dict.fromkeys([*told, *([] if told else [asking])]))

    def place(day: str) -> Layout:
        return below(flat, holders.get(day) or owners[0])

    ledger = flat / "ledger"
    learned = sorted(ledger.glob("*.json"))
    if len(owners) == 1:
        pairs = [(file, below(flat, owners[0]).ledger / file.name) for file in learned]
    else:
        pairs = [(file, file.with_name(f"{file.name}.of_several_configs")) for file in learned]
    # The runs come last: they tell to whom the rest belongs, should this be interrupted.
    pairs += [
        *((night, place(day).ledger / night.name) for day, night in _dated(ledger, _NIGHT).items()),
        *((f, place(day).forecasts / f.name) for day, f in _dated(ledger / "forecasts", _FORECAST).items()),
        *((run, place(day).runs / day) for day, run in runs.items()),
    ]
    latest = flat / "latest"
    link = latest.readlink() if latest.is_symlink() else None
    return EarlierOutputs(tuple(owners), tuple((old, new) for old, new in pairs if not new.exists()), link)


def _dated(folder: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    matches = ((pattern.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    return {match[1]: path for match, path in matches if match}


def _give_key(key: Path, config: Config, places: list[Layout]) -> None:
    """Each goes on to draw by the secret that all of them drew by."""
    if Path(config.outreach.control.key_file).is_absolute() or not key.is_file():
        return
    for place in places:
        own = place.keys / config.outreach.control.key_file
        own.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.link(key, own)
    key.unlink()


def _give_latest(place: Layout, link: Path | None) -> None:
    days = sorted(_dated(place.runs, _RUN))
    if days and not place.latest.is_symlink():
        pointed = link.name if link is not None and link.name in days else days[-1]
        point(place.latest, place.runs / pointed)


def _sweep(flat: Path) -> None:
    """Take away what holds nothing any more."""
    for folder in (flat / "ledger" / "forecasts", flat / "ledger", flat / "runs"):
        if folder.is_dir() and not any(_left(folder)):
            for lock in folder.glob(".*.lock"):
                lock.unlink()
            folder.rmdir()


def _left(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.iterdir() if not (path.name[0] == "." and path.suffix == ".lock"))
