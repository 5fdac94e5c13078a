"""A booted copy: images of a checkpoint started at the target in isolation, probed, and removed.

    note what will be made ─▶ copy disks ─▶ isolate ─▶ build and start, batch by batch ─▶ probe ─▶ remove all

What a rehearsal makes stands in the book before the first of it is made, and is struck out when it is
gone. So whatever happens in between, ``clean_up`` finds it. Replicas and sources are only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrate.rehearsals import book
from migrate.rehearsals.addresses import Addresses, look
from migrate.rehearsals.book import Depth, Verdict
from migrate.rehearsals.choosing import LATEST
from migrate.rehearsals.copied import built_vms, copies_of
from migrate.rehearsals.defined import Defines, by_plan
from migrate.rehearsals.images import Image, copy_image, images_of, room_bytes, unproved
from migrate.rehearsals.isolating import Isolation, isolation_of
from migrate.rehearsals.journalled import points_of
from migrate.rehearsals.starting import disk_names, left_out, missed_by, named
from migrate.sites.bubbles import Bubbles
from migrate.sites.copies import copy_id
from planner.effects import Effect
from planner.errors import Blocked, WherryError
from planner.model import Power
from planner.names import visible

if TYPE_CHECKING:
    from migrate.clock import Clock
    from migrate.rehearsals.journalled import Points
    from migrate.run.waves import Standing
    from migrate.sites.ports import FullSite, NewVM
    from planner.plan import Wave
    from planner.store.project import Project

_EVERY_S = 1.0
_STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Probed:
    """How the copy of a VM did; ``ok`` is None for one that was not started, or whose answer says nothing."""

    vm: str
    name: str
    ok: bool | None
    detail: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class Booted:
    """What came of it. ``unproved`` names volumes that are in no checkpoint: their VMs were not started.

    ``checkpoints`` are those that were booted, by group, where the groups keep a history. ``addresses`` is
    which of those that the wave itself gets at its cutover are in use at the target. ``unproved_disks`` is
    ``unproved`` as people call them: VM and label.
    """

    wave: str
    fingerprint: str
    networks: dict[str, str]
    copied_bytes: int
    unproved: tuple[str, ...]
    probes: tuple[Probed, ...]
    failure: str
    removed: bool
    checkpoints: dict[str, int] = field(default_factory=dict)
    addresses: Addresses | None = None
    unproved_disks: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True when every VM that was to run came up well from the checkpoint, and all is gone again."""
        well = all(one.ok is not False for one in self.probes)
        held = self.addresses is not None and self.addresses.conflicts
        return not self.failure and self.removed and well and not self.unproved and not held

    @property
    def verdict(self) -> Verdict:
        """Return what it comes to: partial when all that could be started came up well."""
        if self.failure:
            return Verdict.FAILED
        if self.clean:
            return Verdict.CLEAN
        answers = {one.ok for one in self.probes}
        held = self.addresses is not None and self.addresses.conflicts
        partial = self.unproved and self.removed and not held and True in answers and False not in answers
        return Verdict.PARTIAL if partial else Verdict.FINDINGS


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would be made: disks, bytes, and the network for each network of the wave."""

    images: tuple[Image, ...]
    room_bytes: int
    isolation: Isolation
    checkpoints: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # VM → why it will not be started

    def as_json(self) -> dict[str, Any]:
        """Return it for ``--json``; a network that is still to be made has no name yet."""
        return {
            "images": [asdict(image) for image in self.images],
            "room_bytes": self.room_bytes,
            "networks": self.isolation.networks,
            "bubble_host": self.isolation.host,
            "checkpoints": self.checkpoints,
            "left_out": self.left_out,
        }


def prepare(standing: Standing, target: FullSite, points: Points) -> Prepared:
    """Return what a booted copy would take; raises Blocked when it cannot be made. Changes nothing."""
    wave = standing.wave
    if standing.history is None:
        raise Blocked(
            f"{visible(wave.name)} has no replicas to boot a copy of",
            f"replicate it first: wherry replicate {visible(wave.name)} --live",
        )
    images = images_of(wave, standing.history, points.by_volume)
    isolation = isolation_of(wave, built_vms(wave).values(), target)
    chosen = {point.group: point.record for point in points.found}
    out = left_out(wave, unproved(images))
    return Prepared(images, room_bytes(images, target), isolation, chosen, out)


def rehearse_booted(
    project: Project,
    standing: Standing,
    target: FullSite,
    clock: Clock,
    tell: Callable[[str], None],
    notes: str = "",
    checkpoints: Sequence[str] = (LATEST,),
    define: Defines = by_plan,
) -> Booted:
    """Boot a copy of a wave as it was at a checkpoint, probe it and remove it; raises Blocked, ProjectBusy.

    ``checkpoints`` are the words that say which: see ``choosing``, and what that raises. ``define`` says how
    a VM's source is defined. How it went is noted on the checkpoint.
    """
    with (
        _alone(project, standing.wave.name),
        points_of(project, standing.wave, standing.history, checkpoints) as points,
    ):
        _remove_left(project, standing.wave.name, target)
        prepared = prepare(standing, target, points)
        held = look(project, standing.wave, target)
        row = _begin(project, standing, prepared, notes)
        made = row.report["made"]
        probes: tuple[Probed, ...] = ()
        failure = ""
        networks = prepared.isolation.networks
        try:
            with points.opened() as open_point:
                for image in prepared.images:
                    tell(f"copy {image.volume}")
                    copy_image(target, image, made["key"], open_point)
            networks = prepared.isolation.made(made["key"], target, f"{made['key']}/bubble/do1")
            copies = copies_of(standing.wave, networks, made["key"], define)
            probes = _boot(standing.wave, prepared, copies, target, made["key"], clock, tell)
        except (WherryError, OSError) as error:
            failure = error.message if isinstance(error, WherryError) else (error.strerror or str(error))
        finally:
            tell("remove the copies")
            removed = _remove(target, made)
        out = unproved(prepared.images)
        said = Booted(
            wave=standing.wave.name,
            fingerprint=standing.wave.fingerprint,
            networks=networks,
            copied_bytes=sum(one.size_bytes for one in prepared.images if not one.empty and not one.idle),
            unproved=out,
            probes=probes,
            failure=failure,
            removed=removed,
            checkpoints=prepared.checkpoints,
            addresses=held,
            unproved_disks=disk_names(standing.wave, out),
        )
        report = {**asdict(said), "made": {} if removed else made}
        book.amend(project, row.id, said.verdict, report)
        points.note(f"rehearsed {row.at}, booted copy: {said.verdict.value}")
        return said


def clean_up(project: Project, wave: str, target: FullSite) -> int:
    """Remove what interrupted rehearsals of a wave left; return how many there were. Raises ProjectBusy."""
    with _alone(project, wave):
        return _remove_left(project, wave, target)


@contextmanager
def _alone(project: Project, wave: str) -> Iterator[None]:
    """Hold the rehearsals of a wave, not the wave: its replication goes on."""
    from migrate.run import store as runs

    with runs.held(project, f"the booted copy of {wave}"):
        yield


def _begin(project: Project, standing: Standing, prepared: Prepared, notes: str) -> book.Rehearsed:
    """Write down what will be made, before the first of it is."""
    from planner.store.project import utc_now

    wave = standing.wave
    key = "".join(
        letter for letter in f"{project.id}-{wave.fingerprint[:8]}-{utc_now()}" if letter not in ":/"
    )
    made = {
        "key": key,
        "vms": [copy_id(key, vm.id) for vm in wave.vms],
        "volumes": [copy_id(key, image.volume) for image in prepared.images],
        "bubble": prepared.isolation.bubble is not None,
    }
    return book.write(
        project, wave.name, wave.fingerprint, standing.stored.version, Depth.BOOT, Verdict.FAILED,
        {"failure": "it was interrupted", "made": made}, notes, Effect.LIVE,
    )  # fmt: skip


def _remove_left(project: Project, wave: str, target: FullSite) -> int:
    left = [one for one in book.of_wave(project, wave) if one.depth is Depth.BOOT and one.report.get("made")]
    for one in left:
        if _remove(target, one.report["made"]):
            book.amend(project, one.id, one.verdict, {**one.report, "made": {}})
    return len(left)


def _remove(target: FullSite, made: dict[str, Any]) -> bool:
    """Stop and remove every copy that is there; True when none is left. What fails is tried again later."""
    op = f"{made['key']}/remove/do1"
    gone = True
    for vm in made["vms"]:
        try:
            if (found := target.observe(vm)) is not None:
                if found.power is not Power.OFF and not target.shut_down(vm, op, _STOP_S):
                    target.power_off(vm, op)
                target.delete_vm(vm, op)
        except (WherryError, OSError):
            gone = False
    for volume in made["volumes"]:
        try:
            if target.volume(volume) is not None:
                target.delete_disk(volume, op)
        except (WherryError, OSError):
            gone = False
    if made.get("bubble"):
        try:
            assert isinstance(target, Bubbles), "only such a site was asked for one"
            target.remove_bubble(made["key"], op)
        except (WherryError, OSError):
            gone = False
    return gone


def _boot(
    wave: Wave,
    prepared: Prepared,
    copies: dict[str, NewVM],
    target: FullSite,
    key: str,
    clock: Clock,
    tell: Callable[[str], None],
) -> tuple[Probed, ...]:
    from migrate.run.readdress_steps import guest_nics

    for vm in wave.vms:
        target.create_vm(copies[vm.id], f"{key}/{vm.id}/do1")
        given = (nic for nic in wave.conduct.nics_of(vm.id) if not nic.by_hand)
        if nics := guest_nics(given, "test"):
            target.customise(copy_id(key, vm.id), nics, f"{key}/{vm.id}/do1")
    probes: list[Probed] = []
    out = prepared.left_out
    missed = missed_by(wave, out)
    for batch in wave.boot:
        batch_on = [vm for vm in map(wave.vm, batch) if vm.powered_on and vm.id not in out]
        for vm in batch_on:
            tell(f"start the copy of {visible(vm.name)}")
            target.power_on(copy_id(key, vm.id), f"{key}/{vm.id}/do1")
        for vm in batch_on:
            answer = _probe(target, vm.id, vm.name, key, wave.policies.probe_timeout_s, clock)
            probes.append(_weighed(answer, missed.get(vm.id, ())))
    booted = {one.vm for one in probes}
    off = "not started: it is off"
    idle = (
        Probed(vm.id, vm.name, None, out.get(vm.id, off) if vm.powered_on else off, 0.0)
        for vm in wave.vms
        if vm.id not in booted
    )
    return (*probes, *idle)


def _weighed(answer: Probed, missing: tuple[str, ...]) -> Probed:
    """Return an answer as it counts; one that is not well says nothing while VMs before it are missing."""
    if answer.ok or not missing:
        return answer
    said = f"{answer.detail}; not counted, for {named(missing)}, which start before it, were not started"
    return replace(answer, ok=None, detail=said)


def _probe(target: FullSite, vm: str, name: str, key: str, timeout_s: float, clock: Clock) -> Probed:
    begun = clock.now_s()
    while True:
        health = target.probe(copy_id(key, vm))
        waited = clock.now_s() - begun
        if health.ok or waited >= timeout_s:
            return Probed(vm, name, health.ok, health.detail, round(waited, 3))
        clock.sleep(_EVERY_S)
