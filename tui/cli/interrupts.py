"""Ctrl-C: it reaches a verb wherever it comes, and during a search the first one keeps the best so far.

What a signal raises inside a callback (a weak reference's, a finaliser's, one of a library in C) is dropped
by Python, which says so on stderr and goes on, or becomes an error of that library: about one in 200 of those
that come while modules load, which is where they are put off.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_AGAIN_S = 0.01
_LOADER = "<frozen importlib._bootstrap>"  # what a frame says of its file while a module is loaded


@contextmanager
def first_interrupt() -> Iterator[Event]:
    """Set the event at the first Ctrl-C; the second one ends the process as it always does."""
    stopped = Event()
    if current_thread() is not main_thread():
        yield stopped
        return

    def heard(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, usual)

    usual = signal.signal(signal.SIGINT, heard)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, usual)


@contextmanager
def held_back() -> Iterator[None]:
    """Have what is started meanwhile hear an interrupt no sooner than it hears all of them."""
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def hear_all() -> None:
    """From here on lose no interrupt, and hear those that were held back; who ignores them, still does."""
    usual = sys.unraisablehook

    def dropped(lost: sys.UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt) and not sys.is_finalizing():
            _send_again()  # raised here it would be dropped as well
        else:
            usual(lost)

    sys.unraisablehook = dropped
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _unless_loading)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _unless_loading(number: int, frame: FrameType | None) -> None:
    """Interrupt the process, a moment later while it loads a module."""
    at = frame
    while at is not None and at.f_code.co_filename != _LOADER:
        at = at.f_back
    if at is None:
        signal.default_int_handler(number, frame)
    _send_again()


def _send_again() -> None:
    def send() -> None:
        time.sleep(_AGAIN_S)
        os.kill(os.getpid(), signal.SIGINT)

    # no Thread: it would take locks that may be held where this is called
    _thread.start_new_thread(send, ())
