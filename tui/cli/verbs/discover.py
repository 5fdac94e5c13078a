"""wherry discover: read an estate into the project, once or for a while."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.cli.login import login_options
from tui.cli.options import json_option, open_project, project_option


@click.command(
    epilog="Examples: wherry discover RVTools.xlsx; wherry discover a.xlsx b.xlsx; wherry discover estate; "
    "wherry discover vcenter://reader@vc1.example.com; wherry discover vcenter://reader@vc1 --watch --for 24h"
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--target", "is_target", is_flag=True, help="This is the estate it goes to, not what leaves.")
@click.option("--add", is_flag=True, help="Keep what the last snapshot holds of other vCenters.")
@click.option(
    "--cap", default="", metavar="SIZE", help="Cut larger disks to this: to try a real estate in a lab."
)
@click.option("--check", is_flag=True, help="vCenter: only log in and say what the account may not see.")
@click.option("--watch", is_flag=True, help="vCenter: look again and again, and measure what is written.")
@click.option("--every", default="5m", show_default=True, metavar="TIME", help="Time between two looks.")
@click.option("--for", "long", default="", metavar="TIME", help="End the watch after this; default: Ctrl-C.")
@login_options
@project_option
@json_option
def command(sources: tuple[str, ...], project_dir: Path, as_json: bool, **options: Any) -> int:
    """Read SOURCE and store it as a new inventory snapshot; several are merged into one.

    SOURCE is an RVTools export (.xlsx, .xls, a folder of .csv), an inventory document (.json), a
    directory that holds one of them, a sample that comes with wherry, or a live vCenter:
    vcenter://USER@HOST. Its password is asked for, read with --password-fd, or taken from the keyring.
    """
    from tui.cli.discovering import Wish, discover, show

    wish = Wish(sources=sources, **options)
    with open_project(project_dir) as project:
        if wish.check:
            from tui.cli.access import check_access

            return check_access(project, wish, as_json)
        if wish.watch:
            from tui.cli.watching import watch

            return watch(project, wish, as_json)
        show(project, discover(project, wish), as_json)
    return 0
