"""wherry log: the audit chain, or everything that is on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.store.project import Project


@click.command(
    epilog="Examples: wherry log; wherry log --since 2027-01-09; wherry log --verify; "
    "wherry log --all --filter 'wave:W03 act:failed'"
)
@click.option("--verify", is_flag=True, help="Check the chain of digests; exit with 1 when it is broken.")
@click.option(
    "--since", default="", metavar="TIME", help="Only from this time on (UTC, like 2027-01-09T22:00)."
)
@click.option("--all", "every", is_flag=True, help="Also what runs recorded of each step, and orders.")
@click.option(
    "--filter", "text", default="", metavar="TEXT", help="With --all: only acts that match, as in 8 Journal."
)
@project_option
@json_option
def command(verify: bool, since: str, every: bool, text: str, project_dir: Path, as_json: bool) -> int:
    """Show who did what to what, and when."""
    from dataclasses import asdict

    from migrate import audit
    from planner.errors import BadInput

    _check_time(since)
    if text and not every:
        raise BadInput("a filter is of all acts", "add --all")
    if every and verify:
        raise BadInput("--verify looks at the audit chain alone", "leave out --all")
    if every:
        with open_project(project_dir) as project:
            _show_all(project, since, text, as_json)
        return 0
    with open_project(project_dir) as project:
        found = audit.lines(project, since)
        whole = audit.lines(project) if verify else []
        broken = audit.broken_at(project) if verify else None
    if as_json:
        data({"lines": [asdict(item) for item in found], "verified": verify, "broken_at": broken})
    elif not verify:
        table(
            ("no", "at", "who", "effect", "act", "subject"),
            ((item.seq, item.at, item.who, item.effect, item.act, item.subject) for item in found),
        )
    if verify and not as_json:
        last = whole[-1].digest[:16] if whole else "none"
        if broken is None:
            line(
                f"the chain is whole: {len(whole)} line{'' if len(whole) == 1 else 's'}, last digest {last}…"
            )
        else:
            line(f"the chain is broken at line {broken}: it was changed, removed or inserted")
            say("find out who changed project.db, and compare with a backup or an exported report")
    return 0 if broken is None else 1


def _show_all(project: Project, since: str, text: str, as_json: bool) -> None:
    """Show every act on record, the oldest first; raises BadInput for a filter that cannot be read."""
    from migrate.acts import Acts
    from planner.places import ACT_WORDS
    from planner.query import parse
    from planner.store import filters

    wanted = parse(text, ACT_WORDS, filters.texts(project, "acts")) if text else None
    acts = Acts(project)
    acts.refresh()
    found = [act for act in acts.all if act.at >= since and (wanted is None or wanted.matches(act.row))]
    if as_json:
        data({"acts": [act._asdict() for act in found]})
    else:
        table(
            ("at", "wave", "who", "kind", "act", "what", "run"),
            ((act.at, act.wave, act.who, act.kind, act.act, act.what, act.run or "") for act in found),
        )


def _check_time(since: str) -> None:
    """Raise BadInput for what is no date; an empty text is none asked for."""
    from datetime import datetime

    from planner.errors import BadInput

    try:
        if since:
            datetime.fromisoformat(since)
    except ValueError as error:
        raise BadInput(f"{since!r} is not a time", "write it like 2027-01-09 or 2027-01-09T22:00") from error
