"""What a tap answers: how it stands, and checkpoints put into the order of its writes.

The verbs are those of ``migrate.journal.answers``, so that one command asks a receiver or a tap.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as TooLong
from dataclasses import asdict
from typing import Any, Final

from migrate.daemons.control import Caller, Handler, HungUp, Told, taken
from migrate.journal.answers import checked_name, plain, told_consistency
from migrate.journal.state import Checkpoint
from migrate.sites.consistency import Consistency
from migrate.tap.chunks import Point
from migrate.tap.protecting import Protected, Protecting
from migrate.tap.recorder import Mode, Recorder
from migrate.tap.streaming import Streaming
from migrate.tap.tapping import Tap
from planner.errors import Blocked, NotFound, StepFailed
from planner.names import visible

_PATIENCE_S: Final = 60.0
_TICK_S: Final = 0.2


class TapAnswers:
    """The answers of the tap of ``group``; ``streaming`` is None when it has no target.

    With ``protecting`` its checkpoints are made under a policy, and are worth what was reached.
    """

    def __init__(
        self,
        group: str,
        tap: Tap,
        recorder: Recorder,
        streaming: Streaming | None,
        protecting: Protecting | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._group = group
        self._tap = tap
        self._recorder = recorder
        self._streaming = streaming
        self._protecting = protecting
        self._now_ms = now_ms

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by verb."""
        return {
            "status": lambda _request, _caller: self.status(),
            "checkpoint": self._checkpoint,
            "verify": self._verify,
        }

    def disks(self) -> list[dict[str, Any]]:
        """Return the disks that are served, as plain data."""
        return [{"id": disk.name, "size_bytes": disk.size_bytes} for disk in self._tap.disks]

    def status(self) -> dict[str, Any]:
        """Return how the tap stands, as plain data. From any thread but the one that serves."""
        tap, recorder = self._tap, self._recorder
        streamed = self._streaming.status() if self._streaming is not None else None
        return {
            "group": self._group,
            "disks": self.disks(),
            "mode": streamed.word if streamed is not None else recorder.mode.value,
            "why": streamed.why if streamed is not None else "no target is given",
            "rpo_s": streamed.age_s if streamed is not None else None,
            "rpo_p50_s": streamed.p50_s if streamed is not None else None,
            "rpo_p99_s": streamed.p99_s if streamed is not None else None,
            "rpo_target_s": streamed.target_s if streamed is not None else None,
            "buffered_bytes": recorder.held_bytes,
            "buffer_bytes": recorder.limit_bytes,
            "overflows": recorder.overflows,
            "left_bytes": streamed.left_bytes if streamed is not None else 0,
            "sent_bytes": streamed.sent_bytes if streamed is not None else 0,
            "checkpoints": streamed.checkpoints if streamed is not None else 0,
            "hot_areas": tap.in_front(tap.areas.hot_count),
            "map_failed": tap.areas.failed,
            "protection": self._protecting.status() if self._protecting is not None else None,
            **asdict(tap.counts),
        }

    def _checkpoint(self, request: Told, caller: Caller) -> Told:
        group = taken(request, "group", str)
        if group != self._group:
            raise NotFound(
                f"this is the tap of {visible(self._group, 80)}, not of {visible(group, 80)}",
                "ask the tap of that group",
            )
        name = checked_name(taken(request, "name", str, ""))
        consistency = told_consistency(request) or Consistency.CRASH
        pinned = taken(request, "pinned", bool, False)
        if self._streaming is None:
            raise Blocked(
                f"the tap of {visible(group, 80)} has no target, so there are no checkpoints",
                "start it with --to ADDRESS:PORT",
            )
        if taken(request, "wait", bool, False):
            self._await_stream(caller)
        if self._protecting is not None:
            return _protected(self._protecting.checkpoint(name, pinned))
        point = Point(self._now_ms(), consistency, name, pinned)
        self._streaming.checkpoint(point)
        record = self._made(point, caller)
        return plain(Checkpoint(record, point.at_ms, consistency, name, pinned=pinned))

    def _verify(self, request: Told, caller: Caller) -> Told:
        volume = taken(request, "volume", str)
        numbers = {disk.name: disk.number for disk in self._tap.disks}
        if volume not in numbers:
            raise NotFound(
                f"this tap has no disk {visible(volume, 80)}",
                f"it has {', '.join(visible(name, 80) for name in numbers)}",
            )
        if self._streaming is None:
            raise Blocked(
                f"the tap of {visible(self._group, 80)} has no target, there is nothing to compare with",
                "start it with --to ADDRESS:PORT",
            )
        look = self._streaming.verifying.look(numbers[volume])
        try:
            while not look.done.done():
                if caller.is_gone(_TICK_S):
                    raise HungUp("whoever wanted the disk compared has gone")
                caller.tell({"done_bytes": look.told_bytes, "waiting": self._away()})
        finally:
            look.is_unwanted = True
        return look.done.result().dump()

    def _away(self) -> str:
        """Return why the target cannot be asked now, empty when it can."""
        if self._streaming is None or self._recorder.mode is Mode.STREAMING:
            return ""
        status = self._streaming.status()
        return f"{status.word}{f', {status.why}' if status.why else ''}"

    def _await_stream(self, caller: Caller) -> None:
        while self._recorder.mode is not Mode.STREAMING:
            assert self._streaming is not None
            caller.tell({"waiting": self._streaming.status().why or self._recorder.mode.value})
            if caller.is_gone(_TICK_S):
                raise HungUp("whoever wanted the checkpoint has gone")

    def _made(self, point: Point, caller: Caller) -> int:
        """Return the number of a checkpoint when it is durable at the target."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return point.made.result(_TICK_S)
            except TooLong:
                if caller.is_gone():
                    raise HungUp("whoever wanted the checkpoint has gone") from None
                if time.monotonic() > deadline:
                    raise StepFailed(
                        "the target has not confirmed the checkpoint yet; it may still be made",
                        "look at the line, then list checkpoints there",
                    ) from None


def _protected(made: Protected) -> dict[str, Any]:
    point, reached = made.point, made.reached
    kept = Checkpoint(made.record, point.at_ms, reached.consistency, point.name, pinned=point.pinned)
    return plain(kept) | {"notes": [*reached.shortfall, *reached.complaints]}
