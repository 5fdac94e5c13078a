"""Where each VM of a wave stands, shown at the consoles of its sites: in a thread of its own.

step done ──▸ phase of its VMs ──▸ queue ──▸ site.show        never in the way of the run
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from queue import SimpleQueue

from migrate.run.driver import Told
from migrate.run.history import Event
from migrate.run.runbook import Runbook, Step
from migrate.run.step_phases import BACK, CHECKPOINT, phase_of
from migrate.sites.ports import Shown, Shows
from planner.errors import WherryError

_LOG = logging.getLogger(__name__)


class Shower:
    """Shows the steps of one run that end well; whatever is told goes on to ``tell``.

    ``now_s`` is the time in seconds since 1970.
    """

    def __init__(
        self,
        runbook: Runbook,
        run: str,
        sites: Iterable[object],
        now_s: Callable[[], float],
        tell: Callable[[Told], None],
    ) -> None:
        self._wave = runbook.wave
        self._run = run
        self._now_s = now_s
        self._tell = tell
        self._sites = [site for site in sites if isinstance(site, Shows)]
        self._members = _members(runbook)
        self._said: dict[str, Shown] = {}
        self._waiting: SimpleQueue[tuple[str, Shown] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def told(self, told: Told) -> None:
        """Take in what happened and pass it on; nobody waits for what is shown."""
        self._tell(told)
        step = told.step
        phase = {Event.DONE: phase_of(step), Event.UNDONE: BACK}.get(told.event, "")
        if not self._sites or not phase:
            return
        checkpoint = ""
        if phase == CHECKPOINT:
            checkpoint = datetime.fromtimestamp(self._now_s(), UTC).isoformat(timespec="seconds")
        for vm in _vms_of(step) or self._members.get(_group(step), ()):
            shown = Shown(self._wave, phase, checkpoint)
            if self._said.get(vm) != shown:
                self._said[vm] = shown
                self._waiting.put((vm, shown))
        if self._thread is None:
            self._thread = threading.Thread(target=self._show, name="showing", daemon=True)
            self._thread.start()

    def close(self, patience_s: float = 15.0) -> None:
        """Show what waits and end; what takes longer is given up."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(patience_s)

    def _show(self) -> None:
        while (item := self._waiting.get()) is not None:
            vm, shown = item
            for site in self._sites:
                try:
                    site.show(vm, shown, f"{self._run}/show/do1")
                except WherryError as error:
                    _LOG.warning("a VM's state is not shown: %s", error.message)


def _vms_of(step: Step) -> tuple[str, ...]:
    params = step.params
    said = [params["vm"]] if "vm" in params else params.get("vms", ())
    return tuple(vm for vm in said if isinstance(vm, str))  # of some steps they are more than ids


def _group(step: Step) -> str:
    return step.id.partition("/")[0]


def _members(runbook: Runbook) -> dict[str, tuple[str, ...]]:
    """Return the VMs of each group, by the part of step ids that names it."""
    found: dict[str, dict[str, None]] = {}
    for step in runbook.steps:
        found.setdefault(_group(step), {}).update(dict.fromkeys(_vms_of(step)))
    return {group: tuple(vms) for group, vms in found.items()}
