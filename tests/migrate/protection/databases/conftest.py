"""What the tests with real database servers need of this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrate.protection.databases.mounted import cannot_mount


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a folder with a short path, since sockets lie in it, that other logins can reach."""
    made = Path(tempfile.mkdtemp(prefix="wherry-db-"))
    try:
        made.chmod(0o755)
        if why := cannot_mount(made):
            pytest.skip(f"not run: {why}")
        yield made
    finally:
        shutil.rmtree(made)
