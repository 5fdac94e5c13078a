"""Places that run out, shared by all processes of a mover's machine: connections to hosts and vCenters.

Each is a file that whoever has the place holds locked; it is free the moment its holder ends, however that
came. What hosts and vCenters bear is VMware's to say (docs/transports.md names the sources):

    a host            48 MB of buffers of its network copy service, a disk opened takes one and more
    a vCenter         52 connections to it
    a mover's VM      15 disks on each of 4 SCSI controllers; counted there, by what hangs on it
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from migrate.claims import Claim, Rank, Standing
from migrate.sites.vsphere.transports.ports import Place, Purpose
from planner.errors import ProjectBusy
from planner.names import content_id, visible

_LOOK_S = 0.2
_MOMENT_S = 5.0
_WANTED_S = 15.0  # three looks of a run at its sites


@dataclass(frozen=True, slots=True)
class Limits:
    """How many disks may be open at a time through one host, and through one vCenter."""

    nbd_per_host: int = 16
    nbd_per_vcenter: int = 40
    http_per_vcenter: int = 8


class Slots:
    """Counted places below a folder. ``stop`` ends a wait early."""

    def __init__(
        self,
        folder: Path,
        *,
        patience_s: float = 900.0,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._patience_s = patience_s
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._epoch = epoch

    def standing(self, claim: Claim, rank: Rank, taken: int | None = None) -> Standing:
        """Return a claim with how many of its places are taken, counted here unless that is given.

        Of one that goes first and finds none, it is remembered for a while that it waits, so that those who
        go later leave it the next. It looks again before that is over.
        """
        taken = self.taken(claim) if taken is None else taken
        if rank is not Rank.FIRST:
            return Standing(claim, taken, self.is_wanted(claim))
        if not claim.fits(taken):
            self._want(claim)
        return Standing(claim, taken)

    def is_wanted(self, claim: Claim) -> bool:
        """Return whether somebody who goes first waits for one of these places."""
        try:
            since_s = self._epoch() - self._mark(claim).stat().st_mtime
        except FileNotFoundError:
            return False
        return abs(since_s) < _WANTED_S  # a clock that was set back keeps nobody waiting for ever

    def _want(self, claim: Claim) -> None:
        mark = self._mark(claim)
        mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.touch(0o600)
        now_s = self._epoch()
        os.utime(mark, (now_s, now_s))

    def _mark(self, claim: Claim) -> Path:
        return self._of(claim.what, claim.of) / "wanted"

    def taken(self, claim: Claim) -> int:
        """Return how many of the places of a claim are taken now, by any process of this machine."""
        folder = self._of(claim.what, claim.of)
        held = 0
        for number in range(claim.most):
            if not (path := folder / str(number)).exists():
                continue
            if (fd := locked(path)) is None:
                held += 1
            else:
                os.close(fd)
        return held

    def _of(self, what: str, of: str) -> Path:
        return self._folder / content_id("slots", what, of)

    def take(self, what: str, of: str, most: int, patience_s: float | None = None) -> Callable[[], None]:
        """Wait for one of ``most`` places and return what gives it back; raises ProjectBusy.

        Nobody is waited for longer than ``patience_s``, or else than all are.
        ``what`` is said in errors, ``of`` is whose they are: ``nbd``, ``host-12``. Who asked ``taken`` before
        waits here only for what others took since.
        """
        folder = self._of(what, of)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        begun, wait_s = self._clock(), self._patience_s if patience_s is None else patience_s
        while True:
            for number in range(most):
                if (fd := locked(folder / str(number))) is not None:
                    return _closing(fd)
            if self._stop() or self._clock() - begun >= wait_s:
                raise ProjectBusy(
                    f"all {most} places of {what} at {visible(of, 80)} are taken",
                    "copy fewer disks at once, or wait until others are done",
                )
            self._sleep(_LOOK_S)


@dataclass(frozen=True, slots=True)
class Ration:
    """What opening a disk one way takes of the places; without ``slots`` it takes nothing."""

    slots: Slots | None = None
    claims: Callable[[Place], tuple[Claim, ...]] = lambda place: ()

    def take(self, place: Place, purpose: Purpose = Purpose.READ) -> Callable[[], None]:
        """Wait for all that a disk needs and return what gives it back; raises ProjectBusy.

        Who writes a disk has another one open to read, at another vCenter perhaps, and waits for moments
        only: two that go in opposite directions would else wait for each other.
        """
        patience_s = _MOMENT_S if purpose is Purpose.WRITE else None
        with ExitStack() as taken:
            for claim in self.claims(place):
                assert self.slots is not None, "whose claims they are"
                taken.callback(self.slots.take(claim.what, claim.of, claim.most, patience_s))
            return taken.pop_all().close

    def standings(self, place: Place, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what a disk needs and how much of it is taken now."""
        slots = self.slots
        return tuple(slots.standing(claim, rank) for claim in self.claims(place)) if slots else ()

    def is_wanted(self, place: Place) -> bool:
        """Return whether somebody who goes first waits for what a disk needs."""
        slots = self.slots
        return slots is not None and any(slots.is_wanted(claim) for claim in self.claims(place))


UNLIMITED = Ration()


def nbd_places(slots: Slots, limits: Limits, vcenter: str) -> Ration:
    """Return the ration of NBD: a connection through a disk's host and one through its vCenter."""

    def claims(place: Place) -> tuple[Claim, ...]:
        return (
            Claim("nbd", limits.nbd_per_host, place.host or vcenter),
            Claim("nbd", limits.nbd_per_vcenter, f"vcenter {vcenter}"),
        )

    return Ration(slots, claims)


def http_places(slots: Slots, limits: Limits, vcenter: str) -> Ration:
    """Return the ration of HTTP: one of the disks that are read through a vCenter's web server."""
    return Ration(slots, lambda place: (Claim("http", limits.http_per_vcenter, f"vcenter {vcenter}"),))


def locked(path: Path) -> int | None:
    """Return a descriptor that holds a file locked, None when somebody else does; raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _closing(fd: int) -> Callable[[], None]:
    held = ExitStack()
    held.callback(os.close, fd)
    return held.close
