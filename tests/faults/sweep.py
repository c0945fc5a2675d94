"""Every change of `score`, `train`, `outcomes` and `promote` on the disk and in the database fails once.

    python -m tests.faults.sweep          all of it, with counts; `make faults`

An act is prepared in a place of its own, disturbed at its n-th change, looked at, and done again. What is there after
the disturbance must be the state before or the state after, and after the second try the bytes of an undisturbed one.
"""

from __future__ import annotations

import datetime as dt
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from configs.errors import ChurnError
from configs.playbook import load_playbook
from models.tracking import registry
from pipeline.commit import settle
from pipeline.layout import Layout, layout_of
from pipeline.outcomes import learned
from pipeline.publish import only_run
from pipeline.scoring.score import decided, published, scored
from pipeline.scoring.scored import Job
from pipeline.tracking.tonight import champion_tonight
from tests.faults.shim import disk

KINDS = ("once", "from_then_on")


@dataclass(frozen=True)
class Act:
    """What is disturbed.

    `prepare` makes the state before it in a folder, `run` does it, `mend` is what the next command begins with, and
    `shows` tells the state in plain values.
    """

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], None]
    mend: Callable[[Path], None]
    shows: Callable[[Path], object]


@dataclass
class Count:
    """How often an act was disturbed, and in which state that left it."""

    changes: int = 0
    disturbed: int = 0
    before: int = 0
    after: int = 0


def sweep(act: Act, place: Path, kind: str, some: Callable[[int], Iterable[int]] = range) -> Count:
    """Disturb an act at each change, or at some; AssertionError at the first that leaves a third state."""
    clean = place / "clean"
    act.prepare(clean)
    before = act.shows(clean)
    with disk(clean) as seen:
        act.run(clean)
    after, count = act.shows(clean), Count(len(seen))
    for n in some(len(seen)):
        home = place / f"{kind}-{n}"
        act.prepare(home)
        with disk(home, **{kind: n}):
            _try(act, home)
        act.mend(home)
        found = act.shows(home)
        assert found in (before, after), (act.name, kind, n, seen[n], _differs(found, before, after))
        act.run(home)
        assert act.shows(home) == after, (act.name, kind, n, seen[n], "the second try")
        count.disturbed += 1
        count.after += found == after
        count.before += found != after
        shutil.rmtree(home)
    return count


@contextmanager
def small_files(size: int):
    """No file may grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _try(act: Act, home: Path) -> None:
    with suppress(ChurnError, OSError):
        act.run(home)


def _differs(found: object, before: object, after: object) -> object:
    if not isinstance(found, dict):
        return found
    return {
        name: (name in before, name in after)
        for name in found.keys() | before.keys() | after.keys()
        if not (found.get(name) == before.get(name) or found.get(name) == after.get(name))
    } or sorted(found)


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file that is not hidden, by its name, and what links show."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            found[name] = path.read_bytes()
    return found


def night_of(config, as_of: dt.date):
    """A night that is decided and not published, with the layout that it was read from."""
    layout = layout_of(config)
    champion, _ = champion_tonight(config, layout.champion, lambda line: None)
    job = Job(config, as_of, champion, layout, lambda line: None)
    with scored(job) as found:
        return decided(job, found, create_key=False), layout


def scoring(night, layout: Layout) -> Act:
    """To publish a night that is decided."""

    def at(home: Path) -> Layout:
        return Layout(home, home / "runs", home)

    return Act(
        f"score of {night.as_of}",
        lambda home: shutil.copytree(layout.folder, home, symlinks=True),
        lambda home: published(night, at(home)) and None,
        lambda home: settle(at(home)) and None,
        contents,
    )


def outcomes(ledger: Path) -> Act:
    """To keep what was learned."""

    def run(home: Path) -> None:
        belief = learned.Learned(learned.belief(load_playbook()), {}, dt.date(2026, 1, 1))
        with only_run(home, "outcomes"):
            learned.write(home, belief)

    return Act("outcomes", lambda home: shutil.copytree(ledger, home), run, lambda home: None, contents)


def _store(home: Path, tracking):
    return replace(tracking, uri=f"sqlite:///{home}/mlflow.db", home=home)


def training(empty: Path, tracking, record, models) -> Act:
    """To log a training and to make its model the champion."""

    def run(home: Path) -> None:
        store = _store(home, tracking)
        logged = registry.log_training(store, record, models[0], {"holdout": models[1]})
        registry.make_champion(store, logged.version, "proven")

    def shows(home: Path) -> object:
        store = _store(home, tracking)
        version = registry.champion_version(store)
        return version and registry.load_version(store, version).digest

    return Act("train", lambda home: shutil.copytree(empty, home), run, lambda home: None, shows)


def promotion(home_of_two: Path, tracking) -> Act:
    """To make the second version the champion."""

    def shows(home: Path) -> object:
        return registry.champion_version(_store(home, tracking))

    return Act(
        "promote",
        lambda home: shutil.copytree(home_of_two, home),
        lambda home: registry.make_champion(_store(home, tracking), 2, "a look at the list") and None,
        lambda home: None,
        shows,
    )


def main() -> None:
    """Disturb everything everywhere, and print the counts."""
    from tests.faults.acts import all_acts

    print(
        f"{'act':28} {'fails':14} {'changes':>8} {'disturbed':>10} {'as before':>10} {'as after':>9} {'s':>6}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for act in all_acts(Path(folder)):
            for kind in KINDS:
                started = time.monotonic()
                place = Path(tempfile.mkdtemp(dir=folder))
                found = sweep(act, place, kind)
                seconds = time.monotonic() - started
                print(
                    f"{act.name:28} {kind:14} {found.changes:8} {found.disturbed:10} {found.before:10} "
                    f"{found.after:9} {seconds:6.0f}",
                    flush=True,
                )
    print("every disturbed act left the state before or after, and the next try its bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
