"""wherry verify: hash replicas again and compare with the record."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table


@click.command(epilog="Example: wherry verify W01")
@click.argument("wave")
@project_option
@json_option
def command(wave: str, project_dir: Path, as_json: bool) -> int:
    """Read every replica of WAVE at the target again; exit with 1 when one differs from the record."""
    from dataclasses import asdict

    from migrate.run.waves import find_wave
    from migrate.sites.opening import open_site
    from migrate.verification import Verdict, verify_wave
    from planner.store import settings as settings_store
    from tui.cli.progress import Bar

    with open_project(project_dir) as project, Bar() as bar:
        planned = find_wave(project, wave).wave
        target = open_site(settings_store.load(project), "target", project.root)
        found = verify_wave(project, planned, target, bar.report_on)
    wrong = sum(item.verdict in (Verdict.DIFFERS, Verdict.MISSING) for item in found)
    looked = sum(item.verdict in (Verdict.DIFFERS, Verdict.EQUAL) for item in found)
    if as_json:
        data([asdict(item) for item in found])
    else:
        table(
            ("disk", "verdict", "blake3", "proved by"),
            ((item.disk, item.verdict.value, item.recorded[:32], item.recorded_by) for item in found),
        )
        say(f"{looked} of {len(found)} replicas hashed again, {wrong} of them differ from the record")
        if wrong:
            say(f"next: do not cut over; wherry abort {planned.name} --live, then replicate again")
    return 1 if wrong else 0
