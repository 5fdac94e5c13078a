"""The VM that replicas hang on while VDDK opens them: it reaches a disk through its VM, and they have none.

It is the user's, off, without snapshots, and its name is in the site's settings. A replica hangs on it for
as long as it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrate.claims import Claim, Rank, Standing
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.ports import Place
from migrate.sites.vsphere.transports.slots import Slots
from planner.errors import NotFound
from planner.model import Backing
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.values import text

_STATE = Kind("virtual machines", (), {"VirtualMachine": ("runtime.powerState", "runtime.host", "snapshot")})


class Carrier:
    """One such VM; everything is asked anew."""

    def __init__(self, connection: Connection, hanging: Hanging, slots: Slots) -> None:
        self._connection = connection
        self._hanging = hanging
        self._slots = slots

    @property
    def id(self) -> str:
        """Its managed object."""
        return self._hanging.vm.ref.id

    def carries(self, place: Place) -> bool:
        """Return whether a disk needs it: no VM has it, or a process that died left it hanging here."""
        return place.vm in ("", self.id) and place.backing is not Backing.RDM_PHYSICAL

    def refusal(self) -> str:
        """Return why no disk may hang on it now, empty when one may; raises NotFound, Unreachable."""
        power, _, frozen = self._state()
        if power != "poweredOff":
            return f"{self._hanging.vm.called} is not off"
        return f"{self._hanging.vm.called} has snapshots" if frozen else ""

    def seated(self, place: Place) -> Place:
        """Return the disk as one of this VM's; raises NotFound, Unreachable."""
        return replace(place, vm=self.id, host=self._state()[1])

    def takes(self, rank: Rank) -> Standing:
        """Return the place that a disk takes on one of its controllers; raises NotFound, Unreachable."""
        most, taken = self._hanging.vm.places()
        return self._slots.standing(Claim("nbd", most, self._hanging.vm.called), rank, taken)

    def clean_up(self) -> None:
        """Take off what dead processes left on it; raises Unreachable."""
        self._hanging.clean_up()

    def hang(self, place: Place) -> Callable[[], None]:
        """Hang a disk on it and return what takes it off; raises SiteRefused, Unreachable, ProjectBusy."""
        self._hanging.clean_up()
        return self._hanging.hang(place, writable=True)[1]

    def _state(self) -> tuple[str, str, bool]:
        item = self._connection.one(_STATE, self._hanging.vm.ref)
        if item is None:
            raise NotFound(
                f"{self._hanging.vm.called} is not at {self._connection.shown} any more",
                "correct the carrier in the site's settings",
            )
        power, host = (text(item.values.get(f"runtime.{name}")) for name in ("powerState", "host"))
        return power, host, bool(item.values.get("snapshot"))
