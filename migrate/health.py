"""What wherry needs of a machine and of a project, looked at one by one."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions
from pathlib import Path

from planner.errors import WherryError
from planner.store.project import FILE, Project

_OURS = ("planner", "migrate", "tui")


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at."""

    what: str
    ok: bool
    said: str
    hint: str = ""


def examine(project_dir: Path) -> list[Examined]:
    """Return everything that was looked at, the machine first."""
    return [*_machine(), *_project(project_dir)]


def _machine() -> Iterator[Examined]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Examined("python", sys.version_info >= (3, 11), python, "use Python 3.11 or newer")
    yield Examined(
        "sqlite", sqlite3.sqlite_version_info >= (3, 37), sqlite3.sqlite_version, "use SQLite 3.37 or newer"
    )
    yield from map(_package, _OURS)
    for tool, use, needed in (
        ("mke2fs", "fills the lab's disks", "install e2fsprogs"),
        ("qemu-img", "lets tests read our VMDKs", "install qemu-utils; only the tests need it"),
    ):
        path = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        optional = tool == "qemu-img"
        said = path or f"not found; it {use}"
        yield Examined(tool, bool(path) or optional, said, needed)


def _package(name: str) -> Examined:
    """Say whether one of our top-level names is ours: they are common words."""
    where = Path(str(import_module(name).__file__)).parent
    here = Path(__file__).parents[1]
    try:
        owners = sorted(set(packages_distributions().get(name, ["wherry"])))
    except PackageNotFoundError:
        owners = []
    ours = where.parent == here and owners == ["wherry"]
    said = str(where) if ours else f"{where}, from {', '.join(owners)}"
    return Examined(
        f"package {name}", ours, said, "install wherry in an environment of its own: pipx install wherry"
    )


def _project(root: Path) -> Iterator[Examined]:
    if not (root / FILE).exists():
        yield Examined("project", True, f"none in {root.resolve()}")
        return
    try:
        with Project.open(root) as project:
            whole = project.rows("PRAGMA integrity_check")[0][0] == "ok"
            yield Examined("project", whole, project.name, "restore project.db from a backup")
            private = project.run_dir.stat().st_mode & 0o077 == 0
            yield Examined("run directory", private, str(project.run_dir), "chmod 700 it")
            yield from _shared(project)
            from migrate.audit import broken_at

            broken = broken_at(project)
            said = "whole" if broken is None else f"broken at line {broken}"
            yield Examined("audit chain", broken is None, said, "find out who changed project.db")
            yield from _words(project)
    except WherryError as error:
        yield Examined("project", False, error.message, error.hint)


def _words(project: Project) -> Iterator[Examined]:
    """Say of each word at a gate that nobody said through wherry."""
    from migrate.gates.words import unwitnessed
    from planner.names import visible

    for word in unwitnessed(project):
        said = f"{visible(word.who)} said {word.verdict.value} at {visible(word.gate)}, run {word.run}"
        yield Examined(
            "gates", False, f"{said}, past wherry", "find out who wrote into project.db, and hold that gate"
        )


def _shared(project: Project) -> Iterator[Examined]:
    """Say whether other logins can speak at gates, and what keeps them from it where a rule asks for two."""
    from migrate.shared import look, own_umask
    from planner.store import settings

    found = look(project.root, own_umask())
    for said, hint in found.wrong:
        yield Examined("shared directory", False, said, hint)
    if found.shared and not found.wrong:
        yield Examined("shared directory", True, f"with group {found.group}")
    gates = settings.load(project).conduct.gates
    if not found.shared and max(gates.go.persons, gates.commit.persons) > 1:
        yield Examined(
            "shared directory",
            False,
            "gates ask for two persons, and one login alone may write here",
            "share it with a group: see docs/gates.md",
        )
