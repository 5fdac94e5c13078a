"""What every printed format shows: the plan beside its inventory, findings and approvals, as tables.

Cells are text, integers or decimals. Text here is already visible (no control characters); each
format adds what its own readers could act on: markup, formulas, separators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from planner.checks.registry import all_checks
from planner.model import VM, Finding, Inventory, Sending, Severity
from planner.names import visible
from planner.plan import Plan, PlannedDisk, PlannedTask, Wave
from planner.remapping import remapping
from planner.sending import spoken
from planner.settings import Settings, Window
from planner.sized import is_sized, lacks_disks, show_size, size_of
from planner.units import GIB, SECTOR, show_count

Cell = str | int | float
UNKNOWN = "unknown"
UNMAPPED = "not mapped"
_UNTOUCHED = "until commit the source VMDK was not written: start the source VM"


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; every row has as many cells as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Printout:
    """Everything an export is made from. ``approvals`` is wave name → (who, when).

    ``owners`` is application → owner, for VMs that name none themselves; ``unknown`` is check id →
    number of VMs it could not decide; ``states`` is task id → where it stands, for tasks begun or done;
    ``judged`` says of which inventory the findings are, where the plan was made on another one.
    """

    plan: Plan
    inventory: Inventory
    findings: tuple[Finding, ...] = ()
    approvals: Mapping[str, tuple[str, str]] | None = None
    owners: Mapping[str, str] | None = None
    unknown: Mapping[str, int] | None = None
    states: Mapping[str, str] | None = None
    settings: Settings | None = None  # caps, freezes, link, method; None = not told
    judged: str = ""
    vms: Mapping[str, VM] = field(init=False, repr=False, compare=False)  # by id, for the tables
    blockers: Counter[str] = field(init=False, repr=False, compare=False)  # open ones by subject
    found: Mapping[str, list[Finding]] = field(init=False, repr=False, compare=False)  # by subject

    def __post_init__(self) -> None:
        object.__setattr__(self, "vms", {vm.id: vm for vm in self.inventory.vms})
        found: dict[str, list[Finding]] = {}
        for item in self.findings:
            found.setdefault(item.subject, []).append(item)
        object.__setattr__(self, "found", found)
        blocking = (f for f in self.findings if f.severity is Severity.BLOCKER and not f.waiver)
        object.__setattr__(self, "blockers", Counter(item.subject for item in blocking))

    def owner(self, vm: VM | None) -> str:
        """Return a VM's owner: its own, else its application's, else nothing."""
        return visible(vm.owner or (self.owners or {}).get(vm.application, "")) if vm else ""

    def sized(self, wave: Wave) -> bool:
        """Return whether all disks of a wave are known, so that its size and times mean something."""
        return is_sized(wave, self.vms, self.inventory.gaps)

    def size(self, wave: Wave) -> str:
        """Return the size of a wave in words, as far as it is known."""
        return show_size(size_of(wave.size_bytes, self.sized(wave)))

    def approval(self, wave: Wave) -> str:
        """Return who approved a wave and when, or that nobody did."""
        who, when = (self.approvals or {}).get(wave.name, ("", ""))
        return f"{visible(who)}, {visible(when)}" if who else "not approved"


def show_window(window: Window | None) -> str:
    """Return start and end of a window in its own zone and in UTC; it lasts its hours of real time."""
    if window is None:
        return "no window"
    start, end = window.start_utc, window.start_utc + timedelta(hours=window.hours)
    utc = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    if window.zone == "UTC":
        return utc
    from zoneinfo import ZoneInfo

    first, last = (at.astimezone(ZoneInfo(window.zone)) for at in (start, end))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} {window.zone} ({utc})"


def gib(size_bytes: float) -> float:
    """Return GiB with two decimals."""
    return round(size_bytes / GIB, 2)


def becomes(disk: PlannedDisk) -> str:
    """Return what a disk becomes: its backing and, for an RDM, the LUN."""
    return f"{disk.target.value} on {visible(disk.target_lun)}" if disk.target_lun else disk.target.value


def travels(disk: PlannedDisk) -> str:
    """Return how often what a disk holds is sent; who decided and why, where it is not always."""
    return f"{disk.send.value}: {spoken(disk.decision)}" if disk.decision else disk.send.value


def landings(wave: Wave) -> dict[str, tuple[str, str]]:
    """Return datastores and folder that each VM of a wave lands on, by VM id; ``not mapped`` where unsaid."""
    disks_of: dict[str, list[PlannedDisk]] = {}
    for disk in wave.disks:
        for vm_id in dict.fromkeys(item.vm for item in disk.attachments):
            disks_of.setdefault(vm_id, []).append(disk)
    found = {}
    for vm in wave.vms:
        copied = [disk for disk in disks_of.get(vm.id, ()) if not disk.target.is_rdm]
        names = dict.fromkeys((vm.datastore, *(disk.datastore for disk in copied)))
        stores = ", ".join(visible(name) or UNMAPPED for name in names)
        found[vm.id] = (stores, visible(vm.folder) or UNMAPPED)
    return found


def _names(printout: Printout, ids: Sequence[str]) -> str:
    vms = printout.vms
    return ", ".join(visible(vms[vm].name) if vm in vms else visible(vm) for vm in ids)


def _count(printout: Printout, severity: Severity) -> int:
    return sum(item.severity is severity and not item.waiver for item in printout.findings)


def summary(printout: Printout) -> Table:
    """Return the plan in a few lines: counts, score, fingerprints, notes."""
    plan = printout.plan
    planned = sum(len(wave.vms) for wave in plan.waves)
    rows: list[tuple[Cell, ...]] = [
        ("Project", visible(plan.project)),
        ("Plan made", visible(plan.created_at)),
        *([("Findings are of another inventory", visible(printout.judged))] if printout.judged else []),
        ("Waves", plan.score.waves),
        ("Fewest waves possible under these caps", plan.score.waves_bound),
        ("VMs in waves", planned),
        ("VMs in no wave", len(plan.unplanned)),
        ("Provisioned GiB in waves", _provisioned(printout)),
        *_left_out(plan),
        ("Order ties violated", plan.score.order_violations),
        ("Hard ties violated", plan.score.hard_violations),
        *((f"Findings: {severity.value}", _count(printout, severity)) for severity in Severity),
        ("Findings waived", sum(bool(item.waiver) for item in printout.findings)),
        ("Checks that could not be decided everywhere", len(printout.unknown or {})),
        ("Waves approved", sum(wave.name in (printout.approvals or {}) for wave in plan.waves)),
        ("Inventory taken", visible(printout.inventory.taken_at)),
        ("Inventory fingerprint", visible(plan.inventory)),
        ("Settings fingerprint", visible(plan.settings)),
        ("Plan fingerprint", plan.fingerprint),
    ]
    rows += [(f"Note {at}", visible(note)) for at, note in enumerate(plan.notes, 1)]
    return Table("Summary", ("What", "Value"), tuple(rows))


def _left_out(plan: Plan) -> list[tuple[Cell, ...]]:
    """Return what of the provisioned bytes travels once or never by decision, nothing where all travels."""
    out = [disk for wave in plan.waves for disk in wave.disks if disk.left_out]
    return [
        (
            f"Disks sent {send.value} by decision",
            f"{len(mine)}, {gib(sum(disk.size_bytes for disk in mine)):g} GiB",
        )
        for send in (Sending.ONCE, Sending.NEVER)
        if (mine := [disk for disk in out if disk.send is send])
    ]


def _provisioned(printout: Printout) -> Cell:
    """Return the size of all waves, as far as it is known."""
    known = gib(sum(wave.size_bytes for wave in printout.plan.waves))
    unknown = sum(not printout.sized(wave) for wave in printout.plan.waves)
    return f"at least {known:g}, {show_count(unknown, 'wave')} of unknown size" if unknown else known


def _measured(printout: Printout, wave: Wave) -> tuple[Cell, ...]:
    """Return size, seed and downtime of a wave: numbers, or that they are unknown."""
    if not printout.sized(wave):
        return (UNKNOWN,) * 5
    seed, down = wave.estimate.seed_h, wave.estimate.downtime_min
    return (
        gib(wave.size_bytes), round(seed.p50, 2), round(seed.p95, 2), round(down.p50, 1), round(down.p95, 1)
    )  # fmt: skip


def waves(printout: Printout) -> Table:
    """Return one row for each wave."""
    columns = (
        "Wave", "Title", "Window", "Groups", "VMs", "GiB", "Seed h P50", "Seed h P95",
        "Downtime min P50", "Downtime min P95", "Chance to overrun", "Tasks before", "Task hours",
        "Task outages", "Approval", "Why",
    )  # fmt: skip
    rows = tuple(
        (
            wave.name,
            visible(wave.title),
            show_window(wave.window),
            len(wave.groups),
            len(wave.vms),
            *_measured(printout, wave),
            "unknown" if wave.overrun is None else f"{wave.overrun:.0%}",
            len(wave.tasks),
            round(wave.effort_min / 60, 2),
            wave.outages,
            printout.approval(wave),
            visible(wave.why),
        )
        for wave in printout.plan.waves
    )
    return Table("Waves", columns, rows)


def _held(printout: Printout, vm: VM | None) -> tuple[Cell, Cell]:
    """Return number and GiB of a VM's disks, where its source lists them."""
    if vm is None or lacks_disks(vm, printout.inventory.gaps):
        return UNKNOWN, UNKNOWN
    return len(vm.disks), gib(vm.disk_bytes)


