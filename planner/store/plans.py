"""Plans: immutable versions, newest last. Writes ``plan``; the waves lie in ``plan_wave``.

    plan: head, VMs in no wave ──▶ plan_wave: one line a wave ──▶ content: the wave, who is in its groups

A plan of 100,000 VMs is decoded whole only by who needs it whole: heads, lines and single waves are
read without the rest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Any

from planner.codec import digest
from planner.errors import NotFound, PlanTampered
from planner.garbage import uncollected
from planner.store import plan_waves
from planner.store.plan_waves import LINE, WaveRow, line
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database

    from planner.model import Backing
    from planner.plan import Plan, Score, Wave


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with its version in the project."""

    version: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan but for its waves. ``unplanned`` counts VMs in no wave, ``vms`` those in one."""

    version: int
    fingerprint: str
    at: str
    who: str
    project: str
    created_at: str
    inventory: str
    settings: str
    seed: int | None
    effort: str
    after: str
    notes: tuple[str, ...]
    method: tuple[str, ...]
    by_hand: tuple[str, ...]
    unplanned: int
    waves: int
    vms: int
    waves_bound: int
    card: str  # the score as it is stored

    @property
    def score(self) -> Score:
        """The score card, decoded when it is asked for."""
        from planner.plan import Score

        return Score.model_validate_json(self.card)


_KEPT = "plan"
_TAMPERED = "restore project.db from a backup"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A plan that was read, and what the store said then; ``stamp`` moves when anybody writes."""

    stored: StoredPlan
    said: tuple[str, ...]
    stamp: tuple[int, ...]


def save(project: Project, plan: Plan, who: str) -> StoredPlan:
    """Store a plan as a new version; one equal to the newest is not stored twice."""
    with project.write() as db:
        newest = project.rows("SELECT version, fingerprint FROM plan ORDER BY version DESC LIMIT 1")
        if newest and newest[0]["fingerprint"] == plan.fingerprint:
            return StoredPlan(int(newest[0]["version"]), plan)
        return StoredPlan(insert(db, plan, who), plan)


def insert(db: Database, plan: Plan, who: str) -> int:
    """Write a plan as a new version inside a transaction of the caller; return the version."""
    body = plan.model_dump(mode="json", by_alias=True, exclude={"waves", "unplanned"})
    row = {
        "fingerprint": plan.fingerprint,
        "at": utc_now(),
        "who": who,
        "document": json.dumps(body),
        "unplanned": json.dumps([item.model_dump(mode="json") for item in plan.unplanned]),
    }
    version = int(db.table("plan").insert(row).last_pk or 0)
    plan_waves.insert(db, version, plan.waves, plan.inventory)
    return version


@uncollected()
def get(project: Project, version: int) -> StoredPlan:
    """Return one version; raises NotFound, and PlanTampered when its fingerprint is wrong.

    A large plan takes seconds to read: the last one is kept for as long as the store says the same.
    """
    from planner.plan import Plan, Unplanned, Wave

    kept, stamp = project.memory.get(_KEPT), _stamp(project)
    if isinstance(kept, _Kept) and (kept.stored.version, kept.stamp) == (version, stamp):
        return kept.stored
    rows = project.rows("SELECT fingerprint, document, unplanned FROM plan WHERE version = ?", version)
    if not rows:
        raise _none(version)
    waves = _bodies(project, version)
    said = (*rows[0], *(digest(body.encode()) for body in waves))
    if isinstance(kept, _Kept) and (kept.stored.version, kept.said) == (version, said):
        project.memory[_KEPT] = _Kept(kept.stored, said, stamp)
        return kept.stored
    try:
        body = json.loads(rows[0]["document"])
        body["unplanned"] = tuple(map(Unplanned.model_validate, json.loads(rows[0]["unplanned"])))
        # Wave by wave, so that a screen in another thread is painted in between.
        body["waves"] = tuple(Wave.model_validate_json(wave) for wave in waves)
        plan = Plan.model_validate(body)
    except (ValueError, TypeError) as error:
        raise PlanTampered(f"plan {version} was changed in the store", _TAMPERED) from error
    if plan.fingerprint != rows[0]["fingerprint"]:
        raise PlanTampered(f"plan {version} was changed in the store", _TAMPERED)
    stored = StoredPlan(version, plan)
    project.memory[_KEPT] = _Kept(stored, said, stamp)
    return stored


def _stamp(project: Project) -> tuple[int, ...]:
    (other,) = project.rows("PRAGMA data_version")[0]  # what other connections wrote
    (own,) = project.rows("SELECT total_changes()")[0]
    return int(other), int(own)


def _bodies(project: Project, version: int) -> list[str]:
    rows = project.rows(
        "SELECT body FROM plan_wave JOIN content USING (digest) WHERE version = ? ORDER BY position", version
    )
    return [row["body"] for row in rows]


def _none(version: int) -> NotFound:
    return NotFound(f"plan {version} does not exist", "see 'wherry plan show'")


def inventory_of(project: Project, version: int) -> str:
    """Return the fingerprint of the inventory a version was made on; raises NotFound."""
    rows = project.rows(
        "SELECT json_extract(document, '$.inventory') AS it FROM plan WHERE version = ?", version
    )
    if not rows:
        raise _none(version)
    return str(rows[0]["it"])


