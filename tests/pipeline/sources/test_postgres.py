"""A wait for PostgreSQL ends, even when the server says nothing any more."""

import psycopg
import pytest

from pipeline.sources import postgres


class Clock:
    def __init__(self, *moments):
        self.moments = list(moments)

    def monotonic(self):
        return self.moments.pop(0)


def steps(*answers):
    """A generator as psycopg's: it says what it waits for, and takes what became ready."""
    got = []
    for answer in answers:
        got.append((yield answer))
    return got


def test_an_answer_in_time_is_given_on(monkeypatch):
    monkeypatch.setattr(postgres, "time", Clock(0, 1, 2))
    waiting = postgres._until(steps("read", "write"), 5)
    assert [next(waiting), waiting.send("ready to read")] == ["read", "write"]
    with pytest.raises(StopIteration) as done:
        waiting.send("ready to write")
    assert done.value.value == ["ready to read", "ready to write"]


def test_a_server_that_stands_still_ends_the_wait(monkeypatch):
    monkeypatch.setattr(postgres, "time", Clock(0, 4, 5.1))
    waiting = postgres._until(steps(*["read"] * 9), 5)
    next(waiting)
    waiting.send(None)
    with pytest.raises(psycopg.OperationalError, match="no answer within 5 seconds"):
        waiting.send(None)
