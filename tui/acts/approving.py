"""Approving waves of the newest plan: recorded with a digest of exactly what each will do, and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.store.approvals import Approval
    from planner.store.project import Project


def approve(project: Project, waves: Sequence[str] = ()) -> tuple[Approval, ...]:
    """Approve waves by name, all of them when none is named; raises NotFound for one there is not."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import approvals, plans

    stored = plans.latest(project)
    wanted = tuple(waves) or tuple(wave.name for wave in stored.plan.waves)
    given = approvals.approve(project, stored, wanted, audit.person())
    for item in given:
        audit.note(project, Effect.EDIT_PLAN, "approve", item.wave, {"fingerprint": item.fingerprint})
    return tuple(given)
