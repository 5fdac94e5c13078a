"""Waivers of a project. Writes ``waiver`` and ``waiver_end``: both only ever grow."""

from __future__ import annotations

import json
from datetime import date

from planner.checks.waivers import Subject, Waiver, Withdrawal
from planner.errors import BadInput, NotFound
from planner.store.project import Project, utc_now


def give(
    project: Project,
    *,
    check: str,
    subjects: tuple[Subject, ...],
    reason: str,
    owner: str,
    until: date,
    who: str,
    where: str = "",
) -> Waiver:
    """Record a waiver and return it with its id."""
    at = utc_now()
    with project.write() as db:
        number = (
            db.table("waiver")
            .insert(
                {
                    "check_id": check,
                    "subjects": json.dumps([[item.kind, item.id, item.name] for item in subjects]),
                    "chosen_by": where,
                    "reason": reason,
                    "owner": owner,
                    "until": until.isoformat(),
                    "who": who,
                    "at": at,
                }
            )
            .last_pk
        )
    return Waiver(int(number or 0), check, subjects, reason, owner, until, who, at, where)


def all_waivers(project: Project) -> tuple[Waiver, ...]:
    """Return every waiver that was ever given, the oldest first."""
    ends = {
        row["waiver"]: Withdrawal(row["who"], row["at"], row["why"])
        for row in project.rows("SELECT waiver, who, at, why FROM waiver_end")
    }
    return tuple(
        Waiver(
            id=row["id"],
            check=row["check_id"],
            subjects=tuple(Subject(*item) for item in json.loads(row["subjects"])),
            reason=row["reason"],
            owner=row["owner"],
            until=date.fromisoformat(row["until"]),
            who=row["who"],
            at=row["at"],
            where=row["chosen_by"],
            withdrawn=ends.get(row["id"]),
        )
        for row in project.rows("SELECT * FROM waiver ORDER BY id")
    )


def withdraw(project: Project, number: int, who: str, why: str) -> Waiver:
    """Take a waiver back and return it as it stands now; raises NotFound, and BadInput the second time."""
    found = next((waiver for waiver in all_waivers(project) if waiver.id == number), None)
    if found is None:
        raise NotFound(f"waiver {number} does not exist", "see 'wherry waive --list'")
    if found.withdrawn:
        raise BadInput(
            f"waiver {number} was withdrawn already, by {found.withdrawn.who} at {found.withdrawn.at}",
            "see 'wherry waive --list'",
        )
    with project.write() as db:
        db.table("waiver_end").insert({"waiver": number, "who": who, "at": utc_now(), "why": why})
    return next(waiver for waiver in all_waivers(project) if waiver.id == number)
