"""The readiness of a project: everything that checks look at, gathered, and what they say of it.

    inventory, settings, target, own rules ──▶ findings and unknowns ──▶ waivers laid over them

One place, so that the command line, plans, exports and screens say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.checks.check import Check, Rule
    from planner.checks.custom import RuleFile
    from planner.checks.registry import Readiness
    from planner.checks.waivers import Waiver
    from planner.model import VM, Inventory, Method
    from planner.settings import Settings
    from planner.store.project import Project

RULES_FILE = "rules.yaml"  # in the project's directory


@dataclass(frozen=True, slots=True)
class Situation:
    """What the checks of a project are asked about, and the waivers given so far."""

    inventory: Inventory
    fingerprint: str
    settings: Settings
    target: Inventory | None
    rules: tuple[Rule, ...]
    waivers: tuple[Waiver, ...]

    def checks(self) -> tuple[Check, ...]:
        """Return our checks and the project's own."""
        from planner.checks.registry import all_checks

        return (*all_checks(), *(rule.check for rule in self.rules))

    def check(self, check_id: str) -> Check:
        """Return one check by id; raises NotFound."""
        from planner.checks.registry import explain

        return next((rule.check for rule in self.rules if rule.check.id == check_id), None) or explain(
            check_id
        )


def today() -> date:
    """Return the day it is, in UTC: what waivers are counted by."""
    return datetime.now(UTC).date()


def rules_file(folder: Path, named: Path | None = None) -> RuleFile | None:
    """Return the rules of a named file, else those of a project's directory, None when it has none.

    Raises BadInput that names file, line and field.
    """
    path = named or folder / RULES_FILE
    if named is None and not path.exists():
        return None
    from planner.checks.custom import read_rules

    return read_rules(path)


def situation(project: Project, rules: Path | None = None, known: Situation | None = None) -> Situation:
    """Return what checks look at in a project; raises NotFound before anything was discovered.

    ``known`` is an earlier answer whose inventory and target are still the newest: they are not read again.
    """
    from planner.store import inventories, waivers
    from planner.store import settings as settings_store

    own = rules_file(project.root, rules)
    if known is None:
        stored = inventories.latest(project)
        target = inventories.find_target(project)
        seen = stored.inventory, stored.fingerprint, target.inventory if target else None
    else:
        seen = known.inventory, known.fingerprint, known.target
    return Situation(
        inventory=seen[0],
        fingerprint=seen[1],
        settings=settings_store.load(project),
        target=seen[2],
        rules=own.as_rules() if own else (),
        waivers=waivers.all_waivers(project),
    )


def judge(
    at: Situation,
    day: date,
    method: Method | None = None,
    only: Callable[[VM], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Readiness:
    """Return what all checks say on a day, waivers in force laid over the findings."""
    from planner.checks.registry import run_checks
    from planner.checks.waivers import waived

    found = run_checks(at.inventory, at.settings, at.target, at.rules, method, progress, only)
    return waived(found, at.waivers, day)
