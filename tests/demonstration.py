"""One showing of ``wherry demo`` for several tests: from a built wheel, outside the clone.

Where no wheel can be built, the demo runs from the clone, and the tests of the wheel say so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from migrate.daemons import receiver
from migrate.daemons.spawn import stop_server
from migrate.sites.lab import daemon
from planner.store.project import Project

CLONE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and the directory it is unpacked in; ``why_not`` says why there is none."""

    wheel: Path
    site: Path
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A showing that ended: where, with what exit code and words, and which project it had to replace."""

    root: Path
    code: int
    out: str
    err: str
    former: str = ""


@cache
def scratch() -> Path:
    """Return a directory outside the clone that lasts as long as the tests."""
    import atexit

    made = Path(tempfile.mkdtemp(prefix="wherry-demo-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    atexit.register(_end_labs, made)  # before that: of a demo that was killed and never replaced
    return made


def _end_labs(root: Path) -> None:
    """End the sites of labs under a directory."""
    for folder in root.glob("**/lab/*/run"):
        for server in (receiver.NAME, daemon.NAME):
            stop_server(folder, server)


@cache
def built() -> Built:
    """Build the wheel and unpack it with the installer, without its dependencies."""
    place = scratch() / "wheel"
    for tool in ("build", "hatchling", "pip"):
        if find_spec(tool) is None:
            return Built(place, place, f"not run: {tool} is not installed")
    wheels, site = place / "dist", place / "site"
    _checked("-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(CLONE))
    (wheel,) = wheels.glob("*.whl")
    _checked("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel))
    return Built(wheel, site)


def _checked(*arguments: str) -> None:
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def environment(site: Path) -> dict[str, str]:
    """Return an environment in which our packages come from ``site`` and the libraries from here."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WHERRY"))}
    return {**kept, "PYTHONPATH": str(site)}


def _demo(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui.cli.entry", "demo", *arguments]


def run_demo(site: Path, directory: Path, *arguments: str) -> Shown:
    """Run ``wherry demo`` from the code under ``site`` in a directory."""
    ended = subprocess.run(
        _demo(*arguments),
        cwd=directory,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Shown(directory / ".demo", ended.returncode, ended.stdout, ended.stderr)


def _killed_demo(site: Path, directory: Path) -> str:
    """Kill a demo whose lab runs and return its project's id."""
    with subprocess.Popen(
        _demo(),
        cwd=directory,
        env=environment(site),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # the command it runs dies with it, the lab lives on
    ) as process:
        assert process.stdout
        try:
            assert any("wherry remedy" in said for said in process.stdout), "it never came to its lab"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    with Project.open(directory / ".demo") as project:
        return project.id


@cache
def shown() -> Shown:
    """Return the one showing, made when first asked for: in an empty directory, killed, and begun again."""
    directory = scratch() / "empty"
    directory.mkdir()
    made = built()
    site = CLONE if made.why_not else made.site
    former = _killed_demo(site, directory)
    return replace(run_demo(site, directory), former=former)
