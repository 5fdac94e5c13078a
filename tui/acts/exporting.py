"""What papers of a plan are made from, how one begins, and the note that they were written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.checks.registry import Readiness
    from planner.plan import Plan
    from planner.readiness import Situation
    from planner.store.project import Project

_LONGEST = 400  # of a line


def inputs_of(project: Project, plan: Plan, at: Situation, readiness: Readiness) -> dict[str, Any]:
    """Return what ``export_plan`` is given besides the plan, the format and where to."""
    from migrate.tasks import task_states
    from planner.store import approvals

    given = approvals.valid(project, plan)
    return {
        "inventory": at.inventory,
        "findings": readiness.findings,
        "unknown": readiness.unknown,
        "approvals": {name: (item.who, item.at) for name, item in given.items()},
        "owners": at.settings.owners,
        "judged": _judged(project, at.fingerprint, plan),
        "states": {task: item.words for task, item in task_states(project).items()},
        "settings": at.settings,
    }


def note_written(project: Project, files: Sequence[Path], waves: Sequence[str] = ()) -> None:
    """Note in the log which files were written where, of which plan, and of which waves alone."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import plans

    head = plans.find_latest(project)
    of = {"plan": head.version, "fingerprint": head.plan.fingerprint} if head is not None else {}
    detail = {**of, "files": [str(path) for path in files], "waves": list(waves)}
    audit.note(project, Effect.VIEW, "export", ", ".join(path.name for path in files), detail)


def _judged(project: Project, fingerprint: str, plan: Plan) -> str:
    """Say of which inventory the findings are, empty when the plan was made on the same one."""
    from planner.store import inventories

    if fingerprint == plan.inventory:
        return ""
    newest = inventories.summary(project)
    made_on = inventories.find_fingerprint(project, plan.inventory)
    which = f"inventory {made_on.id}, taken {made_on.taken_at}" if made_on else "one that is not held here"
    return f"findings are of inventory {newest.id}, taken {newest.taken_at}; the plan was made on {which}"


def first_lines(
    project: Project, plan: Plan, at: Situation, readiness: Readiness, format: str, most: int = 60
) -> tuple[str, ...]:
    """Return how a text format of a plan begins; raises NotFound for none, BadInput for one of no text."""
    from planner.errors import BadInput, NotFound
    from planner.export.formats import FORMATS
    from planner.export.printout import Printout
    from planner.names import visible

    chosen = FORMATS.get(format)
    if chosen is None:
        raise NotFound(f"format {visible(format, 40)!r} does not exist", f"use one of: {', '.join(FORMATS)}")
    if chosen.suffix == ".xlsx":
        raise BadInput("a workbook has no lines to show", "write it, and open it in a spreadsheet")
    inputs = inputs_of(project, plan, at, readiness)
    text = chosen.render(Printout(plan, **inputs)).decode("utf-8", "replace")
    return tuple(visible(line, _LONGEST) for line in islice(text.splitlines(), most))
