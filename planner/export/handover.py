"""The tables that people edit elsewhere and hand back: groups, waves, assignment, deps, exceptions.

Their columns are a contract: names are lower case, ids are the plan's own, times ISO 8601 in UTC.
``planner.imports.reread`` reads the first three back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from planner.export.printout import UNKNOWN, Cell, Printout, Table, gib
from planner.export.seeding import latest_seeds
from planner.graph import edges, refused_edges
from planner.model import VM, Method
from planner.names import visible
from planner.plan import PlannedGroup, Wave
from planner.sending import spoken
from planner.settings import Settings, Window
from planner.units import GIB, TIB

ASSIGNMENT = (
    "vm_uuid", "vm", "group_id", "wave_id", "window_id", "method", "order_in_window", "seed_start",
    "est_seed_h", "est_downtime_min", "pinned", "why",
)  # fmt: skip
GROUPS = (
    "group_id", "name", "wave_id", "app", "env", "owner", "criticality", "vm_count", "used_gib",
    "churn_gib_day", "rdm_count", "blockers", "reasons",
)  # fmt: skip
WAVES = (
    "wave_id", "name", "type", "window_id", "start_utc", "end_utc", "freeze_utc", "vm_count", "tib",
    "utilisation", "risk", "status", "approver",
)  # fmt: skip
DEPS = (
    "src", "src_vm", "dst", "dst_vm", "kind", "port", "weight", "confidence", "evidence", "why",
    "src_wave", "dst_wave", "decision",
)  # fmt: skip
EXCEPTIONS = ("kind", "vm_uuid", "vm", "what", "why")


def moment(at: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the minute."""
    return at.replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def window_id(window: Window | None) -> str:
    """Return ``w-20270109T2200Z``: no spreadsheet takes that for a date; empty without a window."""
    return f"w-{window.start_utc:%Y%m%dT%H%MZ}" if window else ""


def vm_label(vm: VM | None, vm_id: str) -> str:
    """Return a VM's name made visible, its id where the inventory does not hold it."""
    return visible(vm.name if vm else vm_id)


def pinned_names(settings: Settings | None) -> frozenset[str]:
    """Return what the settings' pins name: VMs and groups."""
    return frozenset(pin.what for pin in settings.pins) if settings else frozenset()


def is_pinned(printout: Printout, group: PlannedGroup) -> bool:
    """Return whether a person's word holds the group in its wave."""
    pins = pinned_names(printout.settings)
    if not pins:
        return False
    names = {printout.vms[vm].name for vm in group.vms if vm in printout.vms}
    return bool(pins & {group.name, *group.vms, *names})


def assignment(printout: Printout) -> Table:
    """Return one row for each VM in a wave; a plan without estimates of VMs shares its wave's by bytes."""
    rows: list[tuple[Cell, ...]] = []
    seeds = latest_seeds(printout.plan)
    method = (printout.settings.method if printout.settings else Method.WARM).value
    for wave in printout.plan.waves:
        batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
        begin = moment(seeds[wave.name].start) if wave.name in seeds else ""
        size_of: dict[str, int] = {}
        for disk in wave.disks:
            first = disk.attachments[0].vm
            size_of[first] = size_of.get(first, 0) + disk.size_bytes
        total = wave.size_bytes or 1
        takes = {take.what: take for take in wave.takes}
        sized = printout.sized(wave)
        for group in wave.groups:
            pinned = "yes" if is_pinned(printout, group) else "no"
            told = {end: reason.why for reason in group.reasons for end in (reason.a, reason.b)}
            for vm in group.vms:
                take = takes.get(vm)
                share = size_of.get(vm, 0) / total
                seed_h = take.seed_h.p50 if take else wave.estimate.seed_h.p50 * share
                down = take.downtime_min.p50 if take else wave.estimate.downtime_min.p50
                rows.append(
                    (
                        visible(vm),
                        vm_label(printout.vms.get(vm), vm),
                        visible(group.name),
                        wave.name,
                        window_id(wave.window),
                        method,
                        batch_of.get(vm, 0),
                        begin,
                        round(seed_h, 3) if sized else UNKNOWN,
                        round(down, 1) if sized else UNKNOWN,
                        pinned,
                        visible(told.get(vm, "moves alone")),
                    )
                )
    return Table("assignment", ASSIGNMENT, tuple(rows))


def _words(values: Iterator[str]) -> str:
    return visible("; ".join(dict.fromkeys(value for value in values if value)))


