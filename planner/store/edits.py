"""Edits of plans by hand. Writes ``plan_edit`` and ``plan_edit_end``: both only ever grow.

An edit and the plan it led to are stored in one transaction with each other, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.edits import Act, Edit
from planner.errors import BadInput, NotFound
from planner.graph.decided import End
from planner.store import plans
from planner.store.plans import StoredPlan
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Kept:
    """An edit, the versions of the plan before and after it, and who took it back when."""

    edit: Edit
    before: int
    after: int
    taken_back: tuple[str, str] | None = None


def _ends(text: str) -> tuple[End, ...]:
    return tuple(End(*item) for item in json.loads(text))


def _text(ends: Sequence[End]) -> str:
    return json.dumps([[end.id, end.instance_uuid, end.name] for end in ends])


def every(project: Project) -> tuple[Kept, ...]:
    """Return all edits, the oldest first, those that were undone too."""
    ends = {
        row["edit"]: (row["who"], row["at"])
        for row in project.rows("SELECT edit, who, at FROM plan_edit_end")
    }
    return tuple(
        Kept(
            Edit(
                act=Act(row["act"]),
                what=row["what"],
                vms=_ends(row["vms"]),
                other=row["other"],
                partners=_ends(row["partners"]),
                wave=row["wave"],
                start=row["start"],
                who=row["who"],
                at=row["at"],
                number=row["id"],
            ),
            row["before"],
            row["after"],
            ends.get(row["id"]),
        )
        for row in project.rows("SELECT * FROM plan_edit ORDER BY id")
    )


def in_force(project: Project) -> tuple[Edit, ...]:
    """Return the edits that count, the oldest first."""
    return tuple(kept.edit for kept in every(project) if kept.taken_back is None)


def next_number(project: Project) -> int:
    """Return the number the next edit gets."""
    return int(project.rows("SELECT coalesce(max(id), 0) + 1 AS next FROM plan_edit")[0]["next"])


def add(project: Project, edits: Sequence[Edit], before: StoredPlan, plan: Plan) -> StoredPlan:
    """Store edits under their numbers, and the one plan they led to.

    Raises BadInput when somebody else changed the plan or its edits in the meantime; nothing is stored then.
    """
    with project.write() as db:
        newest = project.rows("SELECT max(version) AS version FROM plan")[0]["version"]
        if newest != before.version or next_number(project) != edits[0].number:
            raise BadInput(
                "the plan was changed by somebody else in the meantime", "look at it and try again"
            )
        version = plans.insert(db, plan, edits[0].who)
        db.table("plan_edit").insert_all(
            {
                "id": edit.number,
                "act": edit.act.value,
                "what": edit.what,
                "other": edit.other,
                "vms": _text(edit.vms),
                "partners": _text(edit.partners),
                "wave": edit.wave,
                "start": edit.start,
                "before": before.version,
                "after": version,
                "who": edit.who,
                "at": edit.at,
            }
            for edit in edits
        )
    return StoredPlan(version, plan)


def to_undo(project: Project, number: int | None = None) -> Kept:
    """Return the edit to take back, the newest unless ``number`` is given.

    Raises NotFound for none, BadInput for one that later edits build on.
    """
    known = [kept for kept in every(project) if kept.taken_back is None]
    if not known:
        raise NotFound("there is no edit to take back", "see 'wherry plan edits'")
    if number is None:
        return known[-1]
    found = next((kept for kept in known if kept.edit.number == number), None)
    if found is None:
        raise NotFound(f"edit {number} does not exist or was taken back", "see 'wherry plan edits'")
    later = [
        kept.edit
        for kept in known
        if kept.edit.number > number and (kept.edit.ids & found.edit.ids or _same_wave(kept.edit, found.edit))
    ]
    if later:
        raise BadInput(f"{later[0].said} builds on edit {number}", "take back the later one first")
    return found


def _same_wave(later: Edit, earlier: Edit) -> bool:
    return later.act is Act.UNLOCK and (later.wave, later.start) == (earlier.wave, earlier.start)


def plan_before(project: Project, kept: Kept) -> Plan | None:
    """Return the plan that comes back with an edit.

    None when it was planned since, or other edits that are in force led to the same plan.
    """
    if any(other.after == kept.after and other.edit.number != kept.edit.number
           for other in every(project) if other.taken_back is None):  # fmt: skip
        return None
    said = project.rows(
        "SELECT DISTINCT fingerprint FROM plan"
        " WHERE version = ? OR version = (SELECT max(version) FROM plan)",
        kept.after,
    )
    return plans.get(project, kept.before).plan if len(said) == 1 else None


def take_back(project: Project, kept: Kept, who: str) -> StoredPlan | None:
    """Take an edit back; return the plan before it as a new version, None when it was planned since."""
    with project.write() as db:
        before = plan_before(project, kept)
        db.table("plan_edit_end").insert({"edit": kept.edit.number, "who": who, "at": utc_now()})
        return None if before is None else StoredPlan(plans.insert(db, before, who), before)


def numbered(project: Project, edits: Sequence[Edit], who: str) -> tuple[Edit, ...]:
    """Return the edits with the number, person and time they are going to be stored with; none is yet."""
    first, now = next_number(project), utc_now()
    return tuple(
        replace(edit, number=first + at, who=who, at=now, saved=False) for at, edit in enumerate(edits)
    )
