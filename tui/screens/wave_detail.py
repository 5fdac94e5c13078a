"""The words about one wave: what it will do, and when, how long, who agreed and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache

from textual.content import Content

from planner.filling import load_of
from planner.model import Backing, Severity
from planner.names import visible
from planner.plan import PlannedDisk, PlannedGroup, Wave
from planner.sending import spoken
from planner.sized import AtLeast, show_size
from planner.units import show_bytes, show_duration
from tui.drawings.shares import Share, shares
from tui.hand import Hand, Laid
from tui.screens.waves_lines import LIMITS, WaveLine
from tui.screens.waves_offers import Offered
from tui.screens.waves_words import score_words
from tui.session import Session, View
from tui.text import line, plural, short_time, spread_minutes, stack, window_span
from tui.theme import severity_mark, state_mark

_BACKINGS = {Backing.VMDK: "VMDK", Backing.RDM_PHYSICAL: "RDM physical", Backing.RDM_VIRTUAL: "RDM virtual"}
_FEW = 8  # reasons shown of one group: a big group has hundreds that say the same
_NOTES = 20


def _heading(text: str) -> Content:
    return line((text, "accent"))


def describe_content(wave: Wave, size_bytes: int) -> Content:
    """Return groups with their reasons, boot batches, then disks: those that change backing first.

    ``size_bytes`` is ``AtLeast`` where not all disks are known.
    """
    names = {vm.id: visible(vm.name) for vm in wave.vms}
    lines = [_heading(plural(len(wave.groups), "group") + ", each moves as one")]
    for group in wave.groups:
        lines += _group(group, names)
    lines += [line(""), _heading("started in this order")]
    for number, batch in enumerate(wave.boot, 1):
        lines.append(line((f"{number:>3}  ", "dim"), "  ".join(names.get(vm, visible(vm)) for vm in batch)))
    if not wave.boot:
        lines.append(line(("  none: every VM stays off", "dim")))
    lines += [line(""), _heading("lands on"), *_landing(wave)]
    changing = [disk for disk in wave.disks if disk.converts]
    same = [disk for disk in wave.disks if not disk.converts]
    lines += [line(""), _heading(f"{plural(len(wave.disks), 'disk')}, {show_size(size_bytes)}")]
    for disk in (*changing, *same):
        lines += _disk(disk, names)
    return stack(lines)


def _landing(wave: Wave) -> list[Content]:
    """Return what each datastore of the target gets, the folders, and how much nobody mapped."""
    loads = sorted(load_of(wave).items(), key=lambda item: (-item[1], item[0]))
    lines = [
        line(f"  {visible(name)}", (f"  {show_bytes(size)} with swap files", "dim")) for name, size in loads
    ]
    bare = sum(not disk.datastore and not disk.target.is_rdm for disk in wave.disks)
    if bare:
        lines.append(line((f"  ? {plural(bare, 'disk')} not mapped: 0 maps datastores", "dim")))
    folders = Counter(vm.folder for vm in wave.vms if vm.folder)
    for folder, count in folders.most_common(_FEW):
        lines.append(line(f"  folder {visible(folder)}", (f"  {plural(count, 'VM')}", "dim")))
    if len(folders) > _FEW:
        lines.append(line((f"  and {plural(len(folders) - _FEW, 'more folder')}", "dim")))
    return lines


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
    shared += f"  → {visible(disk.datastore)}" if disk.datastore and not disk.target.is_rdm else ""
    if disk.decision:
        return [
            line(f"  {users}  ", (f"sent {disk.send.value}", "warn"),
                 (f"  {_BACKINGS[disk.source]} {show_bytes(disk.size_bytes)}{shared}", "dim")),
            line(("    ", "dim"), spoken(disk.decision)),
        ]  # fmt: skip
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


def describe_wave(
    now: WaveLine,
    wave: Wave | None,
    view: View,
    session: Session,
    hand: Hand | None,
    offered: Offered,
    width: int,
) -> list[Content]:
    """Return what was refused and what is broken, each beside its remedy; then limits, times, why, findings.

    ``now`` is the wave as it stands, ``wave`` as it was saved, None when it is in no saved plan.
    """
    laid = hand.rows.get(now.wave) if hand is not None else None
    lines = [*_offered(offered), *_broken(now, laid)]
    same = laid is not None and wave is not None and set(laid.groups) == {one.name for one in wave.groups}
    lines += _state(now, view, same)
    lines += _times(now)
    if laid is not None and laid.limits:
        items = [_share(limit, used, cap, whose) for limit, used, cap, whose in laid.limits]
        lines += [line(""), _heading("limits used"), *shares(items, width)]
    if wave is not None and wave.why:
        edited = " (as it was saved)" if now.edited else ""
        lines += [line(""), _heading(f"why this wave{edited}"), line(visible(wave.why, 500))]
    if wave is not None:
        lines += _findings(wave, view, session)
    return [*lines, *_plan(view, hand)]


def _offered(offered: Offered) -> list[Content]:
    """Return an edit that was refused, and fixes with their keys."""
    lines: list[Content] = []
    if offered.did:
        lines.append(line((f"✖ {visible(offered.did, 200)} breaks what must hold", "bad")))
        lines += [line("  ", visible(said, 300)) for said in offered.refused[:_FEW]]
        if len(offered.refused) > _FEW:
            lines.append(line((f"  and {plural(len(offered.refused) - _FEW, 'more rule')}", "dim")))
    for key, fix in zip(offered.keys, offered.fixes, strict=False):
        lines.append(line((f"  {key}  ", "accent"), fix.words))
    if offered.searching:
        lines.append(line(("  looking for what would do …", "dim")))
    elif offered.did and not offered.fixes:
        lines.append(line(("  no wave near would take it: m shows why not of each", "dim")))
    return [*lines, line("")] if lines else []


def _broken(now: WaveLine, laid: Laid | None) -> list[Content]:
    if laid is None:
        return []
    if not laid.violations:
        kept = [line(("✔ every rule is kept", "good"))]
        return [*kept, line(("▲ ", "warn"), visible(laid.whole, 500))] if laid.whole else kept
    return [line(("✖ ", "bad"), visible(said, 300)) for said in laid.violations]


def _share(limit: str, used: float, cap: float, whose: str) -> Share:
    """Return a limit to be drawn; of those that each owner, host, ... has, the fullest one's."""
    name = LIMITS.get(limit, limit) + (f" {whose}" if whose else "")
    show = (lambda value: show_bytes(round(value))) if "bytes" in limit else (lambda value: f"{value:,.4g}")
    return Share(name, used, cap, show)


