"""wherry disks: what a disk is, how large, and how much of it is data."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, fields_of, line, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from migrate.disks.opening import Opened


@click.group(cls=Words, epilog="Example: wherry disks show crm-db-01.vmdk")
def command() -> None:
    """Look at single disks, files, devices, VMDKs and NBD exports, and at what changes on those of a wave."""


@command.command(
    epilog="Examples: wherry disks show crm-db-01.vmdk; wherry disks show nbd://store.example/db --json"
)
@click.argument("where", metavar="PATH-OR-ADDRESS")
@click.option("--bitmap", default="", metavar="NAME", help="Also count what this dirty bitmap marks (NBD).")
@click.option(
    "--device", "mapped", type=click.Path(path_type=Path), metavar="PATH",
    help="The device behind the descriptor of a raw device mapping.",
)  # fmt: skip
@json_option
def show(where: str, bitmap: str, mapped: Path | None, as_json: bool) -> None:
    """Show format, size, sectors, extents and how much is data of one disk.

    Only a name that ends in .vmdk is read as a VMDK, every other file is raw. Addresses are
    nbd://HOST[:PORT]/EXPORT, nbd+unix:///EXPORT?socket=PATH, and nbds:// with tls-ca=PATH for TLS.
    """
    from migrate.disks.opening import open_disk

    found = open_disk(where, bitmap=bitmap, mapped=mapped)
    try:
        told = _told(where, found, bool(bitmap))
    finally:
        found.disk.close()
    if as_json:
        data(told)
        return
    _print(told)


@command.command(
    "map", epilog="Examples: wherry disks map W01 crm-db-01; wherry disks map W01 crm-db-01 --json"
)
@click.argument("wave", metavar="WAVE")
@click.argument("vm", metavar="VM")
@project_option
@json_option
def map_(wave: str, vm: str, project_dir: Path, as_json: bool) -> None:
    """Draw where the disks of a VM changed, round by round, from the record of its wave's run.

    A disk is cut into 96 equal spans; with --json each line has a digit for each, how much of it changed in
    ninths. Of a first copy and a comparison it is where lay what they brought, of other rounds what the
    source told had changed.
    """
    from migrate.disk_maps import disk_maps
    from planner.names import visible
    from planner.units import show_bytes
    from tui.drawings.spans import drawn

    with open_project(project_dir) as project:
        found = disk_maps(project, wave, vm)
    if as_json:
        data([{**fields_of(one), "often": one.often} for one in found])
        return
    width = shutil.get_terminal_size((100, 24)).columns
    for disk in found:
        line(f"{visible(disk.label, 60)}  {show_bytes(disk.size_bytes)}  {visible(disk.volume, 80)}")
        for one in drawn(disk, width):
            line(f"  {one}")


def _told(where: str, found: Opened, marked: bool) -> dict[str, Any]:
    from migrate.disks.areas import Kind

    sums, count, dirty = dict.fromkeys(Kind, 0), 0, 0
    for area in found.disk.areas():
        count += 1
        sums[area.kind] += area.length
        dirty += area.length if area.dirty else 0
    return {
        "where": where,
        "format": found.form,
        "size_bytes": found.disk.size_bytes,
        "sector_bytes": found.disk.sector_bytes,
        "areas": count,
        **{f"{kind}_bytes": size for kind, size in sums.items()},
        "dirty_bytes": dirty if marked else None,
        "extents": [
            {
                "file": span.file,
                "holds": span.holds,
                "size_bytes": span.size_bytes,
                "skip_bytes": span.skip_bytes,
            }
            for span in found.parts
        ],
        "hints": list(found.hints),
    }


def _print(told: dict[str, Any]) -> None:
    from planner.units import show_bytes

    rows = [
        ("disk", told["where"]),
        ("format", told["format"]),
        ("size", f"{show_bytes(told['size_bytes'])} ({told['size_bytes']:,} bytes)"),
        ("sectors", f"{told['sector_bytes']} bytes"),
        ("may hold data", show_bytes(told["data_bytes"])),
        ("zeros", show_bytes(told["zero_bytes"])),
        ("holes", show_bytes(told["hole_bytes"])),
    ]
    if told["dirty_bytes"] is not None:
        rows.append(("marked as changed", show_bytes(told["dirty_bytes"])))
    rows += [
        (f"extent {number}", f"{show_bytes(span['size_bytes'])} {span['holds']} {span['file']}".rstrip())
        for number, span in enumerate(told["extents"], 1)
    ]
    table(("what", "found"), rows)
    for hint in told["hints"]:
        say(hint)
