"""From inventory, settings and findings to a Plan: the whole way, in one call.

    groups ──▶ order ──▶ pack ──▶ calendar ──▶ what each wave does ──▶ Plan
                 shared services last ──┘

Promises: the same input gives the same fingerprint; no group is split; every VM of the inventory
is in exactly one wave or among the unplanned, with a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.checks.check import Check
from planner.checks.registry import all_checks
from planner.errors import BadInput
from planner.estimate import estimate_wave
from planner.graph import edges, shared_services
from planner.groups import closing, left_out, move_groups
from planner.model import VM, Dependency, Finding, Inventory, MoveGroup, Power, Severity, Volume
from planner.names import visible
from planner.notes import estimate_notes, input_notes, service_notes
from planner.plan import Plan, PlannedEstimate, Score, Spread, Unplanned, Wave
from planner.remap import RemapDecision, decide_all, words
from planner.remedies import planned_tasks
from planner.settings import Settings, Window
from planner.units import TIB, show_bytes
from planner.volumes import volumes
from planner.waves.boot import boot_batches
from planner.waves.calendar import assign_windows
from planner.waves.content import planned_disks, planned_group, planned_vm, slots, title, writable
from planner.waves.order import order_ties, precedence
from planner.waves.pack import Limits, Load, order_violations, oversize_notes, pack, waves_bound

_RISK = {Severity.BLOCKER: 10, Severity.WARNING: 1, Severity.INFO: 0}


@dataclass(frozen=True, slots=True)
class _Draft:
    """Which groups move in which wave, and what no arrangement can beat."""

    waves: tuple[tuple[MoveGroup, ...], ...]
    bound: int
    order_violations: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Estate:
    """The inventory as the waves need it: looked up by VM."""

    vms: Mapping[str, VM]
    volumes_of: Mapping[str, tuple[Volume, ...]]  # by the VM that holds them first
    decisions: Mapping[str, RemapDecision]
    findings: Mapping[str, tuple[Finding, ...]]
    checks: Mapping[str, Check]

    def volumes(self, group: MoveGroup) -> list[Volume]:
        return [volume for vm in group.vms for volume in self.volumes_of.get(vm, ())]

    def load(self, group: MoveGroup) -> Load:
        risk = sum(_RISK[item.severity] for vm in group.vms for item in self.findings.get(vm, ()))
        size = sum(volume.size_bytes for volume in self.volumes(group))
        return Load(group.name, len(group.vms), size, risk)


def _planned_volumes(inventory: Inventory, planned: set[str]) -> tuple[Volume, ...]:
    """Return the volumes of planned VMs, seen by those VMs only (a template may hold one too)."""
    found = []
    for volume in volumes(inventory):
        inside = tuple(item for item in volume.attachments if item.vm.id in planned)
        if inside:
            found.append(replace(volume, attachments=inside))
    return tuple(found)


def _estate(
    inventory: Inventory,
    settings: Settings,
    planned: set[str],
    findings: Iterable[Finding],
    own_checks: Iterable[Check],
) -> _Estate:
    spoken = words(volumes(inventory), settings.remaps)
    mine = _planned_volumes(inventory, planned)
    volumes_of: dict[str, tuple[Volume, ...]] = {}
    for volume in mine:
        first = volume.attachments[0].vm.id
        volumes_of[first] = (*volumes_of.get(first, ()), volume)
    by_vm: dict[str, tuple[Finding, ...]] = {}
    for item in findings:
        by_vm[item.subject] = (*by_vm.get(item.subject, ()), item)
    return _Estate(
        vms={vm.id: vm for vm in inventory.vms},
        volumes_of=volumes_of,
        decisions=decide_all(mine, settings, spoken),
        findings=by_vm,
        checks={check.id: check for check in (*all_checks(), *own_checks)},
    )


def _draft(groups: Sequence[MoveGroup], inventory: Inventory, estate: _Estate, settings: Settings) -> _Draft:
    """Arrange the plain groups, then the shared services in waves of their own."""
    limits = Limits.of(settings.caps.vms, settings.caps.tib)
    waves: list[tuple[MoveGroup, ...]] = []
    notes: list[str] = []
    bound = violations = 0
    for track in ([g for g in groups if not g.shared_services], [g for g in groups if g.shared_services]):
        # Inside its own track a service is a group like any other.
        plain = [replace(group, shared_services=False) for group in track]
        order = precedence(plain, inventory.dependencies)
        loads = [estate.load(group) for group in track]
        packed = pack(loads, order, limits)
        by_name = {group.name: group for group in track}
        waves.extend(tuple(by_name[name] for name in names) for names in packed)
        notes += [*order.notes, *oversize_notes(loads, limits)]
        bound += waves_bound(loads, limits, order.longest_chain)
        violations += order_violations(packed, order_ties(plain, inventory.dependencies))
    return _Draft(tuple(waves), bound, violations, tuple(notes))


def _hard_violations(inventory: Inventory, waves: Sequence[Wave], hubs: frozenset[str]) -> int:
    at = {vm.id: wave.name for wave in waves for vm in wave.vms}
    return sum(
        closing(edge, hubs) and at[edge.source] != at[edge.target]
        for edge in edges(inventory)
        if edge.source in at and edge.target in at
    )


def _dependencies_by_wave(
    inventory: Inventory, waves: Sequence[Sequence[MoveGroup]]
) -> list[list[Dependency]]:
    at = {vm: number for number, groups in enumerate(waves) for group in groups for vm in group.vms}
    inside: list[list[Dependency]] = [[] for _ in waves]
    for item in inventory.dependencies:
        number = at.get(item.source)
        if number is not None and number == at.get(item.target):
            inside[number].append(item)
    return inside


def _why(members: Sequence[VM], size_bytes: int, estate: _Estate, settings: Settings) -> str:
    cap = show_bytes(settings.caps.tib * TIB)
    filled = f"{len(members)} of {settings.caps.vms} VMs, {show_bytes(size_bytes)} of {cap}"
    if len(members) > settings.caps.vms or size_bytes > settings.caps.tib * TIB:
        filled += ": one group that is never split"
    blocked = sum(
        any(item.severity is Severity.BLOCKER for item in estate.findings.get(vm.id, ())) for vm in members
    )
    return f"{filled}; VMs with blockers to clear first: {blocked}" if blocked else filled


def _wave(
    name: str,
    groups: Sequence[MoveGroup],
    window: Window | None,
    dependencies: Sequence[Dependency],
    estate: _Estate,
    settings: Settings,
) -> tuple[Wave, tuple[str, ...]]:
    members = [estate.vms[vm] for group in groups for vm in group.vms]
    holding = [volume for group in groups for volume in estate.volumes(group)]
    disks = planned_disks(holding, estate.decisions, {vm.id: slots(vm) for vm in members})
    running = [vm.id for vm in members if vm.power is Power.ON]
    boot, notes = boot_batches(running, dependencies, {vm.id: vm.name for vm in members})
    estimate = estimate_wave(holding, settings.link, settings.policies, len(boot))
    wave = Wave(
        name=name,
        title=title(groups),
        window=window,
        groups=tuple(planned_group(group) for group in groups),
        vms=tuple(planned_vm(vm, settings.networks) for vm in members),
        boot=boot,
        disks=disks,
        policies=settings.policies,
        estimate=PlannedEstimate(
            seed_h=Spread(p50=estimate.seed_h.p50, p95=estimate.seed_h.p95),
            downtime_min=Spread(p50=estimate.downtime_min.p50, p95=estimate.downtime_min.p95),
        ),
        why=_why(members, sum(disk.size_bytes for disk in disks), estate, settings),
        tasks=planned_tasks(members, estate.findings, estate.checks, settings, window, estimate.seed_h),
    )
    return wave, (
        *(note.replace("boot order", f"boot order of {name}", 1) for note in notes),
        *estimate_notes(wave, estimate.converges),
    )


def _refuse_twins(inventory: Inventory) -> None:
    """Raise BadInput when two VMs or two disks could be taken for each other."""
    for what, ids in (
        ("VM id", (vm.id for vm in inventory.vms)),
        ("disk", (f"{vm.id}/{disk.key}" for vm in inventory.vms for disk in vm.disks)),
    ):
        twice = [name for name, count in Counter(ids).items() if count > 1]
        if twice:
            raise BadInput(
                f"{what} {visible(twice[0])} stands twice in the inventory",
                "discover it again from one source",
            )


def make_plan(
    *,
    project: str,
    inventory: Inventory,
    inventory_fingerprint: str,
    settings: Settings,
    created_at: str,
    findings: Sequence[Finding] = (),
    own_checks: Iterable[Check] = (),
) -> Plan:
    """Return the plan of an inventory: waves W01, W02, ... and who stays, with reasons.

    ``created_at`` is ISO 8601 in UTC; ``own_checks`` are a project's, whose findings may be tasks too.
    Raises BadInput for a VM or disk that stands twice and for a remap that cannot be, Blocked when a
    disk must stay an RDM and no LUN is free for it.
    """
    _refuse_twins(inventory)
    groups = move_groups(inventory, settings)
    hubs = frozenset(shared_services(inventory, settings))
    planned = {vm for group in groups for vm in group.vms}
    estate = _estate(inventory, settings, planned, findings, own_checks)
    draft = _draft(groups, inventory, estate, settings)
    windows, calendar_notes = assign_windows(len(draft.waves), settings)
    inside = _dependencies_by_wave(inventory, draft.waves)
    waves: list[Wave] = []
    wave_notes: list[str] = []
    for at, members in enumerate(draft.waves):
        wave, notes = _wave(f"W{at + 1:02d}", members, windows[at], inside[at], estate, settings)
        waves.append(wave)
        wave_notes += notes
    return Plan(
        project=writable(project),
        created_at=created_at,
        inventory=inventory_fingerprint,
        settings=settings.fingerprint,
        waves=tuple(waves),
        unplanned=tuple(
            Unplanned(vm=vm, name=writable(estate.vms[vm].name), why=writable(reason))
            for vm, reason in left_out(inventory, settings).items()
        ),
        score=Score(
            waves=len(waves),
            waves_bound=draft.bound,
            order_violations=draft.order_violations,
            hard_violations=_hard_violations(inventory, waves, hubs),
        ),
        notes=tuple(
            writable(note)
            for note in (
                *service_notes(inventory, waves, hubs),
                *draft.notes,
                *wave_notes,
                *calendar_notes,
                *input_notes(inventory, settings, planned),
            )
        ),
    )
