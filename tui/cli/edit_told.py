"""What an edit of the plan says on the command line: refused, checked, or stored and what followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.acts.editing import figures, refuse_broken, save, spoken
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.store.project import Project
    from planner.waves.verdict import Verdict
    from tui.acts.editing import Opened


def tell(project: Project, opened: Opened, verdict: Verdict, check: bool, as_json: bool) -> None:
    """Refuse, check or store an edit, and tell what follows."""
    refuse_broken(verdict)
    body: dict[str, Any] = {
        "act": verdict.edit.act.value,
        "did": verdict.edit.did,
        "applied": not check,
        "told": list(verdict.told),
        "delta": figures(verdict.delta),
    }
    if check:
        if as_json:
            data(body)
        else:
            line(f"{verdict.edit.did} can be done: {spoken(verdict.delta)}")
            for said in verdict.told:
                line(f"  {said}")
        return
    saved = save(project, opened, verdict.edits, verdict.standing)
    (edit, *_), stored, voided = saved.edits, saved.stored, saved.voided
    if as_json:
        data({**body, "edit": edit.number, "plan": stored.version, "approvals_void": list(voided),
              "score": stored.plan.score.model_dump()})  # fmt: skip
        return
    line(f"edit {edit.number}: {edit.did}; plan {stored.version}: {spoken(verdict.delta)}")
    for said in verdict.told:
        line(f"  {said}")
    if voided:
        line(f"  approved no longer, as they changed: {', '.join(voided)}")
    say("every plan from now on keeps it; take it back with 'wherry plan undo'")
