"""What steps ask of the data plane. One implementation moves bytes, one only the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from migrate.disks.bringing import Brought
from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.replication.passes import Mode
from migrate.sites.ports import Consistency, Extent


@dataclass(frozen=True, slots=True)
class Wanted:
    """One pass over one volume that is wanted.

    ``pass_id`` names one immutable state of the source: a pass that was interrupted goes on where the
    receiver's own record says it was. ``base`` and ``change`` are the change ids the replica stands on
    and gets to. Without a ``snapshot`` the disk of a stopped VM is read or, ``live``, as it is; ``extents``
    are the changed areas of a delta. Passes of one ``cycle`` are of one instant of a group, worth
    ``consistency``. A source that may be ``larger`` than ``size_bytes`` must be zeros past them, of which a
    delta looks at its changed areas only.
    """

    volume: str
    size_bytes: int
    mode: Mode
    pass_id: str
    base: str = ""
    change: str = ""
    snapshot: str | None = None
    extents: tuple[Extent, ...] | None = None
    cycle: str = ""
    consistency: Consistency = Consistency.CRASH
    live: bool = False
    larger: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """What a transfer did. ``data_bytes`` is payload before compression, ``wire_bytes`` after it.

    ``resumed_bytes`` was there already from an interrupted try, ``deduped_bytes`` on any disk there.
    ``why`` says why another mode was used than asked for, empty when not. ``moved`` is a line of
    ``migrate.spans``, where on the disk lay what this try brought, in ``areas`` runs, the longest of
    ``longest_bytes``; empty where nobody counted.
    """

    mode: Mode
    data_bytes: int
    wire_bytes: int
    seconds: float
    resumed_bytes: int = 0
    why: str = ""
    deduped_bytes: int = 0
    moved: str = ""
    areas: int = 0
    longest_bytes: int = 0


class Packing(NamedTuple):
    """Compression now: zstd's level (0 = none), data by its bytes on the line, and what binds."""

    level: int
    ratio: float
    binds: Binds


class Moving(NamedTuple):
    """Progress of a transfer, for a bar: bytes looked at of all bytes to look at.

    ``packing`` says what compression does, None where nothing is sent; ``left`` is None as long as
    nobody knows. ``deduped_bytes`` did not travel, for the target has them on some disk. ``streams``
    are the connections that carry it now.
    """

    volume: str
    done_bytes: int
    total_bytes: int
    wire_bytes: int
    rate_bytes_s: float | None = None
    packing: Packing | None = None
    left: Left | None = None
    deduped_bytes: int = 0
    streams: int = 1


@dataclass(frozen=True, slots=True)
class Compared:
    """Digests of one volume at both sites, each computed where the disk is."""

    source: str
    target: str

    @property
    def equal(self) -> bool:
        """True when both sides hold the same bytes."""
        return self.source == self.target


class Transfers(Protocol):
    """The data plane between two sites."""

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Bring the replica up to date; returns when every byte is durable at the target.

        Raises Unreachable, NoSpace, StepFailed, PastEnd before anything is sent, and Paused when somebody
        asked for it.
        """
        ...

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        """Return full-content digests of the source's disk (or snapshot) and of the replica.

        The source may be ``larger``: then its first ``size_bytes`` count, and it raises PastEnd unless all
        past them is zeros.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """How the history of a group stands: checkpoints, seconds it reaches back, and seconds wanted.

    ``is_short`` is less than was wanted, ``said`` what a person should know, the worst first. ``oldest`` is
    the name of the first checkpoint.
    """

    checkpoints: int
    history_s: float
    wanted_s: float
    is_short: bool
    said: tuple[str, ...]
    oldest: str = ""


class Places(Protocol):
    """Brings images that are at hand onto disks of the target."""

    def place(
        self, image: Path, volume: str, size_bytes: int, run: str, report: Callable[[Moving], None]
    ) -> Brought:
        """Bring one in, in the name of a run; raises BadInput when it does not fit, Paused, OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What a target wrote on a volume: ``areas`` of its change map, None where there is none.

    Then its disk is compared with the source's, which holds ``size_bytes``.
    """

    volume: str
    size_bytes: int
    areas: tuple[Extent, ...] | None


class Keeps(Protocol):
    """Keeps what a target wrote before it is rolled back, as a checkpoint of the project."""

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        """Keep it under ``name`` and return where it is and its ``bytes``; doing it again replaces it.

        Raises ProjectBusy while somebody else keeps it, Unreachable, Paused, OSError.
        """
        ...


class Histories(Protocol):
    """The journals that the target's receiver keeps of the groups of one wave.

    A ``group`` is its part of the step ids. Each call raises Unreachable, ProjectBusy and what the receiver
    refuses with; each may be made again.
    """

    def keep(self, group: str, wanted: HistoryWanted, *, anew: bool) -> None:
        """Keep a journal of these disks from now on; ``anew`` drops an older one of them."""
        ...

    def fold(self, group: str) -> int:
        """Move history into the replicas up to the newest checkpoint; return that, 0 for none."""
        ...

    def promote(
        self, group: str, name: str, moved_bytes: int, report: Callable[[int], None]
    ) -> dict[str, Any]:
        """Make checkpoint ``name`` of what is newest, bring the replicas to it, and end the journal.

        Done already it only says so: number, name and moment of the checkpoint. ``moved_bytes`` is about
        how much there is to move, ``report`` is told what is moved.
        """
        ...

    def dismiss(self, group: str) -> bool:
        """Remove a journal with all that is in it; False where there is none."""
        ...

    def resynced(self, volume: str, why: str) -> None:
        """Note that what comes of a volume is found by comparison."""
        ...

    def kept(self, group: str) -> Reach | None:
        """Return how history stands, None where no checkpoint is yet."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryWanted:
    """What a group's journal is of and may take. ``cycles`` is what all its cycles begin with.

    ``base`` is the name of a pinned checkpoint of what the disks hold before the first pass, empty for none.
    """

    title: str
    volumes: tuple[str, ...]
    cycles: str
    history_s: int
    hard_bytes: int
    warning_bytes: int
    base: str = ""
