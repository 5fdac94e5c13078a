"""Is a wave still running where it was moved to? Asked at commit, while the way back is open."""

from __future__ import annotations

from migrate.history import History
from migrate.sites.ports import FullSite
from migrate.steps.landed import unwell
from planner.errors import Blocked


def check_landed(history: History, target: FullSite) -> None:
    """Raise Blocked unless every VM that was started at the target runs there and is well."""
    wave = history.runbook.wave
    for step in history.runbook.steps:
        if step.kind == "start" and step.id in history.results and (said := unwell(target, step.subject)):
            raise Blocked(
                f"{wave} cannot be committed: {said}",
                f"start it there, or go back with 'wherry rollback {wave} --live'",
            )
