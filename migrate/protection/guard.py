"""The near end of a watchdog: starts it, asks it, and does its work when it dies or stands still itself.

While a checkpoint is made a thread looks after the watchdog, so that of the two processes either one
alone is enough to let everybody go.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from migrate.protection.members import Members
from migrate.protection.policy import Policy
from migrate.protection.stopping import Stop, await_any
from migrate.protection.telling import BEAT, FREEZE, RELEASE, TELL_S, Lines, Order, Silent, Told
from planner.errors import Unreachable
from planner.own_code import child_environment

_START_S = 20.0
_SLACK_S = 5.0  # without a beat, after which a watchdog is taken to stand still


class Guard:
    """A watchdog for one attempt at a checkpoint: ``freeze``, ``watching``, ``release``; use it as a context.

    ``pid`` is its process. What it did goes to ``log`` as a line.
    """

    def __init__(self, policy: Policy, log: Path | None = None, slack_s: float = _SLACK_S) -> None:
        """Start one and wait until it is armed; raises Unreachable, OSError."""
        self._policy = policy
        self.checkpoint = secrets.token_hex(8)
        self._end, theirs = socket.socketpair()
        self._lines = Lines(self._end)
        self._slack_s = slack_s
        self._told: Told | None = None  # what was told without being asked for
        try:
            with theirs:
                _start(theirs.fileno(), log)
            self._lines.say(Order(policy, self.checkpoint, os.getpid()).dump(), _START_S)
            self.pid = self._await_armed()
            self._handle = os.pidfd_open(self.pid)
        except BaseException:
            self._end.close()
            raise

    def freeze(self) -> Told:
        """Have all members held and return what they reached so far."""
        self._lines.say(FREEZE)
        return self._hear()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look after the watchdog until the block ends."""
        over = Stop()
        thread = threading.Thread(target=self._look_after, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.say()
            thread.join()
            over.close()

    def release(self) -> Told:
        """Have all let go, unless they were already, and return what they really reached."""
        if self._told is None:
            self._lines.say(RELEASE)
            self._told = self._hear()
        return self._told

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.close()  # a watchdog that was not asked lets go now
        os.close(self._handle)

    def _await_armed(self) -> int:
        try:
            said = self._lines.hear(time.monotonic() + _START_S)
        except Silent:
            said = None
        if said is None:
            raise Unreachable(
                "the watchdog that would thaw the guests did not start, so nothing was frozen",
                "look whether this host can start processes, and try again",
            )
        return int(said["armed"])

    def _hear(self) -> Told:
        """Return what the watchdog tells; what is told by us when it does not."""
        while (told := self._next()) is None:
            pass
        return told

    def _next(self) -> Told | None:
        """Return what is told next, by us when the watchdog is gone or stands still; None for a beat."""
        try:
            plain = self._lines.hear(time.monotonic() + self._slack_s)
        except Silent:
            return self._rescue("the watchdog stood still")
        if plain is None:
            return self._rescue("the watchdog died")
        return None if plain == BEAT else Told.load(plain)

    def _look_after(self, over: Stop) -> None:
        while True:
            ready = self._lines.has_heard or over.wait(time.monotonic() + self._slack_s, self._end.fileno())
            if over.said:
                return
            if not ready:
                self._told = self._rescue("the watchdog stood still")
                return
            self._told = self._next()
            if self._told is not None:
                return

    def _rescue(self, why: str) -> Told:
        """Let everybody go ourselves, once the watchdog cannot freeze anybody any more."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        await_any([self._handle], None)
        members = Members(self._policy, self.checkpoint)
        never = Stop()
        members.lose(f"it was let go before the checkpoint was made: {why}")
        members.begin(lambda one: one.rescue(never))
        hooks_s = self._policy.hook_limit_s if any(one.after for one in self._policy.acting()) else 0.0
        let_go = members.join(TELL_S + hooks_s)
        told = Told(why, members.found)
        if let_go:
            members.close()
            never.close()
        return told


def _start(far_end: int, log: Path | None) -> None:
    """Start a watchdog that belongs to nobody, so that it survives us and leaves no zombie."""
    said = (
        subprocess.DEVNULL
        if log is None
        else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    )
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "migrate.daemons.detached", "migrate.protection.watchdog", str(far_end)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd="/",
            pass_fds=(far_end,),
            start_new_session=True,
            env=child_environment(),
        )
        try:
            child.wait(_START_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    finally:
        if log is not None:
            os.close(said)
