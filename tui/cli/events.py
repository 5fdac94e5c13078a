"""``WHERRY_PROGRESS=json``: what a verb tells while it works, for programs that start one.

One JSON object a line on stderr: begin, progress, best, said, error, and end as the last. Nothing else
comes there: what anybody writes to stderr becomes ``said``. stdout stays what it always is.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import TextIO

from planner.errors import BadInput, WherryError
from planner.names import visible

VARIABLE = "WHERRY_PROGRESS"
_LONGEST = 2000  # of one thing said


def are_wanted() -> bool:
    """Return whether somebody asked for events instead of words; raises BadInput for another wish."""
    asked = os.environ.get(VARIABLE, "")
    if asked not in ("", "json"):
        raise BadInput(
            f"{VARIABLE} is {visible(asked, 40)!r}, which is no way to tell",
            f"leave it out or set {VARIABLE}=json",
        )
    return asked == "json"


class Events(io.TextIOBase):
    """Stands in for stderr: tells events, and takes plain words as ``said``."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._part = ""
        self._lock = RLock()

    def emit(self, event: str, **fields: object) -> None:
        """Write one event; a reader that has gone ends nothing."""
        with self._lock, suppress(BrokenPipeError):
            self._target.write(json.dumps({"event": event, **fields}, default=str) + "\n")
            self._target.flush()

    def writable(self) -> bool:
        """Return that words can be written here."""
        return True

    def write(self, words: str) -> int:
        """Take words; a line becomes an event when it is whole."""
        if not isinstance(words, str):
            raise TypeError("words are text")  # so that nobody takes this for a stream of bytes
        with self._lock:
            *lines, self._part = (self._part + words).split("\n")
            for line in lines:
                self._said(line)
        return len(words)

    def flush(self) -> None:
        """Tell what has no line end yet, a question for example."""
        with self._lock:
            rest, self._part = self._part, ""
            self._said(rest)

    def _said(self, line: str) -> None:
        if line.strip():
            self.emit("said", text=visible(line.strip(), _LONGEST))


def tell(event: str, **fields: object) -> None:
    """Tell an event where events are wanted; elsewhere nothing."""
    if isinstance(sys.stderr, Events):
        sys.stderr.emit(event, **fields)


def are_told() -> bool:
    """Return whether this run tells events."""
    return isinstance(sys.stderr, Events)


def tell_error(error: WherryError) -> None:
    """Tell what went wrong."""
    tell(
        "error",
        message=visible(error.message),
        hint=visible(error.hint),
        code=error.code,
        exit_code=error.exit_code,
    )


def telling(work: Callable[[], int]) -> int:
    """Do the work of a verb with events on stderr, the last of them how it ended; return its exit code."""
    usual = sys.stderr
    sys.stderr = events = Events(usual)
    code = 1
    try:
        code = work()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        code = 130
    except Exception as fault:  # noqa: BLE001 - told, as a traceback would be
        code = _tell_fault(fault)
    finally:
        sys.stderr = usual
        events.flush()
        events.emit("end", exit_code=code)
    return code


def _tell_fault(fault: Exception) -> int:
    from tui.cli.defects import kept

    error = kept(fault)
    tell_error(error)
    return error.exit_code
