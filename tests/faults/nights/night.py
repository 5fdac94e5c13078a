"""One night: a wave goes out, comes back, or comes home, and something may strike in the middle of it.

    Night(way, seed, ...).run(strike)    ──▶  outcome, end state, what was wrong, where each step was

The driver, its record's order, steps, ``next_actions``, transfers, sender and receiver are the product's. An
engine that dies is followed by another one, which knows the record alone. A person says "again" to what
failed when the patience with it is over.
"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from migrate.movers.keeping import MovedKeeps
from migrate.movers.placing import MovedPlaces
from migrate.movers.task import Ends, Manner
from migrate.movers.transfers import Generations, MovedTransfers, Shares
from migrate.rehearsal import model_of
from migrate.replication.leases import Leases
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback, fenced_names
from migrate.run.driver import Driver
from migrate.run.history import Entry, Event, History
from migrate.run.levers import retry_all
from migrate.run.readdress_steps import found_before
from migrate.run.runbook import COMMIT, GO, Runbook, Step
from migrate.sites.simulated import populate
from migrate.steps.kind import Context, StepKind
from migrate.steps.kinds import KINDS
from migrate.transfers import streamed
from migrate.transfers.keeping import KeepsHere
from planner.model import Power, Sending
from planner.plan import Wave
from planner.settings import Link
from tests.faults.nights.keeping import kept_wrong
from tests.faults.nights.links import Links
from tests.faults.nights.movers import Fleet, Movers
from tests.faults.nights.plane import Journals, Receiving
from tests.faults.nights.rack import Rack, Reached
from tests.faults.nights.strikes import Fault, Span, Strike
from tests.migrate.simulated_run import Ledger as Record
from tests.simulation.flusher import Flusher
from tests.simulation.schedule import Process, Schedule

_STEPS_MAX = 200_000
_AGAIN_MAX = 5  # as often a person says "again"
_PERSON_S = 60.0
OVER = ("after act", "after undo")


class Way(StrEnum):
    """Where a night goes."""

    OUT = "out"
    BACK = "rolled back before commit"
    ABORT = "aborted before go"
    HOME = "failback"
    AWAY = "failback rolled back"
    REMEDY = "remedies"
    UNREMEDY = "remedies taken back"

    @property
    def is_home(self) -> bool:
        """Whether it begins with a wave that is committed."""
        return self in (Way.HOME, Way.AWAY)

    @property
    def is_remedy(self) -> bool:
        """Whether it is of what comes before a wave."""
        return self in (Way.REMEDY, Way.UNREMEDY)


_TURN = {Way.BACK: (COMMIT, Event.ROLLBACK), Way.ABORT: (GO, Event.ABORT), Way.AWAY: (COMMIT, Event.ROLLBACK)}


@dataclass(frozen=True)
class Product:
    """What is under test; mutants put something else in the place of a part."""

    driver: type[Driver] = Driver
    kinds: Mapping[str, StepKind] = field(default_factory=lambda: KINDS)
    receiver: type[Receiver] = Receiver
    leases: Callable[[], Leases] = lambda: Leases(0.0)
    minds_pipe: bool = True
    keeps: type[KeepsHere] = KeepsHere


@dataclass(frozen=True)
class Abroad:
    """What a committed night left: the state from which a failback begins."""

    racks: tuple[Rack, Rack]
    history: History


class Night:
    """One run of a wave. ``abroad`` is the night before of a way home."""

    longest_cut_s = 120.0

    def __init__(
        self,
        wave: Wave,
        way: Way,
        seed: int,
        *,
        fleet: bool = False,
        product: Product | None = None,
        abroad: Abroad | None = None,
        seeds: Mapping[str, str] | None = None,
    ) -> None:
        self.wave, self.way, self.product = wave, way, product or Product()
        self.schedule = Schedule(seed, _STEPS_MAX)
        self.links = Links(self.schedule)
        self.rng = random.Random(seed)
        self.here = Rack("dc1", self.links, seed + 1, receives=way.is_home)
        self.there = Rack("dc2", self.links, seed + 2, receives=not way.is_home)
        self.sent = {disk.volume for disk in wave.disks if disk.send is Sending.ALWAYS}
        for rack in (self.here, self.there):
            rack.started = self._starts
        if abroad is None:
            self._furnish()
        self.runbook = self._compose(seeds or {}) if abroad is None else self._return(abroad)
        self.source, self.target = (self.there, self.here) if way.is_home else (self.here, self.there)
        self.receiving = Receiving(self.links, self.target, self.product.receiver, self.product.leases)
        self.journals = Journals(self.links, self.receiving)
        make = Fleet if fleet else Movers
        parts = self.schedule, self.source, self.receiving, self.product.minds_pipe, self.product.keeps
        self.movers = make(*parts)
        self.local = Movers(*parts) if fleet else self.movers  # where the engine is
        self.generations = Generations(clock=lambda: self.schedule.now)
        self.record = Record()
        self.kept = TemporaryDirectory(prefix="wherry-night-")
        self.began: dict[str, bytes] = {}  # what disks held when their VMs started at the target
        self.engine = Process()
        self.outcome: Outcome | None = None
        self.wrong: list[str] = []
        self.reasons: list[dict[str, Any]] = []  # why a person was asked
        self.met: Counter[str] = Counter()
        self.spans: list[Span] = []
        self._entered: dict[str, int] = {}
        self._again = 0

    def run(self, strike: Strike | None = None) -> Night:
        """Go through the night; what is wrong is in ``wrong``."""
        struck = strike is None

        def between() -> None:
            nonlocal struck
            if strike is not None and not struck and self.schedule.steps >= strike.at:
                struck = True
                self._strike(strike)
            if self.engine.dead and self.outcome is None:
                self._engine(self.rng.uniform(1.0, 60.0))

        self._engine(0.0)
        try:
            with patch.multiple(
                streamed,
                ThreadPoolExecutor=lambda _many: Flusher(self.schedule, "digest"),
                send_pass=partial(
                    send_pass,
                    workers=0,
                    clock=lambda: self.schedule.now,
                    random_bytes=self.schedule.rng.randbytes,
                ),
            ):
                self.schedule.run(between)
        except Exception as error:  # noqa: BLE001 - told with the rest of what is wrong
            at = traceback.extract_tb(error.__traceback__)[-1]
            self.wrong.append(f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})")
        finally:
            self.schedule.end()
        self.wrong += self.movers.wrong
        if self.way in (Way.BACK, Way.AWAY):
            self.wrong += kept_wrong(Path(self.kept.name), self.began, self.target)
        self.kept.cleanup()
        if not struck:
            self.wrong.append(f"{strike} was never reached")
        return self

    # what is there in the evening

    def _furnish(self) -> None:
        populate(self.here, model_of(self.wave, Link()).vms)
        for volume, shape in self.here.volumes.items():
            self.here.put(volume, self.rng.randbytes(shape.size_bytes))
            self.here.mirror[volume] = bytearray(self.here.disks[volume].seen)

    def _compose(self, seeds: Mapping[str, str]) -> Runbook:
        return compose(self.wave, dict(seeds))

    def _return(self, abroad: Abroad) -> Runbook:
        for old, new in zip(abroad.racks, (self.here, self.there), strict=True):
            new.vms |= old.vms
            new.volumes |= old.volumes
            new.guests |= old.guests
            new.holders |= {
                volume: {vm.id for vm in old.vms.values() if volume in {disk.volume for disk in vm.disks}}
                for volume in old.volumes
            }
            for volume, disk in old.disks.items():
                new.put(volume, bytes(disk.seen))
                if not new.receives:
                    new.mirror[volume] = bytearray(disk.seen)
        return compose_failback(self.wave, fenced_names(abroad.history), found_before(abroad.history))

    # the engine and the person

    def _engine(self, after_s: float) -> None:
        self.engine = Process()

        def live() -> None:
            self.schedule.sleep(after_s)
            while self.outcome is None:
                self._drive()

        self.schedule.spawn(self.engine, "engine", live)

    def _drive(self) -> None:
        history = History(self.runbook, self.record.entries)
        record = self.record.recorder(history)
        driver = self.product.driver(
            self._context(history), self.product.kinds, record, boundary=self._boundary
        )
        stopped = driver.drive(self._opens)
        if stopped.outcome is not None:
            self._end(stopped.outcome, record)
        elif stopped.decide is not None:
            self.met["person asked"] += 1
            self.reasons.append({"step": stopped.decide.id, **history.failures[stopped.decide.id]})
            self._again += 1
            if self._again > _AGAIN_MAX:
                raise AssertionError(f"nothing helps: {self.reasons[-1]}")
            self.schedule.sleep(_PERSON_S)
            retry_all(history, record)
        else:
            gate, event = _TURN[self.way]
            assert stopped.gate is not None
            assert stopped.gate.id == gate, stopped.gate.id
            record.append(Entry("", event))

    def _end(self, outcome: Outcome, record: Any) -> None:
        """Take how a run ended for the end of the night."""
        self.outcome = outcome

    def _opens(self, gate: Step) -> dict[str, Any] | None:
        if self.way in _TURN and gate.id == _TURN[self.way][0]:
            return None
        return {"who": "test"}

    def _context(self, history: History) -> Context:
        source: Any = Reached(self.source, far=self.way.is_home)
        target: Any = Reached(self.target, far=not self.way.is_home)
        ends, manner = Ends(self.source.name, self.target.name), Manner(0, 64 * 1024)
        at_hand = self.local, ends, manner, Path(self.kept.name), self.generations, lambda: False
        return Context(
            run="2" if self.way.is_home else "1",
            wave=self.wave.name,
            source=source,
            target=target,
            transfers=MovedTransfers(
                self.movers,
                ends,
                manner,
                generations=self.generations,
                shares=Shares(lambda: self.schedule.now),
            ),
            keeper=MovedKeeps(*at_hand),
            clock=self.source.clock,
            history=history,
            report=lambda _moving: None,
            placing=MovedPlaces(*at_hand),
            histories=self.journals,
        )

    def _boundary(self, point: str) -> None:
        """Let others run, and whoever strikes; note between which moments a step is in progress."""
        step, _, side = point.partition(" ")
        if side in ("after intent", "after undo intent"):
            self._entered[step] = self.schedule.steps
        elif side in OVER:
            back = "undo " if side == "after undo" else ""
            kind = back + self.runbook.step(step).kind
            self.spans.append(Span(step, kind, self._entered[step], self.schedule.steps))
        elif side == "before approval":  # the word is given and not recorded
            now = self.schedule.steps
            self.spans.append(Span(step, self.runbook.step(step).kind, now, now))
        self.schedule.pause()

    # what may never be

    def _starts(self, rack: Rack, vm: str) -> None:
        """Look when a VM is powered on: its twin is off, and it has what was written last."""
        twin = self.there if rack is self.here else self.here
        if (other := twin.vms.get(vm)) is not None and other.power is Power.ON:
            self.wrong.append(f"{vm} runs at both sites")
        for disk in rack.vms[vm].disks:
            if disk.volume not in self.sent:
                continue
            if disk.volume in rack.mirror:
                if rack.differing([disk.volume]):
                    self.wrong.append(f"{disk.volume} at {rack.name} is not what its guests wrote")
            else:
                if rack.disks[disk.volume].seen != twin.mirror.get(disk.volume):
                    self.wrong.append(f"{vm} starts at {rack.name} without what was written at {twin.name}")
                rack.mirror[disk.volume] = bytearray(rack.disks[disk.volume].seen)
                if rack is self.target:
                    self.began.setdefault(disk.volume, bytes(rack.disks[disk.volume].seen))

    # what strikes

    def _strike(self, strike: Strike) -> None:
        fault = strike.fault
        self.schedule.meet(fault.value)
        at_work = list(dict.fromkeys((*self.movers.at_work, *self.local.at_work)))
        match fault:
            case Fault.ENGINE:
                self.schedule.kill(self.engine)
            case Fault.MOVER if mine := (at_work or self.movers.idle or self.local.idle):
                self.schedule.kill(mine[0].process)
            case Fault.RECEIVER if (process := self.receiving.process) is not None:
                self.schedule.kill(process)
            case Fault.LINK:
                self.links.cut(self.rng.uniform(5.0, self.longest_cut_s))
            case Fault.FREEZE:
                self.schedule.freeze(at_work[0].process if at_work else self.engine, strike.freeze_s)
        if at_work and fault in (Fault.MOVER, Fault.FREEZE):
            self.met[f"{fault.value}: at work"] += 1


def left_behind(night: Night) -> Abroad:
    """Return what a committed night left."""
    history = History(night.runbook, night.record.entries)
    return Abroad((night.here, night.there), history)


def end_state(night: Night) -> dict[str, Any]:
    """Return what is equal however often something struck: VMs and volumes of both sites, and histories."""
    sites = {
        rack.name: {
            "vms": {
                vm: replace(state, last_power_op="", op="", note=state.note.partition("[")[0])
                for vm, state in sorted(rack.vms.items())
            },
            "volumes": dict(sorted(rack.volumes.items())),
            "guests": dict(sorted(rack.guests.items())),
            "configurations": {vm: rack.configuration(vm) for vm in sorted(rack.vms)},
        }
        for rack in (night.here, night.there)
    }
    return {**sites, "journals": sorted(night.journals.held), "promoted": sorted(night.journals.ended)}


def wrong_with(night: Night, calm: Night) -> list[str]:
    """Return what is wrong with a night that was struck, by one that was not."""
    found = [*night.wrong, *night.here.repeated(), *night.there.repeated()]
    if night.outcome is not calm.outcome:
        found.append(f"it ended {night.outcome} instead of {calm.outcome}")
    mine, wanted = end_state(night), end_state(calm)
    found += [f"{what} is {mine[what]}, not {wanted[what]}" for what in mine if mine[what] != wanted[what]]
    for rack in (night.here, night.there):
        found += [f"{rack.name} still has {one.id}" for one in rack.list_snapshots()]
        found += [f"{one} at {rack.name} is not what its guests wrote" for one in rack.differing(rack.disks)]
    if {one.volume for one in night.wave.disks} - night.source.mirror.keys():
        found.append("a source has no bytes to compare")
    return found