def latest(project: Project) -> StoredPlan:
    """Return the newest plan; raises NotFound when there is none."""
    found = find_latest(project)
    if found is None:
        raise _nothing()
    return found


def _nothing() -> NotFound:
    return NotFound("the project has no plan yet", "run 'wherry plan' first")


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


def find_head(project: Project, version: int | None = None) -> PlanHead | None:
    """Return one version but for its waves, the newest by default; None when there is none."""
    rows = project.rows(
        "SELECT version, fingerprint, at, who, document, json_array_length(unplanned) AS unplanned,"
        " (SELECT count(*) FROM plan_wave WHERE plan_wave.version = plan.version) AS waves,"
        " (SELECT coalesce(sum(vms), 0) FROM plan_wave WHERE plan_wave.version = plan.version) AS vms"
        " FROM plan WHERE version = coalesce(?, (SELECT max(version) FROM plan))",
        version,
    )
    if not rows:
        return None
    try:
        return _head(rows[0], json.loads(rows[0]["document"]))
    except (ValueError, TypeError, LookupError) as error:
        raise PlanTampered(f"plan {rows[0]['version']} was changed in the store", _TAMPERED) from error


def _head(row: sqlite3.Row, body: dict[str, Any]) -> PlanHead:
    return PlanHead(
        **{name: row[name] for name in ("version", "fingerprint", "at", "who", "unplanned", "waves", "vms")},
        **{name: body[name] for name in ("project", "created_at", "inventory", "settings")},
        seed=body.get("seed"),
        effort=body.get("effort", ""),
        after=body.get("after", ""),
        notes=tuple(body.get("notes", ())),
        method=tuple(body.get("method", ())),
        by_hand=tuple(body.get("by_hand", ())),
        waves_bound=body["score"]["waves_bound"],
        card=json.dumps(body["score"]),
    )


def head(project: Project, version: int | None = None) -> PlanHead:
    """Return one version but for its waves, the newest by default; raises NotFound."""
    found = find_head(project, version)
    if found is None:
        raise _nothing() if version is None else _none(version)
    return found


def waves(project: Project, version: int) -> tuple[WaveRow, ...]:
    """Return one line for each wave of a version, in the plan's order."""
    return tuple(
        map(
            line,
            project.rows(
                f"SELECT {', '.join(LINE)} FROM plan_wave WHERE version = ? ORDER BY position",  # noqa: S608
                version,
            ),
        )
    )


def wave_line(project: Project, version: int, name: str) -> WaveRow:
    """Return the line of one wave, of which the name is known exactly; raises NotFound."""
    from planner.plan import no_wave

    rows = project.rows(
        f"SELECT {', '.join(LINE)} FROM plan_wave WHERE version = ? AND name = ?",  # noqa: S608
        version,
        name,
    )
    if not rows:
        raise no_wave(name, [row.name for row in waves(project, version)])
    return line(rows[0])


def wave(project: Project, version: int, name: str) -> Wave:
    """Return one wave, case ignored; raises NotFound, and PlanTampered when its content is another one."""
    from planner.plan import Wave, no_wave

    rows = project.rows(
        "SELECT digest, body FROM plan_wave JOIN content USING (digest)"
        " WHERE version = ? AND name = ? COLLATE NOCASE",
        version,
        name,
    )
    if not rows:
        raise no_wave(name, [row.name for row in waves(project, version)])
    if digest(rows[0]["body"].encode()) != rows[0]["digest"]:
        raise PlanTampered(f"wave {name} of plan {version} was changed in the store", _TAMPERED)
    return Wave.model_validate_json(rows[0]["body"])


def is_reversed(project: Project, version: int, name: str) -> bool:
    """Return whether a wave is to be protected at its source after its commit; reads no more than that."""
    rows = project.rows(
        "SELECT json_extract(body, '$.conduct.ending.reverse') AS reverse FROM plan_wave"
        " JOIN content USING (digest) WHERE version = ? AND name = ?",
        *(version, name),
    )
    return bool(rows and rows[0]["reverse"])


def placed(project: Project, version: int) -> dict[str, tuple[str, str]]:
    """Return the wave and the group of each VM of a version, by VM id."""
    found: dict[str, tuple[str, str]] = {}
    for name, members in _members(project, version):
        for group, vms in members["groups"]:
            found.update(dict.fromkeys(vms, (name, group)))
    return found


def becomes(project: Project, version: int) -> dict[tuple[str, str], tuple[Backing, str]]:
    """Return what each disk that changes its backing becomes, and by which rule; by VM id and disk key."""
    from planner.model import Backing

    return {
        (vm, disk): (Backing(target), intern(rule))
        for _, members in _members(project, version)
        for vm, disk, target, rule in members["becomes"]
    }


def _members(project: Project, version: int) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    for row in project.rows(
        "SELECT name, body FROM plan_wave JOIN content ON content.digest = members WHERE version = ?", version
    ):
        yield row["name"], json.loads(row["body"])


def unplanned(project: Project, version: int) -> dict[str, str]:
    """Return why each VM of a version that is in no wave is in none, by VM id."""
    rows = project.rows("SELECT unplanned FROM plan WHERE version = ?", version)
    return {item["vm"]: intern(item["why"]) for item in json.loads(rows[0]["unplanned"])} if rows else {}
