"""The study: the process that knows the estate, asked over stdin, answering on stdout, one thing at a time.

    python -m tui.study.child ROOT [--read-only]

It ends when stdin does. What is under way then is given a few seconds, so that nothing that is being stored
is torn; nothing else keeps it. All that libraries print goes to stderr, which its parent made a log.
"""

from __future__ import annotations

import os
import queue
import signal
import sqlite3
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from planner.errors import WherryError
from tui.study.protocol import Ask, read_ask, told, written
from tui.study.registry import call, find
from tui.study.room import Room

_GRACE_S = 10.0


def main(arguments: list[str]) -> int:
    """Answer until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the application's
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    room = Room(Path(arguments[0]), looking="--read-only" in arguments[1:])
    asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    try:
        while (line := asked.get()) is not None:
            try:
                _serve(room, line, out)
            except BrokenPipeError:
                break
    finally:
        room.close()
    return 0


def _listen(source: IO[bytes], asked: queue.SimpleQueue[bytes | None]) -> None:
    for line in source:
        asked.put(line)
    asked.put(None)
    timer = threading.Timer(_GRACE_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _serve(room: Room, line: bytes, out: IO[bytes]) -> None:
    try:
        ask = read_ask(line)
    except ValueError as error:
        sys.stderr.write(f"not understood: {error}\n")
        return
    room.say = lambda title, done, total: _write(
        out, written({"id": ask.number, "progress": {"title": title, "done": done, "total": total}})
    )
    _write(out, written({"id": ask.number, "begun": True}))  # from here on it may have changed something
    _write(out, _answer(room, ask))


def _write(out: IO[bytes], line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[out.write(left) :]


def _answer(room: Room, ask: Ask) -> bytes:
    """Return the last line of an answer; whatever happens, there is one."""
    error: WherryError
    try:
        value: Any = call(find(ask.op, room.looking), room, ask.op, ask.args)
        return written({"id": ask.number, "value": value})
    except WherryError as found:
        error = found
    except BrokenPipeError:
        raise
    except sqlite3.Error as found:
        error = WherryError(f"the project could not be read or written: {found}", "try again")
    except Exception as found:  # noqa: BLE001
        # A defect in one op must not take the estate, and edits not yet saved, with it.
        traceback.print_exc()
        error = WherryError(f"{ask.op} failed: {type(found).__name__}: {found}", "see logs/study.log")
    sys.stderr.flush()
    return written({"id": ask.number, "error": told(error)})


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # the thread that still listens must not hold up the end
