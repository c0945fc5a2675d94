"""What a process that was killed leaves in the tracking store and in the temporary folder, and how it goes away."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from models.tracking.exchange import TrackingStore

PROCESS = "churn.process"
_PREFIX = "churn-model-"


def process_tag() -> dict[str, str]:
    """Tag of a run while it is written: the machine and the process that write it."""
    return {PROCESS: f"{socket.gethostname()}/{os.getpid()}"}


def end_broken_runs(client: Any, tracking: TrackingStore) -> int:
    """Mark runs as killed whose process on this machine is no more; returns how many."""
    names = [f"{tracking.experiment}{kind}" for kind in ("", " baselines", " nightly")]
    found = [client.get_experiment_by_name(name) for name in names]
    known = [experiment.experiment_id for experiment in found if experiment is not None]
    runs = client.search_runs(known, "attributes.status = 'RUNNING'") if known else []
    broken = [run.info.run_id for run in runs if _is_dead(run.data.tags.get(PROCESS, ""))]
    for run_id in broken:
        client.set_terminated(run_id, "KILLED")
    return len(broken)


def _is_dead(tag: str) -> bool:
    host, _, process = tag.rpartition("/")
    return host == socket.gethostname() and process.isdecimal() and not is_alive(int(process))


def is_alive(process: int) -> bool:
    """Whether a process of that number runs on this machine.

    Examples
    --------
    >>> is_alive(os.getpid())
    True
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder for the files of models; those of processes that were killed go first."""
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        process = left.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if process.isdecimal() and left.stat().st_uid == os.getuid() and not is_alive(int(process)):
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
