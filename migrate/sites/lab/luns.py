"""The LUNs of a lab site: flat files, each beside a JSON that carries its name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.durable import replace_file
from planner.errors import Corrupt
from planner.names import content_id
from planner.units import SECTOR


@dataclass(frozen=True, slots=True)
class LabLun:
    """A LUN: its name is data, its file is named by the name's content id."""

    name: str
    size_bytes: int
    path: Path


def add_lun(folder: Path, name: str, size_bytes: int) -> LabLun:
    """Create a LUN full of zeros, its size rounded up to whole sectors, and return it."""
    size_bytes = -(-size_bytes // SECTOR) * SECTOR
    path = folder / f"{content_id('lun', name)}.img"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(fd, size_bytes)
        os.fsync(fd)
    finally:
        os.close(fd)
    replace_file(path.with_suffix(".json"), json.dumps({"name": name, "size_bytes": size_bytes}).encode())
    return LabLun(name, size_bytes, path)


def read_luns(folder: Path) -> Iterator[LabLun]:
    """Yield the LUNs of a site; raises Corrupt when a description cannot be read."""
    for path in sorted(folder.glob("*.json")):
        try:
            body = json.loads(path.read_text("utf-8"))
            image = path.with_suffix(".img")
            yield LabLun(str(body["name"]), image.stat().st_size, image)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Corrupt(
                f"LUN {path.stem} has no usable description: {error}", "build the lab again"
            ) from error
