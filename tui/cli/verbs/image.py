"""wherry image: disks as they were at a checkpoint, served at once or written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.noted import noted
from tui.cli.options import json_option, noted_option, store_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from migrate.daemons.control import Asks
    from migrate.daemons.onto import Onto
    from migrate.journal.materialise import Form, Written
    from tui.cli.progress import Bar

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
@click.option("--scratch-limit", "scratch", default="", metavar="SIZE",
              show_default="the receiver's, else 10GiB",
              help="How much clients may write to each disk.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), metavar="PATH",
              help="Write it out: one disk to NAME.img, .raw or .vmdk, else a new folder.")  # fmt: skip
@click.option("--onto", type=click.Path(path_type=Path), metavar="DEVICE",
              help="Write one disk over a device or file of its size, a LUN for instance.")  # fmt: skip
@click.option("--live", is_flag=True, help="With --onto: really write over it.")
@click.option("--confirm", metavar="DEVICE", help="The path of --onto again, instead of typing it.")
@click.option("--format", "form", type=click.Choice(["raw", "vmdk"]), help="What disks in a folder become.")
@store_option
@noted_option
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
    onto: Path | None,
    live: bool,
    confirm: str | None,
    form: str | None,
    store: Path | None,
    project_dir: Path | None,
    as_json: bool,
) -> None:
    """Give the disks of GROUP as they were at CHECKPOINT: a number, a name, or latest.

    GROUP is a group of a receiver, or WAVE/GROUP of a project.

    Served or written out, the checkpoint stays as it is. What is written out is hashed, read back,
    and gets its name last. --onto writes over what is there, and is dry unless --live is given; then the
    device's path is typed again. A link, /dev/disk/by-id/... for one, is followed once, to a block device.
    """
    from planner.errors import BadInput
    from planner.units import parse_bytes
    from tui.cli.acting import confirm_live
    from tui.cli.journals import journals

    if sum((serve, to is not None, onto is not None)) != 1:
        raise BadInput("an image is served or written out, one of them", "add --serve, --to or --onto")
    if not serve and (where or writable):
        raise BadInput("only what is served can be listened for or written to", "use --serve")
    device = None if onto is None else _looked_at(onto)
    if device is not None and live:
        confirm_live(str(device.name), confirm, "write over", "the path of the device")
    request: dict[str, Any] = {
        "checkpoint": checkpoint,
        "volumes": [volume] if volume is not None else [],
        "where": where,
        "writable": writable,
        "scratch_bytes": parse_bytes(scratch) if scratch else 0,
    }
    with journals(store, project_dir, group, one=True) as kept:
        request["group"] = kept.groups[0]
        if serve:
            _serve(kept.asks, request, kept.store, as_json)
        else:
            _write(kept.asks, request, kept.store, _Place(to, device, form, live), kept.project_dir, as_json)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where disks are written: to a new name, or onto what is there."""

    to: Path | None
    onto: Onto | None
    form: str | None
    live: bool

    @property
    def shown(self) -> str:
        """Where, for people."""
        from planner.names import visible

        return visible(str(self.to), 200) if self.onto is None else self.onto.shown

    def as_json(self) -> dict[str, str]:
        """Return the name that was given, and the device that it led to."""
        if self.onto is None:
            return {"to": str(self.to)}
        return {"to": str(self.onto.name), "node": str(self.onto.node)}


def _looked_at(onto: Path) -> Onto:
    """Look once at what is written over, and say what a link leads to; raises BadInput."""
    from migrate.daemons.onto import Onto
    from planner.names import visible

    device = Onto.of(onto)
    if device.node != device.name:
        say(f"{visible(str(device.name), 200)} is {visible(str(device.node), 200)}")
    return device


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
        for disk in held.told["disks"]:
            tell = say if as_json else line  # whoever reads along sees where, before the document ends
            tell(f"{disk['uri']}  {show_bytes(disk['size_bytes'])}  {visible(disk['volume'], 200)}")
            say(f"checkpoint {held.told['checkpoint']['record']} of {visible(held.told['group'], 200)} "
                "is served until Ctrl-C")  # fmt: skip
        held.wait()
        raise Unreachable("the receiver that served it ended", "start it and serve again")


def _write(
    asks: Asks,
    request: Mapping[str, Any],
    store: Path,
    place: _Place,
    project_dir: Path | None,
    as_json: bool,
) -> None:
    from dataclasses import asdict

    from migrate.journal.materialise import part_of
    from planner.names import visible
    from planner.units import show_bytes, show_count
    from tui.cli.progress import Bar

    with asks.hold("serve-image", request) as held, Bar() as bar:
        told = held.told
        about = {"group": told["group"], "checkpoint": told["checkpoint"]}
        where = {**place.as_json(), "record": told["checkpoint"]["record"]}
        is_tried = place.onto is not None and not place.live
        tried: dict[str, int] = {}
        with noted(None if is_tried else project_dir, "image", "image written", told["group"], where) as came:
            try:
                if place.onto is not None:
                    _must_be_one(told)
                if is_tried:
                    tried, written = _tried(told, place), []
                else:
                    written = _written(told, store, place, about, bar)
            except BaseException:
                if place.to is not None and part_of(place.to).is_dir():
                    say(f"what is written so far stays in {visible(str(part_of(place.to)), 300)}; "
                        "the same command goes on from there")  # fmt: skip
                raise
            came["blake3"] = [one.blake3 for one in written]
    size = show_bytes(sum(disk["size_bytes"] for disk in told["disks"]))
    if as_json:
        data({**about, **place.as_json(), "live": bool(written),
              "disks": [asdict(one) for one in written], **tried})  # fmt: skip
    if not written:
        say(f"would write {size} over {place.shown}; nothing was written, add --live")
        return
    for one in () if as_json else written:
        line(f"{one.blake3}  {visible(one.file, 200)}  {visible(one.volume, 200)}")
    say(f"{show_count(len(written), 'disk')}, {size} in {place.shown}, read back and equal")


def _written(
    told: Mapping[str, Any], store: Path, place: _Place, about: Mapping[str, Any], bar: Bar
) -> list[Written]:
    """Write the disks that are served, and return them."""
    from functools import partial

    from migrate.journal.materialise import Source, write_file, write_folder, write_onto
    from migrate.journal.serving import open_served

    sources = [
        Source(disk["volume"], partial(open_served, store, told["socket"], disk["export"]))
        for disk in told["disks"]
    ]
    if place.onto is not None:
        return [write_onto(sources[0], place.onto, bar.report_on)]
    assert place.to is not None, "there is one of both"
    as_file = len(sources) == 1 and place.to.suffix.lower() in _FILES
    form = _form(place.to, place.form, as_file)
    if as_file:
        return [write_file(sources[0], place.to, form, about, bar.report_on)]
    return write_folder(sources, place.to, form, about, bar.report_on)


def _must_be_one(told: Mapping[str, Any]) -> None:
    from planner.errors import BadInput

    if len(told["disks"]) != 1:
        raise BadInput("only one disk can be written onto a device", "name it with --disk")


def _tried(told: Mapping[str, Any], place: _Place) -> dict[str, int]:
    """Return the size of the disk and the room that is there; raises BadInput where it does not fit."""
    from migrate.journal.materialise import must_fit

    assert place.onto is not None, "only what is written over something is tried"
    (disk,) = told["disks"]
    size = int(disk["size_bytes"])
    return {"size_bytes": size, "room_bytes": must_fit(disk["volume"], size, place.onto)}


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
