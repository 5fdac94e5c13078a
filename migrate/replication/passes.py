"""What a pass is: one frozen content of one volume, brought to the other side.

A ``pass_id`` names one content for ever: whoever changes the content (a new snapshot) uses a new id.
That is what makes resuming safe: what arrived under an id is right under that id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migrate.disks.extent import Extent
from migrate.replication.adapt import Binds
from migrate.replication.pace import Left
from migrate.sites.consistency import Consistency


class Mode(StrEnum):
    """How the sender finds what has to travel."""

    SEED = "seed"  # everything: allocated runs, and zeros elsewhere
    DELTA = "delta"  # the given extents, on top of the content known as ``base``
    COMPARE = "compare"  # what differs by digest


@dataclass(frozen=True, slots=True)
class PassSpec:
    """One pass over one volume.

    ``generation`` is the fencing token: the receiver refuses anything older than it has seen.
    ``change`` is the change id of the content sent, ``base`` the one a delta stands on; both are
    opaque text, empty when nothing tracks changes. ``only`` are the runs that a comparison looks at
    when another one has just found everything else equal; None is all of the disk. Passes of one
    ``cycle`` are of one instant of a group, which is worth ``consistency`` to what this disk is of.
    """

    volume: str
    pass_id: str
    size_bytes: int
    generation: int = 0
    base: str = ""
    change: str = ""
    only: tuple[Extent, ...] | None = None
    cycle: str = ""
    consistency: Consistency = Consistency.CRASH


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is. ``total_bytes`` counts what has to be read, not holes.

    ``level`` is zstd's now, ``ratio`` the data sent so far by the bytes it travelled as. ``left`` is
    None as long as nobody knows. ``deduped_bytes`` did not travel: the target had them on some disk.
    ``streams`` are the connections that carry now.
    """

    done_bytes: int
    total_bytes: int
    wire_bytes: int
    rate_bytes_s: float
    level: int = 0
    binds: Binds = Binds.NOTHING
    ratio: float = 1.0
    left: Left | None = None
    deduped_bytes: int = 0
    streams: int = 1


@dataclass(frozen=True, slots=True)
class PassResult:
    """How a pass ended. ``complete`` is False when it was stopped; the same pass id resumes it.

    ``mode`` is what was done in the end: the receiver turns a delta into a comparison when it cannot
    vouch for the base, and ``why`` says so. ``deduped_bytes`` were at the target, on any of its disks.
    ``streams`` are the connections that carried, the most of them at once. ``moved`` is a line of
    ``migrate.spans``: where on the disk lay what this try brought, in ``areas`` runs, the longest of
    ``longest_bytes``; empty where the receiver had all of it before.
    """

    volume: str
    pass_id: str
    mode: Mode
    complete: bool
    size_bytes: int
    read_bytes: int
    sent_bytes: int
    zero_bytes: int
    wire_bytes: int
    resumed_bytes: int
    elapsed_s: float
    why: str = ""
    deduped_bytes: int = 0
    streams: int = 1
    moved: str = ""
    areas: int = 0
    longest_bytes: int = 0
