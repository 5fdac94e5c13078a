"""wherry rehearse: a wave on the simulated twin, at the sites, or as a booted copy; and the book of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.names import visible
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say

if TYPE_CHECKING:
    from planner.store.project import Project

_EPILOG = (
    "Examples: wherry rehearse W01; wherry rehearse W01 --matrix; wherry rehearse W01 --fault power_on; "
    "wherry rehearse W01 --depth dry; wherry rehearse W01 --depth dry --against-run; "
    "wherry rehearse W01 --depth boot --live; wherry rehearse W01 --depth boot --checkpoint shop=57; "
    "wherry rehearse W01 --history"
)


@click.command(epilog=_EPILOG)
@click.argument("wave")
@click.option(
    "--depth",
    type=click.Choice(["twin", "dry", "boot"]),
    default="twin",
    show_default=True,
    help="twin: on modelled time. dry: ask the sites, change nothing. boot: start a copy in isolation.",
)
@click.option("--runs", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same report.")
@click.option("--fault", default="", metavar="CALL", help="Let a call of a site fail, like power_on.")
@click.option("--matrix", is_flag=True, help="One fault in each of most runs: every kind at every call.")
@click.option("--note", default="", metavar="TEXT", help="What people saw; it is kept with the rehearsal.")
@click.option("--history", is_flag=True, help="Show the rehearsals of the wave; --note adds to the newest.")
@click.option("--live", is_flag=True, help="Of boot: really make the copy; without this it is only said.")
@click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
@click.option("--checkpoint", "checkpoints", multiple=True, default=("latest",), show_default=True,
              metavar="[GROUP=]CHECKPOINT",
              help="Of boot: which one, by number or name. With GROUP= it is one of that group; of others "
              "it is the newest that is not newer. May be repeated.")  # fmt: skip
@click.option("--against-run", is_flag=True,
              help="Of dry: hold what was predicted against what the wave's run then did.")  # fmt: skip
@click.option("--cleanup", is_flag=True, help="Of boot: remove what an interrupted rehearsal left.")
@project_option
@json_option
def command(
    wave: str,
    depth: str,
    runs: int,
    seed: int,
    fault: str,
    matrix: bool,
    note: str,
    history: bool,
    live: bool,
    confirm: str | None,
    checkpoints: tuple[str, ...],
    against_run: bool,
    cleanup: bool,
    project_dir: Path,
    as_json: bool,
) -> int:
    """Rehearse a wave: its runbook many times on modelled time. Nothing is touched, no bytes move.

    With --depth dry the real sites are asked, reading only, and every call of the run is listed in order;
    --against-run shows afterwards where the run did something else, and ends with 3 then.
    With --depth boot the disks as they were at a checkpoint are copied, started under other names on isolated
    networks while replication goes on, probed, and removed again.
    Ends with 3 on findings: a run that went wrong or did not fit its window, a grave fault, or something in
    the way at a site.
    """
    with open_project(project_dir) as project:
        if history:
            return _history(project, wave, note, as_json)
        if against_run:
            return _against(project, wave, depth, as_json)
        if depth == "dry":
            return _dry(project, wave, note, as_json)
        if depth == "boot":
            return _boot(project, wave, note, live, confirm, checkpoints, cleanup, as_json)
        return _twin(project, wave, runs, seed, fault, matrix, note, as_json)


def _twin(
    project: Project, wave: str, runs: int, seed: int, fault: str, matrix: bool, note: str, as_json: bool
) -> int:
    from planner.errors import Blocked
    from tui.acts.rehearsing import rehearse
    from tui.cli.progress import Bar
    from tui.cli.rehearsals import show_twin

    with Bar(in_bytes=False) as bar:
        bar.begin(f"rehearsing {wave}")
        report = rehearse(
            project, wave, runs=runs, seed=seed, fault=fault, matrix=matrix, notes=note, report=bar.report
        )
    if as_json:
        data({**asdict(report), "clean": report.clean})
    else:
        show_twin(report)
    return 0 if report.clean or fault else Blocked.exit_code


def _dry(project: Project, wave: str, note: str, as_json: bool) -> int:
    from migrate.rehearsals import book
    from migrate.rehearsals.against import listed
    from migrate.rehearsals.dry import rehearse_dry
    from migrate.run.waves import find_wave
    from planner.errors import Blocked
    from tui.cli.rehearsals import show_dry

    standing = find_wave(project, wave)
    said = rehearse_dry(project, standing)
    verdict = book.Verdict.FINDINGS if said.findings else book.Verdict.CLEAN
    findings = [asdict(one) for one in said.findings]
    report = {"findings": findings, "calls": len(said.calls), book.LISTED: listed(said.calls)}
    book.write(
        project, said.wave, said.fingerprint, standing.stored.version, book.Depth.DRY, verdict, report, note
    )
    if as_json:
        data(asdict(said))
    else:
        show_dry(said)
    return Blocked.exit_code if said.findings else 0


def _against(project: Project, wave: str, depth: str, as_json: bool) -> int:
    from migrate.rehearsals.against import against_run
    from planner.errors import BadInput, Blocked
    from tui.cli.rehearsals import show_against

    if depth != "dry":
        raise BadInput("--against-run is of --depth dry", "give both")
    said = against_run(project, wave)
    if as_json:
        data(asdict(said))
    else:
        show_against(said)
    return Blocked.exit_code if said.differences else 0


def _boot(
    project: Project,
    wave: str,
    note: str,
    live: bool,
    confirm: str | None,
    checkpoints: tuple[str, ...],
    cleanup: bool,
    as_json: bool,
) -> int:
    from contextlib import closing

    from migrate.clock import SystemClock
    from migrate.rehearsals.booted import clean_up, prepare, rehearse_booted
    from migrate.rehearsals.defined import definitions
    from migrate.rehearsals.journalled import points_of
    from migrate.run.waves import find_wave
    from migrate.sites.opening import open_site
    from planner.errors import Blocked
    from planner.store import settings
    from tui.cli.acting import confirm_live
    from tui.cli.rehearsals import show_booted, show_prepared

    standing = find_wave(project, wave)
    name = standing.wave.name
    sites = settings.load(project)
    with closing(open_site(sites, "target", project.root)) as target:
        if cleanup:
            left = clean_up(project, name, target)
            if as_json:
                data({"wave": name, "removed": left})
            else:
                say(f"what {left} interrupted rehearsals of {visible(name)} left is removed")
            return 0
        if not live:
            with points_of(project, standing.wave, standing.history, checkpoints) as points:
                prepared = prepare(standing, target, points)
            if as_json:
                data({"wave": name, "live": False, **prepared.as_json()})
            else:
                show_prepared(standing.wave, prepared)
            return 0
        confirm_live(name, confirm, "rehearse")

        def tell(text: str) -> None:
            say(f"  {visible(text)}")

        with definitions(sites, project.root, tell) as define:
            said = rehearse_booted(project, standing, target, SystemClock(), tell, note, checkpoints, define)
    if as_json:
        data({**asdict(said), "clean": said.clean})
    else:
        show_booted(said)
    return 0 if said.clean else Blocked.exit_code


def _history(project: Project, wave: str, note: str, as_json: bool) -> int:
    from migrate.rehearsals import book
    from migrate.run.waves import find_wave
    from tui.cli.rehearsals import show_book

    standing = find_wave(project, wave).wave
    if note:
        book.add_note(project, standing.name, note)
    found = book.of_wave(project, standing.name)
    due = book.reminder(project, standing.name, standing.fingerprint)
    if as_json:
        data({"wave": standing.name, "reminder": due, "rehearsals": [asdict(one) for one in found]})
    else:
        show_book(found, due, standing.fingerprint)
    return 0
