"""A connection to PostgreSQL that does not wait for ever, not even for a server that stands still."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import psycopg

# The server's own limit comes first; this one is for a server, or a network, that says nothing any more.
GRACE_SECONDS = 10


class Bounded(psycopg.Connection[Any]):
    """Every wait for an answer ends `GRACE_SECONDS` after `seconds`, by an `OperationalError`."""

    seconds: float = 60

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **given: Any) -> Any:
        """Wait for an answer as the base class does, but for its time."""
        return super().wait(_until(gen, self.seconds + GRACE_SECONDS), *args, **given)


def _until(gen: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """The same steps, until so many seconds have passed."""
    end, ready = time.monotonic() + seconds, None
    while True:
        try:
            wanted = gen.send(ready)
        except StopIteration as done:
            return done.value
        ready = yield wanted
        if time.monotonic() > end:
            raise psycopg.OperationalError(f"no answer within {seconds:g} seconds")
