"""Transfers that go on at the same time: a thread each, their outcomes and progress told to one.

What a thread does is act, nothing else: the driver, in its own thread, writes the record, decides and
shows. ``finish`` is where it learns how an act ended. The board says what other crews of the process do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue

from migrate.run.actions import Do
from migrate.run.board import Board
from migrate.run.lanes import Lane, Limits
from migrate.steps.kind import Context, Result, StepKind
from migrate.transfers.ports import Moving

_PATIENCE_S = 30.0  # for threads that were told to stop


@dataclass(frozen=True, slots=True)
class Ended:
    """How an act ended: its result, or what it raised."""

    action: Do
    result: Result | None = None
    error: BaseException | None = None


class Crew:
    """Runs acts of steps of kind ``transfer``; ``lanes`` says what is known of each volume's source."""

    def __init__(
        self,
        limits: Callable[[], Limits] = Limits,
        lanes: Mapping[str, Lane] | None = None,
        board: Board | None = None,
    ) -> None:
        self._limits = limits
        self._lanes = lanes or {}
        self._alone = board is None
        self._board = board or Board()
        self._running: dict[str, threading.Thread] = {}
        self._heard: SimpleQueue[Moving | Ended] = SimpleQueue()
        self._halted = threading.Event()

    @property
    def at_work(self) -> frozenset[str]:
        """The ids of the steps whose end was not taken yet."""
        return frozenset(self._running)

    def halted(self) -> bool:
        """Return whether everything shall stop between two blocks; transfers ask this."""
        return self._halted.is_set()

    def choose(self, ready: list[Do]) -> list[Do]:
        """Return those that may begin now, in order; they count as begun.

        None while only one may go on at once, unless other crews have to be minded.
        """
        limits = self._limits()
        if self._alone and limits.at_once <= 1 and not self._running:
            return []
        by_step = {action.step.id: action for action in ready}
        waiting = [self._lane(action) for action in ready]
        return [by_step[lane.step] for lane in self._board.take(id(self), waiting, limits)]

    def held_up(self) -> bool:
        """Return whether transfers of other crews may be why none of ours could begin."""
        return self._board.elsewhere(id(self))

    def wait(self) -> None:
        """Wait a moment for other crews."""
        self._board.wait()

    def begin(self, ctx: Context, kind: StepKind, action: Do, op: str) -> None:
        """Have a thread act; its progress and its end are heard through ``finish``."""
        step = action.step

        def act() -> None:
            try:
                result = kind.act(replace(ctx, report=self._heard.put), step, op)
            except BaseException as error:  # noqa: BLE001 - the driver raises it
                self._heard.put(Ended(action, error=error))
            else:
                self._heard.put(Ended(action, result))

        thread = threading.Thread(target=act, name=f"wherry-{step.id}", daemon=True)
        self._running[step.id] = thread
        thread.start()

    def finish(self, report: Callable[[Moving], None]) -> Ended:
        """Wait until one has ended and return how; progress goes to ``report`` meanwhile."""
        while True:
            heard = self._heard.get()
            if isinstance(heard, Moving):
                report(heard)
                continue
            self._running.pop(heard.action.step.id).join()
            self._board.leave(id(self), heard.action.step.id)
            return heard

    def halt(self) -> None:
        """Stop everybody between two blocks and wait for them. What they did is for the record to ask."""
        self._halted.set()
        for step, thread in self._running.items():
            thread.join(_PATIENCE_S)
            self._board.leave(id(self), step)

    def _lane(self, action: Do) -> Lane:
        step = action.step
        size_bytes = int(step.params["size_bytes"])
        known = self._lanes.get(step.params["volume"], Lane(step.id, size_bytes))
        return replace(known, step=step.id, size_bytes=size_bytes)
