"""A planned project with windows, and a study of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry
from tui.study.client import Study


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    """The command line on a project of its own."""
    return Wherry(shutil.copytree(dated, tmp_path / "planned"))


@pytest.fixture
def planned(cli: Wherry) -> Iterator[Study]:
    """A study of that project."""
    found = Study(cli.root)
    yield found
    found.close()
