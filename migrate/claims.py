"""What an act takes of what runs out: so many of the places that there are of something.

disks copied at once | disks read through host esx-4 | snapshots of datastore gold | NBD at host-12
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """Who goes before whom where places are few: the lower."""

    FIRST = 0  # of a cutover, whose every second is downtime
    USUAL = 1
    AHEAD = 2  # proves nothing, and can be done without


@dataclass(frozen=True, slots=True)
class Claim:
    """``count`` places of ``what``, of which there are ``most``.

    ``of`` is whose they are, empty where there is one; both are words for people, harmless to print.
    """

    what: str
    most: int
    of: str = ""
    count: int = 1

    @property
    def place(self) -> tuple[str, str]:
        """Return what tells these places from all others."""
        return self.what, self.of

    def fits(self, taken: int) -> bool:
        """Return whether there is room beside ``taken``; who wants more than there is goes alone."""
        return not taken or taken + self.count <= self.most


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim, and how many of its places are ``taken`` now by whoever uses them.

    ``kept`` is for somebody who goes first and waits for one.
    """

    claim: Claim
    taken: int
    kept: bool = False

    def is_open(self, begun: int) -> bool:
        """Return whether there is a place, where ``begun`` are of this process and may not show yet."""
        return not self.kept and self.claim.fits(max(self.taken, begun))

    @property
    def says(self) -> str:
        """Which place is waited for, and why there is none."""
        why = "which a cutover waits for" if self.kept else f"all {self.claim.most} are taken"
        return f"a place of {self.claim.what} at {self.claim.of}, {why}"


def taken_by(claims: Iterable[Claim]) -> Counter[tuple[str, str]]:
    """Return how many of which places are taken."""
    taken: Counter[tuple[str, str]] = Counter()
    for claim in claims:
        taken[claim.place] += claim.count
    return taken
