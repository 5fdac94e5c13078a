"""The inventory as waves need it: what each VM holds, what is to be done about it, what it weighs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from planner.checks.check import Check
from planner.checks.registry import all_checks
from planner.model import VM, Finding, Inventory, MoveGroup, Severity, Volume
from planner.remap import RemapDecision, decide_all, words
from planner.sending import decided
from planner.sending import decisions as sendings
from planner.settings import Settings
from planner.volumes import volumes

_RISK = {Severity.BLOCKER: 10, Severity.WARNING: 1, Severity.INFO: 0}


@dataclass(frozen=True, slots=True)
class Lookup:
    """Everything by VM id; a volume stands with the VM that holds it first."""

    vms: Mapping[str, VM]
    volumes_of: Mapping[str, tuple[Volume, ...]]
    decisions: Mapping[str, RemapDecision]
    findings: Mapping[str, tuple[Finding, ...]]
    checks: Mapping[str, Check]

    def volumes(self, group: MoveGroup) -> list[Volume]:
        """Return the volumes of a group, shared ones once."""
        return [volume for vm in group.vms for volume in self.volumes_of.get(vm, ())]

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes that count for each VM, by id."""
        return {vm: sum(volume.size_bytes for volume in found) for vm, found in self.volumes_of.items()}

    def risk(self, group: MoveGroup) -> int:
        """Return the sum of the group's findings: a blocker counts ten warnings."""
        return sum(_RISK[item.severity] for vm in group.vms for item in self.findings.get(vm, ()))

    def lead_days(self, group: MoveGroup) -> int:
        """Return how many days before its seed the first of the group's tasks has to be done."""
        works = (
            check.work.lead_days
            for vm in group.vms
            for item in self.findings.get(vm, ())
            if item.subject_kind == "vm" and not item.waiver
            if (check := self.checks.get(item.check)) and check.work
        )
        return max(works, default=0)


def _planned_volumes(every: Iterable[Volume], planned: set[str]) -> tuple[Volume, ...]:
    """Return the volumes of planned VMs, seen by those VMs only (a template may hold one too)."""
    found = []
    for volume in every:
        inside = tuple(item for item in volume.attachments if item.vm.id in planned)
        if inside:
            found.append(replace(volume, attachments=inside))
    return tuple(found)


def look_up(
    inventory: Inventory,
    settings: Settings,
    planned: set[str],
    findings: Iterable[Finding],
    own_checks: Iterable[Check],
) -> Lookup:
    """Return the lookup of the VMs in ``planned`` (ids).

    Raises BadInput for a remap or a sending decision that cannot be, Blocked when a disk must stay an RDM
    and no LUN is free.
    """
    every = volumes(inventory)
    spoken = words(every, settings.remaps)
    mine = _planned_volumes(every, planned)
    decisions = decide_all(mine, settings, spoken)
    mine = decided(mine, sendings(every, settings), decisions)
    volumes_of: dict[str, list[Volume]] = {}
    for volume in mine:
        volumes_of.setdefault(volume.attachments[0].vm.id, []).append(volume)
    by_vm: dict[str, list[Finding]] = {}
    for item in findings:
        by_vm.setdefault(item.subject, []).append(item)
    return Lookup(
        vms={vm.id: vm for vm in inventory.vms},
        volumes_of={vm: tuple(found) for vm, found in volumes_of.items()},
        decisions=decisions,
        findings={vm: tuple(found) for vm, found in by_vm.items()},
        checks={check.id: check for check in (*all_checks(), *own_checks)},
    )
