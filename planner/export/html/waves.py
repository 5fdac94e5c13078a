"""One section a wave: facts, groups with their reasons, members, boot order, remaps, tasks, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from planner.export.html.markup import Html, Part, tag
from planner.export.html.tables import facts, rows_of
from planner.export.printout import (
    UNKNOWN,
    Cell,
    Printout,
    becomes,
    gib,
    landings,
    show_window,
    task_how,
    travels,
)
from planner.model import Finding, Severity
from planner.names import visible
from planner.plan import Plan, PlannedTask, Wave
from planner.units import show_count

_Row = TypeVar("_Row")
_NAMED = 6  # VMs that one cell names
_WHOLE = 20_000  # VMs in waves up to which a browser is given every row
_ROWS = 12  # above that: rows of one list
_SECTIONS = 400  # and waves with a section of their own


def _name(printout: Printout, vm_id: str) -> str:
    vm = printout.vms.get(vm_id)
    return visible(vm.name if vm else vm_id)


def is_large(plan: Plan) -> bool:
    """Return whether a plan has more VMs than a browser can be given rows for."""
    return sum(len(wave.vms) for wave in plan.waves) > _WHOLE


def with_section(plan: Plan) -> Sequence[Wave]:
    """Return the waves that have a section of their own."""
    return plan.waves[:_SECTIONS] if is_large(plan) else plan.waves


def _first(every: Sequence[_Row], large: bool) -> Sequence[_Row]:
    return every[:_ROWS] if large else every


def _rest(shown: int, of: int, what: str, where: str) -> Iterator[Part]:
    if shown < of:
        yield tag("p", f"and {show_count(of - shown, what)} more, in {where}")


def _groups(printout: Printout, wave: Wave, large: bool) -> Html:
    rows = []
    for group in _first(wave.groups, large):
        why = "; ".join(
            f"{_name(printout, item.a)} and {_name(printout, item.b)}: {visible(item.why)}"
            for item in group.reasons
        )
        rows.append((visible(group.name), len(group.vms), why or "moves alone"))
    return rows_of(("Group", "VMs", "Why together"), rows)


def _members(printout: Printout, wave: Wave, large: bool) -> Html:
    group_of = {vm: group.name for group in wave.groups for vm in group.vms}
    batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
    lands = landings(wave)
    rows: list[tuple[Cell, ...]] = []
    for vm in _first(wave.vms, large):
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
                *lands[vm.id],
            )
        )
    columns = ("VM", "Group", "Application", "Owner", "GiB", "Boot", "Networks", "Datastores", "Folder")
    return rows_of(columns, rows)


def _remaps(printout: Printout, wave: Wave, large: bool) -> Iterator[Part]:
    rows = [
        (
            ", ".join(dict.fromkeys(f"{_name(printout, use.vm)}/{use.label}" for use in disk.attachments)),
            gib(disk.size_bytes),
            f"{disk.source.value} {visible(disk.source_lun)}".rstrip(),
            becomes(disk),
            travels(disk),
            visible(disk.rule),
        )
        for disk in wave.disks
        if disk.converts or disk.source.is_rdm or disk.target.is_rdm or disk.left_out
    ]
    if rows:
        first = _first(rows, large)
        yield tag("h4", "Raw devices and remaps")
        yield rows_of(("Disk", "GiB", "Is", "Becomes", "Travels", "Rule"), first)
        yield from _rest(len(first), len(rows), "disk", "the workbook")


def _some(names: Iterable[str]) -> str:
    """Return names, the first few of them and how many more."""
    each = list(dict.fromkeys(visible(name) for name in names))
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return ", ".join(each[:_NAMED]) + more


def _open_findings(printout: Printout) -> dict[str, list[Finding]]:
    """Return wave name → blockers and warnings of its VMs that nobody waived."""
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    found: dict[str, list[Finding]] = {}
    for item in printout.findings:
        if item.subject in wave_of and not item.waiver and item.severity is not Severity.INFO:
            found.setdefault(wave_of[item.subject], []).append(item)
    return found


def _findings(mine: Iterable[Finding]) -> Iterator[Part]:
    found: dict[tuple[Severity, str], list[Finding]] = {}
    for item in mine:
        found.setdefault((item.severity, item.check), []).append(item)
    if not found:
        return
    weight = list(Severity)
    rows = [
        (
            severity.value,
            check,
            len(items),
            _some(item.subject_name for item in items),
            visible(items[0].message) + (", and alike" if len(items) > 1 else ""),
            visible(items[0].remedy),
        )
        for (severity, check), items in sorted(
            found.items(), key=lambda pair: (weight.index(pair[0][0]), -len(pair[1]), pair[0][1])
        )
    ]
    yield tag("h4", "Open findings")
    yield rows_of(("Severity", "Check", "Count", "VMs", "Finding", "Remedy"), rows)


def _tasks(printout: Printout, wave: Wave) -> Iterator[Part]:
    """Yield the tasks before a wave, those of one kind, day and owner in one line."""
    states = printout.states or {}
    names = {vm.id: vm.name for vm in wave.vms}
    alike: dict[tuple[str, str, str, str], list[PlannedTask]] = {}
    for task in wave.tasks:
        key = (task.due or "no window", task.title, task.owner or "nobody named", task_how(task))
        alike.setdefault(key, []).append(task)
    if not alike:
        return
    rows = [
        (
            visible(due[:10] if due[:4].isdigit() else due),
            visible(title),
            _some(names.get(item.vm, "(whole wave)") for item in items),
            visible(owner),
            visible(how),
            round(sum(item.effort_min for item in items) / 60, 1),
            f"{sum(item.id in states for item in items)} of {len(items)} begun",
        )
        for (due, title, owner, how), items in alike.items()
    ]
    yield tag("h4", f"Before the wave: {show_count(len(wave.tasks), 'task')}, {wave.effort_min / 60:.1f} h")
    yield rows_of(("Due", "Task", "VMs", "Owner", "How", "Hours", "State"), rows)


def _section(printout: Printout, wave: Wave, mine: Iterable[Finding], large: bool) -> Iterator[Part]:
    seed, down = wave.estimate.seed_h, wave.estimate.downtime_min
    sized = printout.sized(wave)
    yield tag("h3", f"{wave.name}: {visible(wave.title)}", id=f"wave-{wave.name}")
    yield facts(
        (
            ("Window", show_window(wave.window)),
            ("Moves", f"{show_count(len(wave.vms), 'VM')} in {show_count(len(wave.groups), 'group')}, "
                      f"{printout.size(wave)}"),
            ("Seed", f"{seed.p50:.1f} h (P50), {seed.p95:.1f} h (P95)" if sized else UNKNOWN),
            ("Downtime", f"{down.p50:.0f} min (P50), {down.p95:.0f} min (P95)" if sized else UNKNOWN),
            ("Why here", visible(wave.why)),
            ("Approval", printout.approval(wave)),
            ("Wave fingerprint", tag("code", wave.fingerprint)),
        )
    )  # fmt: skip
    yield tag("h4", "Groups")
    yield _groups(printout, wave, large)
    yield from _rest(len(_first(wave.groups, large)), len(wave.groups), "group", "groups.csv")
    yield tag("h4", "VMs")
    yield _members(printout, wave, large)
    yield from _rest(len(_first(wave.vms, large)), len(wave.vms), "VM", "assignment.csv")
    yield from _remaps(printout, wave, large)
    yield from _tasks(printout, wave)
    yield from _findings(mine)


def sections(printout: Printout) -> Iterator[Html]:
    """Yield the section of each wave; of a large plan the first ones, and what is left out."""
    plan = printout.plan
    found = _open_findings(printout)
    large = is_large(plan)
    shown = with_section(plan)
    if large:
        left = len(plan.waves) - len(shown)
        rest = f" The last {show_count(left, 'wave')} have no section." if left else ""
        yield tag(
            "p",
            f"This plan has more than {_WHOLE:,} VMs: lists of a wave show their first {_ROWS} rows, whole "
            f"ones are in assignment.csv and groups.csv beside this file.{rest}",
        )
    for wave in shown:
        yield tag("section", *_section(printout, wave, found.get(wave.name, ()), large), class_="wave")
