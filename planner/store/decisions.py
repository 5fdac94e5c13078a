"""Decisions of people on ties and hubs. Writes ``decision`` and ``decision_end``: both only ever grow.

Every change makes a new snapshot from the newest bare one, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.errors import NotFound
from planner.graph.decided import End, Remembered, tie_key
from planner.model import VM, Decision, Ruling
from planner.store import evidence
from planner.store.inventories import StoredInventory
from planner.store.project import Project, utc_now


def remembered(project: Project) -> tuple[Remembered, ...]:
    """Return every decision that was not taken back, the oldest first."""
    return tuple(
        Remembered(
            row["id"],
            Decision(
                Ruling(row["ruling"]), row["a"], row["b"], row["port"], row["why"], row["who"], row["at"]
            ),
            End(row["a"], row["a_uuid"], row["a_name"]),
            End(row["b"], row["b_uuid"], row["b_name"]) if row["b"] else None,
        )
        for row in project.rows(
            "SELECT * FROM decision WHERE id NOT IN (SELECT decision FROM decision_end) ORDER BY id"
        )
    )


def decide(
    project: Project,
    ruling: Ruling,
    ends: Sequence[VM],
    *,
    who: str,
    why: str = "",
    port: int | None = None,
) -> StoredInventory | None:
    """Remember a decision on two VMs or on one, and return the snapshot that follows."""
    return decide_all(project, ruling, [ends], who=who, why=why, port=port)


def decide_all(
    project: Project,
    ruling: Ruling,
    each: Iterable[Sequence[VM]],
    *,
    who: str,
    why: str = "",
    port: int | None = None,
) -> StoredInventory | None:
    """Remember the same decision on several pairs at once, all or none; one snapshot follows."""
    now = utc_now()
    with project.write() as db:
        db.table("decision").insert_all(
            {
                "ruling": ruling.value,
                "a": a.id,
                "a_uuid": a.instance_uuid,
                "a_name": a.name,
                "b": b.id if b else "",
                "b_uuid": b.instance_uuid if b else "",
                "b_name": b.name if b else "",
                "port": port,
                "why": why,
                "who": who,
                "at": now,
            }
            for a, b in ((ends[0], ends[1] if len(ends) > 1 else None) for ends in each)
        )
        return evidence.renew(project, db)


def forget(project: Project, decision: Decision, who: str) -> StoredInventory | None:
    """Take back a decision that counts, and all it replaced; raises NotFound.

    Decisions are told apart by what they are on: the ids of their ends as the newest snapshot has them.
    """
    wanted = tie_key(decision)
    numbers = [number for number, key in _keys(project) if key == wanted]
    if not numbers:
        raise NotFound("nobody decided on that", "see 'wherry deps list decided'")
    now = utc_now()
    with project.write() as db:
        db.conn.executemany(
            "INSERT INTO decision_end VALUES (?, ?, ?)", ((number, now, who) for number in numbers)
        )
        return evidence.renew(project, db)


def _keys(project: Project) -> list[tuple[int, tuple[str, ...]]]:
    """Return what each decision is on, by the ids of the newest snapshot."""
    from planner.graph.decided import found_ends
    from planner.store import inventories

    known = remembered(project)
    ends = found_ends(inventories.latest_bare(project).inventory, known)
    return [(item.number, tie_key(ends[item.number])) for item in known if item.number in ends]
