"""Projects for the tests of the command line: planned ones to copy, and one with a running lab a module."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import SETTINGS, write


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with inventory and plan, nothing approved; copy it, don't change it."""
    root = tmp_path_factory.mktemp("template") / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    settings = root.parent / "settings.toml"
    settings.write_text(SETTINGS, "utf-8")
    cli.done("settings", "import", str(settings))
    cli.done("discover", str(write(root.parent / "inventory.json")))
    cli.done("plan")
    return root


@pytest.fixture
def planned(template: Path, tmp_path: Path) -> Wherry:
    """Return a project of its own with a plan."""
    return Wherry(shutil.copytree(template, tmp_path / "move"))


@pytest.fixture(scope="module")
def with_lab(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Wherry]]:
    """Return a maker of projects with a running lab and approved waves; all are stopped at the end."""
    made: list[Wherry] = []

    def make() -> Wherry:
        cli = Wherry(shutil.copytree(template, tmp_path_factory.mktemp("lab") / "move"))
        made.append(cli)
        cli.done("plan", "approve")
        cli.done("lab", "build")
        return cli

    yield make
    for cli in made:
        assert cli("lab", "stop").code == 0


@pytest.fixture(scope="module")
def lab(with_lab: Callable[[], Wherry]) -> Wherry:
    """Return the module's project with a running lab."""
    return with_lab()
