"""A project with the sample estate to copy, and jobs that are waited for and never left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import SETTINGS, write
from tui.jobs.jobs import Jobs


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that has read the sample estate of 720 VMs; copy it, don't change it."""
    root = tmp_path_factory.mktemp("estate") / "move"
    assert wherry("init", str(root)).code == 0
    Wherry(root).done("discover", "estate")
    return root


@pytest.fixture
def read(estate: Path, tmp_path: Path) -> Wherry:
    """Return a project of its own with the sample estate."""
    return Wherry(shutil.copytree(estate, tmp_path / "move"))


@pytest.fixture
def planned(fresh: Wherry) -> Wherry:
    """Return a project with a plan of three VMs in two waves."""
    settings = fresh.root.parent / "settings.toml"
    settings.write_text(SETTINGS, "utf-8")
    fresh.done("settings", "import", str(settings))
    fresh.done("discover", str(write(fresh.root.parent / "inventory.json")))
    fresh.done("plan", "--effort", "quick")
    return fresh


@pytest.fixture
def fresh(tmp_path: Path) -> Wherry:
    """Return a project that has read nothing."""
    root = tmp_path / "fresh"
    assert wherry("init", str(root)).code == 0
    return Wherry(root)


@pytest.fixture
def jobs() -> Iterator[list[Jobs]]:
    """Return a list; the jobs put in it are closed at the end."""
    made: list[Jobs] = []
    yield made
    for item in made:
        item.close()
        assert item.all_running == ()
