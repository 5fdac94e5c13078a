"""A tap's folder: which group it is of, its name for the target, and a map for each disk.

    STATE/tap.json          group, disks in the order of their numbers, the tap's own name
    STATE/<id>.areas        the map of a disk

Disks are opened for this process alone: what writes past the tap is seen by nobody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from migrate.daemons.registered import Register
from migrate.disks.durable import replace_file
from migrate.disks.flat import FlatDisk
from migrate.tap.areas import Areas
from migrate.tap.disk import Records, TappedDisk
from migrate.tap.mapfile import MapFile, seen
from planner.errors import BadInput, Corrupt
from planner.names import content_id, visible

_ABOUT: Final = "tap.json"


@dataclass(frozen=True, slots=True)
class Opened:
    """A group's disks and their map. ``name`` is the tap's own, the same each time it is started.

    ``why`` says of a disk, by its id, why all of it counts as hot.
    """

    group: str
    name: str
    volumes: tuple[str, ...]
    disks: tuple[FlatDisk, ...]
    areas: Areas
    why: dict[str, str]

    def tapped(self, records: Records) -> list[TappedDisk]:
        """Return the disks as they are served: what is written to them goes to ``records``."""
        pairs = zip(self.volumes, self.disks, strict=True)
        return [
            TappedDisk(number, volume, disk, self.areas, records)
            for number, (volume, disk) in enumerate(pairs)
        ]


def open_group(state: Path, group: str, wanted: Sequence[tuple[str, Path]]) -> Opened:
    """Open the disks of a group, (id, path) each; raises BadInput, Corrupt, OSError.

    Hold the lock of ``state`` before.
    """
    register = Register((volume, path, group) for volume, path in wanted)
    volumes = tuple(disk.volume for disk in register.disks)
    name, volumes = _name(state / _ABOUT, group, volumes)
    with ExitStack() as stack:
        disks, maps = [], []
        for volume in volumes:
            disk = register.open_write(volume)
            stack.callback(disk.close)
            disks.append(disk)
            path = state / f"{content_id(volume)}.areas"
            one = MapFile(path, f"{group}\0{volume}", disk.size_bytes, seen(disk.fileno()))
            stack.callback(one.close, None)
            maps.append(one)
        stack.pop_all()
    why = {volume: one.why for volume, one in zip(volumes, maps, strict=True) if one.why}
    return Opened(group, name, volumes, tuple(disks), Areas(maps), why)


def _name(path: Path, group: str, volumes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the tap's name and its disks in the order of their numbers, remembered from now on."""
    shown = visible(str(path), 200)
    try:
        told = json.loads(path.read_bytes())
        kept_group, name, known = told["group"], told["tap"], tuple(told["disks"])
    except FileNotFoundError:
        name, known = os.urandom(16).hex(), ()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Corrupt(f"{shown} does not say what the tap is of", "give the tap a new folder") from error
    else:
        if kept_group != group:
            raise BadInput(
                f"{shown} is of group {visible(str(kept_group), 80)}, not of {visible(group, 80)}",
                "give each group a folder of its own",
            )
    if missing := [volume for volume in known if volume not in volumes]:
        raise BadInput(
            f"disk {visible(str(missing[0]), 80)} of this tap is not given",
            "name all of its disks, or give the tap a new folder",
        )
    ordered = (*known, *(volume for volume in volumes if volume not in known))
    if ordered != known:
        kept = {"group": group, "tap": name, "disks": list(ordered)}
        replace_file(path, json.dumps(kept, indent=1).encode("utf-8", "surrogatepass"))
    return name, ordered
