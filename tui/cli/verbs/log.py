"""wherry log: the audit chain."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table


@click.command(epilog="Examples: wherry log; wherry log --since 2027-01-09; wherry log --verify")
@click.option("--verify", is_flag=True, help="Check the chain of digests; exit with 1 when it is broken.")
@click.option(
    "--since", default="", metavar="TIME", help="Only from this time on (UTC, like 2027-01-09T22:00)."
)
@project_option
@json_option
def command(verify: bool, since: str, project_dir: Path, as_json: bool) -> int:
    """Show who did what to what, and when."""
    from dataclasses import asdict

    from migrate import audit

    _check_time(since)
    with open_project(project_dir) as project:
        found = audit.lines(project, since)
        every = audit.lines(project) if verify else []
        broken = audit.broken_at(project) if verify else None
    if as_json:
        data({"lines": [asdict(item) for item in found], "verified": verify, "broken_at": broken})
    elif not verify:
        table(
            ("no", "at", "who", "effect", "act", "subject"),
            ((item.seq, item.at, item.who, item.effect, item.act, item.subject) for item in found),
        )
    if verify and not as_json:
        last = every[-1].digest[:16] if every else "none"
        if broken is None:
            line(
                f"the chain is whole: {len(every)} line{'' if len(every) == 1 else 's'}, last digest {last}…"
            )
        else:
            line(f"the chain is broken at line {broken}: it was changed, removed or inserted")
            say("find out who changed project.db, and compare with a backup or an exported report")
    return 0 if broken is None else 1


def _check_time(since: str) -> None:
    """Raise BadInput for what is no date; an empty text is none asked for."""
    from datetime import datetime

    from planner.errors import BadInput

    try:
        if since:
            datetime.fromisoformat(since)
    except ValueError as error:
        raise BadInput(f"{since!r} is not a time", "write it like 2027-01-09 or 2027-01-09T22:00") from error
