"""The plan as Markdown: an overview, then one runbook for each wave, to read and to print.

All text from the estate is escaped: a name shows as it is written and never becomes a heading, a
link, an image, HTML or a table cell of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.export.escaping import escaped, table_lines
from planner.export.gates import go_no_go_1, go_no_go_2
from planner.export.printout import (
    Printout,
    Table,
    approvals,
    becomes,
    gib,
    landings,
    not_known,
    show_window,
    summary,
    tasks,
    unplanned,
    waves,
)
from planner.export.risks import risk_register
from planner.export.runbook import milestones, night, told, way_back
from planner.export.scorecard import in_short, score_card
from planner.export.template import roles
from planner.model import Severity
from planner.plan import Plan, PlannedVM, Wave
from planner.units import show_count

_WHOLE = 20_000  # VMs of a plan up to which all runbooks stand in one paper
_RUNBOOKS = 2_000  # VMs in the runbooks of a larger one: more than anybody reads


def _section(title: str, table: Table, level: str = "###") -> Iterator[str]:
    yield f"{level} {title}"
    yield ""
    yield from table_lines(table.columns, table.rows)


def _risks(printout: Printout) -> Iterator[str]:
    """Yield the register without what stands elsewhere in the paper."""
    table = risk_register(printout)
    left = [table.columns.index(name) for name in ("Probability", "Impact", "From", "What it rests on")]
    kept = [at for at in range(len(table.columns)) if at not in left]
    yield "## Risks"
    yield ""
    yield "Weight is probability times impact, each from 1 to 5: high from 15, medium from 8."
    yield ""
    rows = [tuple(row[at] for at in kept) for row in table.rows]
    yield from table_lines([table.columns[at] for at in kept], rows)


def _overview(printout: Printout) -> Iterator[str]:
    yield f"# Migration plan: {escaped(printout.plan.project)}"
    yield ""
    yield from (f"- {escaped(said)}" for said in in_short(printout))
    yield ""
    table = summary(printout)
    yield from table_lines(table.columns, [row for row in table.rows if not str(row[0]).startswith("Note ")])
    yield from _section("Score card", score_card(printout), "##")
    yield from _section("Waves", waves(printout), "##")
    yield from _risks(printout)
    yield "## Roles"
    yield ""
    yield "D drives it, A approves it, C contributes, I is informed. Write names into the first line."
    yield ""
    table = roles()
    yield from table_lines(table.columns, table.rows)
    if printout.plan.notes:
        yield "## Notes"
        yield ""
        yield from (f"- {escaped(note)}" for note in printout.plan.notes)
        yield ""
    table = not_known(printout)
    if table.rows:
        yield "## Not known"
        yield ""
        yield "What the source did not say is neither good nor bad; find out before the wave is approved."
        yield ""
        yield from table_lines(table.columns, table.rows)
    yield "## Approvals"
    yield ""
    table = approvals(printout)
    yield from table_lines(table.columns, table.rows)
    if printout.plan.unplanned:
        yield "## VMs in no wave"
        yield ""
        table = unplanned(printout)
        yield from table_lines(table.columns, table.rows)


def _members(printout: Printout, wave: Wave) -> Iterator[str]:
    known = printout.vms
    group_of = {vm: group.name for group in wave.groups for vm in group.vms}
    lands = landings(wave)
    rows = []
    for vm in wave.vms:
        seen = known.get(vm.id)
        networks = ", ".join(f"{nic.source} → {nic.target}" for nic in vm.nics)
        rows.append(
            (
                vm.name,
                group_of.get(vm.id, ""),
                seen.application if seen else "",
                seen.tier if seen else "",
                printout.owner(seen),
                "runs" if vm.powered_on else "stays off",
                networks,
                *lands[vm.id],
            )
        )
    yield "### Members"
    yield ""
    columns = ("VM", "Group", "Application", "Tier", "Owner", "Power", "Networks", "Datastores", "Folder")
    yield from table_lines(columns, rows)
    reasons = [(group.name, reason) for group in wave.groups for reason in group.reasons]
    if reasons:
        names = {vm.id: vm.name for vm in wave.vms}
        yield "### Why they move together"
        yield ""
        for group, reason in reasons:
            a, b = names.get(reason.a, reason.a), names.get(reason.b, reason.b)
            yield f"- **{escaped(group)}**: {escaped(a)} and {escaped(b)}: {escaped(reason.why)}"
        yield ""


def _boot(wave: Wave, names: dict[str, PlannedVM]) -> Iterator[str]:
    yield "### Boot order"
    yield ""
    yield "Stop in the reverse order."
    yield ""
    for number, batch in enumerate(wave.boot, 1):
        yield f"{number}. {', '.join(escaped(names[vm].name) for vm in batch)}"
    if not wave.boot:
        yield "No VM of this wave runs."
    yield ""


def _addresses(wave: Wave, names: dict[str, PlannedVM]) -> Iterator[str]:
    rows = [
        (names[nic.vm].name, nic.nic, way, said.words, nic.by_hand)
        for nic in wave.conduct.nics
        for way, said in nic.ways
    ]
    if rows:
        yield "### Addresses of guests"
        yield ""
        yield from table_lines(("VM", "Adapter", "When", "Gets", "By hand, because"), rows)


def _disks(wave: Wave, names: dict[str, PlannedVM]) -> Iterator[str]:
    yield "### Disks"
    yield ""
    rows = []
    for disk in wave.disks:
        users = ", ".join(f"{names[item.vm].name}/{item.label or item.disk}" for item in disk.attachments)
        source = f"{disk.source.value} on {disk.source_lun}" if disk.source_lun else disk.source.value
        rows.append((users, gib(disk.size_bytes), source, becomes(disk), disk.send.value, disk.rule))
    yield from table_lines(("Disk", "GiB", "Is", "Becomes", "Travels", "Rule"), rows)
    for disk in wave.disks:
        users = ", ".join(f"{names[item.vm].name}/{item.label or item.disk}" for item in disk.attachments)
        for said in (disk.proof, *disk.mind):
            if said:
                yield f"- {escaped(users)}: {escaped(said)}"
    yield ""


def _findings(printout: Printout, wave: Wave) -> Iterator[str]:
    weight = list(Severity)
    mine = sorted(
        (item for vm in wave.vms for item in printout.found.get(vm.id, ())),
        key=lambda item: (weight.index(item.severity), item.subject_name, item.check),
    )
    yield "### Findings"
    yield ""
    if not mine:
        yield "None."
        yield ""
        return
    rows = [
        (f"waived ({item.severity.value})" if item.waiver else item.severity.value,
         item.subject_name, item.message, item.waiver or item.remedy)
        for item in mine
    ]  # fmt: skip
    yield from table_lines(("Severity", "VM", "Finding", "Remedy or waiver"), rows)


def _tasks(printout: Printout, wave: Wave) -> Iterator[str]:
    yield "### Before the wave"
    yield ""
    if not wave.tasks:
        yield "No task."
        yield ""
        return
    hours = f"{wave.effort_min / 60:.1f} h of work, {show_count(wave.outages, 'VM')} with an outage"
    yield f"{show_count(len(wave.tasks), 'task')}, {hours}."
    yield ""
    table = tasks(printout, wave)
    yield from table_lines(table.columns[1:], [row[1:] for row in table.rows])


def _runbook(printout: Printout, wave: Wave) -> Iterator[str]:
    names = {vm.id: vm for vm in wave.vms}
    seed, down = wave.estimate.seed_h, wave.estimate.downtime_min
    policies = wave.policies
    yield f"## {escaped(wave.name)}: {escaped(wave.title)}"
    yield ""
    yield f"- Window: {escaped(show_window(wave.window))}"
    yield f"- Approval: {escaped(printout.approval(wave))}"
    yield f"- Wave fingerprint: `{wave.fingerprint}`"
    if printout.sized(wave):
        yield f"- Seed: {seed.p50:.2f} h (P50), {seed.p95:.2f} h (P95)"
        yield f"- Downtime: {down.p50:.1f} min (P50), {down.p95:.1f} min (P95), whole disks compared"
    else:
        yield "- Seed and downtime: unknown, for not all disks of its VMs are known"
    yield f"- Time to decide after cutover: {policies.commit_window_h:g} h, source VMs stay powered off"
    yield ""
    yield from _members(printout, wave)
    yield from _boot(wave, names)
    yield from _disks(wave, names)
    yield from _addresses(wave, names)
    yield from _findings(printout, wave)
    yield from _tasks(printout, wave)
    yield from _section("Days", milestones(wave))
    yield from _section("Go or no-go 1 (T-7)", go_no_go_1(printout, wave))
    yield from _section("Go or no-go 2 (T-0)", go_no_go_2(printout, wave))
    yield from _section("Steps", night(printout, wave))
    yield "### Way back"
    yield ""
    yield (
        "Until commit the VMs at the source are only powered off. A rollback stops the VMs at the target, "
        "keeps what they wrote, and starts those at the source again. After commit there is no rollback."
    )
    yield ""
    table = way_back(printout, wave)
    yield from table_lines(table.columns, table.rows)
    yield from _section("Who is told what", told(printout, wave))
    yield "### Sign-off"
    yield ""
    yield from table_lines(
        ("Role", "Name", "Date", "Signature"),
        [(role, "", "", "") for role in ("Owner of the applications", "Migration lead", "Change board")],
    )


def _first(plan: Plan) -> tuple[Wave, ...]:
    """Return the waves whose runbooks stand in the paper: all, or the first ones of a large plan."""
    if sum(len(wave.vms) for wave in plan.waves) <= _WHOLE:
        return plan.waves
    found, vms = 0, 0
    for wave in plan.waves:
        vms += len(wave.vms)
        if found and vms > _RUNBOOKS:
            break
        found += 1
    return plan.waves[:found]


def _left_out(plan: Plan, shown: int) -> Iterator[str]:
    left = plan.waves[shown:]
    if left:
        yield "## Runbooks"
        yield ""
        yield (
            f"This plan has more than {_WHOLE:,} VMs: the runbooks of its first {show_count(shown, 'wave')} "
            f"follow. The other {len(left):,} are written one by one, with "
            f"`wherry export markdown --wave {left[0].name}`."
        )
        yield ""


def _written(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def render(printout: Printout) -> bytes:
    """Return the document's bytes, UTF-8; of a very large plan with the runbooks of its first waves."""
    plan, shown = printout.plan, _first(printout.plan)
    books = (line for wave in shown for line in _runbook(printout, wave))
    return _written((*_overview(printout), *_left_out(plan, len(shown)), *books))


def runbooks(printout: Printout) -> bytes:
    """Return the runbooks of the waves there are, with nothing about the plan as a whole."""
    title = f"# Runbooks: {escaped(printout.plan.project)}"
    books = (line for wave in printout.plan.waves for line in _runbook(printout, wave))
    return _written((title, "", *books))
