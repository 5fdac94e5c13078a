"""Ctrl-C during a search: the first one ends it with the best so far, the second one ends the process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


@contextmanager
def first_interrupt() -> Iterator[Event]:
    """Set the event at the first Ctrl-C; the second one ends the process as it always does."""
    stopped = Event()
    if current_thread() is not main_thread():
        yield stopped
        return

    def heard(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    usual = signal.signal(signal.SIGINT, heard)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, usual)
