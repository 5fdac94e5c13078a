"""The paper of one wave as tables: dates from T-28 to T+28, the night itself, go or no-go, the way back.

Dates are counted from the day of the window in its own zone. What the plan does not know is left to
fill in, and says so; the rest is what the plan, the estate and the findings say today.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from planner.conduct_planning import unprotected
from planner.export.milestones import MILESTONES, day_name
from planner.export.printout import Cell, Printout, Table, show_window
from planner.export.template import DETAILS, Line
from planner.freezing import is_one_by_one
from planner.model import VM
from planner.names import visible
from planner.plan import PlannedDisk, Wave
from planner.units import show_count

_STEP_COLUMNS = ("T", "Day", "No", "What", "Who", "Done", "Initials")
_NIGHT_COLUMNS = ("No", "When", "What", "On", "Who", "Done at", "Initials")
NO_DATE = "no window"
# Minutes to stop the VMs at the target and start those at the source: judgement, until a rehearsal says.
_BACK_MIN = 15.0
_BACK_PER_BATCH_MIN = 6.0


def day_of(wave: Wave, offset: int) -> str:
    """Return the date of T plus so many days in the window's zone, ``no window`` without one."""
    if wave.window is None:
        return NO_DATE
    day = wave.window.start_utc.astimezone(ZoneInfo(wave.window.zone)).date()
    try:
        return f"{day + timedelta(days=offset):%Y-%m-%d %a}"
    except OverflowError:
        return "outside of any calendar"


def clock(wave: Wave, minutes: float) -> str:
    """Return the time so many minutes after the window opens, in its zone; ``+0:30`` without a window."""
    sign = "-" if minutes < 0 else "+"
    whole = round(abs(minutes))
    after = f"{sign}{whole // 60}:{whole % 60:02d}"
    if wave.window is None:
        return after
    at = _start(wave.window.start_utc, minutes)
    return f"{at.astimezone(ZoneInfo(wave.window.zone)):%a %H:%M} ({after})" if at else after


def _start(start: datetime, minutes: float) -> datetime | None:
    try:
        return start + timedelta(minutes=minutes)
    except OverflowError:
        return None


def back_min(wave: Wave) -> float:
    """Return the minutes that a rollback takes: stop at the target, start at the source in boot order."""
    return _BACK_MIN + _BACK_PER_BATCH_MIN * len(wave.boot)


def latest_back_min(wave: Wave) -> float | None:
    """Return the minutes after the window opens at which a rollback must begin to end inside it."""
    return wave.window.hours * 60 - back_min(wave) if wave.window else None


def milestones(wave: Wave) -> Table:
    """Return the days from T-28 to T+28, each with what is to be done and by whom."""
    rows: list[tuple[Cell, ...]] = []
    number = 0
    for offset, headline in MILESTONES:
        lines: tuple[Line, ...] = DETAILS.get(offset) or (Line(headline, "Migration lead"),)
        for line in lines:
            number += 1
            what = line.what.format(wave=wave.name, hours=f"{wave.policies.commit_window_h:g}")
            rows.append((day_name(offset), day_of(wave, offset), number, what, line.who, "", ""))
    return Table(f"Dates {wave.name}", _STEP_COLUMNS, tuple(rows))


def members(printout: Printout, wave: Wave) -> list[VM]:
    """Return the VMs of a wave that the inventory holds."""
    return [printout.vms[vm.id] for vm in wave.vms if vm.id in printout.vms]


def _batch_names(printout: Printout, batch: tuple[str, ...]) -> str:
    return ", ".join(visible(printout.vms[vm].name) if vm in printout.vms else visible(vm) for vm in batch)


def night(printout: Printout, wave: Wave) -> Table:
    """Return the cutover step by step, with planned times from the estimate (P50, and P95 for the limits)."""
    down50, down95 = wave.estimate.downtime_min.p50, wave.estimate.downtime_min.p95
    steps: list[tuple[str, str, str, str]] = [
        (clock(wave, -30), "Call opens, roles answer, sheet go or no-go 2", wave.name, "Incident commander"),
        (clock(wave, 0), "Window opens: GO is said aloud and written down", wave.name, "Incident commander"),
        (
            clock(wave, 0),
            "Silence monitoring, stop batch and backup jobs",
            "all VMs of the wave",
            "Monitoring",
        ),
        (clock(wave, 5), f"Start the run: wherry cutover {wave.name} --live", wave.name, "Replication"),
    ]
    for number, batch in reversed(list(enumerate(wave.boot, 1))):
        steps.append(("in order", f"Stops batch {number}", _batch_names(printout, batch), "wherry"))
    steps += [
        (
            "in order",
            "Sends the final delta, compares both sides",
            show_count(sum(not disk.left_out for disk in wave.disks), "disk"),
            "wherry",
        ),
    ]
    for number, batch in enumerate(wave.boot, 1):
        steps.append(
            ("in order", f"Starts and probes batch {number}", _batch_names(printout, batch), "wherry")
        )
    for disk in wave.disks:
        if disk.left_out:
            steps.append(
                ("after its start", "; ".join(visible(note) for note in disk.mind),
                 _holders(printout, disk), "Application owner")
            )  # fmt: skip
    steps += [
        (clock(wave, 5 + down50), "Planned end of the outage (P50); addresses, DNS", wave.name, "Network"),
        (clock(wave, 5 + down50), "Smoke test of each application", _applications(printout, wave),
         "Application owner"),
        (clock(wave, 5 + down95), "Outage longer than P95: report, and decide whether to go on", wave.name,
         "Incident commander"),
        ("after tests", "Owner's test with real work, sign-off below", _applications(printout, wave),
         "Application owner"),
    ]  # fmt: skip
    latest = latest_back_min(wave)
    if latest is not None:
        late = clock(wave, max(latest, 0))
        steps.append(
            (late, "Latest moment to begin the way back inside the window", wave.name, "Incident commander")
        )
    steps += [
        ("then", "Point of no return: users are let in, their first write at the target counts", wave.name,
         "Incident commander"),
        ("then", "Monitoring back on, backup of the target begins", wave.name, "Monitoring"),
        (f"within {wave.policies.commit_window_h:g} h", "Decide: wherry commit, or roll back", wave.name,
         "Migration lead"),
        *_after_commit(printout, wave),
    ]  # fmt: skip
    return Table(
        f"Night {wave.name}", _NIGHT_COLUMNS, tuple((at, *step, "", "") for at, step in enumerate(steps, 1))
    )


