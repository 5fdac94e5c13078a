"""One VM, one wave, their findings and ties: read when somebody looks at them, and kept for a while.

On a connection of its own, so that a place on the screen never waits for the reader in the background.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import NotFound
from planner.store.project import Project
from tui.filtering import OFTEN, Filtering

if TYPE_CHECKING:
    from planner.model import VM, Finding
    from planner.plan import Wave
    from planner.settings import Settings
    from planner.store.neighbours import Neighbour, Neighbours

_KEPT = 256  # things looked at last


class Details:
    """Reads single things of a project; safe to be asked from any thread."""

    def __init__(self, root: Path) -> None:
        self._project = Project.open(root)
        self.filtering = Filtering(self._project)
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._neighbours: tuple[int, Neighbours] | None = None

    def close(self) -> None:
        """Close the project."""
        with self._lock:
            self._project.close()

    def _once(self, key: tuple[object, ...], read: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = read()
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def vm(self, inventory: int, position: int) -> VM | None:
        """Return the VM at a position of a snapshot."""
        return self._once(("vm", inventory, position), lambda: self._vm(inventory, position))  # type: ignore[no-any-return]

    def _vm(self, inventory: int, position: int) -> VM | None:
        from planner.codec import decode
        from planner.model import VM

        rows = self._project.rows(
            "SELECT body FROM inventory_vm JOIN content USING (digest) WHERE inventory = ? AND position = ?",
            inventory,
            position,
        )
        return decode(rows[0]["body"], VM) if rows else None

    def wave(self, version: int, name: str) -> Wave:
        """Return a wave of a plan; raises NotFound and PlanTampered."""
        from planner.store import plans

        return self._once(("wave", version, name), lambda: plans.wave(self._project, version, name))  # type: ignore[no-any-return]

    def settings(self, version: int) -> Settings:
        """Return the settings in force; ``version`` says which those are."""
        from planner.store import settings

        return self._once(("settings", version), lambda: settings.load(self._project))  # type: ignore[no-any-return]

    def inventory_fingerprint(self, inventory: int) -> str:
        """Return the fingerprint of a snapshot, empty for one there is not."""

        def read() -> str:
            rows = self._project.rows("SELECT fingerprint FROM inventory WHERE id = ?", inventory)
            return str(rows[0]["fingerprint"]) if rows else ""

        return self._once(("fingerprint", inventory), read)  # type: ignore[no-any-return]

    def findings(self, judged: object, vm_id: str) -> tuple[Finding, ...]:
        """Return what nobody waived of the findings on a VM, the heaviest first."""
        return self._once(("findings", judged, vm_id), lambda: self._findings(vm_id))  # type: ignore[no-any-return]

    def _findings(self, vm_id: str) -> tuple[Finding, ...]:
        from planner.model import Severity
        from planner.store import judged

        weights = list(Severity)
        try:
            found = judged.findings(self._project, vm=vm_id, waived=False)
        except NotFound:  # no longer current: the next view says so
            return ()
        return tuple(sorted(found, key=lambda finding: weights.index(finding.severity)))

    def neighbours(self, inventory: int, position: int) -> Sequence[Neighbour] | None:
        """Return the ties of a VM, None while they are not known."""
        known = self._neighbours
        return tuple(known[1].of(position)) if known is not None and known[0] == inventory else None

    def warm(self, project: Project, inventory: int) -> bool:
        """Read, on the reader's connection, what a first look would wait for; False while it is not made.

        What the first wave loads is loaded too.
        """
        import planner.codec
        import planner.plan  # noqa: F401
        from planner.store import columns, neighbours

        if not columns.is_built(project, inventory):
            return False
        found = neighbours.load(project, inventory)
        if found is None:
            return False
        self._neighbours = (inventory, found)
        self.filtering.warm(inventory, columns.load(project, inventory, OFTEN))
        return True
