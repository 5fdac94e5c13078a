"""Imported evidence as it was read, and what a person settled. Writes the ``evidence_`` tables.

An import stays until it is withdrawn; its head stays for ever. A file is known by its SHA-256 and
stored once. Every change makes a new snapshot from the newest bare one, in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput, NotFound
from planner.evidence.records import Conversation, Endpoint, Evidence, Fact, Import, Kind, settled_key
from planner.model import Inventory
from planner.store import inventories
from planner.store.inventories import StoredInventory
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database

    from planner.sources.flows.reading import Reading

_AT_ONCE = 5_000  # rows read at a time, so that a million of them are never in memory together
_HEAD = "id, kind, name, sha256, at, who, rows, refused, ignored"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a change to the evidence led to. ``snapshot`` is None while nothing was discovered yet."""

    imports: tuple[Import, ...]
    snapshot: StoredInventory | None


def imports(project: Project) -> tuple[Import, ...]:
    """Return the heads of all imports that count, oldest first."""
    rows = project.rows(f"SELECT {_HEAD} FROM evidence_import WHERE withdrawn_at IS NULL ORDER BY id")  # noqa: S608
    return tuple(_import(dict(row)) for row in rows)


def _import(row: dict[str, Any]) -> Import:
    return Import(**{**row, "kind": Kind(row["kind"]), "ignored": json.loads(row["ignored"])})


def find(project: Project, sha256: str) -> Import | None:
    """Return the import of a file with this digest that counts, None when there is none."""
    return next((item for item in imports(project) if item.sha256 == sha256), None)


def take_in(project: Project, readings: tuple[Reading, ...], who: str) -> Taken:
    """Store what was read and the snapshot that follows, all or nothing; empties the tallies.

    Raises BadInput for a file that counts already: two processes may have read it at once.
    """
    with project.write() as db:
        for reading in readings:
            if (known := find(project, reading.source.sha256)) is not None:
                raise BadInput(
                    f"{reading.source.name} was imported meanwhile (import {known.id}); nothing was stored",
                    "give the command again: what is known already is left out",
                )
        numbers = [_store(db, reading, who) for reading in readings]
        snapshot = renew(project, db)
    return Taken(tuple(item for item in imports(project) if item.id in numbers), snapshot)


def _store(db: Database, reading: Reading, who: str) -> int:
    number = int(
        db.table("evidence_import")
        .insert(
            {
                "kind": reading.kind.value,
                "name": reading.source.name,
                "sha256": reading.source.sha256,
                "at": utc_now(),
                "who": who,
                "rows": reading.log.rows,
                "refused": reading.log.refused,
                "ignored": json.dumps(reading.log.ignored, sort_keys=True),
            }
        )
        .last_pk
        or 0
    )
    db.conn.executemany(
        "INSERT INTO evidence_endpoint (import, number, name, address) VALUES (?, ?, ?, ?)",
        ((number, at, end.name, end.address) for at, end in enumerate(reading.tally.endpoints)),
    )
    db.conn.executemany(
        "INSERT INTO evidence_conversation (import, source, destination, port, protocol, size_bytes, count,"
        " first_seen, last_seen, days, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                number,
                item.source,
                item.destination,
                item.port,
                item.protocol,
                item.size_bytes,
                item.count,
                item.first_seen,
                item.last_seen,
                item.days,
                " ".join(map(str, item.rows)),
            )
            for item in reading.tally.drain()
        ),
    )
    db.conn.executemany(
        "INSERT INTO evidence_fact (import, row, field, subject, value) VALUES (?, ?, ?, ?, ?)",
        ((number, fact.row, fact.field, fact.subject, fact.value) for fact in reading.facts),
    )
    return number


def withdraw(project: Project, number: int) -> Taken:
    """Take an import back: what it said no longer counts; raises NotFound."""
    if number not in {item.id for item in imports(project)}:
        raise NotFound(f"import {number} does not exist", "see 'wherry flows list'")
    with project.write() as db:
        db.conn.execute("UPDATE evidence_import SET withdrawn_at = ? WHERE id = ?", (utc_now(), number))
        for table in ("evidence_conversation", "evidence_fact", "evidence_endpoint"):
            db.conn.execute(f"DELETE FROM {table} WHERE import = ?", (number,))  # noqa: S608 - names of our own
        snapshot = renew(project, db)
    return Taken(imports(project), snapshot)


