"""A saved edit taken back: the plan before it comes back where nothing was planned since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.store.edits import Kept
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The edit, and the version of the plan that came back; None when it was planned since."""

    kept: Kept
    plan: int | None


def take_back(project: Project, number: int | None = None) -> TakenBack:
    """Take an edit back, the newest by default, and note it.

    Raises NotFound for none, BadInput for one that later edits build on, Blocked when a wave that is under
    way would be another one.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.store import edits

    kept = edits.to_undo(project, number)
    _refuse_under_way(project, kept)
    stored = edits.take_back(project, kept, audit.person())
    version = stored.version if stored else None
    audit.note(
        project, Effect.EDIT_PLAN, "plan undo", kept.edit.did, {"edit": kept.edit.number, "plan": version}
    )
    return TakenBack(kept, version)


def _refuse_under_way(project: Project, kept: Kept) -> None:
    """Raise Blocked when a wave that is under way would be another one in the plan that comes back."""
    from planner.errors import Blocked
    from planner.store import edits, plans
    from tui.acts.editing import disturbed

    before = edits.plan_before(project, kept)
    if before is None:
        return
    if name := disturbed(project, plans.latest(project), before):
        raise Blocked(
            f"{name} is under way as edit {kept.edit.number} left it",
            f"commit it first, or go back: wherry abort {name} --live",
        )
