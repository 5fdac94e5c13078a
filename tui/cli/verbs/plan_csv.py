"""wherry plan import-csv: edited tables of the plan read back, as pins and windows in the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.imports.reread import Reread
    from planner.readiness import Situation
    from planner.settings import Settings
    from planner.store.plans import StoredPlan
    from planner.store.project import Project


@click.command(
    "import-csv",
    epilog="Examples: wherry plan import-csv exports/assignment.csv; "
    "wherry plan import-csv exports/waves.csv --check",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Say what it would change, and change nothing.")
@project_option
@json_option
def command(file: Path, check: bool, project_dir: Path, as_json: bool) -> None:
    """Read an edited assignment.csv, groups.csv or waves.csv; its header says which one it is.

    Groups that were put into another wave are pinned there, windows of waves are those of the table.
    Every wrong row is named; nothing is changed until all rows can be applied and a plan with them exists.
    """
    from migrate import audit
    from migrate.run.waves import under_way
    from planner.effects import Effect
    from planner.export.printout import Printout
    from planner.imports.reread import reread
    from planner.readiness import situation
    from planner.store import approvals, plans
    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        stored = plans.latest(project)
        at = situation(project)
        given = {name: (one.who, one.at) for name, one in approvals.valid(project, stored.plan).items()}
        printout = Printout(
            stored.plan,
            at.inventory,
            approvals=given,
            settings=at.settings,
            owners=at.settings.owners,
        )
        told = reread(file, printout, at.settings, under_way(project, stored))
        settings = settings_store.validate(told.onto(at.settings), file.name)
        changed = settings != at.settings
        if changed:
            _try(project, stored, at, settings)
            if not check:
                settings_store.save(project, settings, audit.person())
                audit.note(
                    project,
                    Effect.EDIT_PLAN,
                    "plan import-csv",
                    file.name,
                    {"fingerprint": settings.fingerprint},
                )
    _show(told, changed and not check, as_json)


def _try(project: Project, stored: StoredPlan, at: Situation, settings: Settings) -> None:
    """Make a plan with these settings, for the refusal that it may raise; it is kept nowhere."""
    from dataclasses import replace

    from migrate.run.waves import under_way
    from planner.planning import make_plan
    from planner.store import edits
    from planner.waves.arrange import Draw
    from tui.acts.editing import inputs_of
    from tui.cli.progress import Bar

    with Bar(in_bytes=False) as bar:
        bar.begin("looking for a plan with this table")
        make_plan(
            **inputs_of(project, replace(at, settings=settings)),
            project=project.name,
            inventory_fingerprint=at.fingerprint,
            created_at=at.inventory.taken_at,
            last=stored.plan,
            frozen=under_way(project, stored),
            edits=edits.in_force(project),
            draw=Draw(effort="quick", report=lambda best, step, of: bar.report(step, of)),
        )
        bar.end()


def _show(told: Reread, applied: bool, as_json: bool) -> None:
    from planner.export.printout import show_window
    from planner.names import visible
    from planner.units import show_count

    if as_json:
        data(
            {
                "table": told.table,
                "rows": told.rows,
                "applied": applied,
                "ignored": list(told.ignored),
                "unread": told.unread,
                "moved": [
                    {"group": item.group, "vms": list(item.vms), "before": item.before, "after": item.after}
                    for item in told.moved
                ],
                "dated": [
                    {
                        "wave": item.wave,
                        "before": item.before.model_dump(mode="json") if item.before else None,
                        "after": item.after.model_dump(mode="json"),
                    }
                    for item in told.dated
                ],
                "pins": [pin.model_dump() for pin in told.pins],
                "lifted": [pin.model_dump() for pin in told.lifted],
            }
        )
        return
    done = (
        f"{show_count(len(told.dated), 'wave')} dated anew"
        if told.table == "waves"
        else f"{show_count(len(told.moved), 'group')} moved"
    )
    line(f"{show_count(told.rows, 'row')} read, {done}")
    for item in told.moved:
        line(f"  {visible(item.group)}: {item.before} → {item.after}, {show_count(len(item.vms), 'VM')}")
    for one in told.dated:
        line(f"  {one.wave}: {show_window(one.before)} → {show_window(one.after)}")
    for pin in told.lifted:
        line(f"  no longer pinned: {visible(pin.what)} to {visible(pin.wave)}")
    if told.ignored:
        names = ", ".join(visible(name, 40) for name in told.ignored)
        say(f"not looked at, as no table of the plan has them: {names}")
    if told.unread:
        say(told.unread)
    if applied:
        say("next: wherry plan, which keeps it")