def settle(project: Project, meanings: Mapping[str, str | None], who: str) -> Taken:
    """Remember that labels mean a VM (by id), nobody of ours (""), or nothing any more (None)."""
    now = utc_now()
    keys = {settled_key(label): vm for label, vm in meanings.items()}
    with project.write() as db:
        db.conn.executemany("DELETE FROM evidence_settled WHERE label = ?", ((key,) for key in keys))
        db.conn.executemany(
            "INSERT INTO evidence_settled VALUES (?, ?, ?, ?)",
            ((key, vm, now, who) for key, vm in keys.items() if vm is not None),
        )
        snapshot = renew(project, db)
    return Taken(imports(project), snapshot)


def settled(project: Project) -> dict[str, str]:
    """Return what a person settled: VM id, or "" for nobody of ours, by label."""
    return {row["label"]: row["vm"] for row in project.rows("SELECT label, vm FROM evidence_settled")}


def is_held(project: Project) -> bool:
    """Return whether there is anything to lay over a bare snapshot, decisions on ties included."""
    return bool(
        project.rows("SELECT 1 FROM evidence_import WHERE withdrawn_at IS NULL LIMIT 1")
        or project.rows("SELECT 1 FROM decision LIMIT 1")
        or project.rows("SELECT 1 FROM evidence_settled LIMIT 1")
    )


def recompose(project: Project, bare: Inventory) -> Inventory:
    """Return a bare snapshot with all evidence and decisions of the project on it; without any, itself."""
    from planner.evidence.compose import compose
    from planner.graph.decided import decided
    from planner.store import decisions

    return decided(compose(bare, evidence_of(project)), decisions.remembered(project))


def renew(project: Project, db: Database) -> StoredInventory | None:
    """Make a snapshot of the newest bare one inside the caller's transaction, None when there is none."""
    if inventories.find_summary(project) is None:
        return None
    bare = inventories.latest_bare(project)
    return inventories.add(db, recompose(project, bare.inventory), base=bare.id)


def evidence_of(project: Project) -> Evidence:
    """Return everything the project was told; its conversations stream from the store, once."""
    ends = endpoints(project)
    return Evidence(imports(project), conversations(project, ends), facts(project, ends), settled(project))


Ends = dict[int, list[Endpoint]]


def endpoints(project: Project) -> Ends:
    """Return the endpoints of each import, by their numbers."""
    found: Ends = {}
    for row in project.rows("SELECT import, name, address FROM evidence_endpoint ORDER BY import, number"):
        found.setdefault(row["import"], []).append(Endpoint(row["name"], row["address"]))
    return found


def conversations(project: Project, ends: Ends, where: str = "1", *values: object) -> Iterator[Conversation]:
    """Yield stored conversations, oldest import first; ``where`` is a condition of our own making."""
    last = 0
    while rows := project.rows(
        f"SELECT * FROM evidence_conversation WHERE id > ? AND {where} ORDER BY id LIMIT {_AT_ONCE}",  # noqa: S608
        last,
        *values,
    ):
        for row in rows:
            last, origin, source, destination, port, protocol, size, count, first, final, days, cited = row
            yield Conversation(
                origin,
                ends[origin][source],
                ends[origin][destination],
                port,
                protocol,
                size,
                count,
                first,
                final,
                days,
                tuple(map(int, cited.split())),
            )


def facts(project: Project, ends: Ends) -> tuple[Fact, ...]:
    """Return all facts, oldest import first."""
    rows = project.rows("SELECT import, subject, field, value, row FROM evidence_fact ORDER BY import, row")
    return tuple(
        Fact(row["import"], ends[row["import"]][row["subject"]], row["field"], row["value"], row["row"])
        for row in rows
    )
