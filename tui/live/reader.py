"""Reads how all waves stand, again and again, at the price of what changed.

    project.db ──data_version──▶ new entries of the record ──▶ waves that they are of ──▶ Live
    run/order-N.progress ──mtime──▶ bytes of disks under way ─────────────────────────────▲
    run/engine.pid, its lock ──▶ alive or dead ───────────────────────────────────────────┘

It only reads, so any number of viewers look at one run at once. It is of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.live.document import Live, OrderNow, WaveNow
from tui.live.engine import EngineWatch

if TYPE_CHECKING:
    from migrate.run.following import ProgressFile
    from migrate.run.history import History
    from migrate.run.orders import Order
    from migrate.run.store import Run
    from migrate.run.waves import StandingRow
    from migrate.transfers.ports import Moving
    from planner.plan import Wave
    from planner.store.project import Project

_HELD_S = 1.0  # between two looks at who drives what, while nothing is written
_SLOW_S = 5.0  # between two looks at what only time changes
_QUIET_S = 3.0


@dataclass(slots=True)
class _Told:
    """What an order's transfers said last, and when on our clock."""

    file: ProgressFile
    moving: Mapping[str, Moving]
    at_s: float


class Reader:
    """The live part of one open project."""

    def __init__(self, project: Project, clock: Callable[[], float] = time.monotonic) -> None:
        self._project = project
        self._clock = clock
        self._engine = EngineWatch(project.run_dir)
        self._version = -1
        self._orders: list[Order] = []
        self._told: dict[int, _Told] = {}
        self._waves: dict[str, WaveNow] = {}
        self._stamps: dict[str, tuple[Any, ...]] = {}
        self._plans: dict[tuple[int, str], Wave] = {}
        self._read_at = self._whole_at = float("-inf")
        self._whole_cost_s = 0.0
        self._alive = False

    def look(self) -> Live:
        """Return how everything stands; raises what the store raises."""
        now_s = self._clock()
        version = self._project.rows("PRAGMA data_version")[0][0]
        changed = version != self._version
        if changed:
            from migrate.run import orders

            self._orders = orders.waiting(self._project)
        engine = self._engine.look(self._orders)
        turned = (engine.pid is not None) != self._alive
        self._alive = engine.pid is not None
        whole = now_s - self._whole_at >= max(_SLOW_S, 50 * self._whole_cost_s)
        due = now_s - self._read_at >= _HELD_S
        if changed or turned or whole or (due and self._is_driven_otherwise()):
            self._version = version
            self._read(now_s, whole)
        if changed or due:
            self._read_at = now_s
        self._listen(now_s)
        return Live(engine, tuple(self._waves.values()), complete=True)

    def _is_driven_otherwise(self) -> bool:
        """Return whether somebody took a wave up, or let one go: that writes nothing."""
        from migrate.run import store as runs

        ran = (wave for wave in self._waves.values() if wave.run is not None)
        return any(runs.is_held(self._project, wave.name) != wave.driven for wave in ran)

    def _read(self, now_s: float, whole: bool) -> None:
        from migrate.run.waves import standing_waves
        from planner.garbage import uncollected
        from planner.store import approvals, plans

        if whole:
            self._whole_at = now_s
        plan = plans.find_head(self._project)
        if plan is None:
            self._waves = {}
            return
        begun = time.thread_time()
        with uncollected():
            given = approvals.standing(self._project, plan.version)
            signed = {name: one.who for name, one in given.items()}
            standing = {item.wave.name: item for item in standing_waves(self._project, plan.version)}
            self._renew(standing, signed, whole)
        if whole:
            self._whole_cost_s = time.thread_time() - begun

    def _renew(self, standing: Mapping[str, StandingRow], signed: Mapping[str, str], whole: bool) -> None:
        """Look anew at the waves of which something was written; at the ``whole``, for what time changes."""
        from migrate.run import cycles
        from migrate.run import store as runs
        from migrate.wave_status import Look, wave_status

        project = self._project
        look = Look.at(project, datetime.now(UTC), {})
        more = self._more()
        ordered = {order.wave: order for order in self._orders}
        waves, stamps = {}, {}
        for name, item in standing.items():
            run, history = item.run, item.history
            held = run is not None and runs.is_held(project, name)
            order = _order(ordered.get(name))
            stamp = (
                *(
                    item.version,
                    item.wave,
                    run and run.id,
                    id(history),
                    len(history.entries) if history else 0,
                ),
                *(held, order, signed.get(name, ""), look.pauses.get(name, ""), look.engine, look.lacking),
                *((name, item.wave.fingerprint) in look.rehearsed, more.get(name)),
            )
            old = self._waves.get(name)
            is_same = old is not None and self._stamps.get(name) == stamp
            if old is not None and is_same and not whole:
                waves[name], stamps[name] = old, stamp
                continue
            times = cycles.times_of(project, run.id) if run else {}
            status = wave_status(project, item, signed.get(name, ""), held, replace(look, copies=times))
            now = WaveNow(status, run.id if run else None, held, order)
            if old is not None and is_same:  # copies are as the record has them
                now = replace(now, run=old.run, copies=old.copies)
            elif run is not None and history is not None:
                now = self._with_copies(now, item, run, history, times)
            if old is not None:
                now = replace(now, moving=old.moving, quiet_s=old.quiet_s)
                now = old if now == old else now
            waves[name], stamps[name] = now, stamp
        self._waves, self._stamps = waves, stamps

    def _with_copies(
        self,
        now: WaveNow,
        item: StandingRow,
        run: Run,
        history: History,
        times: Mapping[tuple[int, str], str],
    ) -> WaveNow:
        """Return a wave's document with its copies: those of its way home once that has begun."""
        from migrate.copies import copies
        from migrate.run import cycles
        from migrate.run.waves import newest_home
        from migrate.states import State, state_of

        home = newest_home(self._project, run) if state_of(history) is State.COMMITTED else None
        if home is not None:
            run, history = home
            times = cycles.times_of(self._project, run.id)
        found = copies(self._project, self._planned(item), run, history, times, home=home is not None)
        return replace(now, run=run.id, copies=found)

    def _planned(self, item: StandingRow) -> Wave:
        """Return the wave as it was planned, read once."""
        from planner.store import plans

        key = (item.version, item.wave.name)
        if key not in self._plans:
            self._plans[key] = plans.wave(self._project, *key)
        return self._plans[key]

    def _more(self) -> dict[str, tuple[int, ...]]:
        """Return what else a wave's document follows from: words at gates, its way home, its remedies."""
        rows = self._project.rows(
            "SELECT r.wave, (SELECT count(*) FROM gate_word w WHERE w.run = r.id) AS words, r.id,"
            " (SELECT max(seq) FROM step_record s WHERE s.run = r.id) AS last FROM run r"
            " WHERE r.id IN (SELECT max(id) FROM run GROUP BY wave, kind) ORDER BY r.id"
        )
        found: dict[str, tuple[int, ...]] = {}
        for row in rows:
            found[row["wave"]] = (*found.get(row["wave"], ()), row["id"], row["words"], row["last"] or 0)
        return found

    def _listen(self, now_s: float) -> None:
        """Take in the progress of transfers."""
        from migrate.run.following import ProgressFile

        numbers = {order.id for order in self._orders}
        self._told = {number: told for number, told in self._told.items() if number in numbers}
        moving: dict[str, tuple[Mapping[str, Moving], int]] = {}
        for order in self._orders:
            told = self._told.get(order.id)
            if told is None:
                told = self._told[order.id] = _Told(ProgressFile(self._project.root, order.id), {}, now_s)
            if news := told.file.news():
                told.moving, told.at_s = {one.volume: one for one in news}, now_s
            under_way = any(one.done_bytes < one.total_bytes for one in told.moving.values())
            quiet_s = now_s - told.at_s if under_way else 0.0
            moving[order.wave] = told.moving, int(quiet_s) if quiet_s >= _QUIET_S else 0
        for name, wave in self._waves.items():
            now, quiet = moving.get(name, ({}, 0))
            if (now is not wave.moving and now != wave.moving) or quiet != wave.quiet_s:
                self._waves[name] = replace(wave, moving=now, quiet_s=quiet)


def _order(order: Order | None) -> OrderNow | None:
    if order is None:
        return None
    return OrderNow(order.id, order.purpose, order.who, order.at, bool(order.options.get("cycle")))
