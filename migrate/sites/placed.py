"""Sites that keep where a volume lies apart from its id, so another process has to be told.

A lab's volumes are known at the lab itself. At a vCenter a volume is a file or a LUN, and which one knows
the project that put it there, on the machine of that project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

Places = Mapping[str, tuple[str, ...]]


@runtime_checkable
class TellsPlaces(Protocol):
    """A site that can say, and be told, where volumes lie. Not every site is one."""

    def places(self, volumes: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the places of those of the volumes whose places are known."""
        ...

    def take_places(self, told: Places) -> None:
        """Take over what another machine says of volumes that its run made for itself, durably.

        Raises SiteRefused, before anything is taken over, where a place is not of that kind and was not
        known here before: whoever tells could have any disk of the site written over.
        """
        ...
