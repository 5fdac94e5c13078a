"""Which way leads to a disk: the best that can, with the reason, and why each better one could not.

    reading    local, hot-add, NBD, datastore HTTP
    writing    hot-add, local, NBD, datastore HTTP

A file of the mover's own machine costs a vCenter nothing; a block device comes next; NBD goes through a
host's network copy service, which has few connections; HTTP reads all of a disk, holes too. To write, a
block device comes first: the host that owns the datastore writes it, locks and all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from migrate.claims import Rank, Standing
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.transports.ports import Place, Purpose, Rationed, Transport, Way
from migrate.sites.vsphere.transports.through import LiveDisk
from planner.errors import SiteRefused, Unreachable, WherryError

_ORDER = {
    Purpose.READ: (Way.LOCAL, Way.HOT_ADD, Way.NBD, Way.HTTP),
    Purpose.WRITE: (Way.HOT_ADD, Way.LOCAL, Way.NBD, Way.HTTP),
}
_WHY = {
    Way.LOCAL: "its datastore is mounted here",
    Way.HOT_ADD: "the mover's VM can attach it",
    Way.NBD: "VDDK reaches it over the network",
    Way.HTTP: "the vCenter serves its file",
}
_UNSURE = ", where it writes a file in place: ESXi does not"
Disk = TypeVar("Disk")
Tell = Callable[["Choice"], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """A way that was taken, and why each one before it was not."""

    way: Way
    passed: tuple[tuple[Way, str], ...] = ()
    purpose: Purpose = field(default=Purpose.READ, compare=False)

    @property
    def reason(self) -> str:
        """One line for people."""
        passed = "".join(f"; not {way}: {why}" for way, why in self.passed)
        unsure = _UNSURE if (self.way, self.purpose) == (Way.HTTP, Purpose.WRITE) else ""
        return f"{self.way}: {_WHY[self.way]}{unsure}{passed}"


def choose(transports: Iterable[Transport], place: Place, purpose: Purpose) -> Choice:
    """Return the way that a disk would be opened by; raises SiteRefused when none leads there."""
    passed: list[tuple[Way, str]] = []
    for transport in _ordered(transports, purpose):
        if not (why := transport.refusal(place, purpose)):
            return Choice(transport.way, tuple(passed), purpose)
        passed.append((transport.way, why))
    raise _none(place, purpose, passed)


def takes(
    transports: Iterable[Transport],
    place: Place,
    rank: Rank = Rank.USUAL,
    purpose: Purpose = Purpose.READ,
) -> tuple[Standing, ...]:
    """Return what the way by which a disk would be opened takes of what runs out; raises WherryError."""
    for transport in _ordered(transports, purpose):
        if not transport.refusal(place, purpose):
            return transport.takes(place, rank) if isinstance(transport, Rationed) else ()
    return ()


def open_read(
    transports: Iterable[Transport], place: Place, tell: Tell = lambda choice: None
) -> ReadableDisk:
    """Open a disk for reading by the first way that works, and tell which; raises WherryError."""
    return _open(transports, place, Purpose.READ, lambda one: _read(one, place), tell)


def open_write(
    transports: Iterable[Transport], place: Place, tell: Tell = lambda choice: None
) -> WritableDisk:
    """Open a disk for writing by the first way that works, and tell which; raises WherryError."""
    return _open(transports, place, Purpose.WRITE, lambda one: one.open_write(place), tell)


def _read(transport: Transport, place: Place) -> ReadableDisk:
    disk = transport.open_read(place)
    if place.live and isinstance(transport, Rationed):
        return LiveDisk(disk, partial(transport.is_wanted, place))
    return disk


def _open(
    transports: Iterable[Transport],
    place: Place,
    purpose: Purpose,
    opening: Callable[[Transport], Disk],
    tell: Tell,
) -> Disk:
    passed: list[tuple[Way, str]] = []
    last: WherryError | None = None
    for transport in _ordered(transports, purpose):
        if why := transport.refusal(place, purpose):
            passed.append((transport.way, why))
            continue
        try:
            disk = opening(transport)
        except (SiteRefused, Unreachable) as error:
            passed.append((transport.way, error.message))
            last = error
            continue
        tell(Choice(transport.way, tuple(passed), purpose))
        return disk
    if last is not None and last.retryable:
        raise Unreachable(_sentence(place, purpose, passed), last.hint) from last
    raise _none(place, purpose, passed) from last


def _ordered(transports: Iterable[Transport], purpose: Purpose) -> list[Transport]:
    rank = {way: number for number, way in enumerate(_ORDER[purpose])}
    return sorted(transports, key=lambda one: rank[one.way])


def _sentence(place: Place, purpose: Purpose, passed: Sequence[tuple[Way, str]]) -> str:
    what = "read" if purpose is Purpose.READ else "written"
    ways = "; ".join(f"{way}: {why}" for way, why in passed) or "no transport is set up"
    return f"disk {place.file.shown} cannot be {what}: {ways}"


def _none(place: Place, purpose: Purpose, passed: Sequence[tuple[Way, str]]) -> SiteRefused:
    return SiteRefused(_sentence(place, purpose, passed), "set up one of the ways of docs/transports.md")
