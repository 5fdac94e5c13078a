"""What tests of a stream begin with: a target with a journal for the tap's group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrate.tap.rig import Far


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path / "far")
    yield made
    made.end()
