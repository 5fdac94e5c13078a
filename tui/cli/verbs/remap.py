"""wherry remap: what becomes of disks at the target, and which of them travel once or never."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from planner.model import Volume
    from tui.acts.remapping import Decisions

_COLUMNS = ("disk", "GiB", "is", "becomes", "LUN", "travels", "said by", "why")
disks_argument = click.argument("disks", nargs=-1, required=True, metavar="VM/DISK...")


@click.group(
    cls=Words,
    invoke_without_command=True,
    epilog="Examples: wherry remap; wherry remap set 'crm-db-01/Hard disk 2' --to vmdk; "
    "wherry remap send 'crm-db-01/Hard disk 3' --how never --why 'page file only'; wherry remap suggest",
)
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, project_dir: Path, as_json: bool) -> None:
    """List the disks that are or would be raw devices, and those on which a person said something.

    A disk is written as VM name or id, a slash, then the disk's label or key.
    """
    if ctx.invoked_subcommand is not None:
        return
    from planner.readiness import situation
    from planner.units import show_count
    from tui.acts.remapping import decisions

    with open_project(project_dir) as project:
        at = situation(project)
        found = decisions(at.inventory, at.settings)
    if as_json:
        data([_document(found, volume) for volume in found.volumes])
        return
    table(_COLUMNS, (_row(found, volume) for volume in found.volumes))
    for message, hint in found.refused.values():
        say(f"no plan can be made: {message}\n  hint: {hint}")
    say(show_count(len(found.volumes), "disk"))


def _row(found: Decisions, volume: Volume) -> tuple[str, ...]:
    from planner.export.printout import gib
    from planner.names import visible
    from planner.remap import called

    decision, word, send = found.on(volume.id)
    why = send.why if send else (decision.rule if decision else found.waiting[volume.id][0])
    return (
        called(volume),
        f"{gib(volume.size_bytes):g}",
        volume.backing.value,
        decision.target.value if decision else "undecided",
        visible(decision.lun) if decision else "",
        send.send if send else "always",
        (visible(send.who) or "unknown") if send else ("a person" if word else "the rule"),
        visible(why),
    )


def _document(found: Decisions, volume: Volume) -> dict[str, Any]:
    from dataclasses import asdict

    decision, word, send = found.on(volume.id)
    return {
        "volume": volume.id,
        "vms": [item.vm.name for item in volume.attachments],
        "disk": volume.attachments[0].disk.label,
        "size_bytes": volume.size_bytes,
        "is": volume.backing.value,
        "becomes": asdict(decision) if decision else None,
        "waits": found.waiting.get(volume.id),
        "word": word.model_dump(mode="json") if word else None,
        "send": send.model_dump(mode="json") if send else None,
        "refused": found.refused.get(volume.id),
    }


@command.command("set", epilog="Example: wherry remap set 'crm-db-01/Hard disk 2' --to vmdk")
@disks_argument
@click.option(
    "--to",
    required=True,
    type=click.Choice(["rule", "keep", "vmdk", "rdm-physical", "rdm-virtual"]),
    help="What it becomes; rule takes your word back.",
)
@click.option("--lun", default="", metavar="NAME", help="The LUN of the settings it goes onto.")
@project_option
@json_option
def set_(disks: tuple[str, ...], to: str, lun: str, project_dir: Path, as_json: bool) -> None:
    """Say what disks become at the target, in place of the rule."""
    from planner.readiness import situation
    from tui.acts.remapping import set_remap, volumes_called

    with open_project(project_dir) as project:
        at = situation(project)
        volumes = volumes_called(at.inventory, at.settings, disks)
        set_remap(project, at.inventory, at.settings, volumes, None if to == "rule" else to, lun)
    _told(volumes, disks, {"to": to, "lun": lun}, as_json, to)


@command.command(
    "send", epilog="Example: wherry remap send 'crm-db-01/Hard disk 3' --how never --why 'page file only'"
)
@disks_argument
@click.option(
    "--how",
    required=True,
    type=click.Choice(["always", "once", "never"]),
    help="once: with the seed only; never: it arrives empty; always takes a decision back.",
)
@click.option("--why", default="", help="What is on it that may stay behind; stands in the plan.")
@project_option
@json_option
def send(disks: tuple[str, ...], how: str, why: str, project_dir: Path, as_json: bool) -> None:
    """Decide that disks of swap or temporary files are sent once or never.

    They exist at the target in their full size, and are never called equal to their source.
    """
    from planner.model import Sending
    from planner.readiness import situation
    from tui.acts.remapping import volumes_called
    from tui.acts.sending import set_sending

    with open_project(project_dir) as project:
        at = situation(project)
        volumes = volumes_called(at.inventory, at.settings, disks)
        set_sending(project, at.inventory, at.settings, volumes, Sending(how), why)
    _told(volumes, disks, {"send": how, "why": why}, as_json, f"sent {how}")


def _told(
    volumes: Iterable[str], names: Iterable[str], said: dict[str, str], as_json: bool, words: str
) -> None:
    from planner.names import visible

    if as_json:
        data([{"volume": volume, **said} for volume in volumes])
        return
    for name in dict.fromkeys(names):
        line(f"{visible(name)}: {words}")
    say("next: wherry plan, then approve the waves again")


@command.command("suggest", epilog="Example: wherry remap suggest")
@project_option
@json_option
def suggest(project_dir: Path, as_json: bool) -> None:
    """List disks whose names say swap or temporary files; nothing is decided by that."""
    from planner.export.printout import gib
    from planner.readiness import situation
    from planner.remap import called
    from planner.units import show_count
    from tui.acts.sending import suggestions

    with open_project(project_dir) as project:
        at = situation(project)
        found = suggestions(at.inventory, at.settings)
    if as_json:
        data(
            [{"volume": one.volume.id, "size_bytes": one.volume.size_bytes, "why": one.why} for one in found]
        )
        return
    table(
        ("disk", "GiB", "why"),
        ((called(one.volume), f"{gib(one.volume.size_bytes):g}", one.why) for one in found),
    )
    say(f"{show_count(len(found), 'disk')}; decide with 'wherry remap send VM/DISK --how never --why ...'")
