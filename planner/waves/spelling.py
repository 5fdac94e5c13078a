"""Spelling a wave out: from its groups to everything a plan says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.conduct_planning import plan_conduct
from planner.estimate import WaveEstimate, estimate_planned
from planner.fields import Seen
from planner.maps import Maps
from planner.model import VM, Dependency, MoveGroup, Power, Severity, Volume
from planner.notes import estimate_notes
from planner.plan import PlannedEstimate, Spread, Take, Used, Wave
from planner.remedies import planned_tasks
from planner.settings import Window
from planner.sized import holds_all
from planner.units import TIB, show_bytes
from planner.volumes import own_volume
from planner.waves.arrange import Arranged
from planner.waves.boot import boot_batches
from planner.waves.content import planned_disks, planned_group, planned_vm, slots, title, writable
from planner.waves.items import Ask
from planner.waves.ruled import RulesOf, rules_for, rules_of


def _spread(p50: float, p95: float) -> Spread:
    return Spread(p50=p50, p95=p95)


def take(what: str, estimate: WaveEstimate) -> Take:
    """Return what something takes alone, as the plan says it."""
    return Take(
        what=what,
        seed_h=_spread(estimate.seed_h.p50, estimate.seed_h.p95),
        final_min=_spread(estimate.final_min.p50, estimate.final_min.p95),
        downtime_min=_spread(estimate.downtime_min.p50, estimate.downtime_min.p95),
        converges=estimate.converges,
    )


def _estimate(volumes: Sequence[Volume], ask: Ask, batches: int = 1) -> WaveEstimate:
    return estimate_planned(volumes, ask.settings, batches, ask.rates)


def takes_of(groups: Sequence[MoveGroup], members: Sequence[VM], ask: Ask) -> tuple[Take, ...]:
    """Return what each VM takes with all its disks, then each group of several, shared disks once."""
    alone = [take(vm.id, _estimate([own_volume(vm, disk) for disk in vm.disks], ask)) for vm in members]
    several = [group for group in groups if len(group.vms) > 1]
    return (
        *alone,
        *(take(writable(group.name), _estimate(ask.lookup.volumes(group), ask)) for group in several),
    )


def _why(members: Sequence[VM], size_bytes: int, ask: Ask) -> str:
    caps = ask.settings.caps
    size = f"{show_bytes(size_bytes)} of {show_bytes(caps.tib * TIB)}"
    if not all(holds_all(vm, ask.inventory.gaps) for vm in members):
        size = f"at least {size}: not all disks are known" if size_bytes else "of unknown size"
    filled = f"{len(members)} of {caps.vms} VMs, {size}"
    if len(members) > caps.vms or size_bytes > caps.tib * TIB:
        filled += ": one group that is never split"
    blocked = sum(
        any(item.severity is Severity.BLOCKER for item in ask.lookup.findings.get(vm.id, ()))
        for vm in members
    )
    return f"{filled}; VMs with blockers to clear first: {blocked}" if blocked else filled


def _load(members: Sequence[VM], groups: int, size_bytes: int, ask: Ask) -> tuple[Used, ...]:
    caps = ask.settings.caps
    hours = len(members) * ask.settings.waves.vm_hours
    return (
        Used(resource="vms", used=len(members), cap=caps.vms),
        Used(resource="tib", used=round(size_bytes / TIB, 4), cap=caps.tib),
        Used(resource="cutovers", used=groups, cap=caps.cutovers),
        Used(resource="engineer_hours", used=round(hours, 2), cap=caps.engineer_hours),
    )


@dataclass(frozen=True, slots=True)
class _AtTarget:
    """Where VMs land, and which rules hold for them there."""

    maps: Maps
    rules: RulesOf


def _wave(
    name: str,
    groups: Sequence[MoveGroup],
    window: Window | None,
    dependencies: Sequence[Dependency],
    at_target: _AtTarget,
    ask: Ask,
) -> tuple[Wave, WaveEstimate, tuple[str, ...]]:
    lookup, settings = ask.lookup, ask.settings
    members = [lookup.vms[vm] for group in groups for vm in group.vms]
    holding = [volume for group in groups for volume in lookup.volumes(group)]
    at = {vm.id: slots(vm) for vm in members}
    disks = planned_disks(holding, lookup.decisions, at, at_target.maps)
    running = [vm.id for vm in members if vm.power is Power.ON]
    boot, notes = boot_batches(running, dependencies, {vm.id: vm.name for vm in members})
    estimate = _estimate(holding, ask, len(boot))
    size_bytes = sum(disk.size_bytes for disk in disks)
    wave = Wave(
        name=name,
        title=title(groups),
        window=window,
        groups=tuple(planned_group(group) for group in groups),
        vms=tuple(planned_vm(vm, at_target.maps) for vm in members),
        boot=boot,
        disks=disks,
        policies=settings.policies,
        conduct=plan_conduct(
            settings.conduct,
            members,
            [vm for batch in boot for vm in batch],
            settings.networks,
            Seen.of(ask.inventory),
        ),
        estimate=PlannedEstimate(
            seed_h=_spread(estimate.seed_h.p50, estimate.seed_h.p95),
            downtime_min=_spread(estimate.downtime_min.p50, estimate.downtime_min.p95),
        ),
        why=_why(members, size_bytes, ask),
        rules=rules_for((vm.id for vm in members), at_target.rules),
        tasks=planned_tasks(members, lookup.findings, lookup.checks, settings, window, estimate.seed_h),
        takes=takes_of(groups, members, ask),
        load=_load(members, len(groups), size_bytes, ask),
    )
    return wave, estimate, notes


@dataclass(frozen=True, slots=True)
class Spelled:
    """Waves as the plan says them, what each is expected to take, and notes."""

    waves: tuple[Wave, ...]
    estimates: tuple[WaveEstimate, ...]
    notes: tuple[str, ...]


def spell(arranged: Arranged, ask: Ask) -> Spelled:
    """Return the waves spelled out."""
    at = {vm: name for name, groups, _ in arranged.waves for group in groups for vm in group.vms}
    inside: dict[str, list[Dependency]] = {name: [] for name, _, _ in arranged.waves}
    for item in ask.inventory.dependencies:
        name = at.get(item.source)
        if name is not None and name == at.get(item.target):
            inside[name].append(item)
    at_target = _AtTarget(Maps.of(ask.settings), rules_of(ask.inventory))
    waves: list[Wave] = []
    estimates: list[WaveEstimate] = []
    notes: list[str] = []
    for name, groups, window in arranged.waves:
        wave, estimate, said = _wave(name, groups, window, inside[name], at_target, ask)
        waves.append(wave)
        estimates.append(estimate)
        notes += (note.replace("boot order", f"boot order of {name}", 1) for note in said)
        notes += estimate_notes(wave, estimate.converges)
    return Spelled(tuple(waves), tuple(estimates), tuple(notes))
