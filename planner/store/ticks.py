"""Ticks: tasks that a person said are done. Writes ``tick``.

A tick names check and VM, so it holds for any plan with that task. An inventory taken after it that
still has the finding is the later word: then the task is open again. Nothing is ever deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.plan import PlannedTask


@dataclass(frozen=True, slots=True)
class Tick:
    """One person's word that a task is done."""

    task: str
    who: str
    at: str
    note: str


def tick(project: Project, wave: str, task: PlannedTask, who: str, note: str) -> Tick:
    """Record that ``who`` has done a task of a wave."""
    made = Tick(task.id, who, utc_now(), note)
    with project.write() as db:
        db.table("tick").insert(
            {
                "task": made.task,
                "check_id": task.check,
                "vm": task.vm,
                "wave": wave,
                "at": made.at,
                "who": who,
                "note": note,
            }
        )
    return made


def newest(project: Project) -> dict[str, Tick]:
    """Return the newest tick of each task that has one, by task id."""
    rows = project.rows("SELECT task, who, at, note FROM tick ORDER BY id")
    return {row["task"]: Tick(row["task"], row["who"], row["at"], row["note"]) for row in rows}