def groups(printout: Printout) -> Table:
    """Return one row for each move group, with what its VMs say of themselves."""
    blocked = printout.blockers
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        raw: dict[str, int] = {}
        for disk in wave.disks:
            if disk.source.is_rdm:
                raw[disk.attachments[0].vm] = raw.get(disk.attachments[0].vm, 0) + 1
        for group in wave.groups:
            vms = [printout.vms[vm] for vm in group.vms if vm in printout.vms]
            used = [vm.used_bytes for vm in vms if vm.used_bytes is not None]
            churn = [vm.churn_bytes_day for vm in vms if vm.churn_bytes_day is not None]
            rows.append(
                (
                    visible(group.name),
                    visible(group.name),
                    wave.name,
                    _words(vm.application for vm in vms),
                    _words(vm.environment for vm in vms),
                    _words(printout.owner(vm) for vm in vms),
                    _words(vm.criticality for vm in vms),
                    len(group.vms),
                    # Blank where not every VM says so: a sum with gaps would pass for the whole.
                    gib(sum(used)) if len(used) == len(vms) else "",
                    round(sum(churn) / GIB, 2) if len(churn) == len(vms) else "",
                    sum(raw.get(vm, 0) for vm in group.vms),
                    sum(blocked[vm] for vm in group.vms),
                    _words(reason.why for reason in group.reasons),
                )
            )
    return Table("groups", GROUPS, tuple(rows))


def _kind(printout: Printout, wave: Wave) -> str:
    named = set(printout.settings.waves.pilots) if printout.settings else set()
    return "pilot" if named and any(vm.name in named or vm.id in named for vm in wave.vms) else "standard"


def waves(printout: Printout) -> Table:
    """Return one row for each wave: ``utilisation`` is downtime P95 over window, ``risk`` counts blockers."""
    blocked = printout.blockers
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        window = wave.window
        who, _ = (printout.approvals or {}).get(wave.name, ("", ""))
        hours = window.hours if window else 0.0
        sized = printout.sized(wave)
        rows.append(
            (
                wave.name,
                visible(wave.title),
                _kind(printout, wave),
                window_id(window),
                moment(window.start_utc) if window else "",
                moment(window.end_utc) if window else "",
                _next_freeze(printout, window),
                len(wave.vms),
                round(wave.size_bytes / TIB, 3) if sized else UNKNOWN,
                (round(wave.estimate.downtime_min.p95 / 60 / hours, 3) if sized else UNKNOWN)
                if hours
                else "",
                sum(blocked[vm.id] for vm in wave.vms),
                "approved" if who else "planned",
                visible(who),
            )
        )
    return Table("waves", WAVES, tuple(rows))


def _next_freeze(printout: Printout, window: Window | None) -> str:
    if window is None or printout.settings is None:
        return ""
    later = [freeze.start_utc for freeze in printout.settings.freezes if freeze.start_utc >= window.end_utc]
    return moment(min(later)) if later else ""


def deps(printout: Printout) -> Table:
    """Return one row for each tie of the estate, with evidence and the waves of both ends."""
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    rows: list[tuple[Cell, ...]] = []
    for edge in (*edges(printout.inventory), *refused_edges(printout.inventory)):
        rows.append(
            (
                visible(edge.source),
                vm_label(printout.vms.get(edge.source), edge.source),
                visible(edge.target),
                vm_label(printout.vms.get(edge.target), edge.target),
                edge.tie.value,
                "" if edge.port is None else edge.port,
                "" if edge.weight_bytes is None else edge.weight_bytes,
                round(edge.confidence, 3),
                visible(edge.evidence),
                visible(edge.reason),
                wave_of.get(edge.source, ""),
                wave_of.get(edge.target, ""),
                f"{edge.decision}: {visible(edge.decided)}" if edge.decision else "",
            )
        )
    return Table("deps", DEPS, tuple(rows))


def exceptions(printout: Printout) -> Table:
    """Return what is not as usual: VMs in no wave, findings waived, disks remapped or left out, pins."""
    rows: list[tuple[Cell, ...]] = [
        ("unplanned", visible(item.vm), visible(item.name), "is in no wave", visible(item.why))
        for item in printout.plan.unplanned
    ]
    rows += [
        (
            "waived",
            visible(item.subject),
            visible(item.subject_name),
            visible(item.message),
            visible(item.waiver),
        )
        for item in printout.findings
        if item.waiver
    ]
    rows += [
        (
            "remapped",
            visible(disk.attachments[0].vm),
            vm_label(printout.vms.get(disk.attachments[0].vm), disk.attachments[0].vm),
            f"{visible(disk.attachments[0].label)}: {disk.source.value} becomes {disk.target.value}",
            visible(disk.rule),
        )
        for wave in printout.plan.waves
        for disk in wave.disks
        if disk.source is not disk.target or disk.target_lun
    ]
    rows += [
        (
            "left out",
            visible(disk.attachments[0].vm),
            vm_label(printout.vms.get(disk.attachments[0].vm), disk.attachments[0].vm),
            f"{visible(disk.attachments[0].label)}: sent {disk.send.value}",
            spoken(disk.decision),
        )
        for wave in printout.plan.waves
        for disk in wave.disks
        if disk.decision
    ]
    for pin in printout.settings.pins if printout.settings else ():
        rows.append(("pinned", "", visible(pin.what), f"moves in {visible(pin.wave)}", "a person's word"))
    return Table("exceptions", EXCEPTIONS, tuple(rows))
