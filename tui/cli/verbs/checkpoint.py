"""wherry checkpoint: a point to go back to, of all disks of a group at one instant."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.noted import noted
from tui.cli.options import json_option, noted_option, store_option
from tui.cli.output import data, line, say


@click.command(
    epilog='Examples: wherry checkpoint W01/shop "before patch" --project move --pin; '
    "wherry checkpoint crm --store /var/lib/wherry --wait --json"
)
@click.argument("group")
@click.argument("name", default="")
@click.option("--consistency", type=click.Choice(["crash", "filesystem", "application"]),
              help="What was really reached at the source; else what its passes said.")  # fmt: skip
@click.option("--pin", is_flag=True, help="Keep it until it is unpinned.")
@click.option("--wait", is_flag=True, help="If a cycle is under way: make it when that ends.")
@store_option
@noted_option
@json_option
def command(
    group: str,
    name: str,
    consistency: str | None,
    pin: bool,
    wait: bool,
    store: Path | None,
    project_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a checkpoint of GROUP, called NAME: a group of a receiver, or WAVE/GROUP of a project.

    It stands for what the receiver holds now, which is one instant of the source only between
    two cycles; it is never made of the middle of one.
    """
    from planner.names import visible
    from tui.cli.checkpoints import moment
    from tui.cli.journals import journals

    worth = {"consistency": consistency} if consistency else {}
    request = {"name": name, "pinned": pin, "wait": wait, **worth}
    told = {"name": name, "pinned": pin, **worth}
    with journals(store, project_dir, group, one=True) as kept:
        group = kept.groups[0]
        with noted(kept.project_dir, "checkpoint", "checkpoint made", group, told) as made:
            point = kept.asks.ask(
                "checkpoint",
                {**request, "group": group},
                lambda told: say(f"waiting: {visible(str(told.get('waiting')), 300)}"),
            )
            made |= {"record": point["record"], "consistency": point["consistency"]}
    for note in point.get("notes", ()):  # of a policy: who was not held, and why
        say(visible(str(note), 400))
    if as_json:
        data({"group": group, **point, "at": moment(point).isoformat()})
        return
    called = f" {visible(name, 80)!r}" if name else ""
    line(f"checkpoint {point['record']}{called} of {visible(group, 200)}, "
         f"{point['consistency']} consistent, {moment(point):%Y-%m-%d %H:%M:%S} UTC")  # fmt: skip
