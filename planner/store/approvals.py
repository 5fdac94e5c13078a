"""Approvals: who agreed to exactly what a wave will do. Writes ``approval``.

An approval names a wave and the fingerprint of what it will do. It is valid for any plan version in
which that wave still has that fingerprint; nothing is ever deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.store.plans import StoredPlan
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word on one wave."""

    wave: str
    fingerprint: str
    who: str
    at: str


def approve(project: Project, stored: StoredPlan, waves: tuple[str, ...], who: str) -> tuple[Approval, ...]:
    """Record ``who``'s approval of the named waves as they are in this plan."""
    given = tuple(
        Approval(wave.name, wave.fingerprint, who, utc_now()) for wave in map(stored.plan.wave, waves)
    )
    with project.write() as db:
        db.table("approval").insert_all(
            {
                "plan": stored.version,
                "wave": item.wave,
                "fingerprint": item.fingerprint,
                "at": item.at,
                "who": item.who,
            }
            for item in given
        )
    return given


def valid(project: Project, plan: Plan) -> dict[str, Approval]:
    """Return the newest valid approval of each wave of ``plan`` that has one."""
    found: dict[str, Approval] = {}
    given = project.rows("SELECT wave, fingerprint, who, at FROM approval ORDER BY id")
    named = {row["wave"] for row in given}
    wanted = {wave.name: wave.fingerprint for wave in plan.waves if wave.name in named}
    for row in given:
        if wanted.get(row["wave"]) == row["fingerprint"]:
            found[row["wave"]] = Approval(row["wave"], row["fingerprint"], row["who"], row["at"])
    return found


def ended(project: Project, before: Plan, after: Plan) -> tuple[str, ...]:
    """Return the waves that are approved in one plan and no longer in a later one."""
    still = valid(project, after)
    return tuple(name for name in valid(project, before) if name not in still)


def standing(project: Project, version: int) -> dict[str, Approval]:
    """Return the newest valid approval of each wave of a version, by what its lines say."""
    rows = project.rows(
        "SELECT wave, approval.fingerprint, who, at FROM approval JOIN plan_wave"
        " ON plan_wave.name = wave AND plan_wave.fingerprint = approval.fingerprint"
        " WHERE plan_wave.version = ? ORDER BY id",
        version,
    )
    return {row["wave"]: Approval(*row) for row in rows}