def _after_commit(printout: Printout, wave: Wave) -> list[tuple[str, str, str, str]]:
    """Return what goes on by itself once the wave is committed."""
    if not wave.conduct.ending.reverse:
        return []
    kept = "Protects the wave at its source: deltas go into a journal there, what was committed stays"
    alone = printout.settings is not None and is_one_by_one(printout.settings, "target")
    protected = sum(not disk.left_out for disk in wave.disks) - unprotected(wave, one_by_one=alone)
    return [("after commit", kept, show_count(protected, "disk"), "wherry")]


def _holders(printout: Printout, disk: PlannedDisk) -> str:
    """Return a disk by its name at each of its VMs."""
    return ", ".join(
        f"{_batch_names(printout, (item.vm,))}/{visible(item.label or item.disk)}"
        for item in disk.attachments
    )


def _applications(printout: Printout, wave: Wave) -> str:
    names = dict.fromkeys(visible(vm.application) for vm in members(printout, wave) if vm.application)
    return ", ".join(names) or "not known to the plan"


def way_back(printout: Printout, wave: Wave) -> Table:
    """Return the rollback: when it is called for, what is done, what is lost."""
    rows: list[tuple[Cell, ...]] = [
        (
            "Called for when",
            "a VM does not boot or answer at the target and is not mended by the latest moment",
        ),
        (
            "Called for when",
            "an application owner's test fails on something that users need on the first day",
        ),
        ("Called for when", "hashes of source and target differ for any disk"),
        ("Who decides", "the incident commander, after hearing application owner and migration lead"),
        ("Takes about", f"{back_min(wave):.0f} min: judgement, replace it by what the rehearsal took"),
        ("Do", f"wherry rollback {wave.name}: stops the VMs at the target and keeps what they wrote"),
        ("Do", "start the VMs at the source in boot order, move DNS and addresses back, monitoring on"),
        (
            "Lost",
            "what users wrote at the target since the point of no return; wherry keeps it apart as files",
        ),
        ("Ends with", f"the commit, {wave.policies.commit_window_h:g} h after the cutover at the latest"),
    ]
    for disk in wave.disks:
        if disk.way_back:
            rows.append((f"Disk {_holders(printout, disk)}", visible(disk.way_back)))
    return Table(f"Way back {wave.name}", ("What", "How"), tuple(rows))


def told(printout: Printout, wave: Wave) -> Table:
    """Return who is told what and when, with the sentence to send."""
    when = show_window(wave.window)
    what = _applications(printout, wave)
    down = f"about {wave.estimate.downtime_min.p50:.0f}, at most {wave.estimate.downtime_min.p95:.0f} minutes"
    lines = (
        (-28, "Owners", "Migration lead",
         f"Your systems ({what}) move in wave {wave.name}: {when}. Please confirm."),
        (-7, "Owners, service desk", "Migration lead",
         f"Wave {wave.name} is {{go or no-go}}. Outage inside {when}: {down}."),
        (-3, "Users", "Service desk", f"Not available inside {when}: {what}. Please save your work before."),
        (-1, "Everybody on the call", "Incident commander",
         f"Wave {wave.name} tomorrow: dial-in, roles, runbook."),
        (0, "Users, owners", "Service desk", f"The move of {what} has begun."),
        (0, "Users, owners", "Service desk",
         f"{what}: moved and tested, or back as before. Tell us what is odd."),
        (1, "Management", "Migration lead", f"Wave {wave.name}: result, outage as measured, what is open."),
        (3, "Users, owners", "Service desk", f"Closer watch of {what} ends; the usual channels apply again."),
        (28, "Owners, storage", "Migration lead",
         f"The source of wave {wave.name} is deleted, its LUNs are released."),
    )  # fmt: skip
    rows = tuple((day_name(t) if t else "T-0", day_of(wave, t), to, by, text) for t, to, by, text in lines)
    return Table(f"Told {wave.name}", ("T", "Day", "To", "By", "Text"), rows)
