"""The words about one wave: what it will do, and when, how long, who agreed and what is wrong."""

from __future__ import annotations

from textual.content import Content

from planner.model import Backing, Severity
from planner.names import visible
from planner.plan import PlannedDisk, PlannedGroup, Wave
from planner.units import show_bytes, show_duration
from tui.session import Session, View
from tui.text import line, plural, short_time, spread_minutes, stack, window_span
from tui.theme import severity_mark, state_mark

_BACKINGS = {Backing.VMDK: "VMDK", Backing.RDM_PHYSICAL: "RDM physical", Backing.RDM_VIRTUAL: "RDM virtual"}
_FEW = 8  # reasons shown of one group: a big group has hundreds that say the same


def _heading(text: str) -> Content:
    return line((text, "accent"))


def describe_content(wave: Wave) -> Content:
    """Return groups with their reasons, boot batches, then disks: those that change backing first."""
    names = {vm.id: visible(vm.name) for vm in wave.vms}
    lines = [_heading(plural(len(wave.groups), "group") + ", each moves as one")]
    for group in wave.groups:
        lines += _group(group, names)
    lines += [line(""), _heading("started in this order")]
    for number, batch in enumerate(wave.boot, 1):
        lines.append(line((f"{number:>3}  ", "dim"), "  ".join(names.get(vm, visible(vm)) for vm in batch)))
    if not wave.boot:
        lines.append(line(("  none: every VM stays off", "dim")))
    changing = [disk for disk in wave.disks if disk.converts]
    same = [disk for disk in wave.disks if not disk.converts]
    lines += [line(""), _heading(f"{plural(len(wave.disks), 'disk')}, {show_bytes(wave.size_bytes)}")]
    for disk in (*changing, *same):
        lines += _disk(disk, names)
    return stack(lines)


def _group(group: PlannedGroup, names: dict[str, str]) -> list[Content]:
    members = "  ".join(names.get(vm, visible(vm)) for vm in group.vms)
    lines = [line(f"  {visible(group.name)}", (f"  {plural(len(group.vms), 'VM')}  ", "dim"), members)]
    for reason in group.reasons[:_FEW]:
        ends = f"{names.get(reason.a, visible(reason.a))} ═ {names.get(reason.b, visible(reason.b))}"
        lines.append(line((f"    {ends}: ", "dim"), visible(reason.why)))
    if len(group.reasons) > _FEW:
        lines.append(line((f"    and {plural(len(group.reasons) - _FEW, 'more reason')}", "dim")))
    return lines


def _disk(disk: PlannedDisk, names: dict[str, str]) -> list[Content]:
    users = ", ".join(f"{names.get(a.vm, visible(a.vm))} {visible(a.label)}" for a in disk.attachments)
    shared = "  shared" if len({a.vm for a in disk.attachments}) > 1 else ""
    if not disk.converts:
        return [
            line(f"  {users}", (f"  {_BACKINGS[disk.source]} {show_bytes(disk.size_bytes)}{shared}", "dim"))
        ]
    lun = f" {visible(disk.target_lun)}" if disk.target_lun else ""
    change = f"{_BACKINGS[disk.source]} → {_BACKINGS[disk.target]}{lun}"
    return [
        line(f"  {users}  ", (change, "warn"), (f"  {show_bytes(disk.size_bytes)}{shared}", "dim")),
        line(("    rule: ", "dim"), visible(disk.rule)),
    ]


def describe_judgement(wave: Wave, view: View, session: Session) -> Content:
    """Return state, window, estimates, approval, the reason of the wave and its findings."""
    status = (
        next((item for item in view.status.waves if item.name == wave.name), None) if view.status else None
    )
    lines: list[Content] = []
    if status is not None:
        mark = state_mark(status.state)
        since = f" since {short_time(status.since)}" if status.since else ""
        steps = f"  step {status.steps_done} of {status.steps_total}" if status.steps_total else ""
        lines.append(line(("state     ", "dim"), (visible(mark.text), mark.tone), visible(since) + steps))
        if status.current:
            lines.append(line(("now       ", "dim"), visible(status.current)))
        if status.gate:
            lines.append(line((f"◆ gate    {visible(status.gate)}", "accent")))
    lines += _times(wave)
    approval = view.approvals.get(wave.name)
    if approval:
        words = f"✔ {visible(approval.who)}, {short_time(approval.at)}"
        lines.append(line(("approved  ", "dim"), (words, "good")))
    else:
        lines.append(
            line(("approved  ", "dim"), ("○ not yet: ", "warn"), f"wherry plan approve {visible(wave.name)}")
        )
    lines.append(line(("digest    ", "dim"), (wave.fingerprint[:16], "dim")))
    if wave.why:
        lines += [line(""), _heading("why this wave"), line(visible(wave.why))]
    lines += _findings(wave, view, session)
    return stack(lines)


def _times(wave: Wave) -> list[Content]:
    down, seed = wave.estimate.downtime_min, wave.estimate.seed_h
    lines = []
    if wave.window is None:
        lines.append(line(("window    ", "dim"), ("none: it may cut over at any time", "warn")))
    else:
        lines.append(line(("window    ", "dim"), window_span(wave.window)))
    lines.append(line(("downtime  ", "dim"), f"P50 / P95  {spread_minutes(down.p50, down.p95)}"))
    seeds = f"P50 / P95  {show_duration(seed.p50 * 3600)} / {show_duration(seed.p95 * 3600)}"
    lines.append(line(("seed      ", "dim"), seeds))
    if wave.window is not None:
        fits = down.p95 <= wave.window.hours * 60
        lines.append(
            line(
                ("          ", ""),
                ("✔ P95 fits the window", "good") if fits else ("✖ P95 is longer than the window", "bad"),
            )
        )
    return lines


def _findings(wave: Wave, view: View, session: Session) -> list[Content]:
    lines = [line(""), _heading("findings")]
    if view.tallies is None:
        words = {"running": "checks are running …", "stale": "checks are not current: run 'wherry check'"}
        return [*lines, line((words.get(view.judging, "reading …"), "dim"))]
    order = list(Severity)
    found = [
        finding
        for vm in wave.vms
        if view.tallies.get(vm.id) != (0, 0, 0)  # most have none: not asked one by one
        for finding in session.findings_of(vm.id)
    ]
    for finding in sorted(found, key=lambda item: order.index(item.severity)):
        mark = severity_mark(finding.severity.value)
        lines.append(line((f"{mark.glyph} ", mark.tone), visible(finding.message)))
        lines.append(line(f"  → {visible(finding.remedy)}"))
    undecided = view.wave_tallies.get(wave.name, (0, 0, 0))[2]
    if undecided:
        lines.append(
            line((f"? {plural(undecided, 'check')} could not be decided: see 'wherry check'", "dim"))
        )
    return lines if found or undecided else [*lines, line(("✔ none", "good"))]
