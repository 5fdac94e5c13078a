"""The words about one VM: what it is, its disks and adapters, where it goes, what is wrong."""

from __future__ import annotations

from textual.content import Content

from planner.model import VM, Backing, Disk, Finding, Nic
from planner.names import visible
from planner.units import show_bytes
from tui.session import Session, View
from tui.text import line, plural, stack
from tui.theme import power_mark, severity_mark

_BACKINGS = {Backing.VMDK: "VMDK", Backing.RDM_PHYSICAL: "RDM physical", Backing.RDM_VIRTUAL: "RDM virtual"}


def describe_vm(vm: VM, view: View, session: Session) -> Content:
    """Return everything known about a VM: the findings first, each beside its remedy."""
    lines = [
        *head(vm, view),
        *findings(vm, view, session),
        place(vm, view),
        *disks(vm, view),
        *nics(vm, view),
    ]
    return stack([*lines, *_neighbours(vm, session), *rest(vm)])


def findings(vm: VM, view: View, session: Session) -> list[Content]:
    """Return what checks found, each beside its remedy, and what they could not decide."""
    found = session.findings_of(vm.id)
    return [*(item for one in found for item in _finding(one)), *_undecided(vm, view, bool(found))]


def disks(vm: VM, view: View) -> list[Content]:
    """Return a line for each disk."""
    return [_disk(vm, disk, view) for disk in vm.disks] or [_none("disks", vm, "disks", view)]


def nics(vm: VM, view: View) -> list[Content]:
    """Return a line for each network adapter."""
    return [_nic(nic) for nic in vm.nics] or [_none("network adapters", vm, "nics", view)]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _lacks(vm: VM, kind: str, view: View) -> bool:
    """Return whether the source had no word on a kind of things of a VM."""
    return kind in vm.gaps or kind in view.gaps


def _none(words: str, vm: VM, kind: str, view: View) -> Content:
    return line((f"{words} unknown" if _lacks(vm, kind, view) else f"no {words}", "dim"))


def _undecided(vm: VM, view: View, is_found: bool) -> list[Content]:
    """Say what no check found, and what could not be looked at: that is never fine."""
    if view.tallies is None:
        words = "checks are running" if view.judging == "running" else "checks are not current"
        return [line((f"? {words}", "dim"))]
    if open_checks := view.tallies.get(vm.id, (0, 0, 0))[2]:
        return [line((f"? {plural(open_checks, 'check')} could not be decided: see 'wherry check'", "dim"))]
    return [] if is_found else [line(("✔ no check found anything", "good"))]


def head(vm: VM, view: View) -> list[Content]:
    """Return what a VM is, in two lines."""
    mark = power_mark(vm.power.value)
    size = f"{vm.cpus or '–'} vCPU, {show_bytes(vm.memory_bytes) if vm.memory_bytes else '–'}"
    known = not _lacks(vm, "disks", view)
    disks = f"{plural(len(vm.disks), 'disk')} {show_bytes(vm.disk_bytes)}" if known else "disks unknown"
    used = f"({show_bytes(vm.used_bytes)} used)" if vm.used_bytes is not None else ""
    return [
        line(
            (mark.text, mark.tone),
            " · " + _joined(visible(vm.guest_os), size, f"{disks} {used}".strip(), visible(vm.firmware)),
        ),
        line((_joined(visible(vm.datacenter), visible(vm.cluster), visible(vm.host)), "dim"),
             (f"  {visible(vm.id)}", "dim")),
    ]  # fmt: skip


def _finding(finding: Finding) -> list[Content]:
    mark = severity_mark(finding.severity.value)
    message = f"{mark.glyph} {mark.word}  {visible(finding.check)}  {visible(finding.message)}"
    return [line((message, mark.tone)), line(f"  → {visible(finding.remedy)}")]


def place(vm: VM, view: View) -> Content:
    """Return where a VM goes, or why nowhere."""
    if vm.id in view.placed:
        wave, group = view.placed[vm.id]
        return line(("group ", "dim"), visible(group), ("  wave ", "dim"), visible(wave))
    if view.plan is None:
        return line(("no plan yet: press p in 4 Waves, or run 'wherry plan'", "dim"))
    why = view.unplanned.get(vm.id, "not in this plan")
    return line(("in no wave: " + visible(why), "warn"))


def _disk(vm: VM, disk: Disk, view: View) -> Content:
    rdm = disk.backing is not Backing.VMDK
    kind = _BACKINGS[disk.backing]
    facts = [
        show_bytes(disk.size_bytes),
        "thin" if disk.thin else "",
        "multi-writer" if disk.multi_writer else "",
        disk.bus_sharing.value if disk.bus_sharing and disk.bus_sharing.value != "noSharing" else "",
        visible(disk.lun) if rdm else visible(disk.path),
    ]
    becomes = _becomes(vm, disk, view)
    return line(
        ("disk ", "dim"), visible(disk.label), "  ", (kind, "warn" if rdm else ""), "  " + _joined(*facts),
        (f"  → {becomes}" if becomes else "", "accent"),
    )  # fmt: skip


def _becomes(vm: VM, disk: Disk, view: View) -> str:
    planned = view.becomes.get((vm.id, disk.key))
    return f"becomes {_BACKINGS[planned[0]]}: {visible(planned[1])}" if planned else ""


def _nic(nic: Nic) -> Content:
    state = {True: "", False: "disconnected", None: ""}[nic.connected]
    facts = _joined(visible(nic.mac), visible(nic.adapter), ", ".join(map(visible, nic.addresses)), state)
    return line(("nic  ", "dim"), visible(nic.label), "  ", visible(nic.network) or "–", f"  {facts}")


def _neighbours(vm: VM, session: Session) -> list[Content]:
    ties = session.ties_of(vm.id)
    if ties is None:
        return [line(("needs   ", "dim"), ("being worked out …", "dim"))]
    lines: list[Content] = []
    for word, needs in (("needs   ", True), ("used by ", False)):
        names = [
            visible(name) + (f":{port}" if port is not None else "")
            for which, name, port in ties
            if which == needs
        ]
        if names:
            more = f"  and {len(names) - 12} more" if len(names) > 12 else ""
            lines.append(line((word, "dim"), "  ".join(names[:12]) + more))
    return lines


def rest(vm: VM) -> list[Content]:
    """Return who it belongs to, and what else was said of it."""
    people = _joined(
        *(
            f"{word} {visible(value)}"
            for word, value in (
                ("application", vm.application), ("tier", vm.tier),
                ("environment", vm.environment), ("owner", vm.owner),
            )
            if value
        )
    )  # fmt: skip
    snapshots = plural(len(vm.snapshots), "snapshot") if vm.snapshots else ""
    tracking = {True: "change tracking on", False: "change tracking off", None: ""}[vm.cbt]
    facts = _joined(snapshots, tracking, f"tools {visible(vm.tools)}" if vm.tools else "")
    lines = [line((text, "dim")) for text in (people, facts) if text]
    if vm.annotation:
        lines.append(line(("note ", "dim"), visible(vm.annotation)))
    return lines
