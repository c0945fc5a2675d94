"""Every change of `score`, `train`, `outcomes` and `promote` on the disk and in the database fails once.

    python -m tests.faults.sweep          all of it, with counts; `make faults`
    python -m tests.faults.sweep train "score of 2025-12-02 SIG"      what begins so

An act is prepared in a place of its own, disturbed at its n-th change, looked at, and done again. What is there after
the disturbance must be the state before or the state after, and after the second try the bytes of an undisturbed one.
Real signals come at some changes, to a process of their own; a file system that is full, or may only be read, is one.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from configs.errors import ChurnError
from configs.playbook import load_playbook
from models.tracking import registry
from models.tracking.session import spoken_to
from pipeline import stopping
from pipeline.commit import settle_nights
from pipeline.layout import Layout, layout_of
from pipeline.outcomes import learned
from pipeline.publish import only_run
from pipeline.scoring import score
from pipeline.scoring.deciding import decided
from pipeline.scoring.files import write_night
from pipeline.scoring.score import published, scored
from pipeline.scoring.scored import Job
from pipeline.tracking.tonight import champion_tonight
from tests.faults.shim import disk

KINDS = ("once", "from_then_on")
SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
# What a full disk has left, in bytes.
FREE = (0, 4_096, 32_768, 131_072, 524_288)
ALONE = 64_000_000
SOME = 7


@dataclass(frozen=True)
class Act:
    """What is disturbed.

    `prepare` makes the state before it in a folder, `run` does it, `mend` is what the next command begins with,
    `shows` tells the state in plain values, and `running` counts what still seems to be at work.
    """

    name: str
    prepare: Callable[[Path], None]
    run: Callable[[Path], None]
    mend: Callable[[Path], None]
    shows: Callable[[Path], object]
    running: Callable[[Path], int] = lambda home: 0


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
        if kind in SIGNALS:
            signalled(act, home, n, SIGNALS[kind])
        else:
            with disk(home, **{kind: n}):
                _try(act, home)
        act.mend(home)
        assert kind not in SIGNALS or act.running(home) == 0, (act.name, kind, n, seen[n], "still running")
        found = act.shows(home)
        assert found in (before, after), (act.name, kind, n, seen[n], _differs(found, before, after))
        act.run(home)
        assert act.shows(home) == after, (act.name, kind, n, seen[n], "the second try")
        count.disturbed += 1
        count.after += found == after
        count.before += found != after
        shutil.rmtree(home)
    return count


def signalled(act: Act, home: Path, n: int, number: int) -> None:
    """Run an act in a process of its own, to which a real signal comes at its n-th change."""
    child = os.fork()
    if child == 0:
        try:
            stopping.listen()
            with disk(home, once=n, signal=number):
                act.run(home)
        finally:
            os._exit(0)  # whatever came of it: nothing of this process may go on
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (number == signal.SIGKILL), (act.name, number, n)


def some(count: int) -> list[int]:
    """The first, the last and a few between, others for each count."""
    return sorted({0, *range(count % SOME, count, max(1, count // SOME)), count - 1})


@contextmanager
def file_system(place: Path):
    """A small file system of its own, which only the superuser can make."""
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ALONE}", "tmpfs", place], check=True, capture_output=True
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def can_mount(place: Path) -> bool:
    """Whether this user may make file systems."""
    try:
        with file_system(place / "probe"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def full(act: Act, place: Path) -> Count:
    """Do an act on a disk with ever more left of it, and again when there is room."""
    return _on(act, place, FREE, _filled)


def read_only(act: Act, place: Path) -> Count:
    """Do an act on a file system that may only be read, and again when it may be written."""
    return _on(act, place, ["ro"], _locked)


def _on(act: Act, place: Path, ways: Iterable[object], spoiled) -> Count:
    clean = place / "clean"
    act.prepare(clean)
    before = act.shows(clean)
    act.run(clean)
    after, count = act.shows(clean), Count()
    for way in ways:
        with file_system(place / f"fs-{way}") as system:
            home = system / "home"
            act.prepare(home)
            with spoiled(system, way):
                _try(act, home)
            act.mend(home)
            found = act.shows(home)
            assert found in (before, after), (act.name, way, _differs(found, before, after))
            act.run(home)
            assert act.shows(home) == after, (act.name, way, "the second try")
        count.disturbed += 1
        count.after += found == after
        count.before += found != after
    return count


@contextmanager
def _filled(system: Path, free: int):
    room = shutil.disk_usage(system).free - free
    (system / "filler").write_bytes(b"x" * max(room, 0))
    yield
    (system / "filler").unlink()


@contextmanager
def _locked(system: Path, way: str):
    subprocess.run(["mount", "-o", f"remount,{way}", system], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", system], check=True)


@contextmanager
def drawn_once(folder: Path):
    """The files of a night are copied instead of drawn again, which takes longer than all else."""
    drawn: dict[object, Path] = {}

    def copied(night, ledger_sha256, to):
        key = night.as_of, night.look, ledger_sha256
        if key not in drawn:
            drawn[key] = Path(tempfile.mkdtemp(dir=folder))
            write_night(night, ledger_sha256, drawn[key])
        shutil.copytree(drawn[key], to, dirs_exist_ok=True, copy_function=shutil.copyfile)

    score.write_night, before = copied, score.write_night
    try:
        yield
    finally:
        score.write_night = before


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
        lambda home: settle_nights(at(home)) and None,
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

    def mend(home: Path) -> None:
        registry.check_store(_store(home, tracking))

    def running(home: Path) -> int:
        store = _store(home, tracking)
        with spoken_to(store) as client:
            every = [experiment.experiment_id for experiment in client.search_experiments()]
            return len(client.search_runs(every, "attributes.status = 'RUNNING'"))

    return Act("train", lambda home: shutil.copytree(empty, home), run, mend, shows, running)


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
        f"{'act':28} {'what':14} {'changes':>8} {'disturbed':>10} {'as before':>10} {'as after':>9} {'s':>6}"
    )
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, drawn_once(Path(folder)):
        ways = {kind: partial(sweep, kind=kind) for kind in KINDS}
        ways |= {name: partial(sweep, kind=name, some=some) for name in SIGNALS}
        if can_mount(Path(folder)):
            ways |= {"full disk": full, "read-only disk": read_only}
        else:
            print("only the superuser can make a file system that is full or read-only", file=sys.stderr)
        for act in all_acts(Path(folder)):
            for name, way in ways.items():
                if len(sys.argv) > 1 and not f"{act.name} {name}".startswith(tuple(sys.argv[1:])):
                    continue
                started = time.monotonic()
                place = Path(tempfile.mkdtemp(dir=folder))
                found = way(act, place)
                shutil.rmtree(place)
                seconds = time.monotonic() - started
                print(
                    f"{act.name:28} {name:14} {found.changes:8} {found.disturbed:10} {found.before:10} "
                    f"{found.after:9} {seconds:6.0f}",
                    flush=True,
                )
    print(f"{time.monotonic() - begun:.0f} s in all")
    print("every disturbed act left the state before or after, and the next try its bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
