"""From an approved wave to its runbook: which steps, in which order.

    check ─▶ per group: disks ─▶ snapshot ─▶ seed ─▶ drop ─▶ (snapshot ─▶ delta ─▶ drop) × n ─▶ checkpoint
          ─▶ GATE go ─▶ quiesce ─▶ stop (last to boot first) ─▶ final ─▶ verify ─▶ build ─▶ mark
          ─▶ start and probe, batch by batch ─▶ GATE commit ─▶ fence the sources

Step ids are made of numbers, never of names: g2/d0/delta/1 is the first delta of disk 0 of group 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.runbook import GATE, Phase, Runbook, Step
from planner.effects import Effect
from planner.model import Backing
from planner.names import visible
from planner.plan import PlannedDisk, PlannedGroup, PlannedVM, Wave

GO = "go"
COMMIT = "commit"


class _Group:
    """One move group's part of a runbook."""

    def __init__(self, number: int, group: PlannedGroup, wave: Wave) -> None:
        self.wave = wave
        self.prefix = f"g{number}"
        self.name = visible(group.name)
        members = set(group.vms)
        self.vms = [vm for vm in wave.vms if vm.id in members]
        self.disks = [disk for disk in wave.disks if disk.attachments[0].vm in members]
        self.number = {vm.id: position for position, vm in enumerate(self.vms)}

    def disk_id(self, disk: PlannedDisk) -> str:
        return f"{self.prefix}/d{self.disks.index(disk)}"

    def vm_id(self, vm: str) -> str:
        return f"{self.prefix}/v{self.number[vm]}"

    def vm_name(self, vm: str) -> str:
        return visible(self.wave.vm(vm).name)

    def disk_name(self, disk: PlannedDisk) -> str:
        holder = disk.attachments[0]
        return f"{self.vm_name(holder.vm)} {visible(holder.label)}"

    @property
    def tracked(self) -> list[PlannedDisk]:
        """Disks with snapshots and change tracking: all but physical RDMs."""
        return [disk for disk in self.disks if disk.source is not Backing.RDM_PHYSICAL]

    def _step(self, tail: str, kind: str, title: str, phase: Phase, effect: Effect, **more: Any) -> Step:
        more.setdefault("subject", self.name)
        return Step(id=f"{self.prefix}/{tail}", kind=kind, title=title, phase=phase, effect=effect, **more)

    def _snapshot(self, number: int, needs: tuple[str, ...]) -> Step:
        return self._step(
            f"snapshot/{number}",
            "snapshot",
            f"{self.name}: snapshot {number}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params={"vms": [vm.id for vm in self.vms]},
            undoable=True,
        )

    def _drop(self, number: int, needs: tuple[str, ...]) -> Step:
        return self._step(
            f"drop/{number}",
            "drop-snapshot",
            f"{self.name}: remove snapshot {number}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=needs,
            params={"snapshot": f"{self.prefix}/snapshot/{number}"},
        )

    def _transfer(
        self, disk: PlannedDisk, what: str, needs: tuple[str, ...], phase: Phase, **params: Any
    ) -> Step:
        verb = {"seed": "seed", "final": "final delta"}.get(what, what.replace("/", " "))
        return Step(
            id=f"{self.disk_id(disk)}/{what}",
            kind="transfer",
            title=f"{self.disk_name(disk)}: {verb}",
            subject=disk.volume,
            phase=phase,
            effect=Effect.LIVE,
            needs=needs,
            params={"volume": disk.volume, "size_bytes": disk.size_bytes, **params},
        )

    def create_disks(self, needs: tuple[str, ...]) -> list[Step]:
        return [
            Step(
                id=f"{self.disk_id(disk)}/create",
                kind="create-disk",
                title=f"{self.disk_name(disk)}: {_becomes(disk)}",
                subject=disk.volume,
                phase=Phase.REPLICATE,
                effect=Effect.LIVE,
                needs=needs,
                params={
                    "volume": disk.volume,
                    "size_bytes": disk.size_bytes,
                    "backing": disk.target.value,
                    "lun": disk.target_lun,
                },
                undoable=True,
            )
            for disk in self.disks
        ]

    def round(self, number: int, needs: tuple[str, ...]) -> list[Step]:
        """Snapshot, transfer of every tracked disk, removal: round 0 is the seed."""
        if not self.tracked:
            return []
        snapshot = self._snapshot(number, needs)
        what = "seed" if number == 0 else f"delta/{number}"
        transfers = [
            self._transfer(
                disk,
                what,
                (snapshot.id, f"{self.disk_id(disk)}/create") if number == 0 else (snapshot.id,),
                Phase.REPLICATE,
                mode="seed" if number == 0 else "delta",
                snapshot=snapshot.id,
            )
            for disk in self.tracked
        ]
        return [snapshot, *transfers, self._drop(number, tuple(step.id for step in transfers))]

    def checkpoint(self, number: int, needs: tuple[str, ...]) -> list[Step]:
        """A round that also proves the copy: digests of the snapshot and of the replica are compared."""
        steps = self.round(number, needs)
        if not steps:
            return []
        snapshot, *transfers = steps[:-1]
        proof = self._step(
            f"checkpoint/{number}",
            "checkpoint",
            f"{self.name}: checkpoint {number}",
            Phase.REPLICATE,
            Effect.LIVE,
            needs=tuple(step.id for step in transfers),
            params={
                "snapshot": snapshot.id,
                "volumes": [[disk.volume, disk.size_bytes] for disk in self.tracked],
            },
        )
        return [snapshot, *transfers, proof, self._drop(number, (proof.id,))]

    def quiesce(self, needs: tuple[str, ...]) -> Step:
        return self._step(
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
        """Final delta, full-disk comparison, VMs built, the mark from which the target's writes count."""
        steps: list[Step] = []
        for disk in self.disks:
            mode = "delta" if disk in self.tracked else "seed"
            final = self._transfer(disk, "final", needs, Phase.CUTOVER, mode=mode, snapshot="")
            steps += [
                final,
                Step(
                    id=f"{self.disk_id(disk)}/verify",
                    kind="verify",
                    title=f"{self.disk_name(disk)}: compare every byte",
                    subject=disk.volume,
                    phase=Phase.CUTOVER,
                    effect=Effect.LIVE,
                    needs=(final.id,),
                    params={"volume": disk.volume, "size_bytes": disk.size_bytes},
                ),
            ]
        proven = tuple(f"{self.disk_id(disk)}/verify" for disk in self.disks)
        for vm in self.vms:
            held = [
                f"{self.disk_id(disk)}/verify"
                for disk in self.disks
                if any(item.vm == vm.id for item in disk.attachments)
            ]
            steps.append(
                Step(
                    id=f"{self.vm_id(vm.id)}/build",
                    kind="build",
                    title=f"{visible(vm.name)}: build at the target",
                    subject=vm.id,
                    phase=Phase.CUTOVER,
                    effect=Effect.DESTRUCTIVE,
                    needs=tuple(held) or needs,
                    params=_definition(vm, self.disks),
                    undoable=True,
                )
            )
        built = tuple(f"{self.vm_id(vm.id)}/build" for vm in self.vms)
        steps.append(
            self._step(
                "mark",
                "mark",
                f"{self.name}: checkpoint of the cutover",
                Phase.CUTOVER,
                Effect.LIVE,
                needs=proven + built,
                params={"volumes": [[disk.volume, disk.size_bytes] for disk in self.disks]},
                undoable=True,
            )
        )
        return steps

    def fence(self, needs: tuple[str, ...]) -> list[Step]:
        """After this a source can no longer be started by mistake under its old name and addresses."""
        return [
            Step(
                id=f"{self.vm_id(vm.id)}/fence",
                kind="fence",
                title=f"{visible(vm.name)}: fence at the source",
                subject=vm.id,
                phase=Phase.COMMIT,
                effect=Effect.DESTRUCTIVE,
                needs=needs,
                params={"vm": vm.id, "name": vm.name},
            )
            for vm in self.vms
        ]


def _stops(wave: Wave, holder: dict[str, _Group], needs: tuple[str, ...]) -> list[Step]:
    """Stop at the source: what boots last stops first, the next batch when all of one are down.

    VMs that were off when the plan was made are made sure of first.
    """
    steps: list[Step] = []
    before = needs
    booted = {vm for batch in wave.boot for vm in batch}
    idle = tuple(vm.id for vm in wave.vms if vm.id not in booted)
    for batch in (idle, *reversed(wave.boot)):
        stops = [
            Step(
                id=f"{holder[vm].vm_id(vm)}/stop",
                kind="stop",
                title=f"{holder[vm].vm_name(vm)}: stop at the source",
                subject=vm,
                phase=Phase.CUTOVER,
                effect=Effect.DESTRUCTIVE,
                needs=before,
                params={
                    "vm": vm,
                    "was_on": wave.vm(vm).powered_on,
                    "timeout_s": wave.policies.stop_timeout_s,
                },
                undoable=True,
            )
            for vm in batch
        ]
        steps += stops
        before = tuple(step.id for step in stops) or before
    return steps


def _starts(wave: Wave, holder: dict[str, _Group]) -> list[Step]:
    """Power on in boot order; the next batch starts when the probes of the last one pass."""
    steps: list[Step] = []
    before: tuple[str, ...] = ()
    for batch in wave.boot:
        probes = []
        for vm in batch:
            if not wave.vm(vm).powered_on:
                continue
            group = holder[vm]
            start = Step(
                id=f"{group.vm_id(vm)}/start",
                kind="start",
                title=f"{group.vm_name(vm)}: power on at the target",
                subject=vm,
                phase=Phase.CUTOVER,
                effect=Effect.DESTRUCTIVE,
                needs=(f"{group.prefix}/mark", *before),
                params={"vm": vm},
                undoable=True,
            )
            probe = Step(
                id=f"{group.vm_id(vm)}/probe",
                kind="probe",
                title=f"{group.vm_name(vm)}: probe",
                subject=vm,
                phase=Phase.CUTOVER,
                effect=Effect.VIEW,
                needs=(start.id,),
                params={"vm": vm, "timeout_s": wave.policies.probe_timeout_s},
            )
            steps += [start, probe]
            probes.append(probe.id)
        before = tuple(probes) or before
    return steps


def _becomes(disk: PlannedDisk) -> str:
    if disk.converts:
        return f"create at the target as {disk.target.value} (was {disk.source.value})"
    return f"create at the target as {disk.target.value}"


def _definition(vm: PlannedVM, disks: Iterable[PlannedDisk]) -> dict[str, Any]:
    return {
        "vm": vm.id,
        "name": vm.name,
        "cpus": vm.cpus,
        "memory_bytes": vm.memory_bytes,
        "firmware": vm.firmware,
        "guest_os": vm.guest_os,
        "disks": [
            {
                "key": item.disk,
                "volume": disk.volume,
                "bus": item.bus,
                "unit": item.unit,
                "bus_sharing": item.bus_sharing.value,
                "multi_writer": item.multi_writer,
            }
            for disk in disks
            for item in disk.attachments
            if item.vm == vm.id
        ],
        "nics": [
            {"label": nic.label, "network": nic.target, "mac": nic.mac, "adapter": nic.adapter}
            for nic in vm.nics
        ],
    }


def _gate(gate: str, title: str, phase: Phase, needs: tuple[str, ...], wave: Wave) -> Step:
    return Step(gate, GATE, title, wave.name, phase, Effect.LIVE, needs)


def _groups(wave: Wave) -> list[_Group]:
    return [_Group(number, group, wave) for number, group in enumerate(wave.groups)]


def _last(steps: list[Step]) -> tuple[str, ...]:
    used = {need for step in steps for need in step.needs}
    return tuple(step.id for step in steps if step.id not in used)


def compose(wave: Wave) -> Runbook:
    """Return the runbook of a wave: ``policies.delta_cycles`` rounds, the last one a checkpoint."""
    groups = _groups(wave)
    check = Step(
        id="check",
        kind="check",
        title=f"{wave.name}: sites, VMs, names and space",
        subject=wave.name,
        phase=Phase.REPLICATE,
        effect=Effect.VIEW,
        params={
            "vms": [[vm.id, vm.name] for vm in wave.vms],
            "volumes": [
                [disk.volume, disk.size_bytes, disk.target.value, disk.target_lun] for disk in wave.disks
            ],
        },
    )
    steps = [check]
    for group in groups:
        created = group.create_disks((check.id,))
        steps += created
        needs: tuple[str, ...] = tuple(step.id for step in created) or (check.id,)
        for number in range(wave.policies.delta_cycles + 1):
            final_round = number == wave.policies.delta_cycles
            more = group.checkpoint(number, needs) if final_round else group.round(number, needs)
            steps += more
            needs = _last(more) or needs
    steps.append(_gate(GO, f"{wave.name}: go for cutover", Phase.CUTOVER, _last(steps), wave))
    holder = {vm.id: group for group in groups for vm in group.vms}
    quiesced = [group.quiesce((GO,)) for group in groups]
    landing = [*quiesced, *_stops(wave, holder, tuple(step.id for step in quiesced))]
    stopped = _last(landing)
    for group in groups:
        landing += group.settle(stopped)
    landing += _starts(wave, holder)
    steps += landing
    landed = _last(landing)
    steps.append(_gate(COMMIT, f"{wave.name}: commit, the point of no return", Phase.COMMIT, landed, wave))
    for group in groups:
        steps += group.fence((COMMIT,))
    return Runbook(wave.name, wave.fingerprint, tuple(steps))


def another_round(wave: Wave, number: int) -> tuple[Step, ...]:
    """Return the steps of one more checkpointed round for every group of a wave that waits at its gate."""
    return tuple(step for group in _groups(wave) for step in group.checkpoint(number, ()))