def assignment(printout: Printout) -> Table:
    """Return one row for each VM in a wave."""
    columns = (
        "VM", "VM id", "Wave", "Group", "Boot batch", "Window", "Application", "Tier", "Environment",
        "Owner", "Runs", "Disks", "GiB", "Networks at the target",
        "Datastores at the target", "Folder at the target",
    )  # fmt: skip
    known = printout.vms
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        group_of = {vm: group.name for group in wave.groups for vm in group.vms}
        batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
        lands = landings(wave)
        for vm in wave.vms:
            seen = known.get(vm.id)
            rows.append(
                (
                    visible(vm.name),
                    visible(vm.id),
                    wave.name,
                    visible(group_of.get(vm.id, "")),
                    batch_of.get(vm.id, "stays off"),
                    show_window(wave.window),
                    visible(seen.application if seen else ""),
                    visible(seen.tier if seen else ""),
                    visible(seen.environment if seen else ""),
                    printout.owner(seen),
                    "yes" if vm.powered_on else "no",
                    *_held(printout, seen),
                    visible(", ".join(dict.fromkeys(nic.target for nic in vm.nics))),
                    *lands[vm.id],
                )
            )
    return Table("Assignment", columns, tuple(rows))


def groups(printout: Printout) -> Table:
    """Return one row for each reason, and one for each group that needs none."""
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        for group in wave.groups:
            head: tuple[Cell, ...] = (wave.name, visible(group.name), len(group.vms))
            if not group.reasons:
                rows.append((*head, _names(printout, group.vms), "", "moves alone"))
            for reason in group.reasons:
                ends = (_names(printout, (reason.a,)), _names(printout, (reason.b,)))
                rows.append((*head, *ends, visible(reason.why)))
    return Table("Groups", ("Wave", "Group", "VMs", "VM", "Together with", "Because"), tuple(rows))


