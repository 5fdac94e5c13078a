"""Tasks before a wave: what is to be done, where each stands, and a person's word that one is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate.tasks import TaskStatus
    from planner.plan import Wave
    from planner.store.project import Project
    from planner.store.ticks import Tick


def tick(project: Project, wave: Wave, wanted: str, note: str) -> tuple[Tick, str]:
    """Tick off the task of an id, or of its first letters; return the tick and what it was about.

    Raises NotFound when it is not one task of the wave.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import NotFound
    from planner.names import visible
    from planner.store import ticks

    found = [task for task in wave.tasks if wanted and task.id.startswith(wanted.casefold())]
    if len(found) != 1:
        raise NotFound(
            f"{wave.name} has {'no task' if not found else 'more than one task'} {wanted!r}",
            f"use an id of 'wherry remedy {wave.name}'",
        )
    (task,) = found
    made = ticks.tick(project, wave.name, task, audit.person(), note)
    audit.note(project, Effect.EDIT_PLAN, "remedy done", wave.name, {"task": task.id, "note": note})
    return made, f"{visible(wave.subject(task))}: {visible(task.title)}"


def told(wave: Wave, item: TaskStatus) -> dict[str, Any]:
    """Return a task and where it stands as a document."""
    body = item.task.model_dump(mode="json")
    return {**body, "name": wave.subject(item.task), "state": item.state.value, "said": item.said}
