"""Acts that go on at the same time: a thread each, their outcomes and progress told to one.

Each begins as soon as there is room for what it takes (``beside``), at the board that counts for all crews.

What a thread does is act, nothing else: the driver, in its own thread, writes the record, decides and
shows. ``finish`` is where it learns how an act ended. The board says what other crews of the process do.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue

from migrate.claims import Claim
from migrate.run.actions import Do
from migrate.run.beside import ASIDE, TRANSFERS, Known, Limits, lane_of
from migrate.run.board import Board
from migrate.run.lanes import Lane
from migrate.run.patience import Tried
from migrate.run.runbook import Runbook, Step
from migrate.run.watch import Watch
from migrate.steps.kind import Context, Result, StepKind
from migrate.transfers.ports import Moving

_LOOK_S = 1.0
_PATIENCE_S = 30.0  # for threads that were told to stop


@dataclass(frozen=True, slots=True)
class Ended:
    """How an act ended: its result, or what it raised."""

    action: Do
    result: Result | None = None
    error: BaseException | None = None
    tried: Tried = field(default_factory=Tried)


class Crew:
    """Runs acts beside the driver; ``known`` is what is known of where a wave's disks are."""

    def __init__(
        self,
        limits: Callable[[], Limits] = Limits,
        known: Known | None = None,
        board: Board | None = None,
    ) -> None:
        self._limits = limits
        self._known = known or Known()
        self._alone = board is None
        self._board = board or Board()
        self._running: dict[str, tuple[Step, threading.Thread]] = {}
        self._heard: SimpleQueue[Moving | Ended] = SimpleQueue()
        self._halted = threading.Event()

    @property
    def at_work(self) -> frozenset[str]:
        """The ids of the steps whose end was not taken yet."""
        return frozenset(self._running)

    def halted(self) -> bool:
        """Return whether everything shall stop between two blocks; transfers ask this."""
        return self._halted.is_set()

    def could_begin(self, ready: list[Do], runbook: Runbook) -> list[Do]:
        """Return those that may begin now as far as this process knows; none counts as begun."""
        by_step = {one.step.id: one for one in ready}
        return [
            by_step[lane.step] for lane in self._board.would_take(id(self), self._lanes(ready, runbook, {}))
        ]

    def choose(self, ready: list[Do], runbook: Runbook, claims: Mapping[str, tuple[Claim, ...]]) -> list[Do]:
        """Return those that may begin now, in order; they count as begun.

        ``claims`` is what steps take at their site, besides what is known of every site.
        """
        by_step = {one.step.id: one for one in ready}
        lanes = self._lanes(ready, runbook, claims)
        return [by_step[lane.step] for lane in self._board.take(id(self), lanes)]

    def taken(self) -> Counter[tuple[str, str]]:
        """Return how many of which places are taken by what goes on, of all crews."""
        return self._board.taken()

    def _lanes(
        self, ready: list[Do], runbook: Runbook, claims: Mapping[str, tuple[Claim, ...]]
    ) -> list[Lane]:
        """Return lanes, of no transfer while only one may go on at once, unless others have to be minded."""
        limits = self._limits()
        one_by_one = self._alone and limits.at_once <= 1 and not self._running
        lanes = (
            lane_of(one.step, runbook, limits, self._known)
            for one in ready
            if not (one_by_one and one.step.kind in TRANSFERS)
        )
        known = (lane for lane in lanes if lane is not None)
        return [replace(lane, claims=lane.claims + claims.get(lane.step, ())) for lane in known]

    def held_up(self) -> bool:
        """Return whether acts of other crews may be why none of ours could begin."""
        return self._board.elsewhere(id(self))

    def wait(self) -> None:
        """Wait a moment for other crews."""
        self._board.wait()

    def begin(self, ctx: Context, kind: StepKind, action: Do, op: str) -> None:
        """Have a thread act; its progress and its end are heard through ``finish``."""
        step = action.step
        watch = Watch(self._heard.put, ctx.clock.now_s)

        def act() -> None:
            try:
                result = kind.act(replace(ctx, report=watch), step, op)
            except BaseException as error:  # noqa: BLE001 - the driver raises it
                self._heard.put(Ended(action, error=error, tried=watch.seen()))
            else:
                self._heard.put(Ended(action, result))

        thread = threading.Thread(target=act, name=f"wherry-{step.id}", daemon=True)
        self._running[step.id] = step, thread
        thread.start()

    def finish(self, report: Callable[[Moving], None], within_s: float | None = None) -> Ended | None:
        """Wait until one has ended and return how; progress goes to ``report`` meanwhile.

        Return None after ``within_s``, and, while a probe or a hook is among them, now and then: a gate may
        open meanwhile.
        """
        aside = any(step.kind in ASIDE for step, _ in self._running.values())
        looks_s = min((one for one in (within_s, _LOOK_S if aside else None) if one), default=None)
        until = None if looks_s is None else time.monotonic() + looks_s
        while True:
            try:
                heard = self._heard.get(timeout=None if until is None else max(until - time.monotonic(), 0.0))
            except Empty:
                return None
            if isinstance(heard, Moving):
                report(heard)
                continue
            _, thread = self._running.pop(heard.action.step.id)
            thread.join()
            self._board.leave(id(self), heard.action.step.id)
            return heard

    def halt(self) -> None:
        """Stop everybody between two blocks and wait for them. What they did is for the record to ask.

        A snapshot that is being taken or removed is seen through, as it would be in the driver's own thread.
        Nobody waits for a probe, which only reads, or for a hook, whose keeper outlives us anyway.
        """
        self._halted.set()
        for step, thread in self._running.values():
            if step.kind not in ASIDE:
                thread.join(_PATIENCE_S if step.kind in TRANSFERS else None)
            self._board.leave(id(self), step.id)
        self._board.go(id(self))
