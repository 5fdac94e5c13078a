"""The way to each disk of a wave at both sites, as a run would choose it, and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.rehearsals.finding import Finding
from migrate.sites.ports import NewDisk
from migrate.sites.ways import Chosen, SeveralWays
from planner.errors import NotFound, WherryError
from planner.model import Sending

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite
    from planner.plan import PlannedDisk, Wave

_AT_ONCE = 8  # disks that are asked for


@dataclass(frozen=True, slots=True)
class DiskWay:
    """How a run would reach a disk. ``disk`` is its VM and label, untrusted; ``where`` source or target."""

    volume: str
    disk: str
    where: str
    way: str
    reason: str


def ways_to_disks(wave: Wave, source: FullSite, target: FullSite) -> list[DiskWay | Finding]:
    """Return the way to each disk that is copied, or what is in the way.

    A site with one way has none to tell. What is not where the plan has it is left out: others say that.
    """
    asks = [
        ask
        for disk in wave.disks
        if disk.send is not Sending.NEVER
        for ask in _asks(wave, disk, source, target)
    ]
    with ThreadPoolExecutor(_AT_ONCE, "wherry-ways") as pool:
        found = pool.map(lambda ask: ask(), asks)
        return [one for one in found if one is not None]


def _asks(
    wave: Wave, disk: PlannedDisk, source: FullSite, target: FullSite
) -> Iterator[Callable[[], DiskWay | Finding | None]]:
    replica = NewDisk(disk.volume, disk.size_bytes, disk.target, disk.target_lun)
    if isinstance(source, SeveralWays):
        reads_by = source.reads_by
        yield lambda: _way(wave, disk, "source", lambda: reads_by(disk.volume))
    if isinstance(target, SeveralWays):
        writes_by = target.writes_by
        yield lambda: _way(wave, disk, "target", lambda: writes_by(replica))


def _way(wave: Wave, disk: PlannedDisk, where: str, choose: Callable[[], Chosen]) -> DiskWay | Finding | None:
    try:
        chosen = choose()
    except NotFound:
        return None
    except WherryError as error:
        return Finding("ways", error.message, error.hint)
    holder = disk.attachments[0]
    name = f"{wave.vm(holder.vm).name} {holder.label}"
    return DiskWay(disk.volume, name, where, str(chosen.way), chosen.reason)


def parted(found: Sequence[DiskWay | Finding]) -> tuple[tuple[DiskWay, ...], list[Finding]]:
    """Return the ways, and what is in the way of others."""
    ways = tuple(one for one in found if isinstance(one, DiskWay))
    return ways, [one for one in found if isinstance(one, Finding)]
