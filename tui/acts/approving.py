"""Approving waves of the newest plan: recorded with a digest of exactly what each will do, and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.store.approvals import Approval
    from planner.store.project import Project


def approve(
    project: Project, waves: Sequence[str] = (), shown: Mapping[str, str] | None = None
) -> tuple[Approval, ...]:
    """Approve waves by name, all of them when none is named; raises NotFound for one there is not.

    ``shown`` has the digests that were in sight: raises BadInput for a wave that does something else by now.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.names import visible
    from planner.store import approvals, plans

    stored = plans.latest(project)
    wanted = tuple(waves) or tuple(wave.name for wave in stored.plan.waves)
    for name, digest in (shown or {}).items():
        if stored.plan.wave(name).fingerprint != digest:
            raise BadInput(
                f"{visible(name, 40)} is another one in plan {stored.version} than was shown",
                "nothing was approved; look at it again, then approve",
            )
    given = approvals.approve(project, stored, wanted, audit.person())
    for item in given:
        audit.note(project, Effect.EDIT_PLAN, "approve", item.wave, {"fingerprint": item.fingerprint})
    return tuple(given)
