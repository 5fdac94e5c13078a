"""Images of a checkpoint of a wave: which disks, how much room they take, and copying one.

A disk in a journal is read as it was at a checkpoint of that. Any other is a replica that replication may
write while it is read: its copy counts only when its digest is the one that the record has of the newest
checkpoint, and one that was overtaken is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrate.rehearsals.starting import left_out
from migrate.sites.copies import copy_id
from migrate.sites.ports import NewDisk
from planner.errors import Blocked, StepFailed
from planner.model import Backing, Sending
from planner.names import visible

if TYPE_CHECKING:
    from migrate.disks.ports import ReadableDisk
    from migrate.rehearsals.journalled import Point
    from migrate.run.history import History
    from migrate.sites.ports import FullSite
    from planner.plan import Wave

_PIECE = 1 << 20
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Image:
    """A disk to copy. ``digest`` is what the copy must have, empty where the record has none.

    ``checkpoint`` is the one of its group's journal that it is read at, 0 for a replica as it is.
    """

    volume: str
    size_bytes: int
    digest: str
    empty: bool  # a disk that is never sent: the copy is as empty as the replica
    checkpoint: int = 0
    idle: bool = False  # of a VM that is not started: its copy stays empty

    @property
    def is_proved(self) -> bool:
        """Whether the copy is known to be of one instant of the source."""
        return bool(self.digest or self.empty or self.checkpoint)


def images_of(wave: Wave, history: History, points: Mapping[str, Point]) -> tuple[Image, ...]:
    """Return the images of a wave: disks in ``points`` as they were there, others as of the newest proof.

    Raises Blocked while a group that has snapshots has neither, and where no group has any.
    """
    awaited = {step.id.split("/")[0] for step in history.runbook.steps if step.kind == "checkpoint"}
    if not awaited:
        raise Blocked(
            f"no disk of {visible(wave.name)} is in a checkpoint, so nothing can be booted",
            "VMs that share disks, and physical RDMs, have none: rehearse it dry, or on the twin",
        )
    digests: dict[str, str] = {}
    checked = set()
    for step in history.runbook.steps:  # in order: later rounds replace earlier ones
        if step.kind == "checkpoint" and (found := history.results.get(step.id)):
            taken = history.results.get(step.params["snapshot"], {}).get("id")
            digests |= {
                volume: digest
                for volume, digest in found["digests"].items()
                if volume not in points or points[volume].cycle.endswith(f"/{taken}")
            }
            checked.add(step.id.split("/")[0])
    if checked < awaited:
        raise Blocked(
            f"{visible(wave.name)} has no checkpoint of every group yet, so nothing can be booted",
            f"replicate it first: wherry replicate {visible(wave.name)} --live",
        )
    images = tuple(
        Image(
            disk.volume,
            disk.size_bytes,
            digests.get(disk.volume, ""),
            disk.send is Sending.NEVER,
            points[disk.volume].record if disk.volume in points else 0,
        )
        for disk in wave.disks
    )
    idle = left_out(wave, unproved(images))
    of_idle = {disk.volume for disk in wave.disks if all(held.vm in idle for held in disk.attachments)}
    return tuple(replace(image, idle=image.volume in of_idle) for image in images)


def unproved(images: Iterable[Image]) -> tuple[str, ...]:
    """Return the volumes that nothing of a checkpoint vouches for."""
    return tuple(image.volume for image in images if not image.is_proved)


def room_bytes(images: tuple[Image, ...], target: FullSite) -> int:
    """Return what the copies take; raises Blocked when the target has less."""
    wanted = sum(image.size_bytes for image in images if not image.idle)
    if wanted > (free := target.free_bytes()):
        from planner.units import show_bytes

        raise Blocked(
            f"site {target.name} has {show_bytes(free)} free, a copy of the disks needs {show_bytes(wanted)}",
            "free space there, or rehearse on the twin",
        )
    return wanted


def copy_image(target: FullSite, image: Image, key: str, open_point: Callable[[str], ReadableDisk]) -> None:
    """Make the copy of a disk at its site; raises StepFailed when it is never that of the checkpoint.

    ``open_point`` opens a disk that is read from a journal.
    """
    from migrate.replication.hashing import hash_disk

    volume, op = copy_id(key, image.volume), f"{key}/{image.volume}/do1"
    target.create_disk(NewDisk(volume, image.size_bytes, Backing.VMDK), op)
    if image.empty or image.idle:
        return
    for _ in range(_TRIES):
        opener = open_point if image.checkpoint else target.open_read
        with closing(opener(image.volume)) as replica, closing(target.open_write(volume)) as copy:
            copy.zero(0, image.size_bytes)
            buffer = bytearray(_PIECE)
            for offset, length in replica.allocated():
                for at in range(offset, min(offset + length, image.size_bytes), _PIECE):
                    piece = memoryview(buffer)[: min(_PIECE, offset + length - at, image.size_bytes - at)]
                    replica.read_into(piece, at)
                    copy.write(piece, at)
            copy.flush()
            if not image.digest or hash_disk(copy, size_bytes=image.size_bytes).digest == image.digest:
                return
    raise StepFailed(
        "a replica is written faster than it is copied, so the copy is of no checkpoint",
        "try again between two rounds",
    )
