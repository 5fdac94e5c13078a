"""wherry export: plan and run reports for people to read and sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line

if TYPE_CHECKING:
    from planner.store.project import Project


class _WithFormats(click.Command):
    """A command whose help lists the formats there are; they are looked up when it is asked for."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from planner.export.formats import BUNDLES, FORMATS

        whole = "all csv-... formats, and the assignment of VMs to waves, which can be read back"
        rows = [(name, whole if name in BUNDLES else item.title) for name, item in FORMATS.items()]
        with formatter.section("Formats"):
            formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


@click.command(
    cls=_WithFormats,
    epilog="Examples: wherry export; wherry export xlsx --to /tmp; wherry export csv; wherry export luns",
)
@click.argument("formats", nargs=-1, metavar="[FORMAT...]")
@click.option("--to", "target", type=click.Path(path_type=Path, file_okay=False),
              help="Directory to write to; default: the project's exports.")  # fmt: skip
@click.option("--wave", "waves", multiple=True, metavar="WAVE",
              help="Only this wave; may be said again. For markdown, ics and other movers.")  # fmt: skip
@project_option
@json_option
def command(
    formats: tuple[str, ...], target: Path | None, waves: tuple[str, ...], project_dir: Path, as_json: bool
) -> None:
    """Write the newest plan, and a report of every wave that has a run, and of its way home.

    Default: xlsx, markdown and json. The LUN request needs no plan: a plan may wait for its LUNs.
    """
    from planner.errors import BadInput, NotFound
    from planner.export.formats import BUNDLES, FORMATS, OF_WAVES, of_waves
    from planner.store import plans
    from tui.acts.exporting import note_written

    asked = formats or ("ics",) * bool(waves) or ("xlsx", "markdown", "json")
    for name in asked:
        if name not in FORMATS:
            raise NotFound(f"format {name!r} does not exist", f"use one of: {', '.join(FORMATS)}")
    wanted = tuple(dict.fromkeys(part for name in asked for part in BUNDLES.get(name, (name,))))
    if waves and (whole := [name for name in wanted if name not in OF_WAVES]):
        raise BadInput(f"{whole[0]} is of a whole plan", f"some waves alone have: {', '.join(OF_WAVES)}")
    with open_project(project_dir) as project:
        planless = wanted == ("luns",) and plans.find_latest(project) is None
        if not planless:
            of_waves(plans.latest(project).plan, waves)  # says so before a folder is made, when there is none
        folder = target or project.root / "exports"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{folder} cannot be made: {error.strerror}", "name another directory") from error
        if planless:
            written = [_lun_request(project, folder)]
        else:
            written = [*_plan(project, wanted, folder, waves), *_reports(project, wanted, folder, waves)]
        note_written(project, written, waves)
    if as_json:
        data([str(path) for path in written])
    else:
        for path in written:
            line(str(path))


def _plan(
    project: Project, formats: tuple[str, ...], folder: Path, waves: tuple[str, ...] = ()
) -> list[Path]:
    from planner.export.formats import beside, export_plan
    from planner.readiness import judge, situation, today
    from planner.store import plans
    from tui.acts.exporting import inputs_of
    from tui.cli.progress import Bar

    stored = plans.latest(project)
    formats = beside(formats, stored.plan)
    written = []
    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        at = situation(project)
        inputs = inputs_of(project, stored.plan, at, judge(at, today(), progress=bar.report))
        for number, format in enumerate(formats):
            bar.say(f"writing {format} …")  # the longest takes some seconds, and nobody counts them
            bar.begin(f"writing {format}")
            bar.report(number, len(formats))
            written.append(export_plan(stored.plan, **inputs, format=format, target=folder, waves=waves))
    return written


def _lun_request(project: Project, folder: Path) -> Path:
    from planner.export.formats import FORMATS, write_atomically
    from planner.export.luns import request_workbook
    from planner.readiness import situation

    at = situation(project)
    chosen = FORMATS["luns"]
    path = folder / f"{chosen.name}{chosen.suffix}"
    write_atomically(path, request_workbook(at.inventory, at.settings))
    return path


def _reports(project: Project, formats: tuple[str, ...], folder: Path, waves: tuple[str, ...]) -> list[Path]:
    """Write a report of the newest run of each wave, and one of its way home; return the files.

    Waves that the newest plan no longer has are among them, unless some ``waves`` alone are wanted.
    """
    from migrate.papers.formats import WRITERS
    from migrate.papers.report import run_report
    from migrate.papers.statements import audit_head
    from migrate.run.store import RunKind
    from migrate.run.waves import waves_with_runs
    from planner.export.formats import of_waves, write_atomically
    from planner.store import plans

    wanted = [WRITERS[format] for format in formats if format in WRITERS]
    marks = {RunKind.WAVE: "", RunKind.FAILBACK: "-failback"}
    ran = {kind: waves_with_runs(project, kind) for kind in marks} if wanted else {}
    if not any(ran.values()):
        return []
    written, head = [], audit_head(project)
    planned = of_waves(plans.latest(project).plan, waves) if waves else plans.latest(project).plan
    names = [wave.name for wave in planned.waves]
    for name in names if waves else dict.fromkeys((*names, *ran[RunKind.WAVE])):
        for kind, mark in marks.items():
            if name in ran[kind]:
                report = run_report(project, name, kind, head)
                for write, suffix in wanted:
                    path = folder / f"report-{name}{mark}{suffix}"
                    write_atomically(path, write(report))
                    written.append(path)
    return written
