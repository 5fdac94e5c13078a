"""All members of a group through one checkpoint, side by side, each step for all of them at once.

    begin(prepare) ─▶ begin(freeze) ─▶ ... ─▶ begin(look) ─▶ begin(release)

Who waits looks at ``moved``, a descriptor that can be read whenever somebody came further.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

from migrate.protection.holding import Found, Holding
from migrate.protection.hooks import Purpose
from migrate.protection.policy import Policy
from migrate.sites.consistency import at_least


class Members:
    """The members of a policy for one attempt at a checkpoint; ``close`` it when none is at work."""

    def __init__(self, policy: Policy, checkpoint: str) -> None:
        self._policy = policy
        self.moved = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._busy: set[str] = set()
        self._holdings = [
            Holding(member, Purpose(policy.group, member.name, checkpoint), policy.hook_limit_s, self._ring)
            for member in policy.acting()
        ]

    @property
    def found(self) -> tuple[Found, ...]:
        """What is known of each now."""
        return tuple(holding.found for holding in self._holdings)

    @property
    def held_at(self) -> float | None:
        """Since when somebody is held, None while nobody is."""
        return min((at for one in self._holdings if (at := one.held_at) is not None), default=None)

    @property
    def are_done(self) -> bool:
        """Whether the step that was begun last is over for all of them."""
        with self._lock:
            return not self._busy

    @property
    def reach_it(self) -> bool:
        """Whether all of them are worth what the policy asks for, as far as is known."""
        return all(at_least(found.consistency, self._policy.consistency) for found in self.found)

    def begin(self, step: Callable[[Holding], None]) -> None:
        """Begin a step of all of them, each in a thread of its own."""
        # of this step alone: one that hangs in an earlier step is no part of it
        busy = {holding.member.name for holding in self._holdings}
        with self._lock:
            self._busy = busy
        self._threads = [
            threading.Thread(target=self._work, args=(step, holding, busy), daemon=True)
            for holding in self._holdings
        ]
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end of the step; False when somebody is still at work after that time."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def lose(self, why: str) -> None:
        """None of them was held until the checkpoint was made."""
        for holding in self._holdings:
            holding.lose(why)

    def quiet(self) -> None:
        """Take note that somebody came further."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.moved)

    def close(self) -> None:
        """Let go of its descriptor."""
        os.close(self.moved)

    def _work(self, step: Callable[[Holding], None], holding: Holding, busy: set[str]) -> None:
        try:
            step(holding)
        except BaseException as error:
            holding.lose(f"it met a fault: {type(error).__name__}")
            raise
        finally:
            with self._lock:
                busy.discard(holding.member.name)
            self._ring()

    def _ring(self) -> None:
        os.eventfd_write(self.moved, 1)
