"""A disk replicated by changed areas while change tracking lies, in the order of a run's steps."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from migrate.sites.ports import ChangeId, Extent
from migrate.sites.vsphere.site import VsphereSite
from migrate.sites.vsphere.tracking import newest
from migrate.steps.proof import Verify
from migrate.transfers.ports import Compared
from planner.errors import StepFailed
from tests.migrate.sites.vsphere.plant import MIB, Plant
from tests.vcenter.collected import finished

GRAIN = 64 * 1024
Between = Callable[[], None]


class Credulous(VsphereSite):
    """A site that believes every answer: the rules of change tracking are switched off."""

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        found = self.holder(volume)
        assert found is not None
        machine, one = found
        taken = newest(machine)
        assert taken is not None
        identity = since.epoch.partition("|")[0]
        return self._pages(machine, one, taken.ref, f"{identity}/{since.counter}")


class Replicating:
    """Passes over one disk of the plant's first VM; ``compared`` counts those that compared digests."""

    def __init__(self, plant: Plant, site: VsphereSite, seed: int, *, disk: int = 0) -> None:
        self.plant, self.site, self.disk = plant, site, disk
        self.random = random.Random(seed)
        self.run = f"p/r{id(self)}"
        self.number = 0
        self.replica = bytearray()
        self.base: ChangeId | None = None
        self.compared = 0
        self.early: set[int] = set()

    def write(self) -> None:
        """Write at random grains, other bytes than were there."""
        size = len(self.plant.bytes_of(0, self.disk))
        for _ in range(self.random.randint(2, 6)):
            at = self.random.randrange(size // GRAIN) * GRAIN + self.random.randrange(GRAIN - 16)
            self.plant.write(self.random.randbytes(16), at, 0, self.disk)

    def turn(self, between: Between | None = None, *, wrong_order: bool = False) -> None:
        """Make one pass: drop, take, ask, copy. ``between`` happens after the drop."""
        last, self.number = self.number, self.number + 1
        if last and not wrong_order:
            self._drop(last)
        if between is not None:
            between()
        taken = self.site.take_snapshot(self.plant.vms[:1], self._op(self.number))
        if last and wrong_order:
            self._drop(last)
        volume = self.plant.plan_volume(0, self.disk)
        areas = self.site.changed_areas(volume, self.base) if self.base is not None else None
        self.copy(areas)
        self.base = taken.changes.get(self.plant.volume(0, self.disk))

    def copy(self, areas: tuple[Extent, ...] | None) -> None:
        """Copy areas, or everything that differs where there are none to go by."""
        source = self.plant.bytes_of(0, self.disk)
        self.replica.extend(bytes(len(source) - len(self.replica)))
        if areas is None:
            self.compared += self.base is not None
            self.replica[:] = source
            return
        for area in areas:
            self.replica[area.offset : area.end] = source[area.offset : area.end]

    @property
    def is_equal(self) -> bool:
        return bytes(self.replica) == self.plant.bytes_of(0, self.disk)

    def verify(self) -> bool:
        """Return whether the step before a commit passes the replica."""
        step: Any = SimpleNamespace(title="verify", params={"volume": "v", "size_bytes": len(self.replica)})
        digests = Compared(
            sha256(self.plant.bytes_of(0, self.disk)).hexdigest(), sha256(self.replica).hexdigest()
        )
        ctx: Any = SimpleNamespace(
            transfers=SimpleNamespace(compare=lambda *_, larger: digests),
            target=SimpleNamespace(change_id=lambda _: None, volume=lambda _: None),
            report=None,
        )
        try:
            Verify().act(ctx, step, "p/r/verify/do1")
        except StepFailed:
            return False
        return True

    def finish(self) -> None:
        """Leave the plant as it was found."""
        if self.number:
            self._drop(self.number)
        machine = self.plant.machines[0]
        finished(machine.RemoveAllSnapshots_Task())
        self.plant.peer.tracking(crash=True)
        if len(self.plant.bytes_of(0, 0)) != self.plant.size_bytes:
            self.plant.track(0)

    def _op(self, number: int) -> str:
        return f"{self.run}/s{number}/do1"

    def _drop(self, number: int) -> None:
        self.site.drop_snapshot(self._op(number), f"{self._op(number)}/drop")


def _lying(lie: str) -> Callable[[Replicating], None]:
    """Return a story in which a lie begins, something is written, and a pass is made."""

    def story(run: Replicating) -> None:
        run.plant.peer.tracking(lie, seed=run.random.randrange(2**31))
        run.write()
        run.turn()

    return story


def _consolidation(run: Replicating) -> None:
    run.plant.peer.tracking("consolidation")
    run.turn(run.write)


def _grown(run: Replicating) -> None:
    run.plant.peer.tracking("grown", boundary=6 * MIB)
    run.plant.grow(0, 8 * MIB)
    run.plant.write(run.random.randbytes(16), 4 * MIB + run.random.randrange(4 * MIB - 16))
    run.turn()


def _late(run: Replicating) -> None:
    """Change tracking is turned on while somebody's snapshot is there."""
    run.plant.peer.tracking("late", seed=run.random.randrange(2**31), crash=True)
    run.plant.snapshot()
    run.base = None
    run.turn()
    run.write()
    run.turn()


def _reverted(run: Replicating) -> None:
    """A person's snapshot is there before the base, and the VM goes back to it after."""
    run.plant.peer.tracking("reverted")
    before = run.plant.bytes_of()
    snapshot = run.plant.snapshot()
    run.write()
    run.turn()
    finished(snapshot.RevertToSnapshot_Task())
    run.plant.write(before, 0)
    if run.random.random() < 0.5:
        finished(snapshot.RemoveSnapshot_Task(False))
    run.turn()


def _patched(run: Replicating) -> None:
    """Change ids from before the hosts were patched are asked about."""
    run.plant.peer.tracking("patched", build=str(run.random.randrange(10**7, 10**8)))
    run.write()
    run.turn()


def _counter(run: Replicating) -> None:
    """The host loses power; sometimes a backup takes the number that our base had."""
    run.finish()
    run.number, run.base = 0, None
    run.turn()
    run.plant.peer.tracking("counter", crash=True)
    run.write()
    if run.random.random() < 0.5:
        finished(run.plant.snapshot(name="backup").RemoveSnapshot_Task(False))
    run.turn()


STORIES: dict[str, Callable[[Replicating], None]] = {
    "grown": _grown,
    "consolidation": _consolidation,
    "silent": _lying("silent"),
    "late": _late,
    "reverted": _reverted,
    "other-disks": _lying("other-disks"),
    "counter": _counter,
    "patched": _patched,
}
