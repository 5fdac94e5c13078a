"""Plans: immutable versions, newest last. Writes ``plan``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import NotFound, PlanTampered
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database

    from planner.plan import Plan


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with its version in the project."""

    version: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan that was read, with what the store said then: fingerprint and document."""

    stored: StoredPlan
    said: tuple[str, str]


_KEPT = "plan"


def save(project: Project, plan: Plan, who: str) -> StoredPlan:
    """Store a plan as a new version; one equal to the newest is not stored twice."""
    with project.write() as db:
        newest = project.rows("SELECT version, fingerprint FROM plan ORDER BY version DESC LIMIT 1")
        if newest and newest[0]["fingerprint"] == plan.fingerprint:
            return StoredPlan(int(newest[0]["version"]), plan)
        return StoredPlan(insert(db, plan, who), plan)


def insert(db: Database, plan: Plan, who: str) -> int:
    """Write a plan as a new version inside a transaction of the caller; return the version."""
    row = {
        "fingerprint": plan.fingerprint,
        "at": utc_now(),
        "who": who,
        "document": plan.model_dump_json(by_alias=True),
    }
    return int(db.table("plan").insert(row).last_pk or 0)


def get(project: Project, version: int) -> StoredPlan:
    """Return one version; raises NotFound, and PlanTampered when its fingerprint is wrong.

    A large plan takes a second to read: the last one is kept for as long as the store says the same.
    """
    from planner.plan import Plan, Wave

    rows = project.rows("SELECT fingerprint, document FROM plan WHERE version = ?", version)
    if not rows:
        raise NotFound(f"plan {version} does not exist", "see 'wherry plan show'")
    kept = project.memory.get(_KEPT)
    if isinstance(kept, _Kept) and (kept.stored.version, kept.said) == (version, tuple(rows[0])):
        return kept.stored
    body = json.loads(rows[0]["document"])
    # Wave by wave, so that a screen in another thread is painted in between.
    body["waves"] = tuple(Wave.model_validate(wave) for wave in body["waves"])
    plan = Plan.model_validate(body)
    if plan.fingerprint != rows[0]["fingerprint"]:
        raise PlanTampered(f"plan {version} was changed in the store", "restore project.db from a backup")
    stored = StoredPlan(version, plan)
    project.memory[_KEPT] = _Kept(stored, tuple(rows[0]))
    return stored


def inventory_of(project: Project, version: int) -> str:
    """Return the fingerprint of the inventory a version was made on; raises NotFound."""
    rows = project.rows(
        "SELECT json_extract(document, '$.inventory') AS it FROM plan WHERE version = ?", version
    )
    if not rows:
        raise NotFound(f"plan {version} does not exist", "see 'wherry plan show'")
    return str(rows[0]["it"])


def latest(project: Project) -> StoredPlan:
    """Return the newest plan; raises NotFound when there is none."""
    found = find_latest(project)
    if found is None:
        raise NotFound("the project has no plan yet", "run 'wherry plan' first")
    return found


def find_latest(project: Project) -> StoredPlan | None:
    """Return the newest plan, or None."""
    rows = project.rows("SELECT version FROM plan ORDER BY version DESC LIMIT 1")
    return get(project, int(rows[0]["version"])) if rows else None


def find_fingerprint(project: Project, fingerprint: str) -> Plan | None:
    """Return the newest plan of that fingerprint, or None."""
    rows = project.rows(
        "SELECT version FROM plan WHERE fingerprint = ? ORDER BY version DESC LIMIT 1", fingerprint
    )
    return get(project, int(rows[0]["version"])).plan if rows else None
