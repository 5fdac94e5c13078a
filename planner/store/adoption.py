"""A staged inventory taken over into the store as it is, without building an object of it.

Bodies are streamed; their digests, and with them the fingerprint, are worked out here. Everything is
written in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.codec import digest
from planner.sources.staging import Staged
from planner.store import contents
from planner.store.inventories import Role, Snapshot, insert

if TYPE_CHECKING:
    from sqlite_utils import Database


def adopt(db: Database, staged: Staged, role: Role = Role.SOURCE, base: int | None = None) -> tuple[int, str]:
    """Store a staged inventory as a snapshot; return its id and fingerprint. Raises BadInput."""
    digests: list[str] = []

    def bodies() -> Iterator[tuple[str, bytes]]:
        for body in staged.bodies():
            digests.append(digest(body))
            yield digests[-1], body

    contents.put(db, bodies())
    parts = {name: (digest(body), body) for name, body in staged.parts().items()}
    contents.put(db, parts.values())
    snapshot = Snapshot(
        source=staged.source,
        taken_at=staged.taken_at,
        size_bytes=staged.size_bytes,
        vms=tuple(digests),
        parts={name: named for name, (named, _) in parts.items()},
    )
    return insert(db, snapshot, staged.listed(), role, base)
