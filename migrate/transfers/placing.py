"""Seeds of a run: the image of a disk that is at hand already, brought onto the disk made for it.

What came is never trusted: the pass that follows compares every digest and sends what differs. The image
is only read. A try that was cut off goes on at its mark, unless image or disk is another one by then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from migrate.disks.bringing import (
    Brought,
    Clone,
    CopyRange,
    Mark,
    bring,
    clone,
    copy_range,
    keep_mark,
    read_mark,
    which,
)
from migrate.disks.flat import FlatDisk
from migrate.disks.opening import open_disk
from migrate.disks.ports import WritableDisk
from migrate.sites.ports import Disks
from migrate.transfers.ports import Moving
from planner.errors import BadInput, SiteRefused
from planner.names import content_id, visible
from planner.units import GIB, show_bytes

_LOOK_S = 0.2
_HINT = "put the right image there and run the verb again, or go back and begin without it"


class Placing:
    """Brings images onto disks; ``folder`` is where it keeps how far it came, made when it is needed."""

    def __init__(
        self,
        folder: Path,
        stop: Callable[[], bool] = lambda: False,
        *,
        cloning: Clone = clone,
        copying: CopyRange = copy_range,
        mark_bytes: int = GIB,
    ) -> None:
        self._folder = folder
        self._stop = stop
        self._cloning = cloning
        self._copying = copying
        self._mark_bytes = mark_bytes

    def place(
        self,
        image: Path,
        disk: WritableDisk,
        volume: str,
        size_bytes: int,
        run: str,
        report: Callable[[Moving], None],
    ) -> Brought:
        """Bring an image onto an opened disk of the same size, in the name of a run.

        Raises BadInput when it does not fit, Paused, OSError from the disk.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        kept = self._folder / f"{content_id(run, volume)}.seed"
        shown = visible(str(image), 200)
        try:
            came = which(image)
        except OSError as error:
            raise BadInput(f"{shown} cannot be read: {error.strerror}", _HINT) from error
        with closing(open_disk(str(image)).disk) as source:
            if source.size_bytes != size_bytes:
                raise BadInput(
                    f"{shown} holds a disk of {show_bytes(source.size_bytes)} ({source.size_bytes} bytes), "
                    f"{visible(volume, 200)} has {show_bytes(size_bytes)} ({size_bytes} bytes)",
                    _HINT,
                )
            if _is_same(source, disk):
                raise BadInput(f"{shown} is the very disk it would be brought onto", _HINT)
            mark = Mark(came, _inode(disk))
            known = read_mark(kept)
            if known is not None and (known.seed, known.target) == (mark.seed, mark.target):
                mark = known
            keep_mark(kept, mark)
            brought = bring(
                source,
                disk,
                mark.done_bytes,
                lambda done, total: report(Moving(volume, done, total, 0)),
                lambda done: keep_mark(kept, replace(mark, done_bytes=done)),
                stop=self._stop,
                cloning=self._cloning,
                copying=self._copying,
                mark_bytes=self._mark_bytes,
            )
        keep_mark(kept, replace(mark, done_bytes=size_bytes, complete=True))
        return brought


class PlacesHere:
    """Brings images onto disks of a site in this process; see ``Places``."""

    def __init__(self, site: Disks, placing: Placing) -> None:
        self._site = site
        self._placing = placing

    def place(
        self, image: Path, volume: str, size_bytes: int, run: str, report: Callable[[Moving], None]
    ) -> Brought:
        """Bring an image onto a volume."""
        return placed(self._placing, self._site, image, volume, size_bytes, run, report)


def placed(
    placing: Placing,
    site: Disks,
    image: Path,
    volume: str,
    size_bytes: int,
    run: str,
    report: Callable[[Moving], None],
    wait_s: float = 0.0,
) -> Brought:
    """Open a volume of a site and bring an image onto it; whoever has it open is waited for so long."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            disk = site.open_write(volume)
        except SiteRefused:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_S)
        else:
            break
    with closing(disk):
        return placing.place(image, disk, volume, size_bytes, run, report)


def _inode(disk: WritableDisk) -> int:
    return os.fstat(disk.fileno()).st_ino if isinstance(disk, FlatDisk) else 0


def _is_same(source: object, disk: WritableDisk) -> bool:
    if not (isinstance(source, FlatDisk) and isinstance(disk, FlatDisk)):
        return False
    return os.path.sameopenfile(source.fileno(), disk.fileno())


class PlacesElsewhere:
    """Brings no images in: the disks are written by a receiver on another machine; see ``Places``."""

    def place(
        self, image: Path, volume: str, _size_bytes: int, _run: str, _report: Callable[[Moving], None]
    ) -> Brought:
        """Refuse; raises SiteRefused."""
        raise SiteRefused(
            f"{visible(str(image), 200)} cannot be brought onto {visible(volume, 80)} from here: "
            "its receiver is on another machine",
            "begin without images, or seed while the receiver is beside the engine",
        )
