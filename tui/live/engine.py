"""Whether the engine is alive, seen by whoever looks: its lock is free the moment it dies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.live.document import EngineNow, EngineState

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.run.orders import Order


class EngineWatch:
    """Looks at one engine again and again. Each look costs two opened files."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._now = EngineNow()
        self._halts = False

    def look(self, orders: Collection[Order]) -> EngineNow:
        """Return how it stands with the engine, given the orders that are not ended."""
        from migrate.daemons.lock import is_running
        from migrate.engine.presence import NAME, running, was_stopped
        from planner.store.project import utc_now

        try:
            pid = running(self._run_dir)
            holder = pid if pid is not None else is_running(self._run_dir, NAME)
            stopped = was_stopped(self._run_dir)
        except PermissionError:
            self._now = EngineNow(EngineState.HIDDEN, orders=len(orders))
            return self._now
        begun = any(order.begun_at for order in orders)
        died_at = self._now.died_at
        left = self._now.pid is not None and self._now.pid != pid
        if left and begun and not (stopped or self._halts):
            died_at = utc_now()
        self._halts = stopped
        state = _state(pid, holder, stopped, len(orders), begun)
        self._now = replace(self._now, state=state, pid=pid, orders=len(orders), died_at=died_at)
        return self._now


def _state(pid: int | None, holder: int | None, stopped: bool, orders: int, begun: bool) -> EngineState:
    if pid is not None:
        return EngineState.WORKING if orders else EngineState.IDLE
    if holder is not None:
        return EngineState.STOPPED if stopped else EngineState.STARTING
    if not orders:
        return EngineState.STOPPED if stopped else EngineState.IDLE
    if stopped:
        return EngineState.STOPPED
    return EngineState.DEAD if begun else EngineState.NONE
