"""Go or no-go: the sheet of T-7 and that of T-0, each question beside what the plan says today.

What the plan cannot know is to be measured or asked; a blank is never taken for a yes.
"""

from __future__ import annotations

from planner.export.printout import Printout, Table
from planner.export.runbook import back_min, members
from planner.model import VM
from planner.names import visible
from planner.plan import Wave
from planner.units import show_bytes, show_count, show_duration

_GATE_COLUMNS = ("No", "Question", "The plan says", "Go when", "Who says so", "Go", "No-go")


def _tasks_left(printout: Printout, wave: Wave) -> str:
    if not wave.tasks:
        return "no tasks"
    states = printout.states or {}
    done = sum(states.get(task.id, "open").startswith("done") for task in wave.tasks)
    return f"{done} of {show_count(len(wave.tasks), 'task')} done"


def _unmapped(printout: Printout, wave: Wave) -> str:
    if printout.settings is None:
        return "the settings are not known here"
    used = {nic.source for vm in wave.vms for nic in vm.nics if nic.source}
    missing = sorted(visible(name) for name in used if name not in printout.settings.networks)
    if not missing:
        return f"all {len(used)} mapped"
    return f"keep their name: {', '.join(missing[:6])}" + (", ..." if len(missing) > 6 else "")


def _landing(wave: Wave) -> str:
    """Return on which datastores of the target the disks of a wave are to lie, and how many on none yet."""
    copied = [disk for disk in wave.disks if not disk.target.is_rdm]
    bare = sum(not disk.datastore for disk in copied)
    sizes: dict[str, int] = {}
    for disk in copied:
        if disk.datastore:
            sizes[disk.datastore] = sizes.get(disk.datastore, 0) + disk.size_bytes
    parts = [f"{show_bytes(size)} on {visible(name)}" for name, size in list(sizes.items())[:6]]
    parts += ["..."] if len(sizes) > 6 else []
    parts += [f"{show_count(bare, 'disk')} not mapped"] if bare else []
    return ", ".join(parts) or "no disk is copied"


def _luns(wave: Wave) -> str:
    raw = [disk for disk in wave.disks if disk.target.is_rdm]
    return f"{show_count(len(raw), 'LUN')} to be seen by the hosts" if raw else "no LUN is needed"


def _gates(columns: tuple[str, ...], title: str, lines: list[tuple[str, str, str, str]]) -> Table:
    return Table(title, columns, tuple((at, *line, "", "") for at, line in enumerate(lines, 1)))


def go_no_go_1(printout: Printout, wave: Wave) -> Table:
    """Return the sheet of T-7: is the wave ready to be announced."""
    seed = wave.estimate.seed_h
    blockers = sum(printout.blockers[vm.id] for vm in wave.vms)
    return _gates(
        _GATE_COLUMNS,
        f"Go 1 {wave.name}",
        [
            ("Is the wave approved as it is now", printout.approval(wave), "approved, same fingerprint",
             "Change board"),
            ("Are blockers cleared or waived", f"{blockers} open", "0 open",
             "Migration lead"),
            ("Are the tasks before the wave done", _tasks_left(printout, wave), "all done", "Migration lead"),
            ("Is the seed complete", f"takes {seed.p50:.1f} h (P50), {seed.p95:.1f} h (P95)",
             "all disks seeded", "Replication"),
            ("Does replication keep up", "measure it",
             "lag under 60 s in each half hour of the last 24 hours", "Replication"),
            ("Did a rehearsal in an isolated network succeed", "look into the rehearsal's report",
             "all VMs booted and answered", "Incident commander"),
            ("Is there room at the target with one host down", "measure it",
             "processors, memory and storage free for this wave", "Platform"),
            ("Are the networks there", _unmapped(printout, wave), "all networks present and tried",
             "Network"),
            ("Do the datastores have room", _landing(wave), "each disk has a place, free space read today",
             "Storage"),
            ("Is the storage there", _luns(wave), "zoned to every host, sizes read back", "Storage"),
            ("Are firewall rules in place and DNS times to live lowered", "not known to the plan",
             "both tried from a test VM", "Network"),
            ("Do owners agree to the outage", f"{wave.estimate.downtime_min.p50:.0f} min (P50), "
             f"{wave.estimate.downtime_min.p95:.0f} min (P95)", "each owner signed", "Application owner"),
            ("Does security agree", "not known to the plan", "signed", "Security"),
        ],
    )  # fmt: skip


def _fits(wave: Wave) -> str:
    p95 = wave.estimate.downtime_min.p95
    if wave.window is None:
        return f"{p95:.0f} min (P95), and no window to fit into"
    left = wave.window.hours * 60 - p95 - back_min(wave)
    if left < 0:
        return f"does not fit: {p95:.0f} min (P95) and {back_min(wave):.0f} min for the way back"
    return f"{p95:.0f} min (P95), {show_duration(left * 60)} to spare with the way back"


def _snapshots(vms: list[VM]) -> str:
    unknown = sum("snapshots" in vm.gaps for vm in vms)
    count = sum(len(vm.snapshots) for vm in vms)
    said = f"{show_count(count, 'snapshot')} when the inventory was taken"
    return f"{said}, unknown of {show_count(unknown, 'VM')}" if unknown else said


def _media(vms: list[VM]) -> str:
    count = sum(bool(cdrom.connected) for vm in vms for cdrom in vm.cdroms)
    return f"{show_count(count, 'drive')} connected when the inventory was taken"


def go_no_go_2(printout: Printout, wave: Wave) -> Table:
    """Return the sheet of T-0: do we begin tonight."""
    vms = members(printout, wave)
    return _gates(
        _GATE_COLUMNS,
        f"Go 2 {wave.name}",
        [
            ("Does the first sheet still hold", "see there", "no answer changed", "Incident commander"),
            ("Does the outage fit into the window, way back included", _fits(wave), "it fits at P95",
             "Migration lead"),
            ("Did the last delta take as long as planned", "measure it", "shorter than half of the outage",
             "Replication"),
            ("Is there a fresh backup that was read back", "not known to the plan", "less than 24 hours old",
             "Backup"),
            ("Are snapshots gone", _snapshots(vms), "0", "Platform"),
            ("Are media disconnected", _media(vms), "0", "Platform"),
            ("Were the VMs left alone since T-3", "see wherry inventory diff", "nothing of weight changed",
             "Migration lead"),
            ("Are all people on the call", "names below", "each role answered", "Incident commander"),
            ("Do users know", "not known to the plan", "told twice", "Service desk"),
            ("Can monitoring be silenced", "not known to the plan", "for the window only", "Monitoring"),
            ("Is there another change", "not known to the plan", "none on these systems", "Change board"),
        ],
    )  # fmt: skip
