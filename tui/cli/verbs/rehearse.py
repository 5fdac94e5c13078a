"""wherry rehearse: many runs of a wave on the simulated twin."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from migrate.rehearsal import Rehearsal

_NAMED = 3  # runs that one sentence names


@click.command(epilog="Examples: wherry rehearse W01; wherry rehearse W01 --runs 500 --fault power_on")
@click.argument("wave")
@click.option("--runs", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same report.")
@click.option(
    "--fault", default="", metavar="CALL", help="Let a call of the target site fail, like power_on."
)
@project_option
@json_option
def command(wave: str, runs: int, seed: int, fault: str, project_dir: Path, as_json: bool) -> int:
    """Run the wave's runbook many times on modelled time. Nothing is touched, no bytes move."""
    from tui.acts.rehearsing import rehearse
    from tui.cli.progress import Bar

    with open_project(project_dir) as project, Bar(in_bytes=False) as bar:
        bar.begin(f"rehearsing {wave}")
        report = rehearse(project, wave, runs=runs, seed=seed, fault=fault, report=bar.report)
    if as_json:
        data(asdict(report))
    else:
        show(report)
    return 0


def show(report: Rehearsal) -> None:
    """Print a rehearsal's report."""
    from planner.names import visible
    from planner.units import show_duration

    what = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    line(f"{report.wave}: {report.runs} runs of {report.steps} steps on the twin: {what}")
    table(
        ("part", "p50", "p95"),
        [
            ("seed and deltas", show_duration(report.seed.p50), show_duration(report.seed.p95)),
            ("cutover", show_duration(report.cutover.p50), show_duration(report.cutover.p95)),
            *(
                [("longest outage", show_duration(report.down.p50), show_duration(report.down.p95))]
                if report.down
                else []
            ),
            *(
                [("going back", show_duration(report.back.p50), show_duration(report.back.p95))]
                if report.back
                else []
            ),
        ],
    )
    if report.fits is not None and report.window_s is not None:
        line(f"{report.fits:.0%} of the runs committed within the window of {show_duration(report.window_s)}")
    line(f"worst run: {show_duration(report.worst.cutover_s)}, most of it {visible(report.worst.slowest)}")
    for step in report.slowest[:3]:
        line(
            f"  slow: {visible(step.title)}, {show_duration(step.time.p50)} / {show_duration(step.time.p95)}"
        )
    for title, count in report.failed_at.items():
        line(f"  failed at: {visible(title)} in {count} runs")
    if report.measured:
        runs = ", ".join(report.measured[-_NAMED:]) + (", …" if len(report.measured) > _NAMED else "")
        say(f"rates are as runs measured them ({runs}), all other times are modelled")
    else:
        say("times are modelled")
    say("what is touched: nothing")
