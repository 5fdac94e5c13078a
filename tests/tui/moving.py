"""A project with a lab for tests of screens: built by the verbs, ended with its engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.engine.presence import halt
from planner.store.project import Project
from tests.tui.cli.command import Wherry, wherry
from tests.tui.cli.estate import SETTINGS, write


@contextmanager
def moving(folder: Path) -> Iterator[Wherry]:
    """Make a project in a folder, with a running lab and approved waves; yield its command line."""
    root = folder / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS, "utf-8")
    cli.done("settings", "import", str(settings))
    cli.done("discover", str(write(folder / "inventory.json")))
    for verb in (("plan",), ("plan", "approve"), ("lab", "build")):
        cli.done(*verb)
    yield cli
    with Project.open(root) as project:
        halt(project.run_dir)
    cli("lab", "stop")
