"""A tap's group under a protection policy: checkpoints at which its members are held still.

A checkpoint goes into the order of writes while they are held, and is worth a crash at the target until
what it is really worth is said behind it, in the same order. So whatever dies in between claims nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from migrate.protection.freezing import Reached, checkpoint
from migrate.protection.policy import Policy
from migrate.sites.ports import Consistency
from migrate.tap.chunks import Judged, Point
from migrate.tap.recorder import Mode, Recorder
from planner.errors import BadInput, Blocked, ProjectBusy, StepFailed, WherryError
from planner.names import visible

_log = logging.getLogger(__name__)
_PATIENCE_S: Final = 60.0
_TICK_S: Final = 0.2
LOG: Final = "protection.log"


@dataclass(frozen=True, slots=True)
class Protected:
    """A checkpoint that is durable at the target under ``record``, with the label that it has there."""

    record: int
    point: Point
    reached: Reached[Point]


class Protecting:
    """Makes checkpoints of a recorder's group under ``policy``, every so often once it is started.

    ``folder`` gets the log of the watchdogs.
    """

    def __init__(
        self,
        policy: Policy,
        group: str,
        volumes: Iterable[str],
        recorder: Recorder,
        folder: Path,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Raises BadInput when the policy is of another group, or has no member for one of ``volumes``."""
        if policy.group != group:
            raise BadInput(
                f"the policy is for group {visible(policy.group, 80)}, not for {visible(group, 80)}",
                "name the policy of this group",
            )
        if bare := policy.without_member(volumes):
            raise BadInput(
                f"disk {visible(bare[0], 80)} of group {visible(group, 80)} is of no member of the policy",
                'say whose it is: disks = ["..."] at a member',
            )
        self._policy = policy
        self._recorder = recorder
        self._log = folder / LOG
        self._now_ms = now_ms
        self._one = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wherry-protect", daemon=True)
        self._last: dict[str, Any] = {}

    def start(self) -> None:
        """Begin to make checkpoints by itself."""
        self._thread.start()

    def stop(self) -> None:
        """End that, when the one that is under way is over."""
        self._stopping.set()
        self._thread.join()

    def status(self) -> dict[str, Any]:
        """Return what became of the last one, as plain data."""
        return {"consistency": self._policy.consistency.value, "every_s": self._policy.every_s, **self._last}

    def checkpoint(self, name: str = "", pinned: bool = False) -> Protected:
        """Make one; raises Blocked, ProjectBusy, StepFailed, Unreachable, OSError."""
        if not self._one.acquire(blocking=False):
            raise ProjectBusy("a checkpoint of this group is under way", "ask again when it is made")
        try:
            made = self._make(name, pinned)
        except (WherryError, OSError) as error:
            self._note("", (getattr(error, "message", None) or str(error), *getattr(error, "__notes__", ())))
            raise
        finally:
            self._one.release()
        self._note(made.reached.consistency.value, (*made.reached.shortfall, *made.reached.complaints))
        return made

    def _make(self, name: str, pinned: bool) -> Protected:
        def insert() -> Point:
            point = Point(self._now_ms(), name=name, pinned=pinned, pending=True)
            self._recorder.mark(point)
            return point

        if self._recorder.mode is not Mode.STREAMING:
            why = self._recorder.why or self._recorder.mode.value
            raise Blocked(f"nobody is frozen, for nothing can be kept of it: {why}", "wait until it streams")
        reached = checkpoint(self._policy, insert, self._withdraw, self._log)
        record = self._await(reached.inserted)
        if reached.consistency is not Consistency.CRASH:
            self._judge(record, reached.consistency)
        return Protected(record, reached.inserted, reached)

    def _withdraw(self, point: Point) -> None:
        self._judge(self._await(point), None)

    def _judge(self, record: int, consistency: Consistency | None) -> None:
        judged = Judged(record, consistency)
        self._recorder.judge(judged)
        self._await(judged)

    def _await(self, word: Point | Judged) -> int:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and not self._stopping.is_set():
            with suppress(TooLong):
                return word.made.result(_TICK_S)
        raise StepFailed(
            "the target has not confirmed the checkpoint yet; it may be offered there, as worth a crash",
            "look at the line, then list checkpoints there",
        )

    def _note(self, consistency: str, why: tuple[str, ...]) -> None:
        self._last = {"last_at_ms": self._now_ms(), "last": consistency, "last_why": "; ".join(why)}
        if why:
            _log.warning("protection of %s: %s", visible(self._policy.group, 80), self._last["last_why"])

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            if self._recorder.mode is not Mode.STREAMING:
                due = time.monotonic() + 1.0
                continue
            due = time.monotonic() + self._policy.every_s
            try:
                self.checkpoint()
            except (WherryError, OSError):
                continue  # it is noted
            except Exception:  # noqa: BLE001
                # A defect must not end the protection of a group in silence.
                _log.exception("a checkpoint under the policy failed")
