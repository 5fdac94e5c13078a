"""wherry run course: what the runs of a wave did to one group, and when."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, table


@click.command(epilog="Examples: wherry run course W01/crm; wherry run course W01/crm --json")
@click.argument("group")
@project_option
@json_option
def command(group: str, project_dir: Path, as_json: bool) -> None:
    """Tell the course of GROUP through all runs of its wave: copies, cutover, commit, ways back and home.

    GROUP is WAVE/GROUP, or a WAVE of one group. It is the axis and the history of its page in 6 Replicate:
    --json has each stretch of copying, cutover or way back, and since when it ran at which site or was down.
    """
    from datetime import UTC, datetime

    from migrate.group_course import course_of
    from migrate.run.wave_groups import one_named
    from planner.names import visible

    with open_project(project_dir) as project:
        wave, _, name = one_named(project, group).title.partition("/")
        course = course_of(project, wave, name, datetime.now(UTC).isoformat())
    if as_json:
        data({"wave": wave, **asdict(course)})
        return
    if not course.happened:
        line(f"no run of {visible(wave)} was begun yet")
        return
    table(
        ("time (utc)", "run", "what", "who"),
        [
            (
                one.at[:19].replace("T", " "),
                one.run,
                f"{'✖ ' if one.ill else ''}{one.what}",
                visible(one.who, 60),
            )
            for one in course.happened
        ],
    )
    stay = course.stays[-1] if course.stays else None
    if stay is not None:
        line(f"{visible(name)} is {'down' if stay.where == 'down' else f'at the {stay.where}'}"
             f" since {stay.at[:19].replace('T', ' ')} UTC")  # fmt: skip
