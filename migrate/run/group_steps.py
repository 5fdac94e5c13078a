"""One move group's part of a runbook: its disks, rounds, stop, landing and fence, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.run.build_params import build_params
from migrate.run.history_steps import promote
from migrate.run.runbook import Phase, Step
from planner.effects import Effect
from planner.model import Backing, BusSharing, Sending
from planner.names import visible
from planner.plan import PlannedDisk, PlannedGroup, Wave


class GroupSteps:
    """One move group's part of a runbook. ``unfrozen`` are volumes that the site left cannot freeze."""

    def __init__(
        self, number: int, group: PlannedGroup, wave: Wave, unfrozen: frozenset[str] = frozenset()
    ) -> None:
        self.wave = wave
        self.unfrozen = unfrozen
        self.prefix = f"g{number}"
        self.name = visible(group.name)
        self.plain_name = group.name
        members = set(group.vms)
        self.vms = [vm for vm in wave.vms if vm.id in members]
        self.disks = [disk for disk in wave.disks if disk.attachments[0].vm in members]
        self.number = {vm.id: position for position, vm in enumerate(self.vms)}
        booted = {vm for batch in wave.boot for vm in batch}
        self.started = {vm.id for vm in self.vms if vm.powered_on and vm.id in booted}

    def disk_id(self, disk: PlannedDisk) -> str:
        """Return the part of step ids that names a disk: ``g0/d1``."""
        return f"{self.prefix}/d{self.disks.index(disk)}"

    def vm_id(self, vm: str) -> str:
        """Return the part of step ids that names a VM: ``g0/v1``."""
        return f"{self.prefix}/v{self.number[vm]}"

    def vm_name(self, vm: str) -> str:
        """Return a VM's name, harmless to print."""
        return visible(self.wave.vm(vm).name)

    def disk_name(self, disk: PlannedDisk) -> str:
        """Return a disk's name with that of its first VM, harmless to print."""
        holder = disk.attachments[0]
        return f"{self.vm_name(holder.vm)} {visible(holder.label)}"

    def disks_of(self, vm: str) -> list[PlannedDisk]:
        """Return the disks that a VM of the group holds."""
        return [disk for disk in self.disks if any(item.vm == vm for item in disk.attachments)]

    def finals(self, vm: str) -> list[str]:
        """Return the ids of the last passes over a VM's disks; those left out have none."""
        return [f"{self.disk_id(disk)}/final" for disk in self.disks_of(vm) if not disk.left_out]

    @property
    def tracked(self) -> list[PlannedDisk]:
        """Disks with snapshots and change tracking: all but physical RDMs and what cannot be frozen."""
        return [
            disk
            for disk in self.disks
            if disk.source is not Backing.RDM_PHYSICAL and disk.volume not in self.unfrozen
        ]

    @property
    def settled(self) -> list[PlannedDisk]:
        """Disks that are brought up to date and compared at the cutover: all that nobody left out."""
        return [disk for disk in self.disks if not disk.left_out]

    def _travelling(self, number: int) -> list[PlannedDisk]:
        """Return the disks that a round copies: those sent once travel with the seed, then no more."""
        return [
            disk for disk in self.tracked if not disk.left_out or (number == 0 and disk.send is Sending.ONCE)
        ]

    def step(self, tail: str, kind: str, title: str, phase: Phase, effect: Effect, **more: Any) -> Step:
        """Return a step of the group as a whole; its id is the group's part and ``tail``."""
        more.setdefault("subject", self.name)
        return Step(id=f"{self.prefix}/{tail}", kind=kind, title=title, phase=phase, effect=effect, **more)

    def vm_step(self, vm: str, tail: str, kind: str, what: str, effect: Effect, **more: Any) -> Step:
        """Return a step of one VM, of the cutover unless said otherwise; its title is the VM and ``what``."""
        more.setdefault("phase", Phase.CUTOVER)
        title, step = f"{self.vm_name(vm)}: {what}", f"{self.vm_id(vm)}/{tail}"
        return Step(id=step, kind=kind, title=title, subject=vm, effect=effect, **more)

    def disk_step(
        self, disk: PlannedDisk, tail: str, kind: str, what: str, phase: Phase, **more: Any
    ) -> Step:
        """Return a step of one volume; its title is the disk and ``what``."""
        more.setdefault("effect", Effect.LIVE)
        title, step = f"{self.disk_name(disk)}: {what}", f"{self.disk_id(disk)}/{tail}"
        return Step(id=step, kind=kind, title=title, subject=disk.volume, phase=phase, **more)

    def _snapshot(self, number: int, needs: tuple[str, ...]) -> Step:
        return self.step(
            f"snapshot/{number}",
            "snapshot",
            f"{self.name}: snapshot {number}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params=self._frozen(),
            undoable=True,
        )

    def _frozen(self) -> dict[str, list[str]]:
        """Return the VMs that a snapshot is of, and those left out since it would hold no disk of theirs."""
        held = {item.vm for disk in self.tracked for item in disk.attachments}
        bare = {item.vm for disk in self.disks if disk.volume in self.unfrozen for item in disk.attachments}
        without = [vm.id for vm in self.vms if vm.id in bare - held]
        vms = [vm.id for vm in self.vms if vm.id not in without]
        return {"vms": vms, **({"without": without} if without else {})}

    def _drop(self, number: int, needs: tuple[str, ...]) -> Step:
        return self.step(
            f"drop/{number}",
            "drop-snapshot",
            f"{self.name}: remove snapshot {number}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params={"snapshot": f"{self.prefix}/snapshot/{number}"},
        )

    def transfer(
        self, disk: PlannedDisk, what: str, needs: tuple[str, ...], phase: Phase, **params: Any
    ) -> Step:
        """Return a pass over a volume; ``what`` ends its id."""
        titles = {"seed": "seed", "final": "final delta", "ahead": "copy while it is written to"}
        first, _, number = what.partition("/")
        verb = f"{titles.get(first, first)} {number}".strip()
        return self.disk_step(
            disk,
            what,
            "transfer",
            verb,
            phase,
            needs=needs,
            params={
                "volume": disk.volume,
                "size_bytes": disk.size_bytes,
                "vms": list(dict.fromkeys(item.vm for item in disk.attachments)),
                **params,
            },
        )

    def create_disks(self, needs: tuple[str, ...]) -> list[Step]:
        """Return a step for each volume of the group at the target."""
        return [
            self.disk_step(
                disk,
                "create",
                "create-disk",
                _becomes(disk),
                Phase.REPLICATE,
                needs=needs,
                params={
                    "volume": disk.volume,
                    "size_bytes": disk.size_bytes,
                    "backing": disk.target.value,
                    "lun": disk.target_lun,
                    **({"send": disk.send.value} if disk.left_out else {}),
                    **({"shared": True} if _written_by_several(disk) else {}),
                },
                undoable=True,
            )
            for disk in self.disks
        ]

    def place_seeds(self, seeds: Mapping[str, str]) -> list[Step]:
        """Return a step for each volume of the group of which an image is at hand: volume → its path."""
        return [
            self.disk_step(
                disk,
                "place",
                "place-seed",
                "bring in a seed",
                Phase.REPLICATE,
                needs=(f"{self.disk_id(disk)}/create",),
                params={
                    "volume": disk.volume,
                    "size_bytes": disk.size_bytes,
                    "image": seeds[disk.volume],
                    "create": f"{self.disk_id(disk)}/create",
                },
            )
            for disk in self.disks
            if disk.volume in seeds
        ]

    def round(self, number: int, needs: tuple[str, ...]) -> list[Step]:
        """Snapshot, transfer of every tracked disk, removal: round 0 is the seed.

        What is sent once is compared with the seed's snapshot at once: no later round looks at it.
        """
        travelling = self._travelling(number)
        if not travelling:
            return []
        snapshot = self._snapshot(number, needs)
        what = "seed" if number == 0 else f"delta/{number}"
        transfers = [
            self.transfer(
                disk,
                what,
                (snapshot.id, f"{self.disk_id(disk)}/create") if number == 0 else (snapshot.id,),
                Phase.REPLICATE,
                mode="seed" if number == 0 else "delta",
                snapshot=snapshot.id,
            )
            for disk in travelling
        ]
        sent = tuple(step.id for step in transfers)
        once = [disk for disk in travelling if disk.left_out]
        proof = [self._proof(number, f"compare what is sent once ({len(once)})", once, sent)] if once else []
        return [snapshot, *transfers, *proof, self._drop(number, (*sent, *(step.id for step in proof)))]

    def _proof(self, number: int, what: str, disks: list[PlannedDisk], needs: tuple[str, ...]) -> Step:
        return self.step(
            f"checkpoint/{number}",
            "checkpoint",
            f"{self.name}: {what}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params={
                "snapshot": f"{self.prefix}/snapshot/{number}",
                "volumes": [[disk.volume, disk.size_bytes] for disk in disks],
            },
        )

    def checkpoint(self, number: int, needs: tuple[str, ...]) -> list[Step]:
        """A round that also proves the copy: digests of the snapshot and of the replica are compared."""
        steps = self.round(number, needs)
        if not steps:
            return []
        snapshot, *transfers = steps[:-1]
        proof = self._proof(
            number,
            f"checkpoint {number}",
            self._travelling(number),
            tuple(step.id for step in transfers),
        )
        return [snapshot, *transfers, proof, self._drop(number, (proof.id,))]

    def quiesce(self, needs: tuple[str, ...]) -> Step:
        """Bring the running VMs of the group to a consistent point together."""
        return self.step(
            "quiesce",
            "quiesce",
            f"{self.name}: quiesce",
            Phase.CUTOVER,
            Effect.LIVE,
            needs=needs,
            params={"vms": [vm.id for vm in self.vms if vm.powered_on]},
            undoable=True,
        )

    def settle(self, needs: tuple[str, ...]) -> list[Step]:
        """Final delta, history ended, full-disk comparison, VMs built, the mark of the target's writes."""
        steps: list[Step] = []
        for disk in self.settled:
            mode = "delta" if disk in self.tracked else "seed"
            steps.append(self.transfer(disk, "final", needs, Phase.CUTOVER, mode=mode, snapshot=""))
        ended = promote(self)
        steps += ended
        for disk in self.settled:
            last = [step.id for step in ended if disk.volume in step.params["volumes"]]
            steps.append(
                self.disk_step(
                    disk,
                    "verify",
                    "verify",
                    "compare every byte",
                    Phase.CUTOVER,
                    needs=tuple(last) or (f"{self.disk_id(disk)}/final",),
                    params={"volume": disk.volume, "size_bytes": disk.size_bytes},
                )
            )
        proven = tuple(f"{self.disk_id(disk)}/verify" for disk in self.settled)
        for vm in self.vms:
            held = [f"{self.disk_id(disk)}/verify" for disk in self.disks_of(vm.id) if not disk.left_out]
            steps.append(
                self.vm_step(
                    vm.id,
                    "build",
                    "build",
                    "build at the target",
                    Effect.DESTRUCTIVE,
                    needs=tuple(held) or needs,
                    params=build_params(vm, self.disks),
                    undoable=True,
                )
            )
        built = tuple(f"{self.vm_id(vm.id)}/build" for vm in self.vms)
        steps.append(
            self.step(
                "mark",
                "mark",
                f"{self.name}: checkpoint of the cutover",
                Phase.CUTOVER,
                Effect.LIVE,
                needs=proven + built,
                params={
                    "vms": [vm.id for vm in self.vms],
                    "volumes": [[disk.volume, disk.size_bytes] for disk in self.settled],
                },
                undoable=True,
            )
        )
        return steps

    def notes(self) -> list[Step]:
        """Return what people have to know of each disk that is left out, said once its VM runs there."""
        found = []
        for disk in self.disks:
            if disk.left_out:
                vm = disk.attachments[0].vm
                last = "probe" if vm in self.started else "build"
                found.append(
                    self.disk_step(
                        disk,
                        "note",
                        "note",
                        "left out, to do by hand",
                        Phase.CUTOVER,
                        effect=Effect.VIEW,
                        needs=(f"{self.vm_id(vm)}/{last}",),
                        params={"says": list(disk.mind)},
                    )
                )
        return found

    def fence(self, needs: tuple[str, ...]) -> list[Step]:
        """After this a source can no longer be started by mistake under its old name and addresses."""
        return [
            self.vm_step(
                vm.id,
                "fence",
                "fence",
                "fence at the source",
                Effect.DESTRUCTIVE,
                phase=Phase.COMMIT,
                needs=needs,
                params={
                    "vm": vm.id,
                    "name": vm.name,
                    "finals": self.finals(vm.id),
                    "keep_days": self.wave.conduct.ending.keep_days,
                    **aside(self.wave),
                },
            )
            for vm in self.vms
        ]


def aside(wave: Wave) -> dict[str, str]:
    """Return where a wave's fenced VMs are put aside, as a step says it; nothing where they stay."""
    return {"folder": wave.conduct.ending.folder} if wave.conduct.ending.folder else {}


def _becomes(disk: PlannedDisk) -> str:
    if disk.send is Sending.NEVER:
        return f"create at the target as {disk.target.value}, empty: left out by decision"
    if disk.converts:
        return f"create at the target as {disk.target.value} (was {disk.source.value})"
    return f"create at the target as {disk.target.value}"


def _written_by_several(disk: PlannedDisk) -> bool:
    """Whether a VMDK is written by several VMs at a time, or reserved by nodes of a cluster."""
    holders = disk.attachments
    marked = any(one.multi_writer or one.bus_sharing is not BusSharing.NONE for one in holders)
    return not disk.target.is_rdm and (marked or len(holders) > 1)
