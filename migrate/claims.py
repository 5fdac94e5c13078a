"""What an act takes of what runs out: so many of the places that there are of something.

disks copied at once | disks read through host esx-4 | snapshots of datastore gold | NBD at host-12
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


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
    """A claim, and how many of its places are ``taken`` now by whoever uses them."""

    claim: Claim
    taken: int


def taken_by(claims: Iterable[Claim]) -> Counter[tuple[str, str]]:
    """Return how many of which places are taken."""
    taken: Counter[tuple[str, str]] = Counter()
    for claim in claims:
        taken[claim.place] += claim.count
    return taken
