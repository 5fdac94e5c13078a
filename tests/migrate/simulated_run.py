"""Runs on two simulated sites that are watched: every call is counted, every rule checked after it.

``World`` outlives a crash, as the real one does; ``Ledger`` is the durable record; everything else
(driver, history, context) is made anew by ``World.drive``, as after a restart.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrate.clock import SimulatedClock
from migrate.rehearsal import model_of
from migrate.run.crew import Crew
from migrate.run.driver import Driver, Stopped
from migrate.run.history import RUN_EVENTS, Entry, Event, History
from migrate.run.patience import Patience
from migrate.run.room_watch import RoomWatch
from migrate.run.runbook import Runbook
from migrate.sites.simulated import SimulatedSite, populate
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Keeps, Moving, Transfers, Written
from planner.errors import Unreachable
from planner.model import Power
from planner.plan import Wave
from planner.settings import Link

DESTRUCTIVE = frozenset(
    {"power_on", "power_off", "shut_down", "create_vm", "delete_vm", "create_disk", "delete_disk", "rename"}
    | {"set_change_tracking", "set_hardware_version", "set_disk_modes", "set_drives", "consolidate"}
)


class Died(BaseException):
    """The process dies here: nothing may catch this."""


@dataclass
class WatchedSite:
    """A simulated site behind a witness. ``lose`` and ``refuse`` make the next such call Unreachable.

    ``lose``: the work is done and the answer lost. ``refuse``: the call never arrives.
    """

    site: SimulatedSite
    after: Callable[[], None]
    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    lose: Counter[str] = field(default_factory=Counter)
    refuse: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.site, name)
        if not callable(found):
            return found

        def call(*args: Any, **more: Any) -> Any:
            if self.refuse[name] > 0:
                self.refuse[name] -= 1
                raise Unreachable(f"site {self.site.name} does not answer {name}")
            if name in DESTRUCTIVE:
                subject = getattr(args[0], "id", getattr(args[0], "volume", args[0]))
                op = args[-1] if isinstance(args[-1], str) else args[1]
                step, _, way = op.rpartition("/")
                self.calls[
                    (f"{self.site.name}.{name}", str(subject), f"{step}/{way.rstrip('0123456789')}")
                ] += 1
            if name in ("open_write", "delete_disk", "create_disk"):
                self.opened[name] += 1
            result = found(*args, **more)
            self.after()
            if self.lose[name] > 0:
                self.lose[name] -= 1
                raise Unreachable(f"the answer of site {self.site.name} to {name} was lost")
            return result

        return call


class Steady(random.Random):
    """A world in which everything takes the same multiple of its median time."""

    def __init__(self, luck: float) -> None:
        super().__init__(0)
        self.luck = luck

    def lognormvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return self.luck


class Ledger:
    """A durable record: what ``entries`` holds survives a crash. ``forgets`` are kinds it drops."""

    def __init__(self, forgets: Iterable[Event] = ()) -> None:
        self.entries: list[Entry] = []
        self.forgets = frozenset(forgets)

    def recorder(self, history: History) -> _Recorder:
        return _Recorder(self, history)


@dataclass
class _Recorder:
    ledger: Ledger
    history: History

    def append(self, entry: Entry) -> None:
        self.history.append(entry)
        if entry.event not in self.ledger.forgets:
            self.ledger.entries.append(entry)


@dataclass
class KeepsNames:
    """A keeper that remembers what it was asked to keep."""

    kept: list[tuple[str, list[str]]] = field(default_factory=list)

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        self.kept.append((name, [item.volume for item in volumes]))
        return {"name": name, "bytes": sum(area.length for item in volumes for area in item.areas or ())}


class World:
    """Two sites, a clock, a record. ``violations`` collects every rule that was ever broken."""

    def __init__(
        self,
        wave: Wave,
        runbook: Runbook,
        *,
        ledger: Ledger | None = None,
        kinds: Any = None,
        keeper: Keeps | None = None,
        transfers: Transfers | None = None,
        luck: float = 0.5,
    ) -> None:
        self.wave, self.runbook = wave, runbook
        self.clock = SimulatedClock()
        self.ledger = ledger or Ledger()
        self.violations: list[str] = []
        self.kinds = kinds or KINDS
        self.keeper = keeper or KeepsNames()
        rng = Steady(luck)
        self.source = WatchedSite(SimulatedSite("source", self.clock, rng), self._check)
        self.target = WatchedSite(SimulatedSite("target", self.clock, rng), self._check)
        populate(self.source.site, model_of(wave, Link()).vms)
        self._volumes = dict(self.source.site.volumes)
        self.transfers = transfers or ModelledTransfers(self.clock, 1e9, 1e9)
        self.history = History(runbook)

    def _check(self) -> None:
        """What must hold after every call."""
        for vm, state in self.target.site.vms.items():
            here = self.source.site.vms.get(vm)
            if state.power is Power.ON and here is not None and here.power is Power.ON:
                self.violations.append(f"{vm} runs at both sites")
        if self.source.site.volumes != self._volumes:
            self.violations.append("a source volume was touched")
        committed = any(
            entry.event is Event.APPROVED and entry.step == "commit" for entry in self.ledger.entries
        )
        if not committed and any(
            not state.connected or state.name != self.wave.vm(vm).name
            for vm, state in self.source.site.vms.items()
        ):
            self.violations.append("a source VM was fenced before commit")

    def twice(self) -> list[str]:
        """Return the destructive calls that were made more than once for one step."""
        return [
            f"{site.site.name}: {key} x{count}"
            for site in (self.source, self.target)
            for key, count in site.calls.items()
            if count > 1
        ] + [f"source: {name} x{count}" for name, count in self.source.opened.items() if count]

    def broken(self) -> list[str]:
        """Return everything that went wrong so far."""
        return self.violations + self.twice()

    def reload(self) -> History:
        """Fold the durable record anew, as after a restart."""
        self.history = History(self.runbook, self.ledger.entries)
        return self.history

    def context(self, history: History) -> Context:
        source: Any = self.source
        target: Any = self.target
        return Context(
            run="1",
            wave=self.wave.name,
            source=source,
            target=target,
            transfers=self.transfers,
            keeper=self.keeper,
            clock=self.clock,
            history=history,
            report=lambda moving: None,
        )

    def drive(
        self,
        *gates: str,
        boundary: Callable[[str], None] = lambda point: None,
        crew: Crew | None = None,
        paused: Callable[[], bool] = lambda: False,
        hurried: Callable[[], str] = lambda: "",
        overlooked: Callable[[], list[dict[str, Any]]] = list,
        patience: Patience = Patience(),  # noqa: B008 - it never changes
        room: Callable[[History], RoomWatch] | None = None,
    ) -> Stopped:
        """Start anew from the record and go on as far as the gates allow."""
        history = self.reload()
        driver = Driver(
            self.context(history),
            self.kinds,
            self.ledger.recorder(history),
            boundary=boundary,
            patience=lambda: patience,
            hurried=hurried,
            overlooked=overlooked,
            crew=crew,
            paused=paused,
            room=room(history) if room is not None else None,
        )
        return driver.drive(lambda gate: {"who": "test"} if gate.id in gates else None)

    def note(self, step: str, event: Event, attempt: int = 1, **detail: Any) -> None:
        """Put a person's word into the record."""
        assert event in RUN_EVENTS or step
        self.ledger.recorder(self.reload()).append(Entry(step, event, attempt, detail))

    def end_state(self) -> tuple[Any, ...]:
        """What must be equal however often a run died: both sites, without stamps and times."""
        return tuple(
            (
                {
                    vm: (state.name, state.power, state.connected, tuple(disk.volume for disk in state.disks))
                    for vm, state in sorted(site.vms.items())
                },
                dict(sorted(site.volumes.items())),
                sorted(site.snapshots),
            )
            for site in (self.source.site, self.target.site)
        )


class Boundaries:
    """Counts boundaries and dies at the one asked for (0 = never)."""

    def __init__(self, die_at: int = 0) -> None:
        self.die_at = die_at
        self.points: list[str] = []

    def __call__(self, point: str) -> None:
        self.points.append(point)
        if len(self.points) == self.die_at:
            raise Died(point)