def _state(now: WaveLine, view: View, same: bool) -> list[Content]:
    """Return where the wave is, who agreed, what exactly it is; ``same``: its groups are as they were."""
    status = (
        next((item for item in view.status.waves if item.name == now.wave), None) if view.status else None
    )
    lines: list[Content] = []
    if status is not None and not now.edited:
        mark = state_mark(status.state)
        since = f" since {short_time(status.since)}" if status.since else ""
        steps = f"  step {status.steps_done} of {status.steps_total}" if status.steps_total else ""
        lines.append(line(("state     ", "dim"), (visible(mark.text), mark.tone), visible(since) + steps))
        if status.flags:
            lines.append(line(("flags     ", "dim"), (", ".join(status.flags), "warn")))
        if status.current:
            lines.append(line(("now       ", "dim"), visible(status.current)))
        if status.gate:
            lines.append(line((f"◆ gate    {visible(status.gate)}", "accent")))
    approval = view.approvals.get(now.wave)
    row = next((wave for wave in view.waves if wave.name == now.wave), None)
    if now.edited:
        void = "; its approval is void then" if approval and not same else ""
        lines.append(line(("edited    ", "dim"), (f"● not saved: ^s saves it{void}", "accent")))
    elif approval:
        words = f"✔ {visible(approval.who)}, {short_time(approval.at)}"
        lines.append(line(("approved  ", "dim"), (words, "good")))
    else:
        lines.append(line(("approved  ", "dim"), ("○ not yet: ", "warn"), "A approves it"))
    if row is not None and not now.edited:
        lines.append(line(("digest    ", "dim"), (row.fingerprint[:16], "dim")))
    return lines


def _times(now: WaveLine) -> list[Content]:
    lines = []
    if now.window is None:
        lines.append(line(("window    ", "dim"), ("none: it may cut over at any time", "warn")))
    else:
        lines.append(line(("window    ", "dim"), window_span(now.window)))
    if isinstance(now.size_bytes, AtLeast) and now.vms:
        said = f"? not all disks are known: {show_size(now.size_bytes)} to move"
        return [*lines, line(("downtime  ", "dim"), (said, "dim"))]
    if now.downtime is None or now.seed_h is None:
        return [*lines, line(("downtime  ", "dim"), ("? not known before it is laid out", "dim"))]
    lines.append(line(("downtime  ", "dim"), f"P50 / P95  {spread_minutes(*now.downtime)}"))
    if now.window is not None:
        fits = now.downtime[1] <= now.window.hours * 60
        words = ("✔ P95 fits the window", "good") if fits else ("✖ P95 is longer than the window", "bad")
        lines.append(line("          ", words))
    if now.overrun:
        lines.append(line(("overrun   ", "dim"), f"{now.overrun:.0%} of draws do not end in the window"))
    seeds = " / ".join(show_duration(hours * 3600) for hours in now.seed_h)
    lines.append(line(("seed      ", "dim"), f"P50 / P95  {seeds}"))
    return lines


@lru_cache(4)
def _binds(card: str) -> str:
    return str(json.loads(card).get("binds", ""))


def _plan(view: View, hand: Hand | None) -> list[Content]:
    """Return the plan as a whole: score, what is unsaved, what was done by hand, notes."""
    plan = view.plan
    if plan is None:
        return []
    lines = [line(""), _heading(f"plan {plan.version}, {plan.fingerprint[:16]}")]
    if hand is not None:
        lines.append(line(score_words(hand)))
        lines += [line(("  ● ", "accent"), visible(did, 200)) for did in reversed(hand.unsaved)]
    if binds := _binds(plan.card):
        lines.append(line(("binds     ", "dim"), visible(binds, 300)))
    lines += [line(("by hand   ", "dim"), visible(said, 200)) for said in plan.by_hand[-_FEW:]]
    lines += [line(("note      ", "dim"), visible(said, 300)) for said in plan.notes[:_NOTES]]
    if len(plan.notes) > _NOTES:
        lines.append(line((f"          and {plural(len(plan.notes) - _NOTES, 'more note')}", "dim")))
    return lines


def _findings(wave: Wave, view: View, session: Session) -> list[Content]:
    lines = [line(""), _heading("findings")]
    if view.tallies is None:
        words = {
            "running": "checks are running …",
            "stale": "checks are not current: c in 9 Checks runs them",
        }
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
