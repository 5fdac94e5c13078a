"""What the tests with real database servers need of this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.units import GIB
from tests.migrate.protection.databases.mounted import cannot_mount

_MEMORY = Path("/dev/shm")


def _roomy_memory() -> Path | None:
    """Return where files are in memory, if there is room: servers that sync all the time load no disk."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2 * GIB else None


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a folder with a short path, since sockets lie in it, that other logins can reach."""
    made = Path(tempfile.mkdtemp(prefix="wherry-db-", dir=_roomy_memory()))
    try:
        made.chmod(0o755)
        if why := cannot_mount(made):
            pytest.skip(f"not run: {why}")
        yield made
    finally:
        shutil.rmtree(made)
