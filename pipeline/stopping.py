"""Ctrl-C and termination: one exit code, whatever library was at work when the signal came."""

from __future__ import annotations

import signal
from types import FrameType

_received: list[int] = []


class TerminatedError(KeyboardInterrupt):
    """The system, or an operator, asked the process to end: cleaned up like Ctrl-C."""


def listen() -> None:
    """Raise where the program is when a signal asks it to stop; one that is ignored, as under nohup, stays so."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def exit_code() -> int | None:
    """128 and the number of the signal that came first; None without one.

    A library may turn the interruption into an error of its own, so that the error tells nothing.
    """
    return 128 + _received[0] if _received else None


def _stop(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt if number == signal.SIGINT else TerminatedError