def disks(printout: Printout) -> Table:
    """Return one row for each volume: what it is, what it becomes, who decided."""
    columns = (
        "Wave", "Disk", "Used by", "GiB", "Bytes", "Sectors", "Is", "Source LUN", "Becomes", "Target LUN",
        "Remap", "Rule", "Proof in sectors", "To mind", "Way back", "Datastore at the target", "Travels",
    )  # fmt: skip
    rows = tuple(
        (
            wave.name,
            visible(disk.attachments[0].label),
            _names(printout, [item.vm for item in disk.attachments]),
            gib(disk.size_bytes),
            disk.size_bytes,
            -(-disk.size_bytes // SECTOR),
            disk.source.value,
            visible(disk.source_lun),
            disk.target.value,
            visible(disk.target_lun),
            remapping(disk.source, disk.target).value,
            visible(disk.rule),
            visible(disk.proof),
            visible("; ".join(disk.mind)),
            visible(disk.way_back) or _UNTOUCHED,
            "none: a raw device" if disk.target.is_rdm else visible(disk.datastore) or UNMAPPED,
            travels(disk),
        )
        for wave in printout.plan.waves
        for disk in wave.disks
    )
    return Table("Disks and remaps", columns, rows)


def findings(printout: Printout) -> Table:
    """Return one row for each finding, with the wave of its VM."""
    wave_of = {vm.id: wave.name for wave in printout.plan.waves for vm in wave.vms}
    rows = tuple(
        (
            item.severity.value,
            visible(item.check),
            visible(item.subject_name),
            wave_of.get(item.subject, ""),
            visible(item.message),
            visible(item.remedy),
            item.waiver,
        )
        for item in printout.findings
    )
    columns = ("Severity", "Check", "Object", "Wave", "Finding", "Remedy", "Waived by")
    return Table("Findings", columns, rows)


def task_how(task: PlannedTask) -> str:
    """Return who does a task: wherry or a person, with or without the VM down."""
    how = f"wherry: {task.fix}" if task.fix else "by hand"
    return f"{how}, with an outage" if task.outage else how


def tasks(printout: Printout, wave: Wave | None = None) -> Table:
    """Return one row for each task before a wave, or before all of them."""
    columns = (
        "Wave", "Due", "VM", "Task", "Owner", "Effort min", "How", "State", "Found", "Remedy", "Id",
    )  # fmt: skip
    states = printout.states or {}
    rows = tuple(
        (
            one.name,
            task.due or "no window",
            visible(one.subject(task)),
            visible(task.title),
            visible(task.owner) or "nobody named",
            task.effort_min,
            task_how(task),
            visible(states.get(task.id, "open")),
            visible("; ".join(task.found)),
            visible(task.remedy),
            task.id,
        )
        for one in ((wave,) if wave else printout.plan.waves)
        for task in one.tasks
    )
    return Table("Tasks", columns, rows)


def unplanned(printout: Printout) -> Table:
    """Return one row for each VM that is in no wave."""
    rows = tuple((visible(vm.name), visible(vm.vm), visible(vm.why)) for vm in printout.plan.unplanned)
    return Table("Unplanned", ("VM", "VM id", "Why"), rows)


def approvals(printout: Printout) -> Table:
    """Return one row for each wave: its fingerprint, and who approved that."""
    rows: list[tuple[Cell, ...]] = []
    for wave in printout.plan.waves:
        who, when = (printout.approvals or {}).get(wave.name, ("", ""))
        state = "approved" if who else "not approved"
        rows.append((wave.name, visible(wave.title), state, visible(who), visible(when), wave.fingerprint))
    columns = ("Wave", "Title", "State", "Who", "When", "Wave fingerprint")
    return Table("Approvals", columns, tuple(rows))


def not_known(printout: Printout) -> Table:
    """Return what the source did not say, and the checks that could not be decided for that."""
    rows: list[tuple[Cell, ...]] = [("Inventory", visible(note), "") for note in printout.inventory.notes]
    titles = {check.id: check.title for check in all_checks()}
    for check, count in (printout.unknown or {}).items():
        title = titles.get(check, "")
        rows.append(("Check", f"{visible(check)}: {title}" if title else visible(check), count))
    return Table("Not known", ("From", "What is not known or was repaired", "VMs"), tuple(rows))
