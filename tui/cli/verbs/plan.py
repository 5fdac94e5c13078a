"""wherry plan: make, show, import and approve plans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.interrupts import first_interrupt
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.scorecard import scored, show_card
from tui.cli.verbs import plan_apply, plan_diff, plan_edits, plan_whatif, plan_why
from tui.cli.verbs.plan_csv import command as import_csv
from tui.cli.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.plan import Plan, Wave
    from planner.store.plans import StoredPlan
    from planner.store.project import Project

_NAMED = 4  # VMs that one line names


@click.group(
    cls=Words,
    invoke_without_command=True,
    epilog="Examples: wherry plan; wherry plan --effort thorough --seed 7; wherry plan show W01; "
    "wherry plan approve W01; wherry plan import FILE",
)
@click.option(
    "--effort",
    type=click.Choice(("quick", "normal", "thorough")),
    default="normal",
    show_default=True,
    help="How long to look for better waves. Steps are counted, not seconds.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=1,
    show_default=True,
    help="Of everything that is drawn: the same seed gives the same plan on any machine.",
)
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, effort: str, seed: int, project_dir: Path, as_json: bool) -> None:
    """Make a plan from the newest inventory and the settings; without a subcommand.

    Ctrl-C ends the search and keeps the best plan so far; a second one ends wherry.
    """
    if ctx.invoked_subcommand is not None:
        return
    from migrate import audit
    from planner.effects import Effect
    from planner.store import approvals, plans

    with open_project(project_dir) as project, first_interrupt() as stopped:
        before = plans.find_latest(project)
        plan = _made(project, before, effort, seed, stopped.is_set)
        if before and _same(before.plan, plan):
            kept = before
        else:
            kept = plans.save(project, plan, audit.person())
            audit.note(
                project, Effect.EDIT_PLAN, "plan", f"plan {kept.version}", {"fingerprint": plan.fingerprint}
            )
            lost = approvals.ended(project, before.plan, plan) if before else ()
            if lost:
                more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
                say(f"approved no longer, as they changed: {', '.join(lost[:_NAMED])}{more}")
        _show(project, kept.version, kept.plan, as_json)
    if not as_json and kept.plan.waves:
        say(f"next: wherry plan approve, then wherry rehearse {kept.plan.waves[0].name}")


def _made(
    project: Project, before: StoredPlan | None, effort: str, seed: int, stopped: Callable[[], bool]
) -> Plan:
    """Make the plan, tell how it goes on stderr, and end the search at the first Ctrl-C."""
    from migrate.run.waves import under_way
    from planner.planning import make_plan
    from planner.readiness import situation
    from planner.store import edits, plans
    from planner.store.project import utc_now
    from planner.waves.arrange import Draw
    from tui.acts.editing import inputs_of
    from tui.cli import events
    from tui.cli.progress import Bar, tell_best

    at = situation(project)
    last = before.plan if before else None
    if last and (last.inventory, last.settings) == (at.fingerprint, at.settings.fingerprint):
        # Nothing new: stay near the same plan as it did, so that asking twice gives the same.
        last = plans.find_fingerprint(project, last.after) if last.after else None
    frozen = under_way(project, before) if before else ()
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        inputs = inputs_of(project, at, bar.report)
        bar.begin("looking for waves")
        heard: list[str] = []

        def report(best_gb: float, step: int, of: int) -> None:
            if events.are_told():
                bar.report(step, of)
                return
            said = f"looking for waves, best so far: {best_gb:.4g} GB cross the line"
            if [said] != heard[-1:]:
                heard.append(said)
                bar.begin(said)
            bar.report(step, of)

        plan = make_plan(
            **inputs,
            project=project.name,
            inventory_fingerprint=at.fingerprint,
            created_at=utc_now(),
            last=before.plan if before and frozen else last,
            frozen=frozen,
            edits=edits.in_force(project),
            draw=Draw(seed=seed, effort=effort, report=report, found=tell_best, stop=stopped),
        )
        bar.end()
    if stopped():
        say("stopped: this is the best plan until then")
    return plan


def _same(old: Plan, new: Plan) -> bool:
    """Return whether two plans say the same, when they were made and which one they stayed near aside."""
    alike = old.model_copy(update={"created_at": new.created_at, "after": new.after})
    return alike.fingerprint == new.fingerprint


def _show(project: Project, version: int, plan: Plan, as_json: bool) -> None:
    from planner.names import visible
    from planner.sized import show_size, size_of
    from planner.store import approvals

    given = approvals.valid(project, plan)
    aged = _aged(project, plan)
    unsized = _unsized(project, plan)
    if as_json:
        data(
            {
                "version": version,
                "older_inventory": aged,
                "unknown_size": sorted(unsized),
                "fingerprint": plan.fingerprint,
                "plan": plan.model_dump(mode="json", by_alias=True),
                "score": plan.score.model_dump(),
                "waves": {wave.name: wave.fingerprint for wave in plan.waves},
                "approvals": {name: {"who": item.who, "at": item.at} for name, item in given.items()},
            }
        )
        return
    line(f"plan {version}, fingerprint {plan.fingerprint[:16]}…")
    table(
        ("wave", "title", "vms", "size", "window", "downtime p50/p95", "approved by"),
        (
            (
                wave.name,
                visible(wave.title, 48),
                len(wave.vms),
                show_size(size_of(wave.size_bytes, wave.name not in unsized)),
                f"{wave.window.start_utc:%Y-%m-%d %H:%M} UTC" if wave.window else "–",
                "unknown" if wave.name in unsized else _downtime(wave),
                given[wave.name].who if wave.name in given else "–",
            )
            for wave in plan.waves
        ),
    )
    line(scored(plan))
    show_card(plan)
    for said in plan.by_hand:
        line(f"  by hand: {visible(said)}")
    if aged:
        line(f"  note: {aged}")
    for note in plan.notes:
        line(f"  note: {visible(note)}")
    reasons: dict[str, list[str]] = {}
    for vm in plan.unplanned:
        reasons.setdefault(vm.why, []).append(visible(vm.name))
    for why, names in reasons.items():
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        line(f"  not planned: {', '.join(names[:_NAMED])}{more}: {visible(why)}")


def _downtime(wave: Wave) -> str:
    return f"{wave.estimate.downtime_min.p50:.0f} / {wave.estimate.downtime_min.p95:.0f} min"


def _unsized(project: Project, plan: Plan) -> frozenset[str]:
    """Return the waves whose disks are not all known; the inventory is read only where it has to be."""
    from planner.sized import diskless, is_sized
    from planner.store import inventories

    if not any(diskless(wave) or any(disk.size_bytes <= 0 for disk in wave.disks) for wave in plan.waves):
        return frozenset()
    made_on = inventories.find_fingerprint(project, plan.inventory)
    held = inventories.get(project, made_on.id).inventory if made_on else None
    vms = {vm.id: vm for vm in held.vms} if held else {}
    gaps = held.gaps if held else ()
    return frozenset(wave.name for wave in plan.waves if not is_sized(wave, vms, gaps))


def _aged(project: Project, plan: Plan) -> str:
    """Return what has drifted since the inventory the plan was made on, empty when it is the newest."""
    from planner import drift
    from planner.store import inventories

    newest = inventories.find_summary(project)
    if newest is None or newest.fingerprint == plan.inventory:
        return ""
    made_on = inventories.find_fingerprint(project, plan.inventory)
    if made_on is None:
        return "the plan was made on an inventory that this project does not hold: plan again"
    found = drift.drift(
        inventories.get(project, made_on.id).inventory, inventories.get(project, newest.id).inventory
    )
    planned = {vm.id for wave in plan.waves for vm in wave.vms}
    touched = sum(item.kind == "vms" and item.id in planned for item in found.objects)
    return (
        f"the plan was made on inventory {made_on.id}, {newest.id} is the newest: {drift.summary(found)}; "
        f"{touched} planned VMs are touched: 'wherry inventory diff {made_on.id}', then plan again"
    )


def _show_wave(wave: Wave, sized: bool) -> None:
    from planner.export.printout import show_window
    from planner.names import visible
    from planner.sending import spoken
    from planner.units import show_bytes, show_duration

    names = {vm.id: visible(vm.name) for vm in wave.vms}
    line(f"{wave.name}  {visible(wave.title)}")
    line(f"  window       {show_window(wave.window)}")
    line(f"  fingerprint  {wave.fingerprint[:16]}…")
    for group in wave.groups:
        line(f"  group {visible(group.name)}: {', '.join(names[vm] for vm in group.vms)}")
        for reason in group.reasons:
            pair = " and ".join(names.get(vm, visible(vm)) for vm in (reason.a, reason.b))
            line(f"    {pair}: {visible(reason.why)}")
    if wave.tasks:
        effort = show_duration(60 * wave.effort_min)
        line(f"  tasks before it: {len(wave.tasks)}, {effort} of work, see 'wherry remedy {wave.name}'")
    line("  boot order")
    for number, batch in enumerate(wave.boot, 1):
        line(f"    {number}. {', '.join(names[vm] for vm in batch)}")
    line("  disks")
    if not sized:
        line("    not all are known, so size and times of this wave are unknown")
    for disk in wave.disks:
        holders = ", ".join(
            f"{names.get(item.vm, item.vm)} {visible(item.label)}" for item in disk.attachments
        )
        line(f"    {holders}: {show_bytes(disk.size_bytes)}, {disk.source.value} → {disk.target.value}"
             f" ({visible(disk.rule)})")  # fmt: skip
        if disk.decision:
            line(f"      sent {disk.send.value}, {spoken(disk.decision)}")
    _show_addresses(wave)


def _show_addresses(wave: Wave) -> None:
    """Show the addresses that guests get; those that keep theirs are left out."""
    from planner.names import visible

    if wave.conduct.nics:
        line("  addresses of guests")
    for nic in wave.conduct.nics:
        for way, said in nic.ways:
            by_hand = f" (by hand: {visible(nic.by_hand)})" if nic.by_hand and way != "test" else ""
            vm = visible(wave.vm(nic.vm).name)
            line(f"    {vm} {visible(nic.nic)}, {way}: {visible(said.words, 200)}{by_hand}")


@command.command("show", epilog="Examples: wherry plan show; wherry plan show W01; wherry plan show --json")
@click.argument("wave", required=False)
@project_option
@json_option
def show(wave: str | None, project_dir: Path, as_json: bool) -> None:
    """Show the newest plan, or everything about one of its waves."""
    from planner.store import plans

    with open_project(project_dir) as project:
        stored = plans.latest(project)
        if wave is None:
            _show(project, stored.version, stored.plan, as_json)
        elif as_json:
            found = stored.plan.wave(wave)
            data({**found.model_dump(mode="json"), "fingerprint": found.fingerprint})
        else:
            chosen = stored.plan.wave(wave)
            _show_wave(chosen, chosen.name not in _unsized(project, stored.plan))


@command.command("import", epilog="Example: wherry plan import exports/plan.json")
@click.argument("file", type=click.Path(path_type=Path))
@project_option
@json_option
def import_file(file: Path, project_dir: Path, as_json: bool) -> None:
    """Store a plan file as the newest plan. One that was edited is refused."""
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.plan_file import load_plan
    from planner.store import inventories, plans

    plan = load_plan(file)
    with open_project(project_dir) as project:
        known = inventories.summary(project).fingerprint
        if plan.inventory != known:
            raise BadInput(
                f"{file} was made on another inventory than this project's newest",
                "discover the same estate first, or make a plan here",
            )
        stored = plans.save(project, plan, audit.person())
        audit.note(project, Effect.EDIT_PLAN, "plan import", f"plan {stored.version}",
                   {"fingerprint": plan.fingerprint})  # fmt: skip
        _show(project, stored.version, stored.plan, as_json)


@command.command("approve", epilog="Examples: wherry plan approve; wherry plan approve W01 W02")
@click.argument("waves", nargs=-1, metavar="[WAVE...]")
@project_option
@json_option
def approve(waves: tuple[str, ...], project_dir: Path, as_json: bool) -> None:
    """Approve waves of the newest plan, all of them if none is named.

    Recorded are who, when and a digest of exactly what each wave will do. Changing a wave voids its
    approval; changing another one does not.
    """
    from tui.acts.approving import approve as give

    with open_project(project_dir) as project:
        given = give(project, waves)
    if as_json:
        data([{"wave": item.wave, "fingerprint": item.fingerprint, "who": item.who, "at": item.at}
              for item in given])  # fmt: skip
    else:
        for item in given:
            line(f"{item.wave} approved by {item.who}, {item.fingerprint[:16]}…")


command.add_command(import_csv)
command.add_command(plan_apply.apply_edits)
for _part in (plan_why, plan_whatif, plan_diff, plan_edits):
    for _word in _part.COMMANDS:
        command.add_command(_word)
