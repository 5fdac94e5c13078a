"""wherry export: plan and run reports for people to read and sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.store.project import Project


@click.command(epilog="Examples: wherry export; wherry export xlsx --to /tmp; wherry export markdown csv")
@click.argument("formats", nargs=-1, metavar="[FORMAT...]")
@click.option("--to", "target", type=click.Path(path_type=Path, file_okay=False),
              help="Directory to write to; default: the project's exports.")  # fmt: skip
@project_option
@json_option
def command(formats: tuple[str, ...], target: Path | None, project_dir: Path, as_json: bool) -> None:
    """Write the newest plan, and a report for every wave that has a run.

    Formats: xlsx, markdown, json, csv (the plan's assignment only); default: the first three.
    """
    from planner.errors import BadInput, NotFound
    from planner.export.formats import FORMATS
    from planner.store import plans

    wanted = formats or ("xlsx", "markdown", "json")
    for name in wanted:
        if name not in FORMATS:
            raise NotFound(f"format {name!r} does not exist", f"use one of: {', '.join(FORMATS)}")
    with open_project(project_dir) as project:
        plans.latest(project)  # says so before a folder is made, when there is none
        folder = target or project.root / "exports"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{folder} cannot be made: {error.strerror}", "name another directory") from error
        written = [*_plan(project, wanted, folder), *_reports(project, wanted, folder)]
    if as_json:
        data([str(path) for path in written])
    else:
        for path in written:
            line(str(path))


def _plan(project: Project, formats: tuple[str, ...], folder: Path) -> list[Path]:
    from migrate.tasks import task_states
    from planner.export.formats import export_plan
    from planner.readiness import judge, situation, today
    from planner.store import approvals, plans
    from tui.cli.progress import Bar

    stored = plans.latest(project)
    at = situation(project)
    given = approvals.valid(project, stored.plan)
    written = []
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        readiness = judge(at, today(), progress=bar.report)
        for format in formats:
            bar.say(f"writing {format} …")  # the longest takes some seconds, and nobody counts them
            bar.begin(f"writing {format}")
            written.append(
                export_plan(
                    stored.plan,
                    inventory=at.inventory,
                    findings=readiness.findings,
                    unknown=readiness.unknown,
                    approvals={name: (item.who, item.at) for name, item in given.items()},
                    owners=at.settings.owners,
                    judged=_judged(project, at.fingerprint, stored.plan),
                    states={task: item.words for task, item in task_states(project).items()},
                    format=format,
                    target=folder,
                )
            )
    return written


def _judged(project: Project, fingerprint: str, plan: Plan) -> str:
    """Say of which inventory the findings are, empty when the plan was made on the same one."""
    from planner.store import inventories

    if fingerprint == plan.inventory:
        return ""
    newest = inventories.summary(project)
    made_on = inventories.find_fingerprint(project, plan.inventory)
    which = f"inventory {made_on.id}, taken {made_on.taken_at}" if made_on else "one that is not held here"
    return f"findings are of inventory {newest.id}, taken {newest.taken_at}; the plan was made on {which}"


def _reports(project: Project, formats: tuple[str, ...], folder: Path) -> list[Path]:
    from migrate.papers.formats import WRITERS
    from migrate.papers.report import run_report
    from migrate.run import store as runs
    from planner.export.formats import write_atomically
    from planner.store import plans

    written = []
    for wave in plans.latest(project).plan.waves:
        if runs.latest(project, wave.name) is None:
            continue
        report = run_report(project, wave.name)
        for format in formats:
            if format in WRITERS:
                write, suffix = WRITERS[format]
                path = folder / f"report-{wave.name}{suffix}"
                write_atomically(path, write(report))
                written.append(path)
    return written
