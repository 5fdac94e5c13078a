"""Where volumes of a vCenter lie, said to and heard from a receiver on another machine.

What a run makes for itself lies in a folder that bears the volume's own name; nothing else is believed.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrate.sites.placed import Places
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.known import landing_folder
from planner.errors import SiteRefused
from planner.names import visible


class Placed:
    """The places of the volumes of one vCenter."""

    ids: Ids

    def places(self, volumes: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the places of those of the volumes whose places are known."""
        return {volume: found for volume in volumes if (found := self.ids.places(volume))}

    def take_places(self, told: Places) -> None:
        """Take over where volumes lie that a run made for itself; raises SiteRefused."""
        new = {
            volume: [place for place in places if place not in self.ids.places(volume)]
            for volume, places in told.items()
        }
        for volume, places in new.items():
            for place in places:
                datastore, _, file = place.partition("] ")
                if not datastore.startswith("[") or file != f"{landing_folder(volume)}/disk.vmdk":
                    raise SiteRefused(
                        f"{visible(place, 200)} was not made for volume {visible(volume, 80)} by a run",
                        "read that disk's vCenter into the receiver's own project first ('wherry discover'), "
                        "or run the receiver beside the engine",
                    )
        for volume, places in new.items():
            for place in places:
                self.ids.learn(volume, place)
