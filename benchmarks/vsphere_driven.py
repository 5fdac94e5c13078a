"""A cycle at a vCenter as the driver of a run makes it: steps, record, looks before each snapshot, limits.

One group a VM. The bytes stay out: a pass asks what changed and counts as copied then.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.clock import Clock
    from migrate.run.crew import Crew
    from migrate.run.history import Entry, History
    from migrate.run.runbook import Step
    from migrate.transfers.ports import Moving, Wanted

_SIZE_BYTES = 1024**2


class _NoBytes:
    """Transfers that end as soon as they begin."""

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Any:
        from migrate.transfers.ports import Copied

        assert wanted.extents is None or wanted.extents == (), wanted
        return Copied(wanted.mode, 0, 0, 0.0)

    compare = compare_kept = copy  # of no step here


class _Record:
    """A record that is as durable as a project's: one file, synced with every entry."""

    def __init__(self, path: Path, history: History) -> None:
        self._file = path.open("ab", buffering=0)
        self._history = history

    def append(self, entry: Entry) -> None:
        import os

        line = {"step": entry.step, "event": entry.event.value, "detail": entry.detail}
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fdatasync(self._file.fileno())
        self._history.append(entry)

    def close(self) -> None:
        self._file.close()


class DrivenCycles:
    """Cycles of VMs whose run is at hand: what was copied last is known from its record."""

    def __init__(self, site: Any, disks: dict[str, str]) -> None:
        """``disks`` are the volumes by VM, one each."""
        from migrate.run.history import Entry, Event, History
        from migrate.run.runbook import Runbook

        self._site = site
        self._disks = disks
        rounds = [step for number in (0, 1, 2) for step in self._round(number)]
        self._history = History(Runbook("W01", "bench", (_looked(), *rounds)))
        for entry in (
            Entry("check", Event.INTENT, 1),
            Entry("check", Event.DONE, 1, {"snapshots": {}, "sites": {}}),
        ):
            self._history.append(entry)

    def measured(self, number: int, *, beside: bool) -> tuple[float, float]:
        """Return the seconds of one more round, and the processor time of this process."""
        from migrate.clock import SimulatedClock, SystemClock
        from migrate.run.beside import Known, Limits
        from migrate.run.crew import Crew

        most = {"at_once": 16, "snapshots": 32, "snapshots_per_datastore": 32}
        crew = Crew(lambda: Limits(**most), Known("west")) if beside else Crew()
        begun, spent = time.monotonic(), time.process_time()
        self._drive(number, SystemClock() if beside else SimulatedClock(), crew)
        return time.monotonic() - begun, time.process_time() - spent

    def _drive(self, number: int, clock: Clock, crew: Crew) -> None:
        import random

        from migrate.clock import SimulatedClock
        from migrate.run.driver import Driver
        from migrate.run.history import Status
        from migrate.sites.simulated import SimulatedSite
        from migrate.steps.kind import Context
        from migrate.steps.kinds import KINDS

        nothing: Any = None
        transfers: Any = _NoBytes()
        target: Any = SimulatedSite("east", SimulatedClock(), random.Random(0))
        with tempfile.TemporaryDirectory(prefix="wherry-record-") as name:
            record = _Record(Path(name) / "record", self._history)
            ctx = Context(
                run="bench",
                wave="W01",
                source=self._site,
                target=target,
                transfers=transfers,
                keeper=nothing,
                clock=clock,
                history=self._history,
                report=lambda moving: None,
            )
            stopped = Driver(ctx, KINDS, record, crew=crew).drive(
                lambda gate: {"who": "bench"} if gate.id == f"go/{number}" else None
            )
            record.close()
        last = [step for step in self._history.runbook.steps if step.id.endswith(f"/drop/{number}")]
        assert all(self._history.status[step.id] is Status.DONE for step in last), stopped

    def _round(self, number: int) -> list[Step]:
        """Return a gate, and the steps of one round of every VM behind it, as a wave's groups have them."""
        from migrate.run.runbook import Phase, Step
        from planner.effects import Effect

        def step(tail: str, kind: str, *needs: str, **params: Any) -> Step:
            return Step(tail, kind, tail, "", Phase.REPLICATE, Effect.LIVE, needs, params)

        gate, steps = f"go/{number}", []
        before = [f"g{at}/drop/{number - 1}" for at in range(len(self._disks))] if number else []
        steps.append(step(gate, "gate", "check", *before))
        for at, (vm, volume) in enumerate(self._disks.items()):
            taken, what = f"g{at}/snapshot/{number}", f"delta/{number}" if number else "seed"
            sent = step(
                f"g{at}/d0/{what}",
                "transfer",
                taken,
                volume=volume,
                size_bytes=_SIZE_BYTES,
                vms=[vm],
                mode="delta" if number else "seed",
                snapshot=taken,
            )
            steps += [
                step(taken, "snapshot", gate, vms=[vm]),
                sent,
                step(f"g{at}/drop/{number}", "drop-snapshot", sent.id, snapshot=taken),
            ]
        return steps


def _looked() -> Step:
    """Return the step that looked at the sites once, when the run began."""
    from migrate.run.runbook import Phase, Step
    from planner.effects import Effect

    return Step("check", "check", "check", "", Phase.REPLICATE, Effect.VIEW)
