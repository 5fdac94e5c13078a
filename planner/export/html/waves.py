"""One section a wave: facts, groups with their reasons, members, boot order, remaps, tasks, findings."""

from __future__ import annotations

from collections.abc import Iterator

from planner.export.html.markup import Html, Part, tag
from planner.export.html.tables import facts, rows_of, table_of
from planner.export.printout import Cell, Printout, becomes, gib, show_window, tasks
from planner.model import Severity
from planner.names import visible
from planner.plan import Wave
from planner.units import show_bytes, show_count


def _name(printout: Printout, vm_id: str) -> str:
    vm = printout.vms.get(vm_id)
    return visible(vm.name if vm else vm_id)


def _groups(printout: Printout, wave: Wave) -> Html:
    rows = []
    for group in wave.groups:
        why = "; ".join(
            f"{_name(printout, item.a)} and {_name(printout, item.b)}: {visible(item.why)}"
            for item in group.reasons
        )
        rows.append((visible(group.name), len(group.vms), why or "moves alone"))
    return rows_of(("Group", "VMs", "Why together"), rows)


def _members(printout: Printout, wave: Wave) -> Html:
    group_of = {vm: group.name for group in wave.groups for vm in group.vms}
    batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
    rows: list[tuple[Cell, ...]] = []
    for vm in wave.vms:
        seen = printout.vms.get(vm.id)
        networks = ", ".join(dict.fromkeys(f"{nic.source} → {nic.target}" for nic in vm.nics))
        rows.append(
            (
                visible(vm.name),
                visible(group_of.get(vm.id, "")),
                visible(seen.application) if seen else "",
                printout.owner(seen),
                gib(seen.disk_bytes) if seen else 0.0,
                str(batch_of.get(vm.id, "stays off")),
                visible(networks),
            )
        )
    return rows_of(("VM", "Group", "Application", "Owner", "GiB", "Boot", "Networks"), rows)


def _remaps(printout: Printout, wave: Wave) -> Iterator[Part]:
    rows = [
        (
            ", ".join(dict.fromkeys(f"{_name(printout, use.vm)}/{use.label}" for use in disk.attachments)),
            gib(disk.size_bytes),
            f"{disk.source.value} {visible(disk.source_lun)}".rstrip(),
            becomes(disk),
            visible(disk.rule),
        )
        for disk in wave.disks
        if disk.converts or disk.source.is_rdm or disk.target.is_rdm
    ]
    if rows:
        yield tag("h4", "Raw devices and remaps")
        yield rows_of(("Disk", "GiB", "Is", "Becomes", "Rule"), rows)


def _findings(printout: Printout, wave: Wave) -> Iterator[Part]:
    members = {vm.id for vm in wave.vms}
    rows = [
        (item.severity.value, visible(item.subject_name), visible(item.message), visible(item.remedy))
        for severity in (Severity.BLOCKER, Severity.WARNING)
        for item in printout.findings
        if item.severity is severity and item.subject in members and not item.waiver
    ]
    if rows:
        yield tag("h4", "Open findings")
        yield rows_of(("Severity", "VM", "Finding", "Remedy"), rows)


def _section(printout: Printout, wave: Wave) -> Iterator[Part]:
    seed, down = wave.estimate.seed_h, wave.estimate.downtime_min
    yield tag("h3", f"{wave.name}: {visible(wave.title)}", id=f"wave-{wave.name}")
    yield facts(
        (
            ("Window", show_window(wave.window)),
            ("Moves", f"{show_count(len(wave.vms), 'VM')} in {show_count(len(wave.groups), 'group')}, "
                      f"{show_bytes(wave.size_bytes)}"),
            ("Seed", f"{seed.p50:.1f} h (P50), {seed.p95:.1f} h (P95)"),
            ("Downtime", f"{down.p50:.0f} min (P50), {down.p95:.0f} min (P95)"),
            ("Why here", visible(wave.why)),
            ("Approval", printout.approval(wave)),
            ("Wave fingerprint", tag("code", wave.fingerprint)),
        )
    )  # fmt: skip
    yield tag("h4", "Groups")
    yield _groups(printout, wave)
    yield tag("h4", "VMs")
    yield _members(printout, wave)
    yield from _remaps(printout, wave)
    if wave.tasks:
        yield tag(
            "h4", f"Before the wave: {show_count(len(wave.tasks), 'task')}, {wave.effort_min / 60:.1f} h"
        )
        yield table_of(tasks(printout, wave), "Due", "VM", "Task", "Owner", "Effort min", "How", "State")
    yield from _findings(printout, wave)


def sections(printout: Printout) -> Iterator[Html]:
    """Yield the section of each wave."""
    for wave in printout.plan.waves:
        yield tag("section", *_section(printout, wave), class_="wave")
