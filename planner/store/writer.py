"""What writes rows: sqlite-utils, without the two libraries that it asks for and no row of ours comes from.

It loads pandas and numpy where it finds them, to store their types. OR-tools brings both, and every process
that wrote a row took a third of a second longer.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_UNUSED = frozenset({"pandas", "numpy"})
_lock = threading.Lock()


def writer(connection: sqlite3.Connection) -> Database:
    """Return what writes rows over a connection; transactions stay the caller's."""
    if "sqlite_utils" not in sys.modules:
        with _lock, _unused_left_out():
            import sqlite_utils  # noqa: F401
    from sqlite_utils import Database

    return Database(connection, execute_plugins=False)


class _Missing:
    """Finds nothing and keeps one thread from finding more; the others import what they like."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object, target: object = None, /) -> None:
        """Refuse what is not used."""
        if name in _UNUSED and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is not used here", name=name)


@contextmanager
def _unused_left_out() -> Iterator[None]:
    # The list is replaced, never changed: a thread that imports meanwhile goes on through the old one.
    missing = _Missing()
    sys.meta_path = [missing, *sys.meta_path]
    try:
        yield
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not missing]
