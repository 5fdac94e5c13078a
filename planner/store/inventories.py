"""Inventory snapshots: immutable, newest last. Writes ``inventory`` and ``inventory_vm``.

A VM is one row: the columns that tables sort and filter by, and the digest of its whole content
beside them. A list of ten thousand is painted without building ten thousand objects, and a
snapshot costs only what changed since the last one.

A snapshot has a role: what leaves is the source, where it goes is the target. One that carries
imported evidence names the bare snapshot it was made from as its base.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from planner.errors import NotFound
from planner.listing import COLUMNS, listed
from planner.store import contents
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database

    from planner.model import Inventory


class Role(StrEnum):
    """What an inventory is of: the estate that leaves, or the one it goes to."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class StoredInventory:
    """An inventory as it lies in the store."""

    id: int
    fingerprint: str
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Summary:
    """The head of an inventory, cheap to read. ``base`` is None for one as it was discovered."""

    id: int
    fingerprint: str
    source: str
    taken_at: str
    vms: int
    size_bytes: int
    role: Role
    base: int | None
    stored_at: str


_HEAD = "id, fingerprint, source, taken_at, vms, size_bytes, role, base, stored_at"


def _summary(row: object) -> Summary:
    fields = dict(row)  # type: ignore[call-overload]
    return Summary(**{**fields, "role": Role(fields["role"])})


def save(
    project: Project, inventory: Inventory, role: Role = Role.SOURCE, base: int | None = None
) -> StoredInventory:
    """Store a snapshot and return it with its id and fingerprint; raises BadInput, nothing half-stored."""
    with project.write() as db:
        return add(db, inventory, role, base)


def add(
    db: Database, inventory: Inventory, role: Role = Role.SOURCE, base: int | None = None
) -> StoredInventory:
    """Store a snapshot inside the caller's transaction; raises BadInput."""
    from planner.codec import digest, encode
    from planner.fingerprint import encoded_parts
    from planner.volumes import volumes

    bodies = [encode(vm) for vm in inventory.vms]
    digests = [digest(body) for body in bodies]
    parts = {name: (digest(body), body) for name, body in encoded_parts(inventory).items()}
    contents.put(db, zip(digests, bodies, strict=True))
    contents.put(db, parts.values())
    number, fingerprint = insert(
        db,
        Snapshot(
            source=inventory.source,
            taken_at=inventory.taken_at,
            size_bytes=sum(volume.size_bytes for volume in volumes(inventory)),
            vms=tuple(digests),
            parts={name: named for name, (named, _) in parts.items()},
        ),
        map(listed, inventory.vms),
        role,
        base,
    )
    return StoredInventory(number, fingerprint, inventory)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot by the digests of its contents: of each VM in order, and of each part by name."""

    source: str
    taken_at: str
    size_bytes: int
    vms: tuple[str, ...]
    parts: dict[str, str]


def insert(
    db: Database,
    snapshot: Snapshot,
    rows: Iterable[tuple[str | int, ...]],
    role: Role = Role.SOURCE,
    base: int | None = None,
) -> tuple[int, str]:
    """Write a snapshot whose contents are stored; return its id and fingerprint.

    ``rows`` hold what tables list of each VM, as ``listed`` returns it.
    """
    from planner.fingerprint import fingerprint_of

    fingerprint = fingerprint_of(snapshot.source, snapshot.vms, snapshot.parts)
    number = (
        db.table("inventory")
        .insert(
            {
                "fingerprint": fingerprint,
                "source": snapshot.source,
                "taken_at": snapshot.taken_at,
                "stored_at": utc_now(),
                "vms": len(snapshot.vms),
                "size_bytes": snapshot.size_bytes,
                "estate": json.dumps(snapshot.parts),
                "role": role.value,
                "base": base,
            }
        )
        .last_pk
    )
    db.conn.executemany(
        f"INSERT INTO inventory_vm ({', '.join(_COLUMNS)})"  # noqa: S608 - names of our own
        f" VALUES ({', '.join('?' * len(_COLUMNS))})",
        (
            (number, position, *row, named)
            for position, (row, named) in enumerate(zip(rows, snapshot.vms, strict=True))
        ),
    )
    return int(number or 0), fingerprint


_COLUMNS = ("inventory", "position", *COLUMNS, "digest")


def heads(project: Project) -> tuple[Summary, ...]:
    """Return the heads of all snapshots, newest first."""
    return tuple(map(_summary, project.rows(f"SELECT {_HEAD} FROM inventory ORDER BY id DESC")))  # noqa: S608


def head(project: Project, number: int) -> Summary:
    """Return the head of one snapshot; raises NotFound."""
    rows = project.rows(f"SELECT {_HEAD} FROM inventory WHERE id = ?", number)  # noqa: S608
    if not rows:
        raise NotFound(f"inventory {number} does not exist", "see 'wherry inventory snapshots'")
    return _summary(rows[0])


def find_summary(project: Project, role: Role = Role.SOURCE) -> Summary | None:
    """Return the head of the newest snapshot of a role, None when there is none."""
    rows = project.rows(
        f"SELECT {_HEAD} FROM inventory WHERE role = ? ORDER BY id DESC LIMIT 1",  # noqa: S608
        role.value,
    )
    return _summary(rows[0]) if rows else None


def summary(project: Project) -> Summary:
    """Return the head of the newest snapshot; raises NotFound when nothing was discovered yet."""
    found = find_summary(project)
    if found is None:
        raise NotFound("the project has no inventory yet", "run 'wherry discover FILE' first")
    return found


def find_fingerprint(project: Project, fingerprint: str) -> Summary | None:
    """Return the head of the newest snapshot of that content, None when the project never held it."""
    rows = project.rows(
        f"SELECT {_HEAD} FROM inventory WHERE fingerprint = ? ORDER BY id DESC LIMIT 1",  # noqa: S608
        fingerprint,
    )
    return _summary(rows[0]) if rows else None


def gaps(project: Project, number: int) -> frozenset[str]:
    """Return the kinds of things that the source of a snapshot has no word on."""
    (row,) = project.rows("SELECT estate FROM inventory WHERE id = ?", number)
    body = contents.parts(project, {"gaps": json.loads(row["estate"]).get("gaps")}).get("gaps")
    return frozenset(json.loads(body)) if body else frozenset()


def get(project: Project, number: int) -> StoredInventory:
    """Return one snapshot; raises NotFound."""
    from planner.codec import decode
    from planner.fingerprint import part_shape
    from planner.model import VM, Inventory

    known = head(project, number)
    vms = project.rows(
        "SELECT body FROM inventory_vm JOIN content USING (digest) WHERE inventory = ? ORDER BY position",
        number,
    )
    (row,) = project.rows("SELECT estate FROM inventory WHERE id = ?", number)
    parts = contents.parts(project, json.loads(row["estate"]))
    return StoredInventory(
        number,
        known.fingerprint,
        Inventory(
            source=known.source,
            taken_at=known.taken_at,
            vms=tuple(decode(item["body"], VM) for item in vms),
            **{name: decode(body, part_shape(name)) for name, body in parts.items()},
        ),
    )


def latest(project: Project) -> StoredInventory:
    """Return the newest snapshot; raises NotFound when nothing was discovered yet."""
    return get(project, summary(project).id)


def latest_bare(project: Project) -> StoredInventory:
    """Return the newest snapshot as it was discovered, without evidence; raises NotFound."""
    head = summary(project)
    return get(project, head.base or head.id)


def find_target(project: Project) -> StoredInventory | None:
    """Return the newest inventory of the target, None when none was discovered."""
    head = find_summary(project, Role.TARGET)
    return get(project, head.id) if head else None
