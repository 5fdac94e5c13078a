"""Contents by their digest, each stored once however many snapshots hold it. Writes ``content``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from planner.store.project import Project

if TYPE_CHECKING:
    from sqlite_utils import Database


def put(db: Database, contents: Iterable[tuple[str, bytes]]) -> None:
    """Store (digest, body) pairs inside a transaction; those already there are left as they are."""
    db.conn.executemany(
        # the bodies are UTF-8 as SQLite wants it: decoded, a long one would be in memory twice
        "INSERT OR IGNORE INTO content (digest, body) VALUES (?, CAST(? AS TEXT))",
        contents,
    )


def parts(project: Project, named: Mapping[str, object]) -> dict[str, str]:
    """Return the body of each part of an inventory, by name.

    A part is named by its digest; snapshots of the first schema hold it in place, as a list.
    """
    import json

    found: dict[str, str] = {}
    for name, said in named.items():
        if isinstance(said, str):
            found[name] = project.rows("SELECT body FROM content WHERE digest = ?", said)[0]["body"]
        elif said:
            found[name] = json.dumps(said)
    return found
