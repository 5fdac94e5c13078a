"""Following an order: what the engine records is told here as it would be told by a driver itself.

Only the project is read: the record of steps, the order, and a small file with the progress of
transfers. Whoever stops following stops nothing.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrate.movers.task import load_error, load_moving
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.driver import Stopped, Told
from migrate.run.execute import Carried, Onlooker
from migrate.run.history import RUN_EVENTS, Entry, Event, History
from migrate.run.orders import Order
from migrate.run.store import Run
from migrate.transfers.ports import Moving
from planner.store.project import Project

_LOOK_S = 0.1
_WRITE_EVERY_S = 0.2


class ProgressFile:
    """The progress of an order's transfers, for whoever looks: replaced as a whole, never durable."""

    def __init__(self, project_root: Path, order: int) -> None:
        self._path = project_root / "run" / f"order-{order}.progress"
        self._moving: dict[str, Moving] = {}
        self._written_at = float("-inf")
        self._seen = 0

    def report(self, moving: Moving) -> None:
        """Take in what one transfer says; written at most five times a second."""
        self._moving[moving.volume] = moving
        now = time.monotonic()
        if now - self._written_at >= _WRITE_EVERY_S or moving.done_bytes >= moving.total_bytes:
            self._written_at = now
            self.write()

    def write(self) -> None:
        """Write all that goes on; a full disk is no reason to stop a run."""
        body = json.dumps(list(self._moving.values()), ensure_ascii=True)
        self._moving = {
            volume: moving
            for volume, moving in self._moving.items()
            if moving.done_bytes < moving.total_bytes
        }
        new = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.write_text(body, "ascii")
            new.rename(self._path)

    def remove(self) -> None:
        """Take it away when the order has ended."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def news(self) -> list[Moving]:
        """Return what changed since the last look, empty when nothing did."""
        from pydantic_core import from_json

        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp == self._seen:
                return []
            found = [load_moving(one) for one in from_json(self._path.read_bytes())]
        except (OSError, ValueError, TypeError, KeyError):  # an engine of another release writes others
            return []
        self._seen = stamp
        return found


@dataclass(slots=True)
class _Followed:
    """A run that is followed: its history as far as it was told."""

    run: Run
    history: History


@dataclass(slots=True)
class Follower:
    """Follows one order from the entry after number ``since`` on.

    ``mind`` is called at each look: it starts an engine that died, or raises what ends the following.
    """

    project: Project
    order: Order
    since: int
    onlooker: Onlooker
    mind: Callable[[], None] = lambda: None
    _followed: dict[int, _Followed] = field(init=False, default_factory=dict)

    def follow(self) -> tuple[Carried, ...]:
        """Return how its runs stopped; raises what the engine was refused or failed with."""
        progress = ProgressFile(self.project.root, self.order.id)
        changed = None
        while True:
            now = self.project.rows("PRAGMA data_version")[0][0]
            if now != changed:
                changed = now
                found = orders.find(self.project, self.order.id)
                self._tell_steps()
                if found.result is not None:
                    self._tell_steps()
                    return self._conclude(found.result)
            for moving in progress.news():
                self.onlooker.report(moving)
            self.mind()
            time.sleep(_LOOK_S)

    def _tell_steps(self) -> None:
        for row in self._rows():
            if (followed := self._followed.get(row["run"])) is None:
                followed = self._take_up(row["run"], row["seq"])
            entry = Entry(row["step"], Event(row["kind"]), row["attempt"], json.loads(row["detail"]))
            followed.history.append(entry)
            if entry.event not in RUN_EVENTS:
                step = followed.history.runbook.step(entry.step)
                self.onlooker.tell(Told(step, entry.event, entry.detail))

    def _rows(self) -> Iterator[Any]:
        rows = self.project.rows(
            "SELECT s.* FROM step_record s JOIN run r ON r.id = s.run WHERE r.wave = ? AND s.seq > ?"
            " ORDER BY s.seq",
            self.order.wave,
            self.since,
        )
        for row in rows:
            self.since = row["seq"]
            yield row

    def _take_up(self, number: int, before: int) -> _Followed:
        run = runs.get(self.project, number)
        history = runs.history(self.project, run, before)
        self._followed[number] = _Followed(run, history)
        return self._followed[number]

    def _conclude(self, result: dict[str, Any]) -> tuple[Carried, ...]:
        if "error" in result:
            raise load_error(result)
        return tuple(self._carried(one) for one in (*result.get("before", ()), result) if "run" in one)

    def _carried(self, raw: dict[str, Any]) -> Carried:
        run = runs.get(self.project, raw["run"])
        history = runs.history(self.project, run)
        return Carried(run, history, load_stopped(history, raw["stopped"]))


def dump_carried(carried: Sequence[Carried]) -> dict[str, Any]:
    """Return what came of an order as its result: the last run, and those ``before`` it."""
    told = [{"run": one.run.id, "stopped": dump_stopped(one.stopped)} for one in carried]
    return {**(told[-1] if told else {}), **({"before": told[:-1]} if told[1:] else {})}


def dump_stopped(stopped: Stopped) -> dict[str, Any]:
    """Return why a driver came back as plain JSON data."""
    return {
        "gate": stopped.gate and stopped.gate.id,
        "decide": stopped.decide and stopped.decide.id,
        "outcome": stopped.outcome and stopped.outcome.value,
        "paused": stopped.paused,
    }


def load_stopped(history: History, raw: dict[str, Any]) -> Stopped:
    """Return what ``dump_stopped`` wrote of a run with that history."""
    return Stopped(
        gate=history.runbook.step(raw["gate"]) if raw["gate"] else None,
        decide=history.runbook.step(raw["decide"]) if raw["decide"] else None,
        outcome=Outcome(raw["outcome"]) if raw["outcome"] else None,
        paused=bool(raw["paused"]),
    )
