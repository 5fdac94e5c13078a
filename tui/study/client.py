"""Asks the study: started when first asked, restarted when it died, ended with the application.

``ask`` blocks, so it belongs into worker threads; they are answered in the order in which they asked. A study
that died in the middle of an answer is an error that says so, and the next ask has a fresh one. Nothing it
prints reaches the terminal: ``logs/study.log`` of the project keeps it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from planner.errors import Paused, WherryError
from tui.logs import opened
from tui.study.protocol import Ask, heard, read
from tui.study.turns import Turns

Progress = Callable[[str, int, int], None]

_TRIES = 2  # children asked for one answer, when they die before they begin
_GRACE_S = 12.0  # what is being stored at the end is waited for


class _NeverBegun(Exception):
    """The child died before it began with what it was asked."""


class Study:
    """The study of one project, safe to be asked from any thread."""

    def __init__(self, root: Path, looking: bool = False, command: Sequence[str] = ()) -> None:
        """``looking`` refuses all that changes the project; ``command`` replaces the child for tests."""
        self.root = root
        self.starts = 0  # a second start means that what was not saved is gone
        self._command = tuple(command) or (
            # -P: what lies in the directory it is started in is not taken for a package of ours
            sys.executable, "-P", "-m", "tui.study.child", str(root), *(("--read-only",) if looking else ()),
        )  # fmt: skip
        self._turns = Turns()
        self._lock = threading.Lock()  # guards what follows
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = 0
        self._working = False
        self._stopped = False
        self._closed = False

    def ask(self, op: str, /, *, progress: Progress | None = None, **args: Any) -> Any:
        """Return what an op answers; ``progress`` hears (title, done, in all) from this thread.

        Raises what the op raised, Paused when it was stopped, WherryError when the study died.
        """
        with self._turns:
            try:
                for _ in range(_TRIES):
                    child, number = self._begin(op)
                    with suppress(_NeverBegun):
                        return self._asked_of(child, Ask(number, op, args), progress)
                raise WherryError(f"the study does not start, so {op} is not answered", "see logs/study.log")
            finally:
                with self._lock:
                    self._working = False

    def _begin(self, op: str) -> tuple[subprocess.Popen[bytes], int]:
        with self._lock:
            if self._closed:
                raise WherryError(f"the study is closed, so {op} is not asked any more", "start again")
            if self._child is not None and self._child.poll() is not None:
                _end(self._child)
                self._child = None
            if self._child is None:
                self._child = self._start()
            self._asked += 1
            self._working, self._stopped = True, False
            return self._child, self._asked

    def _start(self) -> subprocess.Popen[bytes]:
        with opened(self.root, "study.log") as log:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # signals of the terminal are the application's
            )
        self.starts += 1
        return child

    def _asked_of(self, child: subprocess.Popen[bytes], ask: Ask, progress: Progress | None) -> Any:
        assert child.stdin is not None
        assert child.stdout is not None
        line = ask.line()
        begun = False
        with suppress(OSError):  # it died: the end of its answers says so too
            child.stdin.write(line)
            child.stdin.flush()
        while said := child.stdout.readline():
            try:
                message = read(said)
            except ValueError:  # cut off in the middle
                break
            if message.get("id") != ask.number:
                continue  # for one who went away while it was worked on
            if "begun" in message:
                begun = True
            elif "progress" in message:
                if progress is not None:
                    found = message["progress"]
                    progress(str(found["title"]), int(found["done"]), int(found["total"]))
            elif "error" in message:
                raise heard(message["error"])
            else:
                return message["value"]
        error = self._died(child, ask.op)
        if not begun and not isinstance(error, Paused):
            raise _NeverBegun  # dead before it was asked, and nobody had noticed
        raise error

    def _died(self, child: subprocess.Popen[bytes], op: str) -> WherryError:
        code = _end(child)
        with self._lock:
            stopped = self._stopped
            if self._child is child:
                self._child = None
        if stopped:
            return Paused(f"{op} was stopped", "ask again when you want it")
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return WherryError(
            f"the study {how} while it worked on {op}",
            "try again: it starts anew, without edits that were not saved; see logs/study.log",
        )

    def stop(self) -> bool:
        """End the op that is worked on, and the study with it; return whether there was one.

        What is being stored is stored whole or not at all. The next ask starts a fresh study.
        """
        with self._lock:
            if not self._working or self._child is None:
                return False
            self._stopped = True
            self._child.kill()
            return True

    def close(self) -> None:
        """End the study; what it is storing is waited for, what it is only working out is not."""
        with self._lock:
            self._closed = True
            child, working = self._child, self._working
            self._child = None
        if child is None:
            return
        if child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
        if not working:
            _end(child)
        elif child.poll() is None:
            child.kill()  # whoever still waits for the answer sees the pipe end, and reaps it


def _end(child: subprocess.Popen[bytes]) -> int:
    """Kill a child that still runs, reap it, close its pipes; return its exit code."""
    if child.poll() is None:
        # It may have closed its pipes a moment before it ends by itself.
        try:
            child.wait(0.2)
        except subprocess.TimeoutExpired:
            child.kill()
    code = child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    return code
