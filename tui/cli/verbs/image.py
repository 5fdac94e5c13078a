"""wherry image: disks as they were at a checkpoint, served at once or written out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, store_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from migrate.daemons.control import Asks
    from migrate.journal.materialise import Form, Written

_FILES = {".img": "raw", ".raw": "raw", ".vmdk": "vmdk"}


@click.command(
    epilog="Examples: wherry image crm latest --serve --store /var/lib/wherry; "
    "wherry image crm 57 --disk db --serve --writable --scratch-limit 20GiB; "
    "wherry image crm 'before patch' --to crm-before-patch; wherry image crm 57 --disk db --to db.vmdk"
)
@click.argument("group")
@click.argument("checkpoint")
@click.option("--disk", "volume", metavar="VOLUME", help="Only this disk of the group.")
@click.option("--serve", is_flag=True, help="Serve it over NBD until Ctrl-C.")
@click.option("--listen", "where", default="", metavar="ADDRESS:PORT",
              help="Serve on a port of this machine, for all its users, instead of a socket.")  # fmt: skip
@click.option("--writable", is_flag=True, help="Let clients write; what they write goes when it ends.")
@click.option("--scratch-limit", "scratch", default="10GiB", show_default=True, metavar="SIZE",
              help="How much clients may write to each disk.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), metavar="PATH",
              help="Write it out: one disk to NAME.img, .raw or .vmdk, else a new folder.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["raw", "vmdk"]), help="What disks in a folder become.")
@store_option
@json_option
def command(
    group: str,
    checkpoint: str,
    volume: str | None,
    serve: bool,
    where: str,
    writable: bool,
    scratch: str,
    to: Path | None,
    form: str | None,
    store: Path,
    as_json: bool,
) -> None:
    """Give the disks of GROUP as they were at CHECKPOINT: a number, a name, or latest.

    Served or written out, the checkpoint stays as it is. What is written out is hashed, read back,
    and gets its name last.
    """
    from migrate.journal.desk import desk
    from planner.errors import BadInput
    from planner.units import parse_bytes

    if serve is (to is not None):
        raise BadInput("an image is either served or written out", "add --serve, or --to PATH")
    if to is not None and (where or writable):
        raise BadInput("only what is served can be listened for or written to", "use --serve")
    request = {
        "group": group,
        "checkpoint": checkpoint,
        "volumes": [volume] if volume is not None else [],
        "where": where,
        "writable": writable,
        "scratch_bytes": parse_bytes(scratch),
    }
    with desk(store) as asks:
        if to is None:
            _serve(asks, request, store, as_json)
        else:
            _write(asks, request, store, to, form, as_json)


def _serve(asks: Asks, request: Mapping[str, Any], store: Path, as_json: bool) -> None:
    import os
    import signal
    from contextlib import suppress

    from migrate.journal.serving import IMAGES
    from planner.errors import BadInput, Unreachable
    from planner.names import visible
    from planner.units import show_bytes

    place = (store / IMAGES / "00000000.sock").absolute()
    if not request["where"] and len(os.fsencode(place)) > 107:
        raise BadInput(
            f"{visible(str(place.parent), 200)} is too long a path for the socket of another program",
            "serve with --listen 127.0.0.1:0, or reach the store by a shorter path",
        )
    with suppress(KeyboardInterrupt), asks.hold("serve-image", request) as held:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if as_json:
            data(held.told)
        else:
            for disk in held.told["disks"]:
                line(f"{disk['uri']}  {show_bytes(disk['size_bytes'])}  {visible(disk['volume'], 200)}")
            say(f"checkpoint {held.told['checkpoint']['record']} of {visible(held.told['group'], 200)} "
                "is served until Ctrl-C")  # fmt: skip
        held.wait()
        raise Unreachable("the receiver that served it ended", "start it and serve again")


def _write(
    asks: Asks, request: Mapping[str, Any], store: Path, to: Path, form: str | None, as_json: bool
) -> None:
    from migrate.journal.materialise import Form, Source, write_file, write_folder
    from migrate.journal.serving import open_served
    from planner.names import visible
    from planner.units import show_bytes, show_count
    from tui.cli.progress import Bar

    with asks.hold("serve-image", request) as held, Bar() as bar:
        told = held.told
        sources = [
            Source(disk["volume"], lambda export=disk["export"]: open_served(store, told["socket"], export))  # type: ignore[misc]
            for disk in told["disks"]
        ]
        as_file = len(sources) == 1 and to.suffix.lower() in _FILES
        wanted = _form(to, form, as_file)
        about = {"group": told["group"], "checkpoint": told["checkpoint"]}
        written: list[Written] = (
            [write_file(sources[0], to, wanted, bar.report_on)]
            if as_file
            else write_folder(sources, to, wanted, about, bar.report_on)
        )
    if as_json:
        from dataclasses import asdict

        data({**about, "to": str(to), "disks": [asdict(one) for one in written]})
        return
    for one in written:
        line(f"{one.blake3}  {visible(one.file, 200)}  {visible(one.volume, 200)}")
    say(f"{show_count(len(written), 'disk')}, {show_bytes(sum(one.size_bytes for one in written))} "
        f"in {visible(str(to), 200)}, read back and equal")  # fmt: skip


def _form(to: Path, form: str | None, as_file: bool) -> Form:
    from migrate.journal.materialise import Form
    from planner.errors import BadInput
    from planner.names import visible

    if as_file and form not in (None, _FILES[to.suffix.lower()]):
        raise BadInput(
            f"{visible(to.name, 200)} is not what a {form} disk is called",
            "leave --format out, or name the file otherwise",
        )
    return Form(_FILES[to.suffix.lower()] if as_file else form or "raw")
