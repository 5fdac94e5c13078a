"""Is what runs in a VM well: its power and what its tools say of themselves, as the vCenter shows them."""

from __future__ import annotations

from migrate.sites.ports import Health
from migrate.sites.vsphere.reading import Reading
from planner.model import Power
from planner.names import visible
from planner.sources.vcenter.values import text

_RUNNING = "guestToolsRunning"


class Probing(Reading):
    """Asks the tools of guests. A guest without tools answers no: let its plan ask a port or its power."""

    def probe(self, vm: str) -> Health:
        """Return whether a VM runs and its tools do; raises NotFound, Unreachable."""
        found = self.need_machine(vm)
        if found.power is not Power.ON:
            return Health(False, "it does not run")
        said = text(found.item.values.get("guest.toolsRunningStatus"))
        if said == _RUNNING:
            return Health(True, "its tools run")
        return Health(False, f"its tools do not run ({visible(said, 40) or 'nothing is known of them'})")
