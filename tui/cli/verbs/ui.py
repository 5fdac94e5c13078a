"""wherry ui: the terminal application."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from tui.actions.places import PLACES
from tui.cli.options import project_option
from tui.cli.output import is_dumb, say

_PLACES = [place.id for place in PLACES]


@click.command(epilog="Example: wherry ui --project dc1-exit --read-only")
@click.option("--read-only", is_flag=True, help="Offer nothing that changes anything.")
@click.option("--place", type=click.Choice(_PLACES), default="overview", metavar="NAME",
              help=f"Where to begin: {', '.join(_PLACES)}.")  # fmt: skip
@click.option("--theme", metavar="NAME", help="Colours for this once: harbour, daylight, beacon, ansi-dark …")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw in plain ASCII, as WHERRY_ASCII=1 does.")
@project_option
def command(read_only: bool, place: str, theme: str | None, ascii_only: bool, project_dir: Path) -> None:
    """Open the terminal application on a project. Closing it never stops a run.

    Where there is no project yet it offers to make one, and reads a first estate into it.
    What you like (theme, keys, columns) is kept in ui.json under $XDG_CONFIG_HOME/wherry.
    """
    from planner.errors import BadInput, NotFound
    from planner.store.project import Project
    from tui.preferences import for_session, preferences_file

    nowhere: NotFound | None = None
    try:
        Project.open(project_dir).close()  # what is wrong with it is said at once
    except NotFound as error:
        nowhere = error
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if nowhere is not None and (read_only or not on_terminal):
        raise nowhere
    likes, wrong = for_session(
        preferences_file(), theme, ascii_only or os.environ.get("WHERRY_ASCII", "0") not in ("", "0")
    )
    if not on_terminal:
        raise BadInput("wherry ui has no terminal to draw on", "use 'wherry status', with --json in scripts")
    if is_dumb():
        raise BadInput(
            "this terminal cannot be drawn on (TERM=dumb)", "use 'wherry status --watch' or set TERM"
        )
    order = None
    if nowhere is not None:
        from tui.guides.beginning import begin

        begun = begin(project_dir, likes)
        if begun is None:
            return
        order = begun.order
    gc.disable()  # until rows are on the screen: while all is loaded nothing is given up
    from tui.app import WherryApp
    from tui.ending import shown

    shown(
        lambda: WherryApp(
            project_dir,
            read_only=read_only,
            preferences=likes,
            likes_file=preferences_file(),
            place=place,
            order=order,
            warning=f"wherry's own likes are used: {wrong.message}" if wrong is not None else "",
        ),
        project_dir,
    )
    if wrong is not None:  # on the screen it stood for a moment
        say(f"{wrong.message}; wherry's own likes were used")
        say(f"hint: {wrong.hint}")
