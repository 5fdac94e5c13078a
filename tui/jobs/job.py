"""A job: one verb of the command line as a child process, heard while it works.

    Job ──starts──▶ verb on a leash ──events on stderr──▶ JobState ──on_change──▶ whoever shows it

It promises: never more than ten calls of ``on_change`` a second, the last state always among them; a
secret passes through a pipe, never through arguments or environment; no child outlives this process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from threading import Condition, Thread
from typing import IO

from planner.errors import BadInput, WherryError
from planner.own_code import child_environment
from tui.cli.events import VARIABLE
from tui.cli.interrupts import held_back
from tui.jobs.state import JobState, ended, heard

PATIENCE_S = 5.0  # between being asked to stop and the offer to kill
_EVERY_S = 0.1
_MOST_PRINTED = 8 * 2**20  # of a document; the application is to stay small
_LINE = 65_536

OnChange = Callable[["Job", JobState], None]  # must not raise; called from a thread of the job


class Stopping(Enum):
    """What became of a wish to stop."""

    ENDED = "it has ended"
    ASKED = "it was asked to stop"
    WAITING = "it was asked and is about to stop"
    DEAF = "it does not stop: it can be killed"


class Job:
    """A verb under way. ``argv`` is the command line without ``wherry``; nothing runs before ``start``."""

    def __init__(
        self,
        argv: Sequence[str],
        title: str,
        secret: str | None = None,
        *,
        on_change: OnChange | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.argv = tuple(argv)
        self._secret = secret
        self._on_change = on_change
        self._clock = clock
        self._state = JobState(title, datetime.now(UTC))
        self._begun = clock()
        self._asked: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[Thread] = []
        self._changed = Condition()
        self._dirty = False

    @property
    def state(self) -> JobState:
        """How far it is; a value that never changes."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process id of the verb, None before it was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the verb; raises WherryError when the machine refuses a process."""
        if self._process is not None:
            raise ValueError("a job is started once")
        secret, self._secret = self._secret, None
        held = _readable(secret) if secret is not None else None
        argv = self.argv if held is None else _with_option(self.argv, f"--password-fd={held}")
        try:
            with held_back():  # Python that is interrupted while it begins says so in a page of words
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "tui.jobs.leashed", *argv],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=() if held is None else (held,),
                    process_group=0,
                    env={**child_environment(), VARIABLE: "json"},
                )
        except OSError as error:
            raise WherryError(
                f"{self._state.title} could not be started: {error.strerror or error}",
                "close other programs, then try again",
            ) from error
        finally:
            if held is not None:
                os.close(held)
        listener = Thread(target=self._listen, name="job", daemon=True)
        teller = Thread(target=self._tell, name="job-teller", daemon=True)
        self._threads = [listener, teller]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Stopping:
        """Ask the verb to end as Ctrl-C does: a search keeps its best, an import stores nothing.

        Asked once; asking again says how that goes. DEAF offers ``kill``.
        """
        if self._process is None or not self._state.running:
            return Stopping.ENDED
        if self._asked is None:
            self._asked = self._clock()
            self._signal(signal.SIGINT)
            self._update(lambda state: replace(state, stopping=True))
            return Stopping.ASKED
        return Stopping.DEAF if self.can_kill else Stopping.WAITING

    @property
    def can_kill(self) -> bool:
        """True when it was asked to stop some seconds ago and has not ended."""
        return self._state.running and self._asked is not None and self._clock() - self._asked >= PATIENCE_S

    def kill(self) -> None:
        """End a verb that does not stop, and all it started in its group."""
        if not self.can_kill:
            raise BadInput(
                f"{self._state.title} was not asked to stop before", "ask it to stop, and wait a moment"
            )
        self._signal(signal.SIGKILL, group=True)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended and the last state was told; False when it still runs after the time."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if until is None else max(until - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Let go of the leash: the verb ends and stores nothing."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _signal(self, number: signal.Signals, group: bool = False) -> None:
        process = self._process
        # poll() is the listener's: it alone reaps, so that the id is still the verb's here
        with self._changed:
            if process is None or not self._state.running:
                return
            with suppress(ProcessLookupError):
                if group:
                    os.killpg(process.pid, number)
                else:
                    os.kill(process.pid, number)

    # hearing

    def _listen(self) -> None:
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            raise AssertionError("all are pipes")
        printed = _Printed(process.stdout)
        for line in iter(lambda: process.stderr.readline(_LINE), b""):  # type: ignore[union-attr]
            text = line.decode("utf-8", "replace")
            at_s = self._clock() - self._begun
            self._update(lambda state, text=text, at_s=at_s: heard(state, text, at_s))  # type: ignore[misc]
        body = printed.all()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._changed:
            code = process.wait()
            self._update(lambda state: ended(state, code, body, "--json" in self.argv))
        self.close()
        process.stdout.close()
        process.stderr.close()

    def _update(self, change: Callable[[JobState], JobState]) -> None:
        with self._changed:
            self._state = change(self._state)
            self._dirty = True
            self._changed.notify_all()

    def _tell(self) -> None:
        """Tell every change, several at once when they come fast."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty)
                self._dirty = False
                state = self._state
            if self._on_change is not None:
                self._on_change(self, state)
            if not state.running:
                return
            time.sleep(_EVERY_S)


class _Printed:
    """What a verb prints on stdout, read beside its events; None when it is more than is kept."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._body: bytearray | None = bytearray()
        self._thread = Thread(target=self._read, name="job-stdout", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while part := self._stream.read1(_LINE):  # type: ignore[attr-defined]
            if self._body is not None:
                self._body += part
                if len(self._body) > _MOST_PRINTED:
                    self._body = None

    def all(self) -> str | None:
        self._thread.join()
        return None if self._body is None else self._body.decode("utf-8", "replace")


def _with_option(argv: tuple[str, ...], option: str) -> tuple[str, ...]:
    """Return the command line with one more option, before the operands that ``--`` announces."""
    at = argv.index("--") if "--" in argv else len(argv)
    return (*argv[:at], option, *argv[at:])


def _readable(secret: str) -> int:
    """Return a file descriptor that gives the secret once; raises BadInput for what is no password."""
    body = secret.encode("utf-8", "surrogatepass")
    if len(body) > 4096:
        raise BadInput("the password is longer than any password", "give the password alone")
    held, end = os.pipe()
    os.write(end, body)
    os.close(end)
    return held
