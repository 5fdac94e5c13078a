"""wherry run eta: how long it is to the commit gate of a wave's run."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line


@click.command(epilog="Examples: wherry run eta W01; wherry run eta W01 --json")
@click.argument("wave")
@project_option
@json_option
def command(wave: str, project_dir: Path, as_json: bool) -> None:
    """Say how long it is to the commit gate of WAVE, P50 and P95, and how much later than was expected at go.

    Steps not done take what they take on the twin, at the pace of this run; disks under way what they say
    themselves. It is 7 Cutover's "to go".
    """
    from migrate.run.waves import find_wave
    from planner.errors import Blocked
    from planner.names import visible
    from planner.units import show_duration
    from tui.live.reader import Reader
    from tui.sheets import Sheets

    moment = datetime.now(UTC)
    with open_project(project_dir) as project, closing(Sheets(project.root)) as sheets:
        sheet = sheets.now(wave, moment)
        found = None
        if sheet is None:
            find_wave(project, wave)  # or there is none of that name
        else:
            wave = sheet.run.wave
            now = Reader(project).look().wave(wave)
            sheets.expect(sheet)
            found = sheets.to_go(sheet, now.lefts if now is not None else {})
    if found is None:
        raise Blocked(
            f"{visible(wave, 80)} has no commit gate before it",
            f"see how it stands: wherry status {visible(wave, 80)}",
        )
    if as_json:
        data({"wave": wave, "at": moment.isoformat(), **asdict(found)})
        return
    left = f"{show_duration(found.p50_s)} P50, {show_duration(found.p95_s)} P95"
    if found.late_s is None:
        line(f"{visible(wave)}: from its go to the commit gate {left}")
        return
    ends = (moment + timedelta(seconds=one) for one in (found.p50_s, found.p95_s))
    line(f"{visible(wave)}: {left} to the commit gate, at {' / '.join(f'{end:%H:%M}' for end in ends)} UTC")
    if round(found.late_s):
        word = "later" if found.late_s > 0 else "earlier"
        line(f"{show_duration(abs(found.late_s))} {word} than was to be expected at go")
    if found.over:
        line(f"goes on for longer than ever on the twin: {visible(found.over, 200)}")
