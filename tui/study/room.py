"""The room of the study: an open project with what is dear to know of it, read again when there is newer.

Everything is read when it is first asked for. What an op needs to keep between two questions (the desk, ...)
lies in ``kept`` under the name of its topic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.store.project import Project

if TYPE_CHECKING:
    from datetime import date

    from planner.checks.registry import Readiness
    from planner.graph import Edge
    from planner.model import VM, Inventory, MoveGroup
    from planner.readiness import Situation
    from planner.settings import Settings
    from planner.store.plans import StoredPlan

Progress = Callable[[str, int, int], None]  # of what, done, in all (0 = nobody knows)

_PATIENCE_S = 0.05  # between two words on the progress of one op


class _Known:
    """What follows from an inventory and settings, each worked out once."""

    def __init__(self, inventory: Inventory, settings: Settings) -> None:
        self.inventory = inventory
        self.settings = settings

    @cached_property
    def vms(self) -> dict[str, VM]:
        return {vm.id: vm for vm in self.inventory.vms}

    @cached_property
    def hubs(self) -> frozenset[str]:
        from planner.graph import shared_services

        return frozenset(shared_services(self.inventory, self.settings))

    @cached_property
    def groups(self) -> tuple[MoveGroup, ...]:
        from planner.groups import move_groups

        return move_groups(self.inventory, self.settings)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        from planner.graph import edges

        return tuple(edges(self.inventory))


class Room:
    """An open project. ``say`` is who hears of progress; ops call ``report``."""

    def __init__(self, root: Path, looking: bool = False) -> None:
        self.looking = looking
        self.kept: dict[str, Any] = {}
        self.say: Progress | None = None
        self._root = root
        self._said_at = 0.0
        self._stamp: tuple[object, ...] = ()
        self._at: Situation | None = None
        self._judged: tuple[Situation, date, Readiness] | None = None
        self._known: _Known | None = None

    @cached_property
    def project(self) -> Project:
        """The project; raises NotFound and BadInput when it cannot be opened."""
        return Project.open(self._root)

    def close(self) -> None:
        """Close the project if it was opened."""
        if "project" in self.__dict__:
            self.project.close()

    def report(self, title: str, done: int, total: int) -> None:
        """Say how far an op is, now and then."""
        now = time.monotonic()
        if self.say is not None and (done >= total or now - self._said_at >= _PATIENCE_S):
            self._said_at = now
            self.say(title, done, total)

    def _newest(self) -> tuple[object, ...]:
        from planner.readiness import RULES_FILE

        row = self.project.rows(
            "SELECT (SELECT max(id) FROM inventory WHERE role = 'source'),"
            " (SELECT max(id) FROM inventory WHERE role = 'target'), (SELECT max(version) FROM settings),"
            " (SELECT max(id) FROM waiver), (SELECT count(*) FROM waiver_end)"
        )[0]
        rules = self.project.root / RULES_FILE
        try:
            found = rules.stat()
        except OSError:
            return (*row, None)
        return (*row, found.st_mtime_ns, found.st_size)

    @property
    def situation(self) -> Situation:
        """The newest inventory with settings, target, rules and waivers; raises NotFound before there is one.

        The inventory itself is read again only when there is a newer one.
        """
        from planner.readiness import situation

        stamp = self._newest()
        if self._at is None or stamp != self._stamp:
            same = self._at is not None and stamp[:2] == self._stamp[:2]
            self._at = situation(self.project, known=self._at if same else None)
            self._stamp = stamp
        return self._at

    @property
    def inventory(self) -> Inventory:
        """The newest inventory; raises NotFound."""
        return self.situation.inventory

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.situation.settings

    @property
    def known(self) -> _Known:
        """VMs by id, hubs, groups and edges of the newest inventory."""
        at = self.situation
        found = self._known
        if found is None or found.inventory is not at.inventory or found.settings != at.settings:
            found = self._known = _Known(at.inventory, at.settings)
        return found

    @property
    def readiness(self) -> Readiness:
        """What all checks say today, waivers laid over it."""
        from planner.readiness import judge, today

        at, day = self.situation, today()
        if self._judged is None or self._judged[0] is not at or self._judged[1] != day:
            found = judge(at, day, progress=lambda done, total: self.report("checks", done, total))
            self._judged = (at, day, found)
        return self._judged[2]

    @property
    def plan(self) -> StoredPlan | None:
        """The newest plan, None when there is none."""
        from planner.store import plans

        return plans.find_latest(self.project)
