"""wherry discover: read an estate into the project."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say


@click.command(
    epilog="Examples: wherry discover RVTools.xlsx; wherry discover lab; wherry discover FILE --cap 64M"
)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--cap", default="", metavar="SIZE", help="Cut larger disks to this: to try a real estate in a lab."
)
@project_option
@json_option
def command(source: str, cap: str, project_dir: Path, as_json: bool) -> None:
    """Read SOURCE and store it as a new inventory snapshot.

    SOURCE is an RVTools workbook (.xlsx, .xls), an inventory document (.json), a directory that
    holds one of them, or the name of a sample that comes with wherry.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.names import visible
    from planner.sources.capped import capped
    from planner.sources.opening import read_source
    from planner.store import inventories
    from planner.units import parse_bytes, show_bytes
    from planner.volumes import volumes

    cap_bytes = parse_bytes(cap) if cap else None
    with open_project(project_dir) as project:
        say(f"reading {visible(source)} …")
        inventory = read_source(source)
        if cap_bytes is not None:
            inventory = capped(inventory, cap_bytes)
        stored = inventories.save(project, inventory)
        audit.note(
            project, Effect.EDIT_PLAN, "discover", inventory.source, {"fingerprint": stored.fingerprint}
        )
    found = volumes(inventory)
    size_bytes = sum(volume.size_bytes for volume in found)
    disks = sum(len(vm.disks) for vm in inventory.vms)
    rdms = [disk for vm in inventory.vms for disk in vm.disks if disk.backing.is_rdm]
    summary = {
        "inventory": stored.id,
        "fingerprint": stored.fingerprint,
        "source": inventory.source,
        "vms": len(inventory.vms),
        "disks": disks,
        "rdm_disks": len(rdms),
        "shared_volumes": sum(volume.shared for volume in found),
        "size_bytes": size_bytes,
        "dependencies": len(inventory.dependencies),
        "notes": list(inventory.notes),
    }
    if as_json:
        data(summary)
        return
    edges = len(inventory.dependencies)
    line(
        f"{summary['vms']} VMs, {disks} disks ({len(rdms)} RDM, {summary['shared_volumes']} shared), "
        f"{show_bytes(size_bytes)}, "
        f"{edges} {'dependency' if edges == 1 else 'dependencies'}"
    )
    for note in inventory.notes:
        line(f"  note: {visible(note)}")
    say("next: wherry check, then wherry plan")
