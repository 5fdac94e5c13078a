"""Names and addresses of imports as people settle them: which VM each means, or that it is none; audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.store.evidence import Taken
    from planner.store.project import Project


def settle(project: Project, meanings: Mapping[str, str | None], subject: str) -> Taken:
    """Remember that names mean a VM (by id), none of ours (""), or nothing any more (None)."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import evidence

    taken = evidence.settle(project, meanings, audit.person())
    audit.note(project, Effect.EDIT_PLAN, "flows map", subject, {"settled": dict(meanings)})
    return taken
