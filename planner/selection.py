"""Which VMs of a project a filter chooses: words of plan and checks and saved filters included.

What a filter does not ask for is not looked up: most need neither plan nor checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from planner.fields import TABLE_WORDS, Seen, Tally
from planner.query import Filter, parse
from planner.store import filters

if TYPE_CHECKING:
    from planner.model import Inventory
    from planner.store.project import Project

PLACE = "inventory"  # whose saved filters choose VMs


def read_filter(project: Project, text: str) -> Filter:
    """Return the filter over VMs that ``text`` writes; raises BadInput."""
    return parse(text, TABLE_WORDS, filters.texts(project, PLACE))


def seen(
    project: Project,
    inventory: Inventory,
    wanted: Filter,
    progress: Callable[[int, int], None] | None = None,
) -> Seen:
    """Return what a filter wants to know besides the VMs of the newest inventory.

    When it asks for checks and what they said last is not current, all of them are asked anew.
    """
    needs = wanted.needs()
    return Seen.of(
        inventory,
        _placed(project) if needs & {"wave", "group"} else {},
        _tallies(project, inventory, progress) if "checks" in needs else {},
    )


def _placed(project: Project) -> Mapping[str, tuple[str, str]]:
    from planner.store import plans

    head = plans.find_head(project)
    return plans.placed(project, head.version) if head else {}


def _tallies(
    project: Project, inventory: Inventory, progress: Callable[[int, int], None] | None
) -> Mapping[str, Tally]:
    from planner.store import judged

    if judged.fresh(project) is not None:
        return judged.tallies(project)
    ids = [vm.id for vm in inventory.vms]
    return dict(zip(ids, judged.tally(ids, judged.judge_and_store(project, progress)), strict=True))
