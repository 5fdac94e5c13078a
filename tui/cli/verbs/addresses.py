"""wherry addresses: which addresses guests get, by wave, and reading them from a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from planner.plan import Wave


@click.group(cls=Words, epilog="Examples: wherry addresses list W01; wherry addresses import addresses.csv")
def command() -> None:
    """Addresses that guests get at the target, in booted copies and on the way home."""


@command.command("list", epilog="Examples: wherry addresses list; wherry addresses list W01 --json")
@click.argument("wave", default="")
@project_option
@json_option
def listed(wave: str, project_dir: Path, as_json: bool) -> None:
    """Show what each guest of WAVE, else of the whole plan, gets. Guests that keep theirs are left out."""
    from migrate.run.waves import find_wave
    from planner.names import visible
    from planner.store import plans

    with open_project(project_dir) as project:
        found = [find_wave(project, wave).wave] if wave else plans.latest(project).plan.waves
    rows = [row for one in found for row in _rows(one)]
    if as_json:
        data(rows)
        return
    table(("wave", "vm", "adapter", "way", "gets", "by"), (
        (visible(row["wave"]), visible(row["vm"]), visible(row["nic"]), row["way"],
         visible(row["words"], 200), "a person" if row["by_hand"] else "the site")
        for row in rows
    ))  # fmt: skip
    if not rows:
        say("every guest keeps its addresses; conduct.subnets and conduct.nics of the settings give others")


def _rows(wave: Wave) -> list[dict[str, Any]]:
    return [
        {
            "wave": wave.name,
            "vm": wave.vm(nic.vm).name,
            "id": nic.vm,
            "nic": nic.nic,
            "way": way,
            **said.model_dump(mode="json"),
            "words": said.words,
            "by_hand": nic.by_hand,
        }
        for nic in wave.conduct.nics
        for way, said in nic.ways
    ]


@command.command("import", epilog="Example: wherry addresses import addresses.csv")
@click.argument("file", type=click.Path(path_type=Path))
@project_option
@json_option
def imported(file: Path, project_dir: Path, as_json: bool) -> None:
    """Read addresses from a csv FILE into the settings: vm, nic, way, addresses, gateways, dns, search.

    Only vm and addresses are needed; several stand in one cell with blanks between them. One wrong row
    refuses the whole file. Plan anew afterwards.
    """
    from planner.names import visible
    from planner.units import show_count
    from tui.acts.settling import import_addresses

    with open_project(project_dir) as project:
        said, every = import_addresses(project, file)
    if as_json:
        data({"read": str(file), "set": [one.model_dump(mode="json") for one in said], "in_all": every})
        return
    say(
        visible(f"{show_count(len(said), 'adapter')} set from {file}, {every} in all; plan anew: wherry plan")
    )
